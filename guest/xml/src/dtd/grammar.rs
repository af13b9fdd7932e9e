//! The parts of declarations that say nothing to a processor that does not validate, and must be well-formed.

use autotel_store_sdk::Fault;

use super::GROUP_DEPTH_MAX;
use crate::scan::{Scan, Scanned};

/// Tells whether the value is a list of tokens.
pub(super) fn attribute_type(scan: &mut Scan<'_>) -> Scanned<bool> {
    if scan.is_at("(")? {
        names_in_parentheses(scan, Scan::name_token)?;
        return Ok(true);
    }
    match scan.name()? {
        "CDATA" => return Ok(false),
        "ID" | "IDREF" | "IDREFS" | "ENTITY" | "ENTITIES" | "NMTOKEN" | "NMTOKENS" => {}
        "NOTATION" => {
            scan.expect_space()?;
            names_in_parentheses(scan, Scan::plain_name)?;
        }
        other => return Err(scan.fault(format!("`{other}` is no type of an attribute"))),
    }
    Ok(true)
}

fn names_in_parentheses<'a>(scan: &mut Scan<'a>, name: impl Fn(&mut Scan<'a>) -> Scanned<&'a str>) -> Scanned<()> {
    scan.expect("(")?;
    loop {
        scan.space()?;
        name(scan)?;
        scan.space()?;
        if scan.take(")")? {
            return Ok(());
        }
        scan.expect("|")?;
    }
}

/// §3.2.
pub(super) fn element(scan: &mut Scan<'_>) -> Scanned<()> {
    scan.expect_space()?;
    scan.name()?;
    scan.expect_space()?;
    if !scan.take("EMPTY")? && !scan.take("ANY")? {
        if !scan.is_at("(")? {
            return Err(scan.fault("expected `EMPTY`, `ANY` or `(`"));
        }
        content_model(scan)?;
    }
    scan.space()?;
    scan.expect(">")
}

fn content_model(scan: &mut Scan<'_>) -> Scanned<()> {
    scan.expect("(")?;
    scan.space()?;
    if !scan.take("#PCDATA")? {
        group(scan, 1)?;
        return occurrence(scan);
    }
    scan.space()?;
    if scan.take(")")? {
        scan.take("*")?;
        return Ok(());
    }
    while !scan.take(")")? {
        scan.expect("|")?;
        scan.space()?;
        scan.name()?;
        scan.space()?;
    }
    scan.expect("*")
}

/// Reads a choice or a sequence, behind its `(`.
fn group(scan: &mut Scan<'_>, depth: u64) -> Scanned<()> {
    if depth > GROUP_DEPTH_MAX {
        return Err(Fault::too_large("depth", GROUP_DEPTH_MAX, scan.offset()).into());
    }
    let mut separator = None;
    loop {
        scan.space()?;
        if scan.take("(")? {
            group(scan, depth + 1)?;
        } else {
            scan.name()?;
        }
        occurrence(scan)?;
        scan.space()?;
        if scan.take(")")? {
            return Ok(());
        }
        let next = *separator.get_or_insert(if scan.is_at("|")? { "|" } else { "," });
        scan.expect(next)?;
    }
}

fn occurrence(scan: &mut Scan<'_>) -> Scanned<()> {
    let _ = scan.take("?")? || scan.take("*")? || scan.take("+")?;
    Ok(())
}

/// §4.7.
pub(super) fn notation(scan: &mut Scan<'_>) -> Scanned<()> {
    scan.expect_space()?;
    scan.plain_name()?;
    scan.expect_space()?;
    if scan.take("PUBLIC")? {
        scan.expect_space()?;
        public_id(scan)?;
        if scan.space()? && !scan.is_at(">")? {
            scan.quoted()?;
        }
    } else {
        external_id(scan)?;
    }
    scan.space()?;
    scan.expect(">")
}

/// The public and the system identifier of something outside. §4.2.2.
pub(super) fn external_id(scan: &mut Scan<'_>) -> Scanned<(Option<String>, String)> {
    let public = if scan.take("PUBLIC")? {
        scan.expect_space()?;
        Some(public_id(scan)?.to_owned())
    } else if scan.take("SYSTEM")? {
        None
    } else {
        return Err(scan.fault("expected `SYSTEM` or `PUBLIC`"));
    };
    scan.expect_space()?;
    Ok((public, scan.quoted()?.to_owned()))
}

fn public_id<'a>(scan: &mut Scan<'a>) -> Scanned<&'a str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || " \r\n-'()+,./:=?;!*#@$_%".contains(c);
    let id = scan.quoted()?;
    if id.chars().all(is_allowed) {
        Ok(id)
    } else {
        Err(scan.fault("a character that a public identifier cannot have"))
    }
}
