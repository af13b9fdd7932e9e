//! What the benchmarks read: the same records in each format, made by a seeded generator.

pub mod traces;

use std::fmt::Write as _;

use serde::Deserialize;

/// Names of sizes, and how many records make a JSON document of about that size.
pub const SIZES: [(&str, usize); 3] = [("1KB", 4), ("100KB", 410), ("30MB", 120_000)];

/// A record, as a program would want it.
#[derive(Debug, Deserialize)]
pub struct Record {
    pub id: u64,
    pub active: bool,
    pub name: String,
    pub score: f64,
    pub city: String,
    pub tags: Vec<String>,
    pub address: Address,
}

#[derive(Debug, Deserialize)]
pub struct Address {
    pub street: String,
    pub number: u32,
    pub zip: String,
}

/// A generator of numbers that gives the same ones each time: xorshift64*.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 12] = [
            "ordering",
            "invoice",
            "Zürich",
            "parcel",
            "delivery",
            "customer",
            "gateway",
            "approved",
            "pending",
            "telemetry",
            "workflow",
            "archive",
        ];
        WORDS[self.below(WORDS.len() as u64) as usize]
    }
}

fn records(count: usize) -> impl Iterator<Item = Record> {
    let mut numbers = Numbers(42);
    (0..count as u64).map(move |id| Record {
        id,
        active: numbers.below(2) == 1,
        name: format!("{} {} {}", numbers.word(), numbers.word(), id),
        score: (numbers.below(1_000_000) as f64 + 0.5) / 1000.0,
        city: numbers.word().to_owned(),
        tags: (0..numbers.below(4) + 1).map(|_| numbers.word().to_owned()).collect(),
        address: Address {
            street: format!("{} street", numbers.word()),
            number: numbers.below(300) as u32,
            zip: format!("{:05}", numbers.below(100_000)),
        },
    })
}

fn tags(record: &Record, before: &str, after: &str) -> String {
    record.tags.iter().map(|tag| format!("{before}{tag}{after}")).collect()
}

/// An array of records, an object a line.
pub fn json(count: usize) -> String {
    let mut text = String::from("[");
    for record in records(count) {
        let Record { id, active, name, score, city, address, .. } = &record;
        let Address { street, number, zip } = address;
        let separator = if *id == 0 { "\n" } else { ",\n" };
        let tags = tags(&record, ",\"", "\"");
        write!(
            text,
            "{separator}{{\"id\":{id},\"active\":{active},\"name\":\"{name}\",\"score\":{score:?},\"city\":\"{city}\",\
             \"tags\":[{}],\"address\":{{\"street\":\"{street}\",\"number\":{number},\"zip\":\"{zip}\"}}}}",
            &tags[1..],
        )
        .expect("memory takes every byte");
    }
    text + "\n]\n"
}

/// A sequence of mappings in block style.
pub fn yaml(count: usize) -> String {
    let mut text = String::new();
    for record in records(count) {
        let Record { id, active, name, score, city, address, .. } = &record;
        let Address { street, number, zip } = address;
        let tags = tags(&record, "    - ", "\n");
        write!(
            text,
            "- id: {id}\n  active: {active}\n  name: {name}\n  score: {score:?}\n  city: {city}\n  tags:\n{tags}  address:\n    \
             street: {street}\n    number: {number}\n    zip: \"{zip}\"\n",
        )
        .expect("memory takes every byte");
    }
    text
}

/// Elements with attributes, text and children.
pub fn xml(count: usize) -> String {
    let mut text = String::from("<records>\n");
    for record in records(count) {
        let Record { id, active, name, score, city, address, .. } = &record;
        let Address { street, number, zip } = address;
        let tags = tags(&record, "<tag>", "</tag>");
        writeln!(
            text,
            "<record id=\"{id}\" active=\"{active}\"><name>{name}</name><score>{score:?}</score><city>{city}</city>{tags}\
             <address number=\"{number}\" zip=\"{zip}\">{street}</address></record>",
        )
        .expect("memory takes every byte");
    }
    text + "</records>\n"
}

/// Records as TOML, a list of tables.
pub fn toml(count: usize) -> String {
    let mut text = String::new();
    for Record { id, active, name, score, city, tags, address } in records(count) {
        let Address { street, number, zip } = address;
        let _ = writeln!(
            text,
            "[[record]]\nid = {id}\nactive = {active}\nname = \"{name}\"\nscore = {score:?}\ncity = \"{city}\"\n\
             tags = {tags:?}\n[record.address]\nstreet = \"{street}\"\nnumber = {number}\nzip = \"{zip}\""
        );
    }
    text
}

/// Records as CSV, a row each.
pub fn csv(count: usize) -> String {
    let mut text = "id,active,name,score,city,tags,street,number,zip\r\n".to_owned();
    for Record { id, active, name, score, city, tags, address } in records(count) {
        let Address { street, number, zip } = address;
        let tags = tags.join(" ");
        let _ = write!(text, "{id},{active},{name},{score},{city},\"{tags}, and more\",{street},{number},{zip}\r\n");
    }
    text
}
