//! A kubeconfig out of a file, of which no more is read than a kubeconfig is long.

use std::path::Path;

use kube::config::Kubeconfig;

use crate::{error::Error, text::read_text};

/// Reads a kubeconfig. What it names by relative paths is beside it.
pub(super) fn read(path: &Path) -> Result<Kubeconfig, Error> {
    let unusable = |reason: String| Error::Kubeconfig { path: path.to_owned(), reason };
    let text = read_text(path).map_err(|error| match error {
        Error::File { cause, .. } => unusable(cause.to_string()),
        Error::Content { reason, .. } => unusable(reason),
        other => other,
    })?;
    // Editors of other systems begin a file with a mark of its encoding.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // A parser's words go on with a picture of the place; the first line names it.
    let mut read = Kubeconfig::from_yaml(text)
        .map_err(|error| unusable(error.to_string().lines().next().unwrap_or_default().to_owned()))?;
    if let Some(folder) = path.parent() {
        place(&mut read, folder);
    }
    Ok(read)
}

/// Makes the paths in it lead where they lead from its directory (upstream: client-go, `GetAuthInfoFileReferences`).
fn place(read: &mut Kubeconfig, folder: &Path) {
    let absolute = |file: &mut Option<String>| {
        let placed = file.as_deref().map(Path::new).filter(|file| file.is_relative());
        if let Some(placed) = placed.and_then(|file| folder.join(file).to_str().map(str::to_owned)) {
            *file = Some(placed);
        }
    };
    for cluster in read.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        absolute(&mut cluster.certificate_authority);
    }
    for user in read.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        absolute(&mut user.client_certificate);
        absolute(&mut user.client_key);
        absolute(&mut user.token_file);
        // A bare name is one of `PATH`.
        if let Some(exec) = &mut user.exec
            && exec.command.as_ref().is_some_and(|command| command.contains('/'))
        {
            absolute(&mut exec.command);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TEXT: &str = "\u{feff}apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://c', certificate-authority: pki/ca.crt}}]
users:
- name: u
  user: {client-certificate: /etc/u.crt, client-key: u.key, tokenFile: token, exec: {command: ./login}}
- name: v
  user: {exec: {command: login}}
---
current-context: x
";

    #[test]
    fn what_it_names_is_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        fs::write(&path, TEXT).unwrap();
        let read = read(&path).unwrap();
        let beside = |name: &str| Some(directory.path().join(name).to_str().unwrap().to_owned());
        let cluster = read.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(cluster.certificate_authority, beside("pki/ca.crt"));
        let [u, v] = [0, 1].map(|at| read.auth_infos[at].auth_info.as_ref().unwrap());
        assert_eq!(u.client_certificate.as_deref(), Some("/etc/u.crt"));
        assert_eq!((&u.client_key, &u.token_file), (&beside("u.key"), &beside("token")));
        assert_eq!(u.exec.as_ref().unwrap().command, beside("./login"));
        assert_eq!(v.exec.as_ref().unwrap().command.as_deref(), Some("login"));
        assert_eq!(read.current_context.as_deref(), Some("x"), "the second document counts, too");
    }

    #[test]
    fn what_is_none_or_never_ends_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        fs::write(&path, "clusters: 7").unwrap();
        for (path, expect) in [
            (path.as_path(), "failed to parse kubeconfig YAML"),
            (Path::new("/dev/zero"), "more than the"),
            (directory.path(), "Is a directory"),
        ] {
            let error = read(path).unwrap_err().to_string();
            let begin = format!("cannot use the kubeconfig {}: ", path.display());
            assert!(error.starts_with(&begin) && error.contains(expect), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
