//! Making a state of a backup: beside where it will be, and put in place when all of it is there.

use std::{fs, io::BufRead, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use futures::executor::block_on;
use resources::kinds;
use sha2::{Digest, Sha256};
use storage::objects::{Durability, ObjectStore, Op, Options, key_of};

use super::{End, FORM, Line, raw::Raw};
use crate::{
    Error, Result,
    hex::hex,
    secrets::{FILE, SecretKeys},
    tls::write_private,
};

/// How long a line may be: twice the longest object that the store takes by default, so that whatever can be stored can be
/// restored, also when what Ebb adds to an object makes it longer than it was taken for.
const LINE_BYTES_MAX: u64 = 16 << 20;
/// Which part of the store's queue is filled before what is in it is waited for. A further object has to fit in, and the
/// number of changes that wait is bounded as well.
const QUEUE_PART: usize = 16;

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The objects that are there again.
    pub objects: u64,
    /// Those that their controllers make again, and those that only said how a machine was.
    pub left_out: u64,
    /// When the backup was taken, as RFC 3339 writes it.
    pub taken: String,
}

/// Makes a state in `data_dir`, the one that [`Options::data_dir`](crate::Options) names, which must have none.
///
/// Blocks on I/O. Objects get new versions, all of them later than any that the backed-up state had, so that nobody
/// takes one of these for one that it knows. What is sealed in the backup opens with the key that is in it, in the file
/// `secrets_key`, or in the data directory, where one is made if there is none.
///
/// # Errors
/// `StateExists`; `SecretsKey`; `Backup` when it is none, a part of one, or does not open; `File` and `Storage`. Nothing has
/// changed then.
pub fn restore(backup: impl BufRead, data_dir: &Path, secrets_key: Option<&Path>) -> Result<Restored> {
    let building = data_dir.join("restoring");
    let [state, pki] = ["state", "pki"].map(|name| data_dir.join(name));
    // Of a restore that was killed keys may be in place, but never the state.
    if state.exists() || (pki.exists() && !building.exists()) {
        return Err(Error::StateExists { dir: if state.exists() { state } else { pki } });
    }
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { action, path, source }
    };
    if building.exists() {
        // The keys first: without the other, they are somebody's own.
        for dir in [&pki, &building].into_iter().filter(|dir| dir.exists()) {
            fs::remove_dir_all(dir).map_err(failed("remove", dir))?;
        }
    }
    let keys = SecretKeys::found(data_dir, secrets_key)?;
    let building_pki = building.join("pki");
    fs::create_dir_all(&building_pki).map_err(failed("create", &building_pki))?;
    let (seals, is_new) = match SecretKeys::own(data_dir)? {
        Some(own) => (own, false),
        None => (SecretKeys::make(&building)?, true),
    };
    let options = Options { sealing: Some(seals.sealing()), ..Options::default() };
    let restored = read(backup, &building, options, keys);
    if restored.is_ok() {
        // The state last: where it is, all is.
        let names = is_new.then_some(FILE).into_iter().chain(["pki", "state"]);
        for name in names {
            let place = data_dir.join(name);
            fs::rename(building.join(name), &place).map_err(failed("put in place", &place))?;
        }
        let synced = fs::File::open(data_dir).and_then(|dir| dir.sync_all());
        synced.map_err(failed("sync", data_dir))?;
    }
    fs::remove_dir_all(&building).map_err(failed("remove", &building))?;
    restored
}

