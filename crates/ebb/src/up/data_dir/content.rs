//! Whose the things in a directory are: what an Ebb keeps is not mixed with the files of something else.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::Path,
};

use super::{API, KEPT_BESIDE, LOCK, PARTS};

/// What a new file system has in it.
const LOST_AND_FOUND: &str = "lost+found";
/// What a platform has known is here, in [`API`]: also in a copy that came without the lock.
const KNOWN: [&str; 2] = ["state", "pki"];

/// Something that is in a directory which no Ebb was ever in; `None` where one was, or where there is nothing.
pub(super) fn stranger(dir: &Path) -> io::Result<Option<OsString>> {
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    let (lock, api) = (is_there(&dir.join(LOCK)), dir.join(API));
    // Another program's lock has no such directory beside it.
    if lock && api.is_dir() || KNOWN.iter().any(|name| is_there(&api.join(name))) {
        return Ok(None);
    }
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        // A first start that was cut short has left what comes first.
        if name != LOST_AND_FOUND && !(lock && is_ours(&name)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn is_ours(name: &OsStr) -> bool {
    name == LOCK || PARTS.iter().chain(&KEPT_BESIDE).any(|ours| name == *ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_an_ebbs_or_empty_is_used() {
        for (paths, expect) in [
            (&[][..], None),
            (&["lost+found/"], None),
            (&["notes.txt"], Some("notes.txt")),
            (&["lost+found/", "notes.txt"], Some("notes.txt")),
            (&[".hidden"], Some(".hidden")),
            // Names that others use as well, without a lock.
            (&["api/server.go"], Some("api")),
            (&["lock", "notes.txt"], Some("notes.txt")),
            // What a first start leaves, wherever it is cut short.
            (&["lock"], None),
            (&["lock", "lost+found/"], None),
            (&["lock", "images/", "logs/", "kubeconfig", "run/"], None),
            (&["lock", "api/", "images/", "notes.txt"], None),
            // A restore that was killed, and a copy without the lock.
            (&["lock", "api/restoring/"], None),
            (&["api/state/", "images/", "notes.txt"], None),
            (&["api/pki/"], None),
        ] {
            let dir = tempfile::tempdir().unwrap();
            for path in paths {
                let at = dir.path().join(path);
                fs::create_dir_all(at.parent().unwrap()).unwrap();
                if path.ends_with('/') {
                    fs::create_dir_all(&at).unwrap()
                } else {
                    fs::write(&at, "").unwrap()
                }
            }
            let found = stranger(dir.path()).unwrap();
            assert_eq!(found.as_deref(), expect.map(OsStr::new), "{paths:?}");
        }
    }
}
