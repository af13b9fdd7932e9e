//! TOML 1.1 as a store: numbers and dates exact, keys in order.

use autotel_store_sdk::{
    Description, Fault, Format, Map, NAMED_TYPE_TAG, Options, Output, Real, SimpleStore, TIMESTAMP_TAG, Value,
    print_float, real,
};
use toml_edit::{Array, ArrayOfTables, Datetime, Document, DocumentMut, InlineTable, Item, Table, Value as Toml};

/// Levels that the parser reads.
const DEPTH_MAX: usize = 78;

pub struct FormatStore;

impl SimpleStore for FormatStore {
    fn describe() -> Description {
        let format = Format::new("TOML", "TOML 1.1.0").extension("toml").media_type("application/toml");
        Description::new("toml-store", env!("CARGO_PKG_VERSION"), "TOML, its numbers, dates and the order of keys kept")
            .format(format)
    }

    fn parse(bytes: &[u8], _: &Options) -> Result<Value, Fault> {
        let document = Document::parse(std::str::from_utf8(bytes)?).map_err(|error| {
            Fault::syntax(error.message().replace('\n', ", "), error.span().map_or(0, |span| span.start))
        })?;
        // Detached from the text, its numbers carry their own digits.
        Ok(table(document.into_mut().iter()).into())
    }

    fn print(document: &Value, _: &Options, to: &mut Output) -> Result<(), Fault> {
        let map = document.as_map().ok_or(Fault::unsupported("anything but a map"))?;
        let table = Printer { place: Vec::new(), to }.table(map)?;
        to.push_str(&DocumentMut::from(table).to_string());
        Ok(())
    }
}

autotel_store_sdk::export!(autotel_store_sdk::Simple<FormatStore>);

fn table<'t>(entries: impl Iterator<Item = (&'t str, &'t Item)>) -> Map {
    entries.map(|(key, item)| (key, parsed(item))).collect()
}

fn parsed(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => parsed_value(value),
        Item::Table(entries) => table(entries.iter()).into(),
        Item::ArrayOfTables(tables) => tables.iter().map(|one| table(one.iter()).into()).collect::<Vec<Value>>().into(),
    }
}

fn parsed_value(value: &Toml) -> Value {
    match value {
        Toml::String(text) => text.value().as_str().into(),
        Toml::Integer(integer) => (*integer.value()).into(),
        Toml::Boolean(boolean) => (*boolean.value()).into(),
        Toml::Float(float) => {
            let digits = float.as_repr().and_then(|repr| repr.as_raw().as_str()).unwrap_or_default();
            match real(&digits.trim_start_matches('+').replace('_', "")) {
                Some(Real::Decimal(decimal)) => decimal.into(),
                _ => (*float.value()).into(),
            }
        }
        Toml::Datetime(moment) => {
            // As it is written: a fraction of a second may have more digits than are kept of it.
            let written = moment.as_repr().and_then(|repr| repr.as_raw().as_str()).unwrap_or_default();
            let text = Value::from(written.replace([' ', 't'], "T").replace('z', "Z"));
            match kind(moment.value()) {
                None => Value::Tag(TIMESTAMP_TAG, text.into()),
                Some(name) => Value::Tag(NAMED_TYPE_TAG, Box::new(vec![name.into(), text].into())),
            }
        }
        Toml::Array(items) => items.iter().map(parsed_value).collect::<Vec<_>>().into(),
        Toml::InlineTable(entries) => {
            entries.iter().map(|(key, value)| (key, parsed_value(value))).collect::<Map>().into()
        }
    }
}

/// What TOML calls a date or a time that is no instant.
fn kind(moment: &Datetime) -> Option<&'static str> {
    match (moment.date, moment.time, moment.offset) {
        (Some(_), Some(_), Some(_)) => None,
        (Some(_), Some(_), None) => Some("local-date-time"),
        (Some(_), None, _) => Some("local-date"),
        _ => Some("local-time"),
    }
}

/// Prints a document, and knows where in it that is.
struct Printer<'o> {
    place: Vec<String>,
    to: &'o mut Output,
}

