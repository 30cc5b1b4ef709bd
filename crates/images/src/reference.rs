//! Image references: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`, normalised as Docker and the kubelet do.

use std::fmt;
use std::str::FromStr;

use crate::{Digest, Error};

/// Docker Hub.
pub(crate) const DEFAULT_REGISTRY: &str = "docker.io";
/// The name Docker Hub's registry has in old configuration files and in Knative's config-deployment.
const DEFAULT_REGISTRY_LEGACY: &str = "index.docker.io";
const OFFICIAL_REPOSITORIES: &str = "library/";
const DEFAULT_TAG: &str = "latest";
const REPOSITORY_LENGTH_MAX: usize = 255;
const TAG_LENGTH_MAX: usize = 128;

const INVALID: &str = "invalid reference format";

/// A whole image name: registry and repository always, and a tag, a digest or both.
///
/// `Display` is the normal form (`nginx` → `docker.io/library/nginx:latest`), which is also the key of
/// the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Host and port, as in `gcr.io` or `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path below the registry, as in `library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// `latest` where the name had neither tag nor digest; `None` where it had a digest alone.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The content that it names, whatever the tag says.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same repository at exactly this content.
    pub fn at(&self, digest: Digest) -> Reference {
        Reference { tag: None, digest: Some(digest), ..self.clone() }
    }
}

/// The one name that each registry has here.
pub(crate) fn normal_registry(name: &str) -> &str {
    if name == DEFAULT_REGISTRY_LEGACY { DEFAULT_REGISTRY } else { name }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|reason| Error::InvalidReference { reference: text.to_owned(), reason })
    }
}

/// Reads a name as a kubelet does. `resources::image_name` splits one as Knative's webhook does, however bad it is: there a
/// first part in capitals is no host. Neither crate may know the other.
fn parse(text: &str) -> Result<Reference, &'static str> {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest.parse()?)),
        None => (text, None),
    };
    // A colon after the last slash begins the tag; one before it belongs to the host.
    let last_slash = name.rfind('/').map_or(0, |i| i + 1);
    let (name, tag) = match name[last_slash..].find(':') {
        Some(colon) => (&name[..last_slash + colon], Some(&name[last_slash + colon + 1..])),
        None => (name, None),
    };
    let (registry, repository) = match name.split_once('/') {
        Some((host, path)) if is_host(host) => (normal_registry(host), path),
        _ => (DEFAULT_REGISTRY, name),
    };
    if !valid_host(registry) {
        return Err(INVALID);
    }
    if repository.is_empty() {
        return Err(INVALID);
    }
    if repository.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("repository name must be lowercase");
    }
    let repository = if registry == DEFAULT_REGISTRY && !repository.contains('/') {
        format!("{OFFICIAL_REPOSITORIES}{repository}")
    } else {
        repository.to_owned()
    };
    if !repository.split('/').all(valid_component) {
        return Err(INVALID);
    }
    if repository.len() > REPOSITORY_LENGTH_MAX {
        return Err("repository name must not be more than 255 characters");
    }
    if tag.is_some_and(|tag| !valid_tag(tag)) {
        return Err(INVALID);
    }
    let tag = match (tag, &digest) {
        (None, None) => Some(DEFAULT_TAG.to_owned()),
        (tag, _) => tag.map(str::to_owned),
    };
    Ok(Reference { registry: registry.to_owned(), repository, tag, digest })
}

/// The first component is a host when it could not be the first component of a path.
fn is_host(component: &str) -> bool {
    component == "localhost"
        || component.contains(['.', ':'])
        || component.bytes().any(|b| b.is_ascii_uppercase())
}

fn valid_host(host: &str) -> bool {
    let (name, port) = if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return false;
        }
        ("ipv6", port.strip_prefix(':').or((!port.is_empty()).then_some("")))
    } else {
        match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        }
    };
    let valid_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.split('.').all(valid_label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Lower-case runs joined by one `.`, one or two `_`, or any number of `-`.
fn valid_component(component: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    if !bytes.first().is_some_and(|b| plain(*b)) || !bytes.last().is_some_and(|b| plain(*b)) {
        return false;
    }
    component
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|b| b == b'-'))
}

fn valid_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= TAG_LENGTH_MAX
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
