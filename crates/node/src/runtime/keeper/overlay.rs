//! Whether the run directory's file system can be the upper layer of an overlay: found out by mounting one.

use std::ffi::CString;
use std::fs;
use std::path::Path;

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::runtime::RuntimeError;
use crate::runtime::shell::Stage;

/// Tries. Only in the keeper's own mount namespace.
pub(super) fn works(run_dir: &Path, stage: &Stage) -> Result<bool, RuntimeError> {
    let trial = run_dir.join("overlay-trial");
    let failed = |error| RuntimeError::io(format!("preparing {}", trial.display()), error);
    let part = |name: &str| trial.join(name);
    for name in ["lower", "upper", "work"] {
        fs::create_dir_all(part(name)).map_err(failed)?;
    }
    fs::write(part("lower").join("file"), "lower").map_err(failed)?;
    let options = ["lowerdir=", "upperdir=", "workdir="];
    let options: Vec<_> = options
        .iter()
        .zip(["lower", "upper", "work"])
        .map(|(option, name)| format!("{option}{name}"))
        .collect();
    // Relative names, whatever characters the run directory's path has.
    rustix::process::chdir(&trial).map_err(|errno| failed(errno.into()))?;
    let options = CString::new(options.join(",") + ",volatile").expect("fixed names have no null byte");
    let mounted = mount("overlay", &stage.root, "overlay", MountFlags::empty(), options.as_c_str()).is_ok();
    // Some file systems take the mount and refuse the first copy up.
    let works = mounted && fs::write(stage.root.join("file"), "upper").is_ok();
    if mounted {
        unmount(&stage.root, UnmountFlags::DETACH).map_err(|errno| failed(errno.into()))?;
    }
    rustix::process::chdir("/").map_err(|errno| failed(errno.into()))?;
    fs::remove_dir_all(&trial).map_err(failed)?;
    Ok(works)
}
