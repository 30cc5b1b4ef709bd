//! Which API a command talks to.

mod kubeconfig_files;
mod kubeconfig_text;
mod upload;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use kube::config::{Config, KubeConfigOptions, Kubeconfig};

use self::kubeconfig_text::read;
pub(crate) use self::{
    kubeconfig_files::{data_directory_kubeconfigs, listed, user_kubeconfig},
    upload::{AnswerBody, UploadBody, Uploader, uploader},
};
use crate::{
    console::Environment,
    error::{Error, NamedBy},
};

/// The context that `ebb up` writes.
const EBB_CONTEXT: &str = "ebb";

/// Where help texts list the options that every command has.
const HEADING: &str = "Global options";

/// How long an API may take to say hello. A restart's while has room in it: sockets are there before their daemon is.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(10);

/// The options that say which API is meant, and which namespace.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Global {
    /// The kubeconfig file to use [default: $KUBECONFIG, else ~/.kube/config if it has a context `ebb`, else this machine's Ebb,
    /// else ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context to use [default: the current one; of ~/.kube/config `ebb` where there is one]
    #[arg(long, global = true, value_name = "NAME", help_heading = HEADING)]
    pub context: Option<String>,
    /// The namespace to work in [default: the context's, else `default`]
    #[arg(short, long, global = true, value_name = "NAME", help_heading = HEADING)]
    pub namespace: Option<String>,
}

/// Finds the kubeconfig, reads it and picks the context.
pub(crate) async fn configure(global: &Global, environment: &Environment) -> Result<Config, Error> {
    let found = find(global, environment)?;
    let unusable = |reason: String| Error::Kubeconfig { path: found.path.clone(), reason };
    let context = global.context.clone().or(found.context);
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    let mut config = Config::from_custom_kubeconfig(found.content, &options)
        .await
        .map_err(|error| unusable(error.to_string()))?;
    config.connect_timeout = Some(CONNECT_MAX);
    if let Some(namespace) = &global.namespace {
        config.default_namespace = namespace.clone();
    }
    Ok(config)
}

struct Found {
    content: Kubeconfig,
    /// The file, for messages.
    path: PathBuf,
    /// The context, where it is not the current one.
    context: Option<String>,
}

/// `--kubeconfig`, else `$KUBECONFIG`, else the context `ebb` of `~/.kube/config`, else what `ebb up` wrote into a data
/// directory, else the current context of `~/.kube/config`.
fn find(global: &Global, environment: &Environment) -> Result<Found, Error> {
    if let Some(path) = &global.kubeconfig {
        return Ok(Found { content: read(path)?, path: path.clone(), context: None });
    }
    if let Some(list) = &environment.kubeconfig {
        return find_listed(&listed(list));
    }
    let user = user_kubeconfig(environment);
    let mut looked_at = Vec::new();
    let mut current = None;
    if let Some(path) = user {
        if exists(&path)? {
            let content = read(&path)?;
            let has_ebb = content.contexts.iter().any(|context| context.name == EBB_CONTEXT);
            let has_current = content.current_context.as_ref().is_some_and(|name| !name.is_empty());
            if has_ebb || global.context.is_some() {
                return Ok(Found { content, path, context: has_ebb.then(|| EBB_CONTEXT.to_owned()) });
            }
            // Whatever it points to, it is not this machine's Ebb, so that comes first if there is one.
            if has_current {
                current = Some(Found { content, path: path.clone(), context: None });
            }
        }
        looked_at.push(path);
    }
    // Another user's Ebb must not stand in the way of one's own.
    let mut forbidden = None;
    for path in data_directory_kubeconfigs(environment) {
        match exists(&path).and_then(|exists| exists.then(|| read_own(&path)).transpose()) {
            Ok(Some(content)) => return Ok(Found { content, path, context: None }),
            Ok(None) => looked_at.push(path),
            Err(error) if error.is_forbidden_file() => drop(forbidden.get_or_insert(error)),
            Err(error) => return Err(error),
        }
    }
    current.ok_or_else(|| forbidden.unwrap_or(Error::NoKubeconfig { looked_at, named_by: NamedBy::File }))
}

/// Several files count as one; those that do not exist are passed over, as upstream does.
fn find_listed(paths: &[PathBuf]) -> Result<Found, Error> {
    let mut merged: Option<Found> = None;
    for path in paths {
        if !exists(path)? {
            continue;
        }
        let next = read(path)?;
        merged = Some(match merged {
            None => Found { content: next, path: path.clone(), context: None },
            Some(Found { content, path: first, .. }) => {
                let content = content
                    .merge(next)
                    .map_err(|error| Error::Kubeconfig { path: path.clone(), reason: error.to_string() })?;
                Found { content, path: first, context: None }
            }
        });
    }
    merged.ok_or_else(|| Error::NoKubeconfig { looked_at: paths.to_vec(), named_by: NamedBy::File })
}

/// As [`read`], of a file that may be forbidden.
fn read_own(path: &Path) -> Result<Kubeconfig, Error> {
    fs::File::open(path).map_err(|cause| Error::File { what: "read", path: path.to_owned(), cause })?;
    read(path)
}

/// Whether the file is there; a directory that may not be read is an error, not an absence.
fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(|cause| Error::File { what: "read", path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests;
