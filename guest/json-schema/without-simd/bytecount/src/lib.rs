//! What jsonschema calls of bytecount: how many characters text has.

/// Counts the characters of UTF-8: its bytes, but for those that continue one.
pub fn num_chars(utf8: &[u8]) -> usize {
    utf8.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes_that_continue_a_character_are_none() {
        assert_eq!(super::num_chars("aé😀".as_bytes()), 3);
    }
}
