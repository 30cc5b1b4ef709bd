//! TLS: an authority of the server's own, and the certificates that it signs.

mod authority;
mod kubeconfig;
mod server;

use std::{
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

pub(crate) use self::authority::Authority;
use crate::{Error, Result};

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |action: &'static str| move |source| Error::File { action, path: path.to_owned(), source };
    let temporary = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&temporary).map_err(failed("create"))?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(failed("protect"))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write"))?;
    std::fs::rename(&temporary, path).map_err(failed("put in place"))?;
    // Its name as well: what is encrypted or signed with a key must not outlive it.
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("put in place"))
}
