//! Where the platform keeps what, and that only one uses it.

mod content;
mod private;
mod run;

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use resources::names::fnv32;
use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, openat},
    io::Errno,
    process::{Pid, test_kill_process},
};
use tokio::time::{Instant, sleep};

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
const PARTS: [&str; 6] = [API, IMAGES, FLAT, CONTAINERS, LOGS, VOLUMES];
/// What else is in it, made later.
const KUBECONFIG: &str = "kubeconfig";
const RUN: &str = "run";
const KEPT_BESIDE: [&str; 2] = [KUBECONFIG, RUN];

/// What is in the lock's file beside the number of the process that holds it, once that is about to let go.
const ENDING: &str = "ending";
/// As much is read of it.
const HOLDER_BYTES_MAX: u64 = 64;
/// How long is waited for one that is about to let go: requests in hand and programs that take their time to end are
/// what it waits for.
const ENDING_MAX: Duration = Duration::from_secs(60);
/// How often is looked whether it has.
const ENDING_PAUSE: Duration = Duration::from_millis(20);

/// The data directory, held by this process.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// It was made by this process.
    is_new: bool,
    /// Locked for as long as it is open.
    lock: Arc<File>,
}

/// A data directory that this process made and may remove; see [`DataDir::unused`].
#[derive(Debug)]
pub(crate) struct Unused {
    path: PathBuf,
    _lock: Arc<File>,
}

/// A data directory that this process has held; see [`DataDir::let_go`].
#[derive(Debug)]
pub(crate) struct LetGo {
    lock: PathBuf,
}

/// The process that holds a data directory.
#[derive(Debug)]
struct Holder {
    pid: String,
    is_ending: bool,
}

/// What came of taking a directory.
#[derive(Debug)]
enum Taken {
    Ours(DataDir),
    Held(Holder),
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
    /// that others could change is refused; so is one that has the files of something else in it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        match Self::take(path)? {
            Taken::Ours(dir) => Ok(dir),
            Taken::Held(holder) => Err(holder.refusal(path)),
        }
    }

    /// As [`DataDir::open`]; one that is held by a process about to let go is waited for, and the user told so.
    pub(crate) async fn open_next(path: &Path, tell: impl Fn(&str)) -> Result<Self> {
        let began = Instant::now();
        let mut told = false;
        loop {
            let holder = match Self::take(path)? {
                Taken::Ours(dir) => return Ok(dir),
                Taken::Held(holder) => holder,
            };
            if !holder.is_ending || began.elapsed() > ENDING_MAX {
                return Err(holder.refusal(path));
            }
            if !std::mem::replace(&mut told, true) {
                tell(&format!(
                    "Waiting for the `ebb up` that is about to end (process {}) to let go of {}.",
                    holder.pid,
                    path.display()
                ));
            }
            sleep(ENDING_PAUSE).await;
        }
    }

    fn take(path: &Path) -> Result<Taken> {
        let is_new = private::make(path).map_err(|error| unmade(path, &error))?;
        let path = path.canonicalize().map_err(|error| unusable(path, &error))?;
        let dir = private::open(&path).map_err(|objection| refusal(&path, &objection))?;
        if !is_new
            && let Some(stranger) = content::stranger(&path).map_err(|error| unusable(&path, &error))?
        {
            return Err(mixed(&path, &stranger));
        }
        let at = path.join(LOCK);
        let mut lock = open_lock(&dir).map_err(|error| unusable(&at, &error))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut said = String::new();
            let _ = lock.read_to_string(&mut said);
            return Ok(Taken::Held(Holder::of(&said)));
        }
        note_holder(&mut lock).map_err(|error| unusable(&at, &error))?;
        // The directory itself may be open for others to read: who made it may have other things there.
        for part in PARTS.map(|name| path.join(name)) {
            private::take(&part).map_err(|objection| refusal(&part, &objection))?;
        }
        Ok(Taken::Ours(Self { path, is_new, lock: Arc::new(lock) }))
    }

    /// Says to whoever wants the directory next that it is worth waiting.
    pub(crate) fn is_ending(&self) {
        if let Err(error) = (&*self.lock).write_all(ENDING.as_bytes()) {
            tracing::debug!(%error, "the next `ebb up` will not wait for this one");
        }
    }

    /// Leaves the directory to whoever wants it next.
    pub(crate) fn let_go(self) -> LetGo {
        LetGo { lock: self.path.join(LOCK) }
    }

    /// The data directory that a process holds, where this file that it has open is the lock of one.
    pub(super) fn held_by(pid: u32, file: &Path) -> Option<PathBuf> {
        if file.file_name() != Some(OsStr::new(LOCK)) {
            return None;
        }
        // It may be anything that somebody else has called so: nothing to wait for, nor to read whole.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        let lock = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(file).ok()?;
        let mut said = String::new();
        if !lock.metadata().ok()?.is_file() || lock.take(HOLDER_BYTES_MAX).read_to_string(&mut said).is_err()
        {
            return None;
        }
        let holder = Holder::of(&said);
        (holder.pid == pid.to_string()).then(|| file.parent().map(Path::to_owned)).flatten()
    }

    /// What is to be removed if nothing comes of it: a directory that this process made, which holds nobody's work.
    pub(crate) fn unused(&self) -> Option<Unused> {
        self.is_new.then(|| Unused { path: self.path.clone(), _lock: Arc::clone(&self.lock) })
    }

    /// The admin's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path.join(KUBECONFIG)
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
            Ok(self.path.join(RUN))
        }
    }

    /// A short name for this directory, for what is named machine-wide: cgroups, the run directory.
    pub(crate) fn id(&self) -> String {
        // What an older build left must be found again, so by a hash that is the same in each.
        format!("{:08x}", fnv32(self.path.as_os_str().as_encoded_bytes()))
    }
}

