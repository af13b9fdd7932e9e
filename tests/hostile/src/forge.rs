//! Makes hostile components: whole stores from text, with code of an attack's own in one part.

use std::path::Path;

use wasm_encoder::{ComponentSection, ComponentSectionId, InstanceSection, ModuleArg, RawSection};
use wasmparser::Payload;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const TEMPLATE: &str = include_str!("../components/store.wat");

/// The parts of the template, and what stands in each that no attack is in.
const PARTS: [(&str, &str); 11] = [
    ("pages", "2"),
    ("declarations", ""),
    ("realloc", ""),
    ("describe", ""),
    ("load", LOAD_NULL),
    ("post-load", ""),
    ("validate", "unreachable"),
    ("next", "unreachable"),
    ("drop-reader", ""),
    ("name", "wat-store"),
    ("extension", "wat"),
];

/// Answers the document `null`.
pub const LOAD_NULL: &str = "(i32.store8 (i32.const 3000) (i32.const 0xf6)) (i32.store8 (i32.const 2048) (i32.const 0))
    (i32.store (i32.const 2056) (i32.const 3000)) (i32.store (i32.const 2060) (i32.const 1))";

/// A store's component with code in the parts named.
pub fn store(parts: &[(&str, &str)]) -> Vec<u8> {
    let part = |name: &str| {
        let own = parts.iter().find(|(own, _)| *own == name).map(|(_, code)| *code);
        own.or_else(|| PARTS.iter().find(|(part, _)| *part == name).map(|(_, code)| *code)).unwrap_or_default()
    };
    let text =
        PARTS.iter().fold(TEMPLATE.to_owned(), |text, (name, _)| text.replace(&format!("{{{name}}}"), part(name)));
    let description = description(part("name"), part("extension"));
    let escaped: String = description.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let mut module = wat::parse_str(text.replace("{description}", &escaped)).expect("the text is a module");
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(wit).expect("the contract is sound");
    let world = resolve.select_world(&[package], Some("document-store")).expect("the contract has the world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("the module takes a section");
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).expect("the module fits the world");
    encoder.encode().expect("the module becomes a component")
}

/// A store that brings another module with it, which is instantiated again and again.
pub fn with_modules(store: &[u8], module: &str, count: usize) -> Vec<u8> {
    let module = wat::parse_str(module).expect("the text is a module");
    let mut component = store.to_vec();
    RawSection { id: CORE_MODULE, data: &module }.append_to_component(&mut component);
    let mut instances = InstanceSection::new();
    for _ in 0..count {
        instances.instantiate(core_modules(store), NO_ARGUMENTS);
    }
    instances.append_to_component(&mut component);
    component
}

const CORE_MODULE: u8 = ComponentSectionId::CoreModule as u8;
const NO_ARGUMENTS: [(&str, ModuleArg); 0] = [];

/// How many modules a component has itself.
fn core_modules(component: &[u8]) -> u32 {
    let sections = wasmparser::Parser::new(0).parse_all(component).scan(0_u32, |depth, payload| {
        let payload = payload.expect("the component is sound");
        let is_own = *depth == 0 && matches!(payload, Payload::ModuleSection { .. });
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => *depth += 1,
            Payload::End(_) => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(u32::from(is_own))
    });
    sections.sum()
}

/// A component of some kilobytes whose compilation takes gigabytes: each of its loops keeps all of its variables.
pub fn bomb() -> Vec<u8> {
    const LOOPS: usize = 8000;
    let (variables, loops) = ("i32 ".repeat(LOOPS), "(loop local.get 0 br_if 0)".repeat(LOOPS));
    let sum: String = (1..=LOOPS).map(|variable| format!("local.get {variable} i32.add ")).collect();
    let text = format!(
        "(component
           (core module (func (param i32) (local {variables}) {loops} i32.const 0 {sum} local.set 0))
           (instance $store)
           (export \"autotel:stores/store@0.1.0\" (instance $store)))"
    );
    wat::parse_str(text).expect("the text is a component")
}

/// What the store says of itself, as it lies in memory from 1024 on.
fn description(name: &str, extension: &str) -> Vec<u8> {
    const AT: u32 = 1024;
    const FORMAT: u32 = AT + 44;
    const EXTENSIONS: u32 = FORMAT + 40;
    const TEXT: u32 = EXTENSIONS + 8;
    let text = format!("{name}1.0{extension}");
    let pair = |start: usize, length: usize| [TEXT + start as u32, length as u32];
    let extension = pair(name.len() + 3, extension.len());
    let (name, version) = (pair(0, name.len()), pair(name.len(), 3));
    let list = |at: u32, count: u32| [at, count];
    // Name, version, summary, formats, operations, options.
    let mut words = [name, version, name, list(FORMAT, 1)].concat();
    words.extend([7, 0, 0]);
    // Name, standard, extensions, media types, signatures; then the one extension.
    words.extend([name, version, list(EXTENSIONS, 1), list(0, 0), list(0, 0), extension].concat());
    words.iter().flat_map(|word| word.to_le_bytes()).chain(text.bytes()).collect()
}
