//! What an image's name says by itself: `[registry[:port]/]repository[:tag][@digest]`. Whether it is a good name, or there
//! is such an image, is for others to find out.

/// Registries that do not exist, whatever the platform is configured to be: images of these names are only where they
/// were loaded by hand. They are the defaults of Knative's `registries-skipping-tag-resolving`.
pub const LOCAL_REGISTRIES: [&str; 3] = ["kind.local", "ko.local", "dev.local"];

/// Docker's own registry, as Knative's configuration names it.
const DOCKER: &str = "index.docker.io";
const DOCKER_SHORT: &str = "docker.io";

/// The parts of an image's name, as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageName<'a> {
    /// The first part of the path where that is a host.
    pub registry: Option<&'a str>,
    /// The path below the registry.
    pub repository: &'a str,
    /// What is behind the colon.
    pub tag: Option<&'a str>,
    /// What is behind the `@`.
    pub digest: Option<&'a str>,
}

impl<'a> ImageName<'a> {
    /// Splits a name, however bad its parts may be.
    pub fn split(image: &'a str) -> Self {
        let (rest, digest) = match image.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (image, None),
        };
        // A colon after the last slash begins the tag; an earlier one the registry's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((host, path)) if is_host(host) => (Some(host), path),
            _ => (None, name),
        };
        Self { registry, repository, tag, digest }
    }

    /// Its registry, by the one name that each has: Docker's own where it names none.
    pub fn registry(&self) -> &'a str {
        normal(self.registry.unwrap_or(DOCKER))
    }

    /// Whether it is of one of these registries.
    pub fn is_of<S: AsRef<str>>(&self, registries: impl IntoIterator<Item = S>) -> bool {
        let own = self.registry();
        registries.into_iter().any(|registry| normal(registry.as_ref()) == own)
    }
}

/// A first part without dot, port or the name localhost belongs to the repository.
fn is_host(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

fn normal(registry: &str) -> &str {
    if registry == DOCKER_SHORT { DOCKER } else { registry }
}

#[cfg(test)]
mod tests;