impl Holder {
    /// Of what is in the lock's file.
    fn of(said: &str) -> Self {
        let mut words = said.split_whitespace();
        let pid = words.next().unwrap_or("unknown").to_owned();
        Self { pid, is_ending: words.next() == Some(ENDING) }
    }

    fn refusal(&self, path: &Path) -> anyhow::Error {
        let (pid, path) = (&self.pid, path.display());
        if self.is_ending {
            return anyhow::anyhow!(
                "the `ebb up` that is about to end (process {pid}) still uses the data directory {path}: it finishes \
                 requests in hand; try again, or send it SIGTERM once more to end it at once"
            );
        }
        anyhow::anyhow!(
            "another `ebb up` (process {pid}) uses the data directory {path}; stop it, or give this one its own with --data-dir"
        )
    }
}

impl LetGo {
    /// Whether another process has taken it since, and is still there.
    pub(crate) fn is_taken(&self) -> bool {
        // Not by the lock itself: whoever tries it holds it for a moment, and would have the next one refused.
        let Ok(said) = fs::read_to_string(&self.lock) else { return false };
        let pid = Holder::of(&said).pid;
        pid != std::process::id().to_string() && is_there(&pid)
    }
}

impl Unused {
    /// Removes the directory with all that was put into it.
    pub(crate) fn remove(self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "could not remove {}, which was made for this start", self.path.display());
        }
    }
}

fn refusal(path: &Path, objection: &Objection) -> anyhow::Error {
    let mend = match objection {
        Objection::Writable { .. } => format!("run `chmod go-w {}`, or ", path.display()),
        Objection::Owner { owner } => {
            return anyhow::anyhow!(
                "{} belongs to another user (uid {owner}): run as that user, or name another directory with --data-dir",
                path.display()
            );
        }
        Objection::NoDirectory | Objection::Io(_) => String::new(),
    };
    anyhow::anyhow!(
        "{} is refused as data directory, since it is to hold keys and programs: {objection}; {mend}name another with --data-dir",
        path.display()
    )
}

/// Why a directory cannot be made.
fn unmade(path: &Path, error: &io::Error) -> anyhow::Error {
    if path.symlink_metadata().is_ok() {
        return anyhow::anyhow!(
            "{} is refused as data directory: it is no directory; name another with --data-dir",
            path.display()
        );
    }
    anyhow::anyhow!(
        "cannot make the data directory {}: {error}; name another with --data-dir",
        path.display()
    )
}

/// Why what is there cannot be used.
fn unusable(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!(
        "cannot use {} for a data directory: {error}; mend that, or name another with --data-dir",
        path.display()
    )
}

