//! Where root keeps what lasts only while containers run: in memory if that can be.
//!
//! Where `/run` is on disk, as in some containers, a start's small files would cost ten times as much, and Secrets would
//! be written down.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::private;

/// Where memory is, the best first.
const PLACES: [&str; 2] = ["/run", "/dev/shm"];
/// In each of them, the directory of all platforms of this machine.
const NAME: &str = "ebb";

/// The directory of all platforms of this machine.
pub(super) fn base() -> Result<PathBuf> {
    choose(PLACES.map(Path::new), node::is_in_memory)
}

/// Takes the directory in the first place in memory where it is root's own; where there is none, the one in the first
/// place. In `/dev/shm`, anybody can have made one before.
fn choose(places: [&Path; 2], is_in_memory: impl Fn(&Path) -> bool) -> Result<PathBuf> {
    for place in places.into_iter().filter(|place| is_in_memory(place)) {
        let dir = place.join(NAME);
        match private::take(&dir) {
            Ok(()) => return Ok(dir),
            Err(objection) => {
                tracing::warn!(dir = %dir.display(), %objection, "not keeping what lasts only while containers run there");
            }
        }
    }
    let dir = places[0].join(NAME);
    private::take(&dir).with_context(|| {
        format!(
            "cannot keep what lasts only while containers run in {0}; remove it: `rm -r {0}`",
            dir.display()
        )
    })?;
    if !is_in_memory(places[0]) {
        tracing::warn!(
            dir = %dir.display(),
            "what lasts only while containers run, also the values of Secrets, is kept on disk: there is no memory file system of root's own"
        );
    }
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn memory_of_ones_own_is_taken_and_else_the_first_place() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (root.path().join("one"), root.path().join("two"));
        for place in [&one, &two] {
            fs::create_dir(place).unwrap();
        }
        let chosen = |in_memory: &[&PathBuf]| {
            choose([&one, &two], |place| in_memory.iter().any(|known| known.as_path() == place))
        };
        assert_eq!(chosen(&[&one, &two]).unwrap(), one.join("ebb"));
        assert_eq!(chosen(&[&two]).unwrap(), two.join("ebb"));
        assert_eq!(chosen(&[]).unwrap(), one.join("ebb"));
        fs::set_permissions(two.join("ebb"), fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(chosen(&[&two]).unwrap(), one.join("ebb"), "anybody may change the other one");
        fs::set_permissions(one.join("ebb"), fs::Permissions::from_mode(0o777)).unwrap();
        let refused = format!("{:#}", chosen(&[&two]).unwrap_err());
        assert!(refused.contains("one/ebb") && refused.contains("rm -r"), "{refused}");
    }
}
