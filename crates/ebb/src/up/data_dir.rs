//! Where the platform keeps what, and that only one uses it.

mod private;
mod run;

use std::{
    fs::File,
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use resources::names::fnv32;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};

use self::private::Objection;

/// The file that is locked while the directory is in use.
const LOCK: &str = "lock";
/// The directories in it.
const API: &str = "api";
const IMAGES: &str = "images";
const FLAT: &str = "flat";
const CONTAINERS: &str = "containers";
const LOGS: &str = "logs";
const VOLUMES: &str = "volumes";

/// The data directory, held by this process.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// Locked for as long as it is open.
    _lock: File,
}

impl DataDir {
    /// The directory that is used where the user names none.
    pub(crate) fn default_path() -> PathBuf {
        if rustix::process::geteuid().is_root() {
            return PathBuf::from("/var/lib/ebb");
        }
        let home =
            || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/".into())).join(".local/share");
        std::env::var_os("XDG_DATA_HOME").map_or_else(home, PathBuf::from).join("ebb")
    }

    /// Makes the directory if need be, and takes it. It holds keys, Secrets and other systems' setuid programs, so one
    /// that others could change is refused.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        private::make(path).with_context(|| format!("making the data directory {}", path.display()))?;
        let path = path.canonicalize()?;
        let dir = private::open(&path).map_err(|objection| refusal(&path, &objection))?;
        let mut lock = open_lock(&dir).with_context(|| format!("opening {}", path.join(LOCK).display()))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut pid = String::new();
            let _ = lock.read_to_string(&mut pid);
            bail!(
                "another `ebb up` (process {}) uses the data directory {}; stop it, or give this one its own with --data-dir",
                pid.trim(),
                path.display()
            );
        }
        lock.set_len(0)?;
        lock.rewind()?;
        writeln!(lock, "{}", std::process::id())?;
        // The directory itself may be open for others to read: who made it may have other things there.
        for part in [API, IMAGES, FLAT, CONTAINERS, LOGS, VOLUMES].map(|name| path.join(name)) {
            private::take(&part).map_err(|objection| refusal(&part, &objection))?;
        }
        Ok(Self { path, _lock: lock })
    }

    /// The admin's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path.join("kubeconfig")
    }

    /// The API server's state and keys.
    pub(crate) fn api(&self) -> PathBuf {
        self.path.join(API)
    }

    /// The image store.
    pub(crate) fn images(&self) -> PathBuf {
        self.path.join(IMAGES)
    }

    /// Images laid out for the process runtime.
    pub(crate) fn flat(&self) -> PathBuf {
        self.path.join(FLAT)
    }

    /// What containers write outside of volumes.
    pub(crate) fn containers(&self) -> PathBuf {
        self.path.join(CONTAINERS)
    }

    /// Containers' logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.path.join(LOGS)
    }

    /// Pods' emptyDir volumes.
    pub(crate) fn volumes(&self) -> PathBuf {
        self.path.join(VOLUMES)
    }

    /// What lasts only while containers run: in memory with root, since it is written at every start.
    pub(crate) fn run(&self) -> Result<PathBuf> {
        if rustix::process::geteuid().is_root() {
            Ok(run::base()?.join(self.id()))
        } else {
            Ok(self.path.join("run"))
        }
    }

    /// A short name for this directory, for what is named machine-wide: cgroups, the run directory.
    pub(crate) fn id(&self) -> String {
        // What an older build left must be found again, so by a hash that is the same in each.
        format!("{:08x}", fnv32(self.path.as_os_str().as_encoded_bytes()))
    }
}

fn refusal(path: &Path, objection: &Objection) -> anyhow::Error {
    let mend = match objection {
        Objection::Writable { .. } => format!("run `chmod go-w {}`, or ", path.display()),
        Objection::NoDirectory | Objection::Owner { .. } | Objection::Io(_) => String::new(),
    };
    anyhow::anyhow!(
        "{} is refused as data directory, since it is to hold keys and programs: {objection}; {mend}name another with --data-dir",
        path.display()
    )
}

/// Opens the file whose lock says that the directory is in use, and changes nothing in it. A link, which would have
/// another file written to, is not followed.
fn open_lock(dir: &File) -> std::io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(openat(dir, LOCK, flags, Mode::RUSR | Mode::WUSR)?))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_directory_that_others_can_change_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        drop(DataDir::open(&path).unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        open(&path, 0o755);
        open(&path.join(IMAGES), 0o755);
        drop(DataDir::open(&path).unwrap());
        assert_eq!(
            (mode(&path), mode(&path.join(IMAGES))),
            (0o755, 0o700),
            "what is in it is for nobody else"
        );
        for changed in [path.join(IMAGES), path] {
            open(&changed, 0o775);
            let refused = DataDir::open(&dir.path().join("data")).unwrap_err().to_string();
            for part in ["0775", "chmod go-w", "--data-dir", changed.to_str().unwrap()] {
                assert!(refused.contains(part), "{part} in {refused}");
            }
            open(&changed, 0o700);
        }
    }

    #[test]
    fn a_lock_that_is_a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        let path = dir.path().join("data");
        private::make(&path).unwrap();
        std::os::unix::fs::symlink(&victim, path.join(LOCK)).unwrap();
        let refused = format!("{:#}", DataDir::open(&path).unwrap_err());
        assert!(refused.contains("data/lock"), "{refused}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn the_second_user_is_told_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        let refused = DataDir::open(dir.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&std::process::id().to_string()) && refused.contains("--data-dir"),
            "{refused}"
        );
        drop(first);
        DataDir::open(dir.path()).unwrap();
    }
}
