//! What a backup may take the place of: an older one that opens no more than it does.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use jiff::Timestamp;
use serde::Deserialize;

use crate::error::Error;

/// How the first line of a backup begins, and of its second one if the key is in it.
const BACKUP: &[u8] = b"{\"backup\":";
const KEY: &[u8] = b"{\"secretsKey\":";
/// How far is looked for the second line.
const HEAD_BYTES_MAX: u64 = 4096;

/// A backup that the new one takes the place of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Older {
    /// When it was taken, if it says so.
    pub(super) taken: Option<Timestamp>,
}

/// What stands in the place of the new one.
enum Found {
    Nothing,
    Backup { with_key: bool, older: Older },
    Other,
}

/// What of a backup's first line is told.
#[derive(Deserialize)]
struct Head {
    taken: Timestamp,
}

/// Refuses what would be lost: a file that is no backup, and the key in one that has it by one that has not. The backup that
/// is there, if there is one.
pub(super) fn check(path: &Path, with_key: bool) -> Result<Option<Older>, Error> {
    let found = look(path).map_err(|cause| Error::File { what: "read", path: path.to_owned(), cause })?;
    match found {
        Found::Nothing => Ok(None),
        Found::Backup { with_key: has_key, older } if with_key || !has_key => Ok(Some(older)),
        Found::Backup { .. } => Err(Error::Refused(format!(
            "{} is a backup with the key, which this one would take the place of without it: use --with-key, or name \
             another file",
            path.display()
        ))),
        Found::Other => Err(Error::Refused(format!(
            "{} exists and is not a backup: name another file, or remove it",
            path.display()
        ))),
    }
}

fn look(path: &Path) -> io::Result<Found> {
    let file = match File::open(path) {
        Ok(file) => file,
        // Whether something can be there is for the writing to say.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Found::Nothing);
        }
        Err(error) => return Err(error),
    };
    // What `mktemp` makes is there to be filled.
    let about = file.metadata()?;
    if about.is_file() && about.len() == 0 {
        return Ok(Found::Nothing);
    }
    if !about.is_file() {
        return Ok(Found::Other);
    }
    let mut head = BufReader::new(file.take(HEAD_BYTES_MAX));
    let (mut first, mut second) = (Vec::new(), Vec::new());
    head.read_until(b'\n', &mut first)?;
    head.read_until(b'\n', &mut second)?;
    if !first.starts_with(BACKUP) {
        return Ok(Found::Other);
    }
    let taken = serde_json::from_slice::<Head>(&first).ok().map(|head| head.taken);
    Ok(Found::Backup { with_key: second.starts_with(KEY), older: Older { taken } })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_is_no_loss_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ebb.backup");
        let head = "{\"backup\":2,\"version\":7,\"ebb\":\"0.1.0\",\"taken\":\"2026-11-20T12:00:00Z\"}\n";
        let keyed = format!("{head}{{\"secretsKey\":\"k\"}}\n{{\"file\":\"ca.crt\",\"text\":\"\"}}\n");
        let keyless = format!("{head}{{\"file\":\"ca.crt\",\"text\":\"\"}}\n");
        for (there, without_key, with_key) in [
            ("", true, true),
            (keyless.as_str(), true, true),
            (keyed.as_str(), false, true),
            ("letters to my love\n", false, false),
        ] {
            fs::write(&path, there).unwrap();
            assert_eq!(check(&path, false).is_ok(), without_key, "{there}");
            assert_eq!(check(&path, true).is_ok(), with_key, "{there}");
            assert_eq!(fs::read_to_string(&path).unwrap(), there);
        }
        for (head, taken) in
            [(head, "2026-11-20T12:00:00Z".parse::<Timestamp>().ok()), ("{\"backup\":9}", None)]
        {
            fs::write(&path, head).unwrap();
            assert_eq!(check(&path, false).unwrap(), Some(Older { taken }), "{head}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(check(&path, false).unwrap(), None);
        check(folder.path(), false).unwrap_err();
    }
}
