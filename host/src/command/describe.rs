//! `autotel describe`.

use std::process::ExitCode;

use autotel_stores::{Description, Error, Limit, Limits, Need, Origin, PluginInfo};
use clap::Args;
use serde_json::{Value, json};

use super::tools::takes;
use crate::Stores;
use crate::terminal::{BOLD, DIM, print, print_json, styled};

/// What a store is given of the files that it needs, unless `--folder` or `--dataset` says more.
const FILES: &str = "the one file of a call: to read for load and validate, a new one to write for save";

#[derive(Args)]
pub struct Arguments {
    /// The name of a store or a tool, or a component file
    store: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, stores: &Stores) -> Result<ExitCode, Error> {
        let store = self.find(stores)?;
        let limits = &stores.limits.0;
        if !self.json {
            return print(&(show(&store) + &show_limits(limits)));
        }
        let mut json = store_json(&store);
        json["limits"] = Limit::all().map(|limit| limit_json(limit, limits)).collect();
        print_json(&json)
    }

    fn find(&self, stores: &Stores) -> Result<PluginInfo, Error> {
        let host = stores.host()?;
        // What is no name of a store is a path.
        if Description::is_name(&self.store) { host.require(&self.store) } else { host.inspect(&self.store) }
    }
}

fn show(store: &PluginInfo) -> String {
    let description = &store.description;
    let mut shown = format!("{} {}\n{}\n\n", styled(BOLD, &description.name), description.version, description.summary);
    shown += &row("origin", origin(store).0);
    shown += &row("digest", &format!("sha256:{}", store.digest));
    shown += &row("operations", &description.operations.names().join(", "));
    if !store.is_store() {
        shown += &row("takes", &format!("documents of {}", takes(store)));
    }
    for (place, need) in store.needs().enumerate() {
        let name = if place == 0 { "needs" } else { "" };
        let more = match need {
            Need::Files => styled(DIM, format!(" ({FILES})")),
            Need::Network => styled(DIM, " (refused: a call ends the store)"),
            _ => String::new(),
        };
        shown += &row(name, &format!("{need}{more}"));
    }
    for format in &description.formats {
        shown += &row("format", &format!("{} {}", format.name, styled(DIM, format!("({})", format.standard))));
        if !format.extensions.is_empty() {
            shown += &row("", &format!("extensions   {}", format.extensions.join(", ")));
        }
        if !format.media_types.is_empty() {
            shown += &row("", &format!("media types  {}", format.media_types.join(", ")));
        }
    }
    for option in &description.options {
        shown += &row("option", &format!("{}={}", option.name, option.default));
        let operations = option.operations.names().join(", ");
        shown += &row(
            "",
            &format!("{} {}", option.summary, styled(DIM, format!("({operations}: {})", option.kind.takes()))),
        );
    }
    store.features.iter().for_each(|feature| shown += &row("feature", feature));
    store.exports.iter().for_each(|export| shown += &row("export", export));
    for import in &store.imports {
        let is_refused = store.refused_imports().any(|refused| refused == import);
        let note = if is_refused { styled(DIM, " (refused: a call ends the store)") } else { String::new() };
        shown += &row("import", &format!("{import}{note}"));
    }
    shown
}

fn show_limits(limits: &Limits) -> String {
    let show = |limit: Limit| {
        let value = limit.unit().show(limits.get(limit));
        row("limit", &format!("{:<16}{value:<12}{}", limit.name(), styled(DIM, limit.why())))
    };
    Limit::all().map(show).collect()
}

fn limit_json(limit: Limit, limits: &Limits) -> Value {
    json!({
        "name": limit.name(),
        "value": limits.get(limit),
        "default": limit.default_value(),
        "unit": limit.unit().name(),
        "why": limit.why(),
    })
}

/// Where a store came from, for a person and for a machine.
fn origin(store: &PluginInfo) -> (&'static str, &'static str) {
    match store.origin {
        Origin::BuiltIn => ("built in", "built-in"),
        Origin::Replacement => ("a third party's, in place of the built-in store", "replacement"),
        _ => ("a third party's", "file"),
    }
}

fn row(name: &str, value: &str) -> String {
    format!("{name:<12}{value}\n")
}

pub fn store_json(store: &PluginInfo) -> Value {
    let description = &store.description;
    let options = description.options.iter().map(|option| {
        json!({
            "name": option.name,
            "summary": option.summary,
            "takes": option.kind.takes(),
            "default": option.default.to_string(),
            "operations": option.operations,
        })
    });
    let formats = description.formats.iter().map(|format| {
        json!({
            "name": format.name,
            "standard": format.standard,
            "extensions": format.extensions,
            "media-types": format.media_types,
        })
    });
    json!({
        "name": description.name,
        "version": description.version,
        "summary": description.summary,
        "origin": origin(store).1,
        "digest": format!("sha256:{}", store.digest),
        "operations": description.operations,
        "takes": (!store.is_store()).then(|| takes(store)),
        "needs": store.needs().map(|need| need.to_string()).collect::<Vec<_>>(),
        "formats": formats.collect::<Vec<_>>(),
        "options": options.collect::<Vec<_>>(),
        "exports": store.exports,
        "imports": store.imports,
        "refused-imports": store.refused_imports().collect::<Vec<_>>(),
        "features": store.features,
    })
}
