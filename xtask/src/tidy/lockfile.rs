//! One TLS provider in the whole program: with two, rustls does not know which to take and panics.

use super::finding::Finding;
use super::tree::Tree;

/// Each is the provider we did not choose, or brings it.
const REFUSED: &[&str] = &["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl", "openssl-sys"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(lock) = tree.file("Cargo.lock") else { return Vec::new() };
    let refused = lock.text.lines().enumerate().filter_map(|(index, line)| {
        let name = line.strip_prefix("name = \"")?.strip_suffix('"')?;
        REFUSED.contains(&name).then(|| {
            let message = format!(
                "`{name}` beside ring: `cargo tree -i {name}` names the crate whose features bring it; turn them off"
            );
            Finding::line("one TLS provider", &lock.path, index + 1, &message)
        })
    });
    refused.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_provider_is_found() {
        let lock = "[[package]]\nname = \"ring\"\n\n[[package]]\nname = \"aws-lc-rs\"\ndependencies = [\n \"openssl\",\n]\n";
        let found = check(&Tree::of(&[("Cargo.lock", lock)]));
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("Cargo.lock:5: one TLS provider: `aws-lc-rs`"));
    }
}