impl Printer<'_> {
    /// A map as a table. What comes behind its last plain entry gets a header of its own; what comes before it is
    /// written inline, so that the order is kept.
    fn table(&mut self, map: &Map) -> Result<Table, Fault> {
        self.check_depth()?;
        let is_plain = |(_, value): &(Value, Value)| !is_map(value) && !is_list_of_maps(value);
        let inline = map.iter().rposition(is_plain).map_or(0, |last| last + 1);
        let mut table = Table::new();
        for (index, (key, value)) in map.iter().enumerate() {
            let Some(name) = self.enter(key, value)? else { continue };
            let item = if index < inline { Item::Value(self.value(value)?) } else { self.item(value)? };
            table.insert(&name, item);
            self.place.pop();
        }
        Ok(table)
    }

    fn item(&mut self, value: &Value) -> Result<Item, Fault> {
        match value {
            Value::Map(map) => Ok(Item::Table(self.table(map)?)),
            Value::Array(maps) if is_list_of_maps(value) => {
                let mut tables = ArrayOfTables::new();
                for (index, map) in maps.iter().filter_map(Value::as_map).enumerate() {
                    self.place.push(index.to_string());
                    tables.push(self.table(map)?);
                    self.place.pop();
                }
                Ok(Item::ArrayOfTables(tables))
            }
            _ => Ok(Item::Value(self.value(value)?)),
        }
    }

    fn value(&mut self, value: &Value) -> Result<Toml, Fault> {
        self.check_depth()?;
        Ok(match value {
            Value::Bool(boolean) => (*boolean).into(),
            Value::Integer(integer) => {
                let number: i64 = integer.to_string().parse().map_err(|_| self.refused("an integer beyond 64 bits"))?;
                number.into()
            }
            Value::Float(float) if float.is_finite() => {
                let mut digits = Vec::new();
                print_float(*float, &mut digits);
                self.literal(&String::from_utf8_lossy(&digits))?
            }
            Value::Float(float) => (*float).into(),
            Value::Decimal(decimal) => {
                let digits = decimal.to_string();
                let is_integer = digits.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
                self.literal(&if is_integer { format!("{digits}e0") } else { digits })?
            }
            Value::Text(text) => text.as_str().into(),
            Value::Array(items) => {
                let mut array = Array::new();
                for (index, item) in items.iter().enumerate() {
                    self.place.push(index.to_string());
                    array.push(self.value(item)?);
                    self.place.pop();
                }
                array.into()
            }
            Value::Map(map) => {
                let mut table = InlineTable::new();
                for (key, value) in map {
                    let Some(name) = self.enter(key, value)? else { continue };
                    table.insert(&name, self.value(value)?);
                    self.place.pop();
                }
                table.into()
            }
            Value::Tag(tag, inner) => self.moment(*tag, inner)?,
            _ => return Err(self.refused("null in a list, bytes, or what has no meaning")),
        })
    }

    /// Goes to an entry, which is left out where its value is null: TOML has none.
    fn enter(&mut self, key: &Value, value: &Value) -> Result<Option<String>, Fault> {
        let name = key.as_str().ok_or_else(|| self.refused("a key that is not text"))?.to_owned();
        self.place.push(name.clone());
        if *value != Value::Null {
            return Ok(Some(name));
        }
        self.to.lose_at(&self.place, "null", "TOML has none; the entry is left out");
        self.place.pop();
        Ok(None)
    }

    fn moment(&mut self, tag: u64, inner: &Value) -> Result<Toml, Fault> {
        let (name, text) = match (tag, inner) {
            (TIMESTAMP_TAG, Value::Text(text)) => (None, text),
            (NAMED_TYPE_TAG, Value::Array(pair)) => match &pair[..] {
                [Value::Text(name), Value::Text(text)] => (Some(&**name), text),
                _ => return self.untagged(tag, inner),
            },
            _ => return self.untagged(tag, inner),
        };
        // Parsed as a value, it keeps how it is written.
        match text.parse::<Toml>() {
            Ok(Toml::Datetime(moment)) if kind(moment.value()) == name => Ok(Toml::Datetime(moment)),
            _ => self.untagged(tag, inner),
        }
    }

    fn untagged(&mut self, tag: u64, inner: &Value) -> Result<Toml, Fault> {
        self.to.lose_at(&self.place, &format!("tag {tag}"), "TOML has none; what it tags is written alone");
        self.value(inner)
    }

    fn literal(&self, digits: &str) -> Result<Toml, Fault> {
        digits.to_ascii_lowercase().parse().map_err(|_| self.refused("a number that TOML cannot write"))
    }

    fn check_depth(&self) -> Result<(), Fault> {
        let is_read_again = self.place.len() <= DEPTH_MAX;
        if is_read_again { Ok(()) } else { Err(self.refused("what is nested too deeply to be read again")) }
    }

    fn refused(&self, what: &str) -> Fault {
        Fault::unsupported(format!("{what}, at `/{}`", self.place.join("/")))
    }
}

