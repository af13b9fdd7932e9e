//! Addresses of `ipaddress`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Pickled;
use crate::document::Part;

/// `IPv4Address(number)`.
pub(crate) fn address_4(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [number] = *it.arguments else { return None };
    let number = u32::try_from(it.graph.integer(number)?.as_u64()?).ok()?;
    it.is_plain().then(|| Part::named("ipaddress.IPv4Address", [Part::text(&Ipv4Addr::from(number).to_string())]))
}

/// `IPv6Address(number)`.
pub(crate) fn address_6(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [number] = *it.arguments else { return None };
    let number: u128 = it.graph.integer(number)?.to_string().parse().ok()?;
    it.is_plain().then(|| Part::named("ipaddress.IPv6Address", [Part::text(&Ipv6Addr::from(number).to_string())]))
}

/// A network, or an address with one: a call with its text.
pub(crate) fn of_text(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [text] = *it.arguments else { return None };
    let class = it.graph.global(it.object.callee)?;
    let text = it.graph.text(text)?;
    it.is_plain().then(|| Part::named(&class.to_string(), [Part::text(&text)]))
}
