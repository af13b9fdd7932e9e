//! Each attack of the corpus costs one call, and nothing else: a test for each, and a table of all at the end.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use autotel_hostile::data::{self, Target};
use autotel_hostile::{Attack, Outcome, Report, Scene, attacks, forge, mount, table};
use autotel_stores::{Compiler, Host, Limit, Limits};
use autotel_tests::HOST;
use libtest_mimic::{Arguments, Failed, Trial};

/// Only a process of its own is bounded while it compiles.
#[rustfmt::skip]
const BOMBS: &[Attack] = &[
    Attack::new(26, "takes gigabytes to compile", |scene| bomb(scene, Limits::default().with(Limit::CompileMemory, 256 << 20), Limit::CompileMemory)),
    Attack::new(26, "takes minutes to compile", |scene| bomb(scene, Limits::default().with(Limit::CompileTime, 300), Limit::CompileTime)),
];

fn bomb(scene: &Scene, limits: Limits, limit: Limit) -> Outcome {
    let path = scene.file("bomb.wasm", forge::bomb());
    let compiler = Compiler::program(env!("CARGO_BIN_EXE_autotel"));
    match Host::builder().store_file(path).compiler(compiler).limits(limits).build() {
        Err(error) if error.limit_reached() == Some(limit) => Ok(error.message().to_owned()),
        Err(error) => Err(error.to_string()),
        Ok(_) => Err("it was compiled".to_owned()),
    }
}

/// A valid file of each built-in store.
const SAMPLES: [(&str, &str); 4] = [
    ("json", "{\"a\": [1, -2.5e3, true, null, \"\\u00e9\\n\"], \"b\": {}}"),
    (
        "pickle",
        "(dp0\nVa\n(lp1\nI1\naF-2500.0\naNaVr\\xe9\naL12345678901234567890L\nag1\nascdecimal\nDecimal\n(V1.50\ntR0.",
    ),
    ("yaml", "a: &x [1, 'it', \"\\t\"]\nb: *x\nc: |\n  text\n? k\n: !t v\n"),
    (
        "xml",
        "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e 'x'>]><a b='&#65;' xmlns:c='u'><c:d>&e;<![CDATA[<]]></c:d><!--x--></a>",
    ),
];

/// The built-in store of an extension.
fn target(extension: &str) -> Target<'_> {
    let store = HOST.registry().by_extension(extension).expect("a built-in store has it");
    Target { host: &HOST, store: &store.description.name, extension }
}

type Reports = Arc<Mutex<Vec<Report>>>;

/// A test that fails where an attack does not.
fn trial(row: u8, name: &str, reports: &Reports, run: impl FnOnce() -> Vec<Report> + Send + 'static) -> Trial {
    let reports = Arc::clone(reports);
    Trial::test(format!("{row} {name}"), move || {
        let mounted = run();
        let broken = mounted.iter().find_map(|report| report.outcome.clone().err());
        reports.lock().expect("no test panics while it holds this").extend(mounted);
        broken.map_or(Ok(()), |wrong| Err(Failed::from(wrong)))
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let reports = Reports::default();
    let mut trials: Vec<_> = attacks::all()
        .into_iter()
        .chain(BOMBS.iter().copied())
        .map(|attack| {
            let trial = trial(attack.row, attack.name, &reports, move || vec![mount(&attack)]);
            trial.with_ignored_flag(!attack.is_for_this_system())
        })
        .collect();
    for (extension, sample) in SAMPLES {
        let is_for_store = |attack: &&data::DataAttack| attack.extension.is_empty() || attack.extension == extension;
        trials.extend(data::ATTACKS.iter().filter(is_for_store).map(|attack| {
            trial(attack.row, &format!("{extension}: {}", attack.name), &reports, || {
                vec![target(extension).mount(attack)]
            })
        }));
        trials.push(trial(34, &format!("{extension}: damaged files"), &reports, || {
            target(extension).mount_sample(sample.as_bytes())
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    let mut reports = std::mem::take(&mut *reports.lock().expect("no test panics while it holds this"));
    reports.sort_by(|a, b| (a.row, &a.name).cmp(&(b.row, &b.name)));
    if !reports.is_empty() {
        print!("{}", table(&reports));
        for attack in attacks::all().iter().filter(|attack| !attack.is_for_this_system()) {
            println!("{:>3}  {:<52}not run here: for {}", attack.row, attack.name, attack.systems.join(" and "));
        }
    }
    conclusion.exit_code()
}