fn is_map(value: &Value) -> bool {
    matches!(value, Value::Map(_))
}

fn is_list_of_maps(value: &Value) -> bool {
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_map))
}

/// What the format promises, tried without a sandbox.
#[cfg(test)]
mod tests {
    use autotel_store_sdk::{Operations, Simple, parse_all, print_all};

    use super::*;

    fn parsed(text: &str) -> Value {
        let options = Options::defaults(&FormatStore::describe(), Operations::LOAD);
        Value::from_cbor(&parse_all::<Simple<FormatStore>>(text.as_bytes(), &options).unwrap()).unwrap()
    }

    fn printed(document: &Value) -> Result<(String, Vec<String>), Fault> {
        let options = Options::defaults(&FormatStore::describe(), Operations::SAVE);
        let (bytes, losses) = print_all::<Simple<FormatStore>>(&document.to_cbor(), &options)?;
        Ok((String::from_utf8(bytes).unwrap(), losses.into_iter().map(|loss| loss.pointer).collect()))
    }

    #[test]
    fn a_document_comes_back_with_its_digits_dates_and_order() {
        let document = parsed(
            "z = 1.10\nbig = 9223372036854775807\ninf = [inf, -nan, -0.0, 1_000.5, 6e2, +1.0]\n[t.u]\na = 1\nb = {c = 'x', d = []}\n\
             [t]\nwhen = [1979-05-27T07:32:00Z, 1979-05-27T07:32:00, 1979-05-27, 07:32:00.12345678901, 1979-05-27 07:32:00-00:00]\n[[l]]\nx = 1\n[[l]]\n[l.m]\ny = 'é'\n",
        );
        let (text, losses) = printed(&document).unwrap();
        assert_eq!(losses, Vec::<String>::new());
        assert_eq!(format!("{:?}", parsed(&text)), format!("{document:?}"), "{text}");
    }

    #[test]
    fn tables_have_headers_where_that_keeps_the_order() {
        let inner = || Map::from_iter([("x", 1)]);
        let document = Map::from_iter([("a", Value::from(inner())), ("b", 1.into()), ("c", inner().into())]);
        assert_eq!(printed(&document.into()).unwrap().0, "a = { x = 1 }\nb = 1\n\n[c]\nx = 1\n");
    }

    #[test]
    fn null_is_left_out_and_told() {
        let document = Map::from_iter([("a", Value::Null), ("b", 1.into())]);
        assert_eq!(printed(&document.into()).unwrap(), ("b = 1\n".to_owned(), vec!["/a".to_owned()]));
    }

    #[test]
    fn what_is_printed_can_be_read_however_deep_it_is() {
        for depth in 1..120 {
            let list = (0..depth).fold(Value::from(1), |inner, _| vec![inner].into());
            let maps = (0..depth).fold(Value::from(1), |inner, _| Map::from_iter([("a", inner)]).into());
            for document in [Map::from_iter([("l", list)]).into(), maps] {
                if let Ok((text, _)) = printed(&document) {
                    assert_eq!(parsed(&text), document, "{depth}");
                }
            }
        }
    }

    #[test]
    fn a_date_that_is_called_another_is_told() {
        let tagged = |name: &str, text: &str| {
            let pair: Value = vec![Value::from(name), Value::from(text)].into();
            Value::Tag(NAMED_TYPE_TAG, pair.into())
        };
        for value in [tagged("local-date", "07:32:00"), tagged("local-time", "1979-05-27"), tagged("color", "red")] {
            assert_eq!(printed(&Map::from_iter([("a", value)]).into()).unwrap().1, ["/a"]);
        }
    }

    #[test]
    fn what_toml_cannot_hold_is_refused() {
        for value in [Value::from(u64::MAX), Value::Bytes(vec![1]), vec![Value::Null].into()] {
            assert!(printed(&Map::from_iter([("a", value)]).into()).is_err());
        }
        assert!(printed(&1.into()).is_err());
    }
}
