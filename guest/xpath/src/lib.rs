//! XPath 2.0 as a tool, for the documents of the XML store. Each document is seen whole.

mod document;
mod found;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use autotel_store_sdk::{
    Description, DocumentSource, Fault, Format, Match, Operations, OptionDescription, Options, Query, Token, Tokens,
    Tool, check_complete, excerpt,
};

use self::document::{Builder, Prefixes};

const XPATH: &str = "XPath";

/// A search for what an expression chooses.
pub struct XPath {
    expression: String,
    prefixes: Prefixes,
    tokens: Tokens,
    /// The document that is open.
    builder: Builder,
    depth: usize,
    documents: u64,
    found: VecDeque<Match>,
}

impl Tool for XPath {
    fn describe() -> Description {
        let format = Format::new(XPATH, "XPath 2.0").begins_with("/");
        Description::new("xpath-tool", env!("CARGO_PKG_VERSION"), "Finds parts of XML documents")
            .tool(Operations::QUERY)
            .format(format)
            .option(
                OptionDescription::text(
                    "namespaces",
                    "",
                    "what prefixes stand for, beside those of the root element: PREFIX=URI, several with spaces between, =URI for names without one",
                )
                .to(Operations::QUERY),
            )
    }

    fn takes() -> Vec<DocumentSource> {
        xml_tree::takes()
    }
}

impl Query for XPath {
    fn open(language: &str, expression: &str, options: &Options) -> Result<Self, Fault> {
        if language != XPATH {
            return Err(Fault::unsupported(format!("the language `{}`", excerpt(language))));
        }
        let prefixes = Prefixes::parse(options.word("namespaces"))?;
        document::check(expression, &prefixes)?;
        Ok(Self {
            expression: expression.to_owned(),
            prefixes,
            tokens: Tokens::default(),
            builder: Builder::new()?,
            depth: 0,
            documents: 0,
            found: VecDeque::new(),
        })
    }

    fn write(&mut self, page: &[u8]) -> Result<bool, Fault> {
        self.tokens.feed(page);
        while let Some(token) = self.tokens.next()? {
            self.builder.follow(&token)?;
            match token {
                Token::Array | Token::Map => self.depth += 1,
                Token::End => self.depth -= 1,
                _ => continue,
            }
            if self.depth == 0 {
                let builder = std::mem::replace(&mut self.builder, Builder::new()?);
                self.found.extend(builder.search(&self.expression, &self.prefixes, self.documents)?);
                self.documents += 1;
            }
        }
        // Another document may follow.
        Ok(true)
    }

    fn finish(&mut self) -> Result<(), Fault> {
        check_complete(&self.tokens)
    }

    fn found(&mut self) -> &mut VecDeque<Match> {
        &mut self.found
    }
}

autotel_store_sdk::export_query!(XPath);
