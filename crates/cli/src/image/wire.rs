//! How images travel between this program and an Ebb.

use jiff::Timestamp;
use serde::Deserialize;

/// Where an Ebb answers for its images.
pub(super) const PATH: &str = "/ebb/v1/images";

/// What is there.
#[derive(Debug, Deserialize)]
pub(super) struct Images {
    pub(super) items: Vec<Image>,
}

/// One name of an image.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Image {
    pub(crate) reference: String,
    pub(crate) digest: String,
    /// Bytes, compressed.
    #[serde(default)]
    pub(super) size: u64,
    /// When it came into the store.
    #[serde(default)]
    pub(super) loaded: Option<Timestamp>,
}

/// What was loaded.
#[derive(Debug, Deserialize)]
pub(super) struct Loaded {
    pub(super) images: Vec<LoadedImage>,
}

/// One image out of an archive.
#[derive(Debug, Deserialize)]
pub(super) struct LoadedImage {
    pub(super) reference: String,
    pub(super) digest: String,
}

/// `key=value` for a URL.
pub(super) fn query(key: &str, value: &str) -> String {
    let mut text = format!("{key}=");
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => {
                text.push(char::from(byte));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// Bytes in powers of 1000, as image tools show them.
pub(super) fn size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    // Exact enough: sizes of images are far below 2⁵³.
    let (mut amount, mut unit) = (bytes as f64, 0);
    while amount >= 999.5 && unit + 1 < units.len() {
        amount /= 1000.0;
        unit += 1;
    }
    if unit == 0 || amount >= 99.95 {
        format!("{amount:.0}{}", units[unit])
    } else {
        format!("{amount:.1}{}", units[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_escaped() {
        assert_eq!(query("reference", "dev.local/a:b@sha256:1"), "reference=dev.local/a:b%40sha256:1");
        assert_eq!(query("name", "a b&c=ü"), "name=a%20b%26c%3D%C3%BC");
    }

    #[test]
    fn sizes_have_three_digits_at_most() {
        let check = |bytes: u64, expect: &str| assert_eq!(size(bytes), expect);
        check(0, "0B");
        check(999, "999B");
        check(1_000, "1.0kB");
        check(999_600, "1.0MB");
        check(4_312_000, "4.3MB");
        check(250_000_000, "250MB");
        check(1_200_000_000, "1.2GB");
    }
}
