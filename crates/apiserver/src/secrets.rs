//! The keys that Secrets are encrypted with on disk and in backups.
//!
//! ```text
//!   secrets.key   in the data directory, 0600, made at the first start; or a file of the user's:
//!
//!                   # the first seals, the others only open what was sealed with them
//!                   base64 of 32 bytes
//!                   base64 of 32 bytes
//! ```
//!
//! A key is changed by putting a new one before it. What it has sealed is written anew by the store, in the background; then
//! it may go. With a file of the user's the one in the data directory still opens, so that one can begin to have one's own.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use ring::rand::{SecureRandom, SystemRandom};
use storage::{
    fs::FileSystem,
    objects::{KeyId, ObjectStore, SealKey, Sealing},
};

use crate::{Error, Result, tls::write_private};

/// What on disk begins with this is sealed: the values of Secrets.
const PREFIXES: &[&str] = &["core/secrets/"];
/// Where they are in a data directory.
pub(crate) const FILE: &str = "secrets.key";
/// The longest file of keys, and how many there may be.
const FILE_BYTES_MAX: u64 = 64 << 10;
const KEYS_MAX: usize = 32;

/// The keys. The first seals.
#[derive(Clone)]
pub(crate) struct SecretKeys(Vec<Key>);

#[derive(Clone)]
struct Key {
    bytes: [u8; 32],
    seal: SealKey,
}

impl SecretKeys {
    /// The keys for the state in `state`: of the user's file or of the data directory, where they are made when nothing is
    /// sealed yet.
    pub(crate) fn open(
        data_dir: &Path,
        file: Option<&Path>,
        fs: &dyn FileSystem,
        state: &Path,
    ) -> Result<Self> {
        let needed = ObjectStore::sealed_with(fs, state).map_err(Error::Storage)?;
        let path = file.map_or_else(|| data_dir.join(FILE), Path::to_owned);
        let wrong = |reason: String| Error::SecretsKey { path, reason };
        let Some(keys) = Self::found(data_dir, file)? else {
            if let Some(id) = needed.first() {
                return Err(wrong(format!(
                    "it is not there, and the Secrets in {} are encrypted with the key {id} that was in it: put it \
                     back, or name the file that has the key with --secrets-key",
                    state.display()
                )));
            }
            return Self::make(data_dir);
        };
        if let Some(id) = needed.into_iter().find(|id| !keys.has(*id)) {
            return Err(wrong(format!(
                "it does not hold the key {id}, with which Secrets in {} are encrypted: add that key as a further line, \
                 or name the file that has it with --secrets-key",
                state.display()
            )));
        }
        Ok(keys)
    }

    /// The keys of the user's file, and behind them those of the data directory; `None` where there is neither.
    pub(crate) fn found(data_dir: &Path, file: Option<&Path>) -> Result<Option<Self>> {
        let given = file.map(read).transpose()?;
        let own = Self::own(data_dir)?.map(|own| own.0);
        let keys: Vec<Key> = given.into_iter().chain(own).flatten().collect();
        Ok((!keys.is_empty()).then_some(Self(keys)))
    }

    /// The keys of a data directory, if it has any.
    pub(crate) fn own(data_dir: &Path) -> Result<Option<Self>> {
        let own = data_dir.join(FILE);
        own.exists().then(|| read(&own).map(Self)).transpose()
    }