fn mixed(path: &Path, stranger: &OsStr) -> anyhow::Error {
    anyhow::anyhow!(
        "{} is refused as data directory: it has something else in it ({:?}, for one) and nothing of an Ebb; name an \
         empty or a new directory with --data-dir",
        path.display(),
        stranger.display(),
    )
}

/// Whether there is a process of this number, whoever's.
fn is_there(pid: &str) -> bool {
    let pid = pid.parse::<i32>().ok().filter(|pid| *pid > 0).and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

/// Notes which process holds the lock.
fn note_holder(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

/// Opens the file whose lock says that the directory is in use, and changes nothing in it. A link, which would have
/// another file written to, is not followed.
fn open_lock(dir: &File) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(openat(dir, LOCK, flags, Mode::RUSR | Mode::WUSR)?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

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
    fn a_directory_of_another_user_is_refused_in_few_words() {
        assert_eq!(
            refusal(Path::new("/d"), &Objection::Owner { owner: 7 }).to_string(),
            "/d belongs to another user (uid 7): run as that user, or name another directory with --data-dir"
        );
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
    fn what_is_no_directory_or_somebody_elses_is_refused_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let [file, beyond, notes] = ["file", "file/data", "notes"].map(|name| root.path().join(name));
        fs::write(&file, "precious").unwrap();
        fs::create_dir(&notes).unwrap();
        fs::write(notes.join("one.txt"), "precious").unwrap();
        for (path, part) in [(&file, "no directory"), (&beyond, "cannot make"), (&notes, "one.txt")] {
            let refused = format!("{:#}", DataDir::open(path).unwrap_err());
            for part in [part, path.to_str().unwrap(), "--data-dir"] {
                assert!(refused.contains(part), "{part} in {refused}");
            }
        }
        assert_eq!(fs::read_dir(&notes).unwrap().count(), 1, "nothing is put beside it");
        fs::remove_file(notes.join("one.txt")).unwrap();
        DataDir::open(&notes).unwrap();
        fs::write(notes.join("one.txt"), "").unwrap();
        DataDir::open(&notes).unwrap();
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
        let (path, me) = (dir.path().canonicalize().unwrap(), std::process::id());
        assert_eq!(DataDir::held_by(me, &path.join(LOCK)), Some(path.clone()));
        assert_eq!(DataDir::held_by(me + 1, &path.join(LOCK)), None);
        assert_eq!(DataDir::held_by(me, &path.join(API)), None);
        drop(first);
        DataDir::open(dir.path()).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_about_to_end_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        let next = || DataDir::open_next(dir.path(), |_| ());
        let refused = next().await.unwrap_err().to_string();
        assert!(refused.contains("another `ebb up`"), "{refused}");
        first.is_ending();
        let refused = next().await.unwrap_err().to_string();
        assert!(refused.contains("about to end") && refused.contains("SIGTERM"), "{refused}");
        let told = std::cell::RefCell::new(Vec::new());
        let waiting = DataDir::open_next(dir.path(), |line| told.borrow_mut().push(line.to_owned()));
        let (taken, ()) = tokio::join!(waiting, async {
            sleep(ENDING_MAX / 2).await;
            drop(first);
        });
        taken.unwrap();
        let told = told.into_inner();
        assert!(told.len() == 1 && told[0].contains(&std::process::id().to_string()), "{told:?}");
    }

    #[test]
    fn who_has_let_go_sees_whether_another_has_come() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        first.is_ending();
        let left = first.let_go();
        assert!(!left.is_taken());
        DataDir::open(dir.path()).expect("it is free");
        // The first process is always there, and none has a number as high as the other.
        for (pid, taken) in [(1, true), (i32::MAX, false)] {
            fs::write(dir.path().join(LOCK), format!("{pid}\n")).unwrap();
            assert_eq!(left.is_taken(), taken, "{pid}");
        }
    }

    #[test]
    fn what_nothing_came_of_is_removed_if_it_was_made_for_it() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("data");
        DataDir::open(&path).unwrap().unused().unwrap().remove();
        assert!(!path.exists());
        drop(DataDir::open(&path).unwrap());
        assert!(DataDir::open(&path).unwrap().unused().is_none(), "it was there before");
    }
}
