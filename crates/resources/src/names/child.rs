//! Child names: a parent's name and a suffix, cut to what Kubernetes allows.

use md5::{Digest, Md5};

/// The longest name of a Service or pod host.
const NAME_MAX: usize = 63;
/// An MD5 in hex.
const HASH_LEN: usize = 32;
/// What is left of the parent's name beside the hash.
const HEAD_MAX: usize = NAME_MAX - HASH_LEN;

/// The name of a child: `parent` + `suffix`, and when that is longer than 63 characters the parent's beginning, its
/// hash and the suffix.
///
/// Upstream: pkg, `kmeta.ChildName`. Names are ASCII.
pub fn child_name(parent: &str, suffix: &str) -> String {
    if parent.len() + suffix.len() <= NAME_MAX {
        return format!("{parent}{suffix}");
    }
    if suffix.len() >= HEAD_MAX {
        let mut name = format!("{}{}", head(parent, HEAD_MAX), hash(&[parent, suffix]));
        name.push_str(head(suffix, NAME_MAX - name.len()));
        return name.trim_end_matches(|last: char| !last.is_ascii_alphanumeric()).to_owned();
    }
    format!("{}{}{suffix}", head(parent, HEAD_MAX - suffix.len()), hash(&[parent]))
}

fn head(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

fn hash(parts: &[&str]) -> String {
    let mut md5 = Md5::new();
    parts.iter().for_each(|part| md5.update(part));
    format!("{:x}", md5.finalize())
}
