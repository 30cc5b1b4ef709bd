//! FNV-1a, for short names that stay the same in every build and release, which the hashes of the standard library do
//! not. Never where somebody could gain by two names being the same.

/// 32 bits wide.
pub fn fnv32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// 64 bits wide.
pub fn fnv64(bytes: &[u8]) -> u64 {
    let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The algorithm's own vectors.
    #[test]
    fn hashes_are_everybodys() {
        for (text, narrow, wide) in [
            ("", 0x811c_9dc5, 0xcbf2_9ce4_8422_2325),
            ("a", 0xe40c_292c, 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0xbf9c_f968, 0x8594_4171_f739_67e8),
        ] {
            assert_eq!((fnv32(text.as_bytes()), fnv64(text.as_bytes())), (narrow, wide), "{text}");
        }
    }
}
