//! Uids in sixteen bytes.

use sha2::{Digest, Sha256};

/// A uid as the index keeps it: the number that a UUID is; for any other text, a digest of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Uid([u8; 16]);

impl Uid {
    pub(crate) fn of(text: &str) -> Self {
        Self(uuid(text).unwrap_or_else(|| digest(text)).to_be_bytes())
    }
}
/// Reads the canonical form, `8-4-4-4-12` digits.
fn uuid(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    bytes.iter().enumerate().try_fold(0_u128, |number, (at, &byte)| match (at, byte) {
        (8 | 13 | 18 | 23, b'-') => Some(number),
        (8 | 13 | 18 | 23, _) => None,
        _ => Some(number << 4 | u128::from(char::from(byte).to_digit(16)?)),
    })
}

fn digest(text: &str) -> u128 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_its_number_and_other_text_its_digest() {
        assert_eq!(uuid("00000000-0000-0000-0000-0000000000ff"), Some(255));
        for text in ["", "x", "00000000-0000-0000-0000-00000000000g", "00000000+0000-0000-0000-000000000000"]
        {
            assert_eq!(uuid(text), None, "{text}");
        }
        assert_ne!(Uid::of("a"), Uid::of("b"));
    }
}
