//! Drives the validator through a document, element by element.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use autotel_store_sdk::Violation;
use xml_tree::{Attribute, Elements, Scopes, Walk};
use xsd_schema::SchemaSet;
use xsd_schema::namespace::context::NamespaceContextSnapshot;
use xsd_schema::validation::{
    SchemaValidator, ValidationError, ValidationFlags, ValidationRuntime, ValidationSink, ValidationWarning,
};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Violations that are told one by one; the rest are counted.
const VIOLATIONS_MAX: usize = 1000;

pub(crate) struct Judge {
    schema: &'static SchemaSet,
    validator: &'static SchemaValidator<'static>,
    errors: Errors,
    /// The validator of the document that is open.
    run: Option<ValidationRuntime<'static, Errors>>,
    scopes: Scopes,
    path: Path,
    violations: Vec<Violation>,
    untold: usize,
}

/// What the validator has said and nobody has taken yet.
#[derive(Clone, Default)]
struct Errors(Rc<RefCell<Vec<ValidationError>>>);

impl ValidationSink for Errors {
    fn on_error(&mut self, error: ValidationError) {
        self.0.borrow_mut().push(error);
    }

    fn on_warning(&mut self, _: ValidationWarning) {}
}

impl Judge {
    pub fn new(schema: SchemaSet) -> Self {
        // What goes through a document borrows both. An instance has one schema, and goes with it.
        let schema: &SchemaSet = Box::leak(Box::new(schema));
        let validator = Box::leak(Box::new(SchemaValidator::new(schema, ValidationFlags::default())));
        Self {
            schema,
            validator,
            errors: Errors::default(),
            run: None,
            scopes: Scopes::default(),
            path: Path::default(),
            violations: Vec::new(),
            untold: 0,
        }
    }

    pub fn take_violations(&mut self) -> Vec<Violation> {
        if self.untold > 0 {
            let message = format!("{} more, not told one by one", self.untold);
            let (pointer, path, rule) = Default::default();
            self.violations.push(Violation { document: 0, pointer, path, rule, message });
        }
        std::mem::take(&mut self.violations)
    }

    /// Takes what the validator has said of the element that is open.
    fn collect(&mut self, at: &Walk) {
        for error in self.errors.0.borrow_mut().drain(..) {
            if self.violations.len() == VIOLATIONS_MAX {
                self.untold += 1;
                continue;
            }
            self.violations.push(Violation {
                document: at.document(),
                pointer: at.pointer(),
                path: self.path.shown(),
                rule: error.constraint.to_owned(),
                message: fragment(&error.message),
            });
        }
    }

    /// The prefixes in scope, for names that stand in values.
    fn context(&self) -> NamespaceContextSnapshot {
        let names = &self.schema.name_table;
        let default = Some(self.scopes.namespace("")).filter(|namespace| !namespace.is_empty());
        // The innermost comes first, and counts.
        let bindings = self.scopes.in_scope().filter(|(prefix, _)| !prefix.is_empty());
        NamespaceContextSnapshot {
            default_ns: default.map(|namespace| names.add(namespace)),
            bindings: bindings.map(|(prefix, namespace)| (names.add(prefix), names.add(namespace))).collect(),
        }
    }
}

impl Elements for Judge {
    fn start(&mut self, name: &str, attributes: &[Attribute], at: &Walk) {
        self.scopes.open(attributes.iter().map(|attribute| (&*attribute.name, &*attribute.value)));
        self.path.open(name);
        let context = self.context();
        let of_xsi = |wanted: &str| {
            let is_it = |attribute: &&Attribute| self.scopes.attribute(&attribute.name) == (XSI, wanted);
            attributes.iter().find(is_it).map(|attribute| &*attribute.value)
        };
        let (namespace, local) = self.scopes.element(name);
        let run = self.run.get_or_insert_with(|| self.validator.start_run(self.errors.clone()));
        run.validate_element_novalue(local, namespace, of_xsi("type"), of_xsi("nil"), &context);
        for attribute in attributes.iter().filter(|attribute| !attribute.is_declaration()) {
            let (namespace, local) = self.scopes.attribute(&attribute.name);
            run.validate_attribute(local, namespace, &attribute.value);
        }
        run.validate_end_of_attributes_novalue();
        self.collect(at);
    }

    fn text(&mut self, text: &str) {
        // What stands behind the root element is none of its text.
        if let Some(run) = self.run.as_mut().filter(|_| self.path.is_within()) {
            if text.chars().all(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
                run.validate_whitespace(text);
            } else {
                run.validate_text(text);
            }
        }
    }

    fn end(&mut self, at: &Walk) {
        if let Some(run) = &mut self.run {
            run.validate_end_element_novalue();
        }
        if self.path.is_root()
            && let Some(mut run) = self.run.take()
            && let Err(error) = run.end_validation()
        {
            self.errors.on_error(error);
        }
        self.collect(at);
        self.path.close();
        self.scopes.close();
    }
}

/// The way to the element that is open, as an XPath.
#[derive(Default)]
struct Path(Vec<Step>);

struct Step {
    shown: String,
    /// How many children of each name there were.
    children: HashMap<String, usize>,
}

impl Path {
    fn open(&mut self, name: &str) {
        let shown = match self.0.last_mut() {
            None => format!("/{name}"),
            Some(parent) => {
                let count = parent.children.entry(name.to_owned()).or_default();
                *count += 1;
                format!("/{name}[{count}]")
            }
        };
        self.0.push(Step { shown, children: HashMap::new() });
    }

    fn close(&mut self) {
        self.0.pop();
    }

    fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    fn is_within(&self) -> bool {
        !self.0.is_empty()
    }

    fn shown(&self) -> String {
        self.0.iter().map(|step| &*step.shown).collect()
    }
}

/// A sentence as the contract has messages.
fn fragment(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    let mut characters = sentence.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => sentence.to_owned(),
    }
}
