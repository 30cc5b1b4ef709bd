//! Whether a text can be an image reference: `[registry[:port]/]repository[:tag][@digest]`.
//!
//! Upstream: go-containerregistry, `pkg/name`, with weak validation.

use crate::image_name::ImageName;

const TAG_MAX: usize = 128;
const REPOSITORY_MAX: usize = 255;

/// What is wrong with a reference.
pub(super) fn check(image: &str) -> Result<(), String> {
    let ImageName { registry, repository, tag, digest } = ImageName::split(image);
    if let Some(digest) = digest {
        check_digest(digest)?;
    }
    if let Some(tag) = tag {
        let fits = (1..=TAG_MAX).contains(&tag.len());
        if !fits
            || !tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        {
            return Err(format!("tag {tag:?} must be 1 to {TAG_MAX} of the characters A-Z a-z 0-9 _ - ."));
        }
    }
    if let Some(registry) = registry {
        check_registry(registry)?;
    }
    let is_repository_byte = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.' | b'/')
    };
    if !(1..=REPOSITORY_MAX).contains(&repository.len()) || !repository.bytes().all(is_repository_byte) {
        return Err(format!(
            "repository {repository:?} must be 1 to {REPOSITORY_MAX} of the characters a-z 0-9 _ - . /"
        ));
    }
    if repository.split('/').any(str::is_empty) {
        return Err(format!("repository {repository:?} has an empty part"));
    }
    Ok(())
}

fn check_registry(registry: &str) -> Result<(), String> {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !host.contains('[') || host.ends_with(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let is_host_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'[' | b']' | b':');
    let good_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if host.is_empty() || !host.bytes().all(is_host_byte) || !good_port {
        return Err(format!("registry {registry:?} is not a host, or host:port"));
    }
    Ok(())
}

fn check_digest(digest: &str) -> Result<(), String> {
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        Ok(())
    } else {
        Err(format!("digest {digest:?} is not sha256: and 64 hex digits"))
    }
}
