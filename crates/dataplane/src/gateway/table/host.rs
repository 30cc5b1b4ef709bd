//! What ingresses ask of one host, and which of them has it.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use resources::ObjectKey;

use super::{Age, Visibility};
use crate::{Dice, RevisionKey};

/// Every ingress that asks for a host, the oldest first.
pub(super) type Claims = Vec<Claim>;

#[derive(Clone)]
pub(super) struct Claim {
    pub(super) ingress: ObjectKey,
    pub(super) age: Age,
    pub(super) paths: Paths,
}

/// What one ingress does with one host.
#[derive(Clone)]
pub(crate) struct Paths {
    pub(crate) visibility: Visibility,
    /// Longest prefix first, then the one with the most header matches.
    pub(crate) paths: Arc<[Path]>,
}

pub(crate) struct Path {
    pub(crate) prefix: Box<str>,
    pub(crate) headers: Box<[(HeaderName, HeaderValue)]>,
    pub(crate) splits: Box<[Split]>,
}

pub(crate) struct Split {
    /// This split's share and those of all before it.
    pub(crate) up_to: u32,
    pub(crate) target: Arc<Target>,
}

/// Where a request goes and what it gets on the way.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) revision: Arc<RevisionKey>,
    /// Headers to set, whatever the client sent.
    pub(crate) set: Box<[(HeaderName, HeaderValue)]>,
    /// The Host that the application sees, if not the client's.
    pub(crate) host: Option<HeaderValue>,
    /// The host to route by instead: `rewriteHost`.
    pub(crate) rewrite: Option<Box<str>>,
    /// What a probe for the latest version of the ingress is answered.
    pub(crate) hash: HeaderValue,
}

impl Target {
    /// This target for a request that came by way of `first`, whose rewritten host led here.
    pub(crate) fn seen_as(&self, first: &Self) -> Arc<Self> {
        Arc::new(Self {
            revision: Arc::clone(&self.revision),
            set: first.set.iter().chain(&self.set).cloned().collect(),
            host: first.host.clone().or_else(|| self.host.clone()),
            rewrite: self.rewrite.clone(),
            hash: first.hash.clone(),
        })
    }
}

impl Paths {
    /// The target of a request, by path, headers and share.
    pub(crate) fn target(&self, path: &str, headers: &HeaderMap, dice: &Dice) -> Option<&Arc<Target>> {
        let fits = |candidate: &&Path| {
            path.starts_with(&*candidate.prefix)
                && candidate.headers.iter().all(|(name, value)| headers.get(name) == Some(value))
        };
        let path = self.paths.iter().find(fits)?;
        match &*path.splits {
            [only] => Some(&only.target),
            splits => {
                let roll = dice.roll(splits.last()?.up_to);
                splits.iter().find(|split| roll < split.up_to).map(|split| &split.target)
            }
        }
    }
}

/// A Host header's value as tables have it: lower case, without port and trailing dot. `None` when it is no host.
pub(crate) fn canonical(host: &str) -> Option<Cow<'_, str>> {
    let name = match host.strip_prefix('[') {
        Some(_) => &host[..=host.find(']')?],
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    let port = &host[name.len()..];
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_port = |port: &str| port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let is_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']');
    if name.is_empty() || !name.bytes().all(is_name) || !(port.is_empty() || is_port(port)) {
        return None;
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(name.to_ascii_lowercase().into());
    }
    Some(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let cases = [
            ("hello.default.localhost", Some("hello.default.localhost")),
            ("Hello.Default.Localhost:8080", Some("hello.default.localhost")),
            ("hello.example.com.", Some("hello.example.com")),
            ("127.0.0.1:80", Some("127.0.0.1")),
            ("[::1]:8080", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("", None),
            (":80", None),
            ("a b", None),
            ("a/b", None),
            ("host:port", None),
            ("host:99999", None),
            ("[::1", None),
        ];
        for (host, expect) in cases {
            assert_eq!(canonical(host).as_deref(), expect, "{host:?}");
        }
    }
}
