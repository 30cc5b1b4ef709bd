//! Credentials from Docker's `config.json`, chosen as the kubelet does.
//! (upstream: kubernetes, pkg/credentialprovider)

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use crate::reference::normal_registry;
use crate::{Error, Reference, Result};

/// The credentials of one caller, such as a pod's imagePullSecrets together. Empty: anonymous.
#[derive(Clone, Default)]
pub struct Keyring {
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    /// Host, optional port; labels of the host may hold `*`.
    host: String,
    /// Path prefix, without slashes around it.
    path: String,
    auth: Credentials,
}

/// Who asks a registry.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    Anonymous,
    /// A user and a password.
    Basic(String, String),
    /// A token that is shown as it is.
    Bearer(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "anonymous",
            Self::Basic(..) => "a user and a password",
            Self::Bearer(_) => "a token",
        })
    }
}

#[derive(Deserialize)]
struct ConfigJson {
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    auth: String,
    #[serde(default)]
    registrytoken: String,
}

impl Keyring {
    /// Adds the content of a Secret's `.dockerconfigjson`, or of the older `.dockercfg`.
    pub fn add_docker_config(&mut self, json: &[u8]) -> Result<()> {
        let bad = |error: serde_json::Error| Error::Credentials(unreadable(&error));
        let value: serde_json::Value = serde_json::from_slice(json).map_err(bad)?;
        let auths = if value.get("auths").is_some() {
            serde_json::from_value::<ConfigJson>(value).map_err(bad)?.auths
        } else {
            serde_json::from_value(value).map_err(bad)?
        };
        for (registry, entry) in auths {
            let (host, path) = split_key(&registry);
            let Some(auth) = entry.auth(&registry)? else { continue };
            self.keys.push(Key { host, path, auth });
        }
        // The longest path is the most specific; among equals the earlier secret wins.
        self.keys.sort_by_key(|key| std::cmp::Reverse(key.path.len()));
        Ok(())
    }

    pub(super) fn auth(&self, reference: &Reference) -> Credentials {
        let key = self.keys.iter().find(|key| key.opens(reference));
        key.map_or(Credentials::Anonymous, |key| key.auth.clone())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| format!("{}/{}", key.host, key.path))).finish()
    }
}

impl Entry {
    fn auth(self, registry: &str) -> Result<Option<Credentials>> {
        if !self.registrytoken.is_empty() {
            return Ok(Some(Credentials::Bearer(self.registrytoken)));
        }
        if !self.auth.is_empty() {
            let bad =
                || Error::Credentials(format!("auths[{registry:?}].auth is not base64 of user:password"));
            let decoded = BASE64.decode(self.auth.trim()).map_err(|_| bad())?;
            let text = String::from_utf8(decoded).map_err(|_| bad())?;
            let (user, password) = text.split_once(':').ok_or_else(bad)?;
            return Ok(Some(Credentials::Basic(user.to_owned(), password.trim_end_matches('\0').to_owned())));
        }
        Ok((!self.username.is_empty()).then_some(Credentials::Basic(self.username, self.password)))
    }
}

/// Why credentials cannot be read, by the place alone: the error's own words quote what stands there.
fn unreadable(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "a value is of the wrong type",
        _ => "not valid JSON",
    };
    match (error.line(), error.column()) {
        // A value that was valid JSON has no place any more.
        (0, _) => what.to_owned(),
        (line, column) => format!("{what} at line {line} column {column}"),
    }
}

/// Keys come as host, host and path, or as the URL of an API (`https://index.docker.io/v1/`).
fn split_key(registry: &str) -> (String, String) {
    let bare = registry.strip_prefix("https://").or(registry.strip_prefix("http://")).unwrap_or(registry);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let path = path.trim_matches('/');
    let path = if matches!(path, "v1" | "v2") { "" } else { path };
    (normal_registry(host).to_owned(), path.to_owned())
}

impl Key {
    fn opens(&self, reference: &Reference) -> bool {
        let below = match reference.repository().strip_prefix(self.path.as_str()) {
            Some(rest) => self.path.is_empty() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        };
        below && host_matches(&self.host, reference.registry())
    }
}

fn host_matches(pattern: &str, host: &str) -> bool {
    let (patterns, labels) = (pattern.split('.'), host.split('.'));
    patterns.clone().count() == labels.clone().count()
        && patterns.zip(labels).all(|(pattern, label)| label_matches(pattern, label))
}

/// `*` stands for any run of characters, once per label.
fn label_matches(pattern: &str, label: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == label,
        Some((before, after)) => {
            label.len() >= before.len() + after.len() && label.starts_with(before) && label.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_do_not_quote_what_is_secret() {
        for (config, expect) in [
            (r#"{"auths": {"r.example.com": "hunter2"}}"#, "a value is of the wrong type"),
            (r#"{"r.example.com": "hunter2"}"#, "a value is of the wrong type"),
            (r#"{"auths": {"r.example.com": {"password": 4711}}}"#, "a value is of the wrong type"),
            (r#""hunter2"#, "not valid JSON at line 1 column 8"),
            (
                r#"{"auths": {"r.example.com": {"auth": "hunter2"}}}"#,
                r#"auths["r.example.com"].auth is not base64 of user:password"#,
            ),
        ] {
            let error = Keyring::default().add_docker_config(config.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, format!("registry credentials: {expect}"), "{config}");
        }
    }
}
