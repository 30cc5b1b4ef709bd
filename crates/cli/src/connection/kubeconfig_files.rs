//! Where kubeconfigs are.

use std::{ffi::OsStr, path::PathBuf};

use crate::console::Environment;

/// The kubeconfig in a data directory.
const FILE_NAME: &str = "kubeconfig";

/// The files of `$KUBECONFIG`.
pub(crate) fn listed(list: &OsStr) -> Vec<PathBuf> {
    std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect()
}

/// `~/.kube/config`.
pub(crate) fn user_kubeconfig(environment: &Environment) -> Option<PathBuf> {
    environment.home.as_ref().map(|home| home.join(".kube/config"))
}

/// What `ebb up` writes when it is not told another data directory: as root, then as a user.
pub(crate) fn data_directory_kubeconfigs(environment: &Environment) -> Vec<PathBuf> {
    let data_home = environment
        .data_home
        .clone()
        .or_else(|| environment.home.as_ref().map(|home| home.join(".local/share")));
    let directories = [environment.system_data.clone(), data_home.map(|home| home.join("ebb"))];
    directories.iter().flatten().map(|directory| directory.join(FILE_NAME)).collect()
}
