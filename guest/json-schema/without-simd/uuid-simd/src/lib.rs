//! What jsonschema calls of uuid-simd: whether text is a UUID.

/// Where the bytes of a UUID would go, which nobody looks at.
pub struct Out;

impl Out {
    pub fn from_mut<T>(_: &mut T) -> Self {
        Self
    }
}

/// No UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error;

/// Checks that text is a UUID as RFC 9562 §4 writes it: 8-4-4-4-12 hexadecimal digits.
pub fn parse_hyphenated(text: &[u8], _: Out) -> Result<(), Error> {
    const LENGTH: usize = 36;
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let is_right = |(at, byte): (usize, &u8)| match HYPHENS.contains(&at) {
        true => *byte == b'-',
        false => byte.is_ascii_hexdigit(),
    };
    if text.len() == LENGTH && text.iter().enumerate().all(is_right) { Ok(()) } else { Err(Error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_and_digits_stand_in_their_places() {
        let is_uuid = |text: &str| parse_hyphenated(text.as_bytes(), Out::from_mut(&mut [0; 16])).is_ok();
        assert!(is_uuid("2EB8AA08-aa98-11ea-b4aa-73b441d16380"));
        let wrong = [
            "",
            "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
            "2eb8aa08aa98-11ea-b4aa-73b441d163800",
            "2eb8aa08-aa98-11ea-b4ga-73b441d16380",
        ];
        assert!(!wrong.into_iter().any(is_uuid));
    }
}
