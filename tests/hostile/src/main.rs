//! Attacks a store with the files of the corpus, and prints a row for each.
//!
//! ```console
//! $ cargo run -p autotel-hostile -- toml-store.wasm --sample settings.toml
//! ```

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use autotel_hostile::{Report, data, table};
use autotel_stores::{Compiler, Host};

const USAGE: &str = "usage: autotel-hostile STORE.wasm --sample FILE

Attacks the store with hostile files under the extension of FILE, a valid file of its format, and with FILE itself, cut
off at every byte and with a bit flipped at every place. Prints a row for each attack, and ends with 1 where one broke
the store: where it trapped, or answered what is no document.";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [component, option, sample] = &arguments[..] else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if option.as_os_str() != "--sample" {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    match attack(component, sample) {
        Ok(reports) => {
            print!("{}", table(&reports));
            let broken = reports.iter().filter(|report| report.outcome.is_err()).count();
            println!("\n{} attacks, {broken} of which broke the store", reports.len());
            ExitCode::from(u8::from(broken > 0))
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn attack(component: &PathBuf, sample: &PathBuf) -> Result<Vec<Report>, Box<dyn std::error::Error>> {
    let host = Host::builder().store_file(component).compiler(Compiler::InProcess).build()?;
    let extension = sample.extension().and_then(|extension| extension.to_str()).ok_or("the sample has no extension")?;
    let store = host.registry().by_extension(extension).ok_or("the store does not claim the sample's extension")?;
    eprintln!("attacking {} {}", store.description.name, store.description.version);
    let mut reports: Vec<_> = data::ATTACKS.iter().map(|attack| data::mount(&host, extension, attack)).collect();
    reports.extend(data::mount_sample(&host, extension, &fs::read(sample)?));
    Ok(reports)
}
