//! `ebb kubeconfig`: the kubeconfig that `ebb up` wrote, printed or merged into the user's own.

mod merge;
mod write;

use std::path::{Path, PathBuf};

use serde_json::Value;

use self::{merge::merge, write::write};
use crate::{
    connection::{Global, data_directory_kubeconfigs, listed, user_kubeconfig},
    console::{Console, Environment},
    error::{Error, NamedBy},
    output::yaml,
    text::read_text,
};

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Merge it into your own kubeconfig: --kubeconfig, the first of $KUBECONFIG, or ~/.kube/config
    #[arg(long)]
    merge: bool,
    /// The data directory of the Ebb meant [default: /var/lib/ebb, else ~/.local/share/ebb]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, global: &Global, console: &mut Console<'_>) -> Result<(), Error> {
    if let (false, Some(file)) = (args.merge, &global.kubeconfig) {
        return Err(Error::Usage {
            message: format!(
                "--kubeconfig {} is the file to merge into, which --merge asks for; the Ebb meant is said with --data-dir",
                file.display()
            ),
            command: "kubeconfig",
        });
    }
    let (path, text) = source(args.data_dir.as_deref(), &console.environment)?;
    if !args.merge {
        return Ok(console.out.write_all(text.as_bytes())?);
    }
    let target = target(global, &console.environment)?;
    let ours = read_yaml(&path, &text)?;
    let theirs = match read_text(&target) {
        Ok(text) => read_yaml(&target, &text)?,
        Err(error) if error.is_missing_file() => Value::Null,
        Err(error) => return Err(error),
    };
    let merged = merge(theirs, &ours).map_err(|reason| Error::Kubeconfig { path: target.clone(), reason })?;
    write(&target, &yaml(&merged)?)?;
    writeln!(console.out, "Context 'ebb' merged into {}.", target.display())?;
    let current = merged.get("current-context").and_then(Value::as_str);
    if current != Some("ebb") {
        writeln!(console.out, "Use it with `kubectl --context ebb`, or `kubectl config use-context ebb`.")?;
    }
    Ok(())
}

/// The file that `ebb up` wrote, and its text.
fn source(data_directory: Option<&Path>, environment: &Environment) -> Result<(PathBuf, String), Error> {
    let candidates = match data_directory {
        Some(directory) => vec![directory.join("kubeconfig")],
        None => data_directory_kubeconfigs(environment),
    };
    let mut forbidden = None;
    for path in &candidates {
        match read_text(path) {
            Ok(text) => return Ok((path.clone(), text)),
            Err(error) if error.is_missing_file() => {}
            Err(error) => drop(forbidden.get_or_insert(error)),
        }
    }
    Err(forbidden.unwrap_or(Error::NoKubeconfig { looked_at: candidates, named_by: NamedBy::Directory }))
}

/// The user's own file.
fn target(global: &Global, environment: &Environment) -> Result<PathBuf, Error> {
    let first_listed = environment.kubeconfig.as_deref().and_then(|list| listed(list).into_iter().next());
    let target = global.kubeconfig.clone().or(first_listed).or_else(|| user_kubeconfig(environment));
    target.ok_or_else(|| Error::Usage {
        message: "no home directory to merge into; name a file with --kubeconfig".into(),
        command: "kubeconfig",
    })
}

fn read_yaml(path: &Path, text: &str) -> Result<Value, Error> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text)
        .map_err(|error| Error::Kubeconfig { path: path.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests;
