//! Sealing: values that must not be readable on disk are encrypted there, each bound to its key and version.
//!
//! ```text
//!   0  u8   1: the form
//!   1  u32  id of the key it is sealed with
//!   5       24 random bytes
//!  29       AES-256-GCM of the value, and its tag of 16 bytes
//! ```
//!
//! Of the key and the random bytes a key and a nonce are derived (HKDF-SHA-256) that only this value has: so no pair of
//! them serves twice, also not when a directory was copied and both go on. Key and version are associated data, so that no
//! value passes for another's.

use std::{fmt, sync::Arc};

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    rand::{SecureRandom, SystemRandom},
};

use super::{record::u32_at, value::Version};
use crate::Error;

const FORM: u8 = 1;
const RANDOM: usize = 24;
const HEADER: usize = 5 + RANDOM;
const KEY: usize = 32;
const NONCE: usize = 12;

/// Names a key without telling it. `None` in a file's header stands for 0: nothing in it is sealed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

impl KeyId {
    /// As it lies on disk; 0 is no key.
    pub(super) fn from_code(code: u32) -> Option<Self> {
        (code != 0).then_some(Self(code))
    }

    pub(super) fn code(id: Option<Self>) -> u32 {
        id.map_or(0, |id| id.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key that values are sealed with.
#[derive(Clone)]
pub struct SealKey {
    id: KeyId,
    secret: Prk,
}

impl SealKey {
    /// A key of 32 bytes that nobody can guess.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let secret = Salt::new(HKDF_SHA256, b"ebb").extract(bytes);
        let mut id = [0; 4];
        derive(&secret, &[b"id"], &mut id);
        Self { id: KeyId(u32::from_le_bytes(id).max(1)), secret }
    }

    /// What it is called.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Seals a value, which then opens only with this key and for this name and version.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn seal(&self, name: &str, version: Version, value: &[u8]) -> Result<Vec<u8>, Error> {
        let mut random = [0; RANDOM];
        SystemRandom::new().fill(&mut random).map_err(|_| Error::NoRandomness)?;
        let mut out = Vec::with_capacity(HEADER + value.len() + AES_256_GCM.tag_len());
        out.push(FORM);
        out.extend_from_slice(&self.id.0.to_le_bytes());
        out.extend_from_slice(&random);
        let mut sealed = value.to_vec();
        let (key, nonce) = self.once(&random);
        key.seal_in_place_append_tag(nonce, Aad::from(bound_to(name, version)), &mut sealed)
            .expect("a value is far shorter than what AES-GCM takes");
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// The value that [`SealKey::seal`] was given; `None` for anything else.
    pub fn open(&self, name: &str, version: Version, sealed: &[u8]) -> Option<Vec<u8>> {
        let (header, text) = sealed.split_first_chunk::<HEADER>()?;
        if header[0] != FORM || u32_at(header, 1) != self.id.0 {
            return None;
        }
        let (key, nonce) = self.once(header[5..].first_chunk()?);
        let mut text = text.to_vec();
        let len = key.open_in_place(nonce, Aad::from(bound_to(name, version)), &mut text).ok()?.len();
        text.truncate(len);
        Some(text)
    }

    /// The key and the nonce that are used for one value only.
    fn once(&self, random: &[u8; RANDOM]) -> (LessSafeKey, Nonce) {
        let mut bytes = [0; KEY + NONCE];
        derive(&self.secret, &[b"value", random], &mut bytes);
        let (key, nonce) = bytes.split_at(KEY);
        let key = UnboundKey::new(&AES_256_GCM, key).expect("a key of AES-256 has 32 bytes");
        let nonce = Nonce::try_assume_unique_for_key(nonce).expect("a nonce of AES-GCM has 12 bytes");
        (LessSafeKey::new(key), nonce)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({})", self.id)
    }
}

fn bound_to(name: &str, version: Version) -> Vec<u8> {
    [b"ebb object\0", &version.to_le_bytes()[..], name.as_bytes()].concat()
}

fn derive(secret: &Prk, info: &[&[u8]], out: &mut [u8]) {
    struct Len(usize);
    impl KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }
    let derived = secret.expand(info, Len(out.len())).and_then(|okm| okm.fill(out));
    derived.expect("HKDF gives up to 8,160 bytes");
}

/// Which values are sealed, and with what. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// The first seals; the others open what was sealed with them.
    keys: Arc<[SealKey]>,
    prefixes: &'static [&'static str],
}

impl Sealing {
    /// Seals the values of keys that begin with one of `prefixes`. `others` open what was written with them.
    pub fn new(prefixes: &'static [&'static str], key: SealKey, others: Vec<SealKey>) -> Self {
        let keys = std::iter::once(key).chain(others).collect();
        Self { keys, prefixes }
    }

    pub(super) fn key(&self, id: KeyId) -> Option<&SealKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The key that seals.
    pub fn current(&self) -> &SealKey {
        &self.keys[0]
    }

    /// Whether the values of this key are sealed.
    pub(super) fn covers(&self, key: &str) -> bool {
        self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }

    /// The value of a sealed one, or why there is none.
    pub fn open(&self, name: &str, version: Version, sealed: &[u8]) -> Result<Vec<u8>, &'static str> {
        let key =
            key_of(sealed).and_then(|id| self.key(id)).ok_or("a value is sealed with an unknown key")?;
        key.open(name, version, sealed).ok_or("a sealed value does not open: it is not what was written here")
    }
}

/// The key that a value says it is sealed with; `None` for what is not sealed.
pub fn key_of(sealed: &[u8]) -> Option<KeyId> {
    (sealed.len() >= HEADER).then(|| u32_at(sealed, 1)).and_then(KeyId::from_code)
}

#[cfg(test)]
mod tests;
