//! The name of a volume that was made for a mount.

use sha1::{Digest, Sha1};

/// The longest name of a volume.
const LENGTH_MAX: usize = 63;
/// How much of a longer one is kept, so that it can end in a letter.
const KEPT: usize = 61;

/// A name made from the directory alone, so that a later `--mount DIR-` finds the volume again. The rule is upstream's,
/// so that both programs may work on one service.
pub(super) fn generated_name(directory: &str) -> String {
    let mut name = String::new();
    for (at, c) in directory.char_indices() {
        match c {
            'a'..='z' | '0'..='9' | '-' => name.push(c),
            'A'..='Z' => name.push(c.to_ascii_lowercase()),
            '/' if at == 0 => {}
            _ => name.push('-'),
        }
    }
    let digest = Sha1::digest(directory);
    name.push('-');
    name.extend(digest.iter().take(4).map(|byte| format!("{byte:02x}")));
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        name.insert_str(0, "k-");
    }
    if name.len() > LENGTH_MAX {
        name.truncate(KEPT);
        name.push_str("-n");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_and_tell_directories_apart() {
        let check = |directory: &str, starts: &str| {
            let name = generated_name(directory);
            assert!(name.starts_with(starts), "{name}");
            assert!(name.len() <= LENGTH_MAX, "{name}");
        };
        check("/mydir", "mydir-");
        check("/My/Dir.d", "my-dir-d-");
        check("/.hidden", "k--hidden-");
        check(&"/long".repeat(30), "long-long-");
        assert_ne!(generated_name("/a/b"), generated_name("/a-b"));
    }
}