/// `keys` are those that may open what is sealed in the backup, if none is in it.
fn read(
    mut backup: impl BufRead,
    building: &Path,
    options: Options,
    mut keys: Option<SecretKeys>,
) -> Result<Restored> {
    let mut sha256 = Sha256::new();
    let mut state: Option<(Filling, Restored)> = None;
    let mut version = 0;
    let (mut number, mut objects) = (0, 0);
    let mut text = Vec::new();
    loop {
        number += 1;
        text.clear();
        let wrong = |reason: String| Error::Backup { line: number, reason };
        let read = std::io::Read::take(&mut backup, LINE_BYTES_MAX).read_until(b'\n', &mut text);
        read.map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if text.last() != Some(&b'\n') {
            return Err(wrong("the backup breaks off here".into()));
        }
        let line = serde_json::from_slice(&text)
            .map_err(|error| wrong(format!("not a valid backup line: {error}")))?;
        match (line, &mut state) {
            (Line::Head { backup, version: at, taken, .. }, None) => {
                version = at;
                if backup > FORM {
                    return Err(wrong(format!(
                        "the backup has form {backup}, and this Ebb reads up to {FORM}: restore it with a newer one"
                    )));
                }
                let options = Options { begin_after: version, ..options.clone() };
                let filling = Filling::open(&building.join("state"), options)?;
                state = Some((filling, Restored { objects: 0, left_out: 0, taken }));
            }
            (Line::Key { secrets_key }, Some(_)) => {
                let key = SecretKeys::parse(&secrets_key).ok_or_else(|| wrong("is no key".into()))?;
                keys = Some(key);
            }
            (Line::File { file, text }, Some(_)) => {
                put_file(building, &file, text.as_bytes()).map_err(wrong)??
            }
            (Line::SealedFile { file, sealed }, Some(_)) => {
                let text = opened(keys.as_ref(), &file, version, &sealed).map_err(wrong)?;
                put_file(building, &file, &text).map_err(wrong)??;
            }
            (Line::Object { key, object }, Some((filling, restored))) => {
                objects += 1;
                filling.take(&key, object, restored)?;
            }
            (Line::Sealed { key, sealed }, Some((filling, restored))) => {
                objects += 1;
                let object = opened(keys.as_ref(), &key, version, &sealed).map_err(wrong)?;
                let object = serde_json::from_slice(&object)
                    .map_err(|error| wrong(format!("what it seals is no object: {error}")))?;
                filling.take(&key, object, restored)?;
            }
            (Line::End { end: End { objects: expected, sha256: digest } }, Some(_)) => {
                let found = hex(&sha256.finalize());
                if found != digest || objects != expected {
                    return Err(wrong(format!(
                        "the backup was changed: {objects} of {expected} objects, digest {found} instead of {digest}"
                    )));
                }
                let (filling, restored) = state.expect("just matched");
                // Writes what is queued, and syncs.
                filling.store.close().map_err(Error::Storage)?;
                return Ok(restored);
            }
            _ => {
                return Err(wrong(
                    "unexpected line: the header must be the first line and must appear once".into(),
                ));
            }
        }
        sha256.update(&text);
    }
}

/// Writes one of the authority's files; refused with the reason when its name is none.
fn put_file(building: &Path, file: &str, text: &[u8]) -> std::result::Result<Result<()>, String> {
    if file.is_empty() || file.contains(['/', '\0']) || file.starts_with('.') {
        return Err(format!("{file:?} is no file's name"));
    }
    Ok(write_private(&building.join("pki").join(file), text))
}

/// What is sealed in a line, or why it does not open and what to do.
fn opened(
    keys: Option<&SecretKeys>,
    name: &str,
    version: u64,
    sealed: &str,
) -> std::result::Result<Vec<u8>, String> {
    let sealed = BASE64.decode(sealed).map_err(|error| format!("{name} is no base64: {error}"))?;
    let id = key_of(&sealed).ok_or_else(|| format!("{name} is not sealed as Ebb does it"))?;
    let keys = keys.ok_or_else(|| {
        format!(
            "keys and Secrets in the backup are encrypted with the key {id}, which is not in it: name the file that has \
             it with --secrets-key; where it was taken, that is api/secrets.key in the data directory, or what `ebb up \
             --secrets-key` names"
        )
    })?;
    if !keys.has(id) {
        return Err(format!(
            "{name} is encrypted with the key {id}, and that is not the one given: name the file that has it with \
             --secrets-key"
        ));
    }
    let opened = keys.sealing().open(name, version, &sealed);
    opened.map_err(|_| format!("{name} does not open: the backup was changed"))
}

