//! What a backup may take the place of: an older one that opens no more than it does.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use crate::error::Error;

/// How the first line of a backup begins, and of its second one if the key is in it.
const BACKUP: &[u8] = b"{\"backup\":";
const KEY: &[u8] = b"{\"secretsKey\":";
/// How far is looked for the second line.
const HEAD_BYTES_MAX: u64 = 4096;

/// What stands in the place of the new one.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Backup { with_key: bool },
    Other,
}

/// Refuses what would be lost: a file that is no backup, and the key in one that has it by one that has not.
pub(super) fn check(path: &Path, with_key: bool) -> Result<(), Error> {
    let found = look(path).map_err(|cause| Error::File { what: "read", path: path.to_owned(), cause })?;
    match found {
        Found::Nothing | Found::Backup { with_key: false } => Ok(()),
        Found::Backup { with_key: true } if with_key => Ok(()),
        Found::Backup { with_key: true } => Err(Error::Refused(format!(
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
    Ok(match first.starts_with(BACKUP) {
        true => Found::Backup { with_key: second.starts_with(KEY) },
        false => Found::Other,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_is_no_loss_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ebb.backup");
        let head = "{\"backup\":2,\"version\":7,\"ebb\":\"0.1.0\",\"taken\":\"now\"}\n";
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
        fs::remove_file(&path).unwrap();
        check(&path, false).unwrap();
        check(folder.path(), false).unwrap_err();
    }
}
