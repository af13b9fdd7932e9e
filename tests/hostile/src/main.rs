//! Attacks a store with the files of the corpus, and prints a row for each.
//!
//! ```console
//! $ cargo run -p autotel-hostile -- toml-store.wasm --sample settings.toml
//! ```

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use autotel_hostile::data::{self, Target};
use autotel_hostile::{Report, table};
use autotel_stores::{COMPILE_FOR_HOST, Compiler, Host, compile_for_host};

const USAGE: &str = "usage: autotel-hostile STORE.wasm --sample FILE

Attacks the store with hostile files under the extension of FILE, a valid file of its format, and with FILE itself, cut
off at every byte and with a bit flipped at every place. Prints a row for each attack, and ends with 1 where one broke
the store: where it trapped, or answered what is no document.";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    // The store is not trusted with a compiler in this process either.
    if arguments == [PathBuf::from(COMPILE_FOR_HOST)] {
        return compile_for_host();
    }
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
    let builder = Host::builder().compiler(Compiler::program(env::current_exe()?));
    let built_in = builder.build()?;
    let description = built_in.inspect(component)?.description;
    // It may call itself like a built-in store.
    let is_taken = built_in.registry().by_name(&description.name).is_some();
    let builder = if is_taken { builder.replace(&description.name) } else { builder };
    let host = builder.store_file(component).build()?;
    let extension = sample.extension().and_then(|extension| extension.to_str()).ok_or("the sample has no extension")?;
    eprintln!("attacking {} {}", description.name, description.version);
    let target = Target { host: &host, store: &description.name, extension };
    let mut reports: Vec<_> = data::ATTACKS.iter().map(|attack| target.mount(attack)).collect();
    reports.extend(target.mount_sample(&fs::read(sample)?));
    Ok(reports)
}