    /// A new key in a data directory.
    pub(crate) fn make(data_dir: &Path) -> Result<Self> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Storage(storage::Error::NoRandomness))?;
        fs::create_dir_all(data_dir).map_err(failed("create", data_dir))?;
        let text = format!(
            "# Secrets are encrypted with the first of these keys; others only open what was encrypted with them.\n\
             # Without it neither they nor a backup can be read: keep a copy elsewhere.\n{}\n",
            BASE64.encode(bytes)
        );
        write_private(&data_dir.join(FILE), text.as_bytes())?;
        Ok(Self(vec![Key::new(bytes)]))
    }

    /// One key as a backup has it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Key::parse(text).map(|key| Self(vec![key]))
    }

    /// The key that seals, as a backup has it.
    pub(crate) fn text(&self) -> String {
        BASE64.encode(self.0[0].bytes)
    }

    /// The key that seals.
    pub(crate) fn current(&self) -> &SealKey {
        &self.0[0].seal
    }

    /// Whether this key is among them.
    pub(crate) fn has(&self, id: KeyId) -> bool {
        self.0.iter().any(|key| key.seal.id() == id)
    }

    /// What the store seals, and with what.
    pub(crate) fn sealing(&self) -> Sealing {
        let others = self.0[1..].iter().map(|key| key.seal.clone()).collect();
        Sealing::new(PREFIXES, self.current().clone(), others)
    }
}

/// Whether what is stored under this name is sealed.
pub(crate) fn is_secret(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

impl Key {
    fn new(bytes: [u8; 32]) -> Self {
        Self { bytes, seal: SealKey::new(&bytes) }
    }

    fn parse(text: &str) -> Option<Self> {
        BASE64.decode(text).ok()?.try_into().ok().map(Self::new)
    }
}

fn read(path: &Path) -> Result<Vec<Key>> {
    let wrong = |reason: String| Error::SecretsKey { path: path.to_owned(), reason };
    let metadata = fs::metadata(path).map_err(failed("read", path))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(wrong(format!(
            "others may read it (mode {mode:04o}): run `chmod 600 {}`, and change the key if somebody has",
            path.display()
        )));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(wrong(format!("it has {} bytes and the limit is {FILE_BYTES_MAX}", metadata.len())));
    }
    let text = fs::read_to_string(path).map_err(failed("read", path))?;
    let mut keys = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key = Key::parse(line).ok_or_else(|| {
            wrong(format!(
                "line {number} is not the base64 of 32 bytes; `openssl rand -base64 32` makes a key"
            ))
        })?;
        keys.push(key);
    }
    match keys.len() {
        0 => Err(wrong("no key is in it; `openssl rand -base64 32` makes one".into())),
        1..=KEYS_MAX => Ok(keys),
        many => Err(wrong(format!("{many} keys are in it and the limit is {KEYS_MAX}"))),
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path: PathBuf = path.to_owned();
    move |source| Error::File { action, path, source }
}

#[cfg(test)]
mod tests {
    use resources::{Object, ObjectKey, builtin::Secret};

    use super::*;
    use crate::store::Key as StoredKey;

    #[test]
    fn secrets_are_what_is_sealed() {
        let key = StoredKey::of(<Secret as Object>::kind(), &ObjectKey::new("default", "s"));
        assert!(is_secret(key.text()), "{key:?}");
        assert!(!is_secret("core/configmaps/default/s"));
    }

    #[test]
    fn files_of_keys_are_read_or_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        let one = BASE64.encode([1; 32]);
        let many = format!("{one}\n").repeat(KEYS_MAX + 1);
        let cases: [(&str, u32, std::result::Result<usize, &str>); 8] = [
            (&one, 0o600, Ok(1)),
            (&format!("# a\n\n {one} \n{}\n", BASE64.encode([2; 32])), 0o400, Ok(2)),
            (&one, 0o640, Err("chmod 600")),
            (&one, 0o604, Err("chmod 600")),
            ("# none\n", 0o600, Err("openssl rand -base64 32")),
            ("# short\nYQ==\n", 0o600, Err("line 2 is not")),
            (&many, 0o600, Err("33 keys")),
            (&" ".repeat(FILE_BYTES_MAX as usize + 1), 0o600, Err("limit")),
        ];
        for (text, mode, expected) in cases {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match (read(&path), expected) {
                (Ok(keys), Ok(count)) => assert_eq!(keys.len(), count),
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
                (found, _) => panic!("{text}: {:?}", found.map(|keys| keys.len())),
            }
            fs::remove_file(&path).unwrap();
        }
    }
}
