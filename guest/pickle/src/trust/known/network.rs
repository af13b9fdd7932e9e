//! Addresses of `ipaddress`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Pickled;
use crate::document::Part;

/// `IPv4Address(number)`.
pub(crate) fn address_4(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [number] = *it.arguments else { return None };
    let number = u32::try_from(it.graph.integer(number)?.as_u64()?).ok()?;
    it.is_plain().then(|| Part::named("ipaddress.IPv4Address", [Part::text(&Ipv4Addr::from(number).to_string())]))
}

/// `IPv6Address(number)`, and since Python 3.9 `IPv6Address(text)`.
pub(crate) fn address_6(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [number] = *it.arguments else { return None };
    if it.graph.text(number).is_some() {
        return of_text(it);
    }
    let number = it.graph.integer(number)?.as_u128()?;
    it.is_plain().then(|| Part::named("ipaddress.IPv6Address", [Part::text(&Ipv6Addr::from(number).to_string())]))
}

/// A network, or an address with one: a call with its text.
pub(crate) fn of_text(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [text] = *it.arguments else { return None };
    let class = it.graph.global(it.object.callee)?;
    let text = it.graph.text(text)?;
    (is_address(&text) && it.is_plain()).then(|| Part::named(&class.to_string(), [Part::text(&text)]))
}

/// Whether a text is an address, perhaps with a scope, and perhaps with the length of its prefix.
fn is_address(text: &str) -> bool {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "0"));
    let address = address.split_once('%').map_or(address, |(address, _)| address);
    address.parse::<IpAddr>().is_ok() && prefix.parse::<u8>().is_ok_and(|length| length <= 128)
}
