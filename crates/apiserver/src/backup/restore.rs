//! Making a state of a backup: beside where it will be, and put in place when all of it is there.

use std::{fs, io::BufRead, path::Path};

use futures::executor::block_on;
use resources::kinds;
use sha2::{Digest, Sha256};
use storage::objects::{Durability, ObjectStore, Op, Options};

use super::{End, FORM, Line, raw::Raw};
use crate::{Error, Result, hex::hex, tls::write_private};

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
/// takes one of these for one that it knows.
///
/// # Errors
/// `StateExists`; `Backup` when it is none, or a part of one; `File` and `Storage`. Nothing has changed then.
pub fn restore(backup: impl BufRead, data_dir: &Path) -> Result<Restored> {
    for name in ["state", "pki"] {
        let dir = data_dir.join(name);
        if dir.exists() {
            return Err(Error::StateExists { dir });
        }
    }
    let building = data_dir.join("restoring");
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { action, path, source }
    };
    if building.exists() {
        // Of a restore that was killed.
        fs::remove_dir_all(&building).map_err(failed("remove", &building))?;
    }
    let pki = building.join("pki");
    fs::create_dir_all(&pki).map_err(failed("create", &pki))?;
    let restored = read(backup, &building, Options::default());
    if restored.is_ok() {
        // The state last: where it is, all is.
        for name in ["pki", "state"] {
            let place = data_dir.join(name);
            fs::rename(building.join(name), &place).map_err(failed("put in place", &place))?;
        }
        let synced = fs::File::open(data_dir).and_then(|dir| dir.sync_all());
        synced.map_err(failed("sync", data_dir))?;
    }
    fs::remove_dir_all(&building).map_err(failed("remove", &building))?;
    restored
}

fn read(mut backup: impl BufRead, building: &Path, options: Options) -> Result<Restored> {
    let mut sha256 = Sha256::new();
    let mut state: Option<(Filling, Restored)> = None;
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
            (Line::Head { backup, version, taken, .. }, None) => {
                if backup > FORM {
                    return Err(wrong(format!(
                        "the backup has form {backup}, and this Ebb reads up to {FORM}: restore it with a newer one"
                    )));
                }
                let options = Options { begin_after: version, ..options.clone() };
                let filling = Filling::open(&building.join("state"), options)?;
                state = Some((filling, Restored { objects: 0, left_out: 0, taken }));
            }
            (Line::File { file, text }, Some(_)) => {
                if file.is_empty() || file.contains(['/', '\0']) || file.starts_with('.') {
                    return Err(wrong(format!("{file:?} is no file's name")));
                }
                write_private(&building.join("pki").join(file), text.as_bytes())?;
            }
            (Line::Object { key, object }, Some((filling, restored))) => {
                objects += 1;
                if is_made_again(&key, &object) {
                    restored.left_out += 1;
                } else {
                    restored.objects += 1;
                    filling.put(&key, object)?;
                }
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
        assert_eq!(read(&text[..], dir.path(), options).unwrap().objects, 500);
        let (store, _) = ObjectStore::open(dir.path().join("state"), Options::default()).unwrap();
        assert_eq!(store.scan("core/configmaps/").count(), 500);
    }
}
