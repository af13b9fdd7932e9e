//! `autotel compile`.

use std::path::Path;
use std::process::ExitCode;

use autotel_stores::{CodeCache, Error, ErrorKind, HostBuilder};
use clap::Args;
use indicatif::HumanBytes;
use serde_json::json;

use super::stores::short_digest;
use crate::terminal::{print, print_json, shown, table};

#[derive(Args)]
pub struct Arguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    /// Compiles for `hosts`, each of which runs stores in another way.
    pub fn run(&self, folder: Option<&Path>, hosts: impl IntoIterator<Item = HostBuilder>) -> Result<ExitCode, Error> {
        let folder = folder.ok_or_else(|| {
            Error::new(ErrorKind::Usage, "nothing is compiled where it is not kept")
                .with_hint("name a folder to keep it in: --cache-folder FOLDER")
        })?;
        let hosts: Vec<_> =
            hosts.into_iter().map(|host| host.cache_folder(folder).build()).collect::<Result<_, _>>()?;
        hosts.iter().try_for_each(|host| host.compile())?;
        let entries = CodeCache::open(folder).and_then(|cache| cache.entries());
        let entries = entries.map_err(|error| Error::access(folder, error))?;
        let mut stores = Vec::new();
        if let Some(host) = hosts.first() {
            stores.extend(host.stores());
            stores.extend(host.tools()?);
        }
        let code = entries.iter().filter(|entry| entry.is_code);
        let bytes = |digest: &str| code.clone().filter(|entry| entry.digest == digest).map(|entry| entry.bytes).sum();
        let is_kept = |digest: &str| code.clone().filter(|entry| entry.digest == digest).count() >= hosts.len();
        if let Some(lost) = stores.iter().find(|store| !is_kept(&store.digest)) {
            let message = format!("the compiled code of {} could not be kept", lost.description.name);
            return Err(Error::new(ErrorKind::Access, message)
                .on(folder)
                .with_hint("the disk may be full, or the code larger than the 256 MiB that are kept of one store"));
        }
        if self.json {
            let json = stores.iter().map(|store| {
                let bytes: u64 = bytes(&store.digest);
                json!({"name": store.description.name, "digest": format!("sha256:{}", store.digest), "bytes": bytes})
            });
            return print_json(&json!({"folder": folder.to_string_lossy(), "stores": json.collect::<Vec<_>>()}));
        }
        let rows = stores.iter().map(|store| {
            let name = store.description.name.clone();
            [name, HumanBytes(bytes(&store.digest)).to_string(), short_digest(&store.digest)]
        });
        let table = table(["NAME", "COMPILED", "DIGEST"], &rows.collect::<Vec<_>>());
        print(&format!("{table}compiled for hosts that keep their code in {}\n", shown(folder)))
    }
}