/// A state that is being filled, no faster than the disk takes it.
struct Filling {
    store: ObjectStore,
    /// So much may be queued.
    queued_bytes_max: usize,
    queued_bytes: usize,
}

impl Filling {
    fn open(dir: &Path, options: Options) -> Result<Self> {
        let queued_bytes_max = options.queue_bytes_max / QUEUE_PART;
        let (store, _) = ObjectStore::open(dir, options).map_err(Error::Storage)?;
        Ok(Self { store, queued_bytes_max, queued_bytes: 0 })
    }

    /// Takes an object that does not come again of itself.
    fn take(&mut self, key: &str, object: Raw, restored: &mut Restored) -> Result<()> {
        if is_made_again(key, &object) {
            restored.left_out += 1;
            return Ok(());
        }
        restored.objects += 1;
        self.put(key, object)
    }

    fn put(&mut self, key: &str, mut object: Raw) -> Result<()> {
        let mut len = 0;
        let put = |version: u64| {
            if let Some(given) =
                object.get_mut("metadata").and_then(|metadata| metadata.get_mut("resourceVersion"))
            {
                *given = Raw::Text(version.to_string());
            }
            let bytes = serde_json::to_vec(&object).expect("what was JSON can be written as JSON");
            len = bytes.len();
            Op::bytes(bytes)
        };
        let version = self.store.append_with(&key.into(), Durability::Soon, put).map_err(Error::Storage)?;
        self.queued_bytes += key.len() + len;
        if self.queued_bytes > self.queued_bytes_max {
            block_on(self.store.durable(version)).map_err(Error::Storage)?;
            self.queued_bytes = 0;
        }
        Ok(())
    }
}

/// Whether a controller makes the object again of those it depends on, or it only said how a machine was.
fn is_made_again(key: &str, object: &Raw) -> bool {
    let mut parts = key.split('/');
    let (group, plural) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let group = if group == "core" { "" } else { group };
    if group.is_empty() && ["events", "nodes"].contains(&plural) {
        return true;
    }
    let derived =
        kinds::all().iter().any(|kind| kind.group == group && kind.plural == plural && kind.derived);
    let owners = object.get("metadata").and_then(|metadata| metadata.get("ownerReferences"));
    let is_controlled = match owners {
        Some(Raw::List(owners)) => {
            owners.iter().any(|owner| owner.get("controller") == Some(&Raw::Bool(true)))
        }
        _ => false,
    };
    derived && is_controlled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_no_faster_than_the_disk() {
        let mut text = b"{\"backup\":1,\"version\":7,\"ebb\":\"0\",\"taken\":\"\"}\n".to_vec();
        for number in 0..500 {
            let object = format!("{{\"metadata\":{{\"name\":\"{number}\",\"resourceVersion\":\"1\"}}}}");
            let line = format!("{{\"key\":\"core/configmaps/default/{number}\",\"object\":{object}}}\n");
            text.extend_from_slice(line.as_bytes());
        }
        let sha256 = hex(&Sha256::digest(&text));
        let end = format!("{{\"end\":{{\"objects\":500,\"sha256\":\"{sha256}\"}}}}\n");
        text.extend_from_slice(end.as_bytes());
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("pki")).unwrap();
        // Room for a few dozen of them.
        let options = Options { queue_bytes_max: 16_000, ..Options::default() };
        assert_eq!(read(&text[..], dir.path(), options, None).unwrap().objects, 500);
        let (store, _) = ObjectStore::open(dir.path().join("state"), Options::default()).unwrap();
        assert_eq!(store.scan("core/configmaps/").count(), 500);
    }
}
