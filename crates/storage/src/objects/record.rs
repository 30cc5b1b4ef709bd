//! A record: one change of one key, as it lies in a segment. Numbers are little-endian.
//!
//! ```text
//!   0  u32  CRC-32C of all that follows
//!   4  u16  length of the key
//!   6  u8   1 put, 2 delete
//!   7  u8   0, or 1 if the value is sealed (see `seal`)
//!   8  u32  length of the value
//!  12  u64  version
//!  20       key, value
//! ```

use super::value::Version;

pub(super) const HEADER: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Put,
    Delete,
}

impl Kind {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Put => 1,
            Self::Delete => 2,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Put),
            2 => Some(Self::Delete),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) kind: Kind,
    pub(super) version: Version,
    pub(super) key: &'a str,
    /// As it lies on disk: encrypted, if it is sealed.
    pub(super) value: &'a [u8],
    pub(super) sealed: bool,
}

impl<'a> Record<'a> {
    pub(super) fn len(&self) -> usize {
        HEADER + self.key.len() + self.value.len()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let key_len = u16::try_from(self.key.len()).expect("append refuses longer keys");
        let value_len = u32::try_from(self.value.len()).expect("a value of 4 GiB does not fit in the queue");
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&key_len.to_le_bytes());
        out.extend_from_slice(&[self.kind.code(), u8::from(self.sealed)]);
        out.extend_from_slice(&value_len.to_le_bytes());
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(self.key.as_bytes());
        out.extend_from_slice(self.value);
        let crc = crc32c::crc32c(&out[start + 4..]);
        out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    }

    /// The record that `bytes` begin with, or why there is none.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>().ok_or("a record is cut short")?;
        let key_len = usize::from(u16_at(header, 4));
        let value_len = u32_at(header, 8) as usize;
        let len = HEADER + key_len + value_len;
        let whole = bytes.get(4..len).ok_or("a record is cut short")?;
        if crc32c::crc32c(whole) != u32_at(header, 0) {
            return Err("a record's checksum does not match");
        }
        Ok(Self {
            kind: Kind::from_code(header[6]).ok_or("a record is neither put nor delete")?,
            version: u64_at(header, 12),
            key: std::str::from_utf8(&rest[..key_len]).map_err(|_| "a record's key is not UTF-8")?,
            value: &rest[key_len..key_len + value_len],
            sealed: match header[7] {
                0 => false,
                1 => true,
                _ => return Err("a record is of an unknown form"),
            },
        })
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_every_flipped_bit_is_noticed() {
        let record =
            Record { kind: Kind::Put, version: 7, key: "core/pods/default/x", value: b"{}", sealed: true };
        let mut bytes = Vec::new();
        record.write(&mut bytes);
        assert_eq!(bytes.len(), record.len());
        assert_eq!(Record::read(&bytes), Ok(record));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Record::read(&damaged).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(Record::read(&bytes[..len]).is_err(), "cut to {len}");
        }
    }
}
