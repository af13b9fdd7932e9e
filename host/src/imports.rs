//! What a store may import: clocks, random numbers, the granted files, standard streams that lead nowhere but for the end
//! of what is said on standard error, and a network that refuses.

use wasmtime::Engine;
use wasmtime::component::types::{ComponentExtern, ComponentItem};
use wasmtime::component::{Component, HasData, Linker, ResourceTable, ResourceType};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, IoError, bindings};

use crate::call::State;
use crate::grants::{FileSystem, HasAmbient};
use crate::outline::is_compatible;

/// Interfaces of WASI 0.2 that a store is given, all of which `linker` has.
const GIVEN: [&str; 20] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// What componentize-py imports unasked. A store may import it, and is refused when it calls it.
const REFUSED: &str = "wasi:sockets";

/// What a store gets of an interface that it may import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Given,
    /// Every call ends the store.
    Refused,
}

/// What a store gets of an interface, or `None` where no store may import it.
pub(crate) fn access(import: &str) -> Option<Access> {
    let (interface, version) = import.split_once('@')?;
    // The contract's own types have no functions.
    let is_given = interface == "autotel:stores/types" && is_compatible(version)
        || version.starts_with("0.2.") && GIVEN.contains(&interface);
    let package = interface.split('/').next().unwrap_or_default();
    let is_refused = version.starts_with("0.2.") && package == REFUSED;
    if is_given { Some(Access::Given) } else { is_refused.then_some(Access::Refused) }
}

/// Links what every store is given.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    bindings::clocks::wall_clock::add_to_linker::<_, HasAmbient>(l, State::ambient)?;
    bindings::clocks::monotonic_clock::add_to_linker::<_, HasAmbient>(l, State::ambient)?;
    bindings::random::random::add_to_linker::<_, HasAmbient>(l, State::ambient)?;
    bindings::random::insecure::add_to_linker::<_, HasAmbient>(l, State::ambient)?;
    bindings::random::insecure_seed::add_to_linker::<_, HasAmbient>(l, State::ambient)?;
    bindings::cli::environment::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::exit::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::stdin::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::stdout::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::stderr::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::terminal_input::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::terminal_output::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::sync::io::error::add_to_linker::<_, HasTable>(l, |state| &mut state.table)?;
    bindings::sync::io::poll::add_to_linker::<_, HasTable>(l, |state| &mut state.table)?;
    bindings::sync::io::streams::add_to_linker::<_, HasTable>(l, |state| &mut state.table)?;
    bindings::filesystem::preopens::add_to_linker::<_, HasFileSystem>(l, State::file_system)?;
    bindings::sync::filesystem::types::add_to_linker::<_, HasFileSystem>(l, State::file_system)?;
    Ok(linker)
}

/// The linker for a component that may import the network: every call of that is refused.
pub(crate) fn refusing(linker: &Linker<State>, component: &Component) -> wasmtime::Result<Linker<State>> {
    let (mut linker, engine, component_type) = (linker.clone(), component.engine(), component.component_type());
    for (name, import) in component_type.imports(engine).filter(|(name, _)| access(name) == Some(Access::Refused)) {
        if let ComponentItem::ComponentInstance(interface) = import.ty {
            refuse_interface(&mut linker, name, &interface.exports(engine).collect::<Vec<_>>())?;
        }
    }
    Ok(linker)
}

/// A resource that nobody can make.
enum Refused {}

fn refuse_interface(
    linker: &mut Linker<State>,
    name: &str,
    exports: &[(&str, ComponentExtern)],
) -> wasmtime::Result<()> {
    let mut instance = linker.instance(name)?;
    for (export, item) in exports {
        match item.ty {
            ComponentItem::ComponentFunc(_) => {
                let called = format!("it called `{name}#{export}`, which every store is refused");
                instance.func_new(export, move |_, _, _, _| wasmtime::bail!("{called}"))?;
            }
            ComponentItem::Resource(_) => {
                // What WASI's other interfaces share with this one is one type in all of them.
                let shared = match *export {
                    "pollable" => ResourceType::host::<DynPollable>(),
                    "input-stream" => ResourceType::host::<DynInputStream>(),
                    "output-stream" => ResourceType::host::<DynOutputStream>(),
                    "error" => ResourceType::host::<IoError>(),
                    _ => ResourceType::host::<Refused>(),
                };
                instance.resource(export, shared, |_, _| Ok(()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

struct HasFileSystem;

impl HasData for HasFileSystem {
    type Data<'a> = FileSystem<'a>;
}

struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}
