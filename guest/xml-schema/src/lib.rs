//! XML Schema 1.0 as a tool, for the documents of the XML store.
//!
//! A document goes through the schema element by element. What the schema includes and imports is read in the folder
//! that is granted with it, and nowhere else.

mod judge;
mod reference;
#[cfg(test)]
mod tests;

use autotel_store_sdk::{
    Description, DocumentSource, Fault, Format, Operations, OptionDescription, Options, Schema, Tokens, Tool,
    Violation, check_complete,
};
use xml_tree::Walk;

use self::judge::Judge;

/// A schema that documents go through.
pub struct XmlSchema {
    tokens: Tokens,
    walk: Walk,
    judge: Judge,
}

impl Tool for XmlSchema {
    fn describe() -> Description {
        let format = Format::new("XML Schema", "XML Schema 1.0").extension("xsd");
        Description::new("xml-schema-tool", env!("CARGO_PKG_VERSION"), "Tells where XML documents break an XML Schema")
            .tool(Operations::VALIDATE)
            .format(format)
            .option(
                OptionDescription::text("base", "", "the URL under which the granted folder is known")
                    .to(Operations::VALIDATE),
            )
    }

    fn takes() -> Vec<DocumentSource> {
        xml_tree::takes()
    }
}

impl Schema for XmlSchema {
    fn open(path: &str, options: &Options) -> Result<Self, Fault> {
        let schema = reference::read(path, options.word("base"))?;
        Ok(Self { tokens: Tokens::default(), walk: Walk::default(), judge: Judge::new(schema) })
    }

    fn write(&mut self, page: &[u8]) -> Result<(), Fault> {
        self.tokens.feed(page);
        self.walk.follow(&mut self.tokens, &mut self.judge)
    }

    fn finish(&mut self) -> Result<Vec<Violation>, Fault> {
        check_complete(&self.tokens)?;
        Ok(self.judge.take_violations())
    }
}

autotel_store_sdk::export_schema!(XmlSchema);
