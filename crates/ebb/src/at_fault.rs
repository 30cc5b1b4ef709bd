//! Which option an error is about: its user knows the option, and not what reads the file behind it.

use std::{fmt::Display, fs, path::Path};

use apiserver::Error;

/// The files that options name, as the user gave them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NamedFiles<'a> {
    pub(crate) secrets_key: Option<&'a Path>,
    pub(crate) audit_log: Option<&'a Path>,
}

impl NamedFiles<'_> {
    /// Refuses a key that is not there, or is no file, before anything is made for it. What is in it is for the API server
    /// to judge.
    pub(crate) fn look(self) -> anyhow::Result<()> {
        let Some(path) = self.secrets_key else { return Ok(()) };
        let owned = path.to_owned();
        let error = match fs::metadata(path) {
            Ok(found) if found.is_dir() => Error::SecretsKey {
                path: owned,
                reason: "it is a directory; name the file that has the key".into(),
            },
            Ok(_) => return Ok(()),
            Err(source) => Error::File { action: "read", path: owned, source },
        };
        Err(self.told(error, "looking for the key of Secrets"))
    }

    /// An error of the API server's for the user: about the option whose file it names, or else about what was done.
    pub(crate) fn told(self, error: Error, doing: impl Display) -> anyhow::Error {
        match error {
            Error::File { action, path, source } if self.secrets_key == Some(&*path) => anyhow::anyhow!(
                "--secrets-key: cannot {action} {}: {source}; name the file that has the key, or for a new platform one \
                 that `openssl rand -base64 32` has made",
                path.display()
            ),
            Error::File { action, path, source } if self.audit_log == Some(&*path) => anyhow::anyhow!(
                "--audit-log: cannot {action} {}: {source}; name a file that this user may write, in a directory that \
                 exists",
                path.display()
            ),
            // It says what to do.
            Error::SecretsKey { ref path, .. } if self.secrets_key == Some(&**path) => {
                anyhow::anyhow!("--secrets-key: {error}")
            }
            error => anyhow::Error::new(error).context(doing.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_error_names_the_option_whose_file_it_is_about() {
        let key = Path::new("keys/mine");
        let named = NamedFiles { secrets_key: Some(key), audit_log: Some(Path::new("audit")) };
        let file = |action, path: &str| Error::File {
            action,
            path: path.into(),
            source: io::Error::from_raw_os_error(2),
        };
        let missing = "No such file or directory (os error 2)";
        for (error, expect) in [
            (file("read", "keys/mine"), format!("--secrets-key: cannot read keys/mine: {missing}; name ")),
            (file("open", "audit"), format!("--audit-log: cannot open audit: {missing}; name ")),
            (file("read", "api/secrets.key"), format!("opening: cannot read api/secrets.key: {missing}")),
            (
                Error::SecretsKey { path: key.into(), reason: "no key is in it".into() },
                "--secrets-key: keys/mine cannot be used as the key of Secrets: no key is in it".into(),
            ),
        ] {
            let told = format!("{:#}", named.told(error, "opening"));
            assert!(told.starts_with(&expect), "{told}");
        }
    }

    #[test]
    fn a_key_that_is_no_file_is_refused_before_anything_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let [file, absent] = ["file", "absent"].map(|name| dir.path().join(name));
        fs::write(&file, "").unwrap();
        let look = |path: Option<&Path>| NamedFiles { secrets_key: path, ..NamedFiles::default() }.look();
        look(None).unwrap();
        look(Some(file.as_path())).unwrap();
        for (path, expect) in [(&*absent, "--secrets-key: cannot read "), (dir.path(), "it is a directory")] {
            let told = format!("{:#}", look(Some(path)).unwrap_err());
            assert!(told.contains(expect) && !told.contains("chmod"), "{told}");
        }
    }
}
