//! The `_example` of a ConfigMap is for reading. Its checksum finds who edits it and wonders why nothing happens.

use super::{data::ConfigError, maps::EXAMPLE_KEY};
use crate::{annotations::EXAMPLE_CHECKSUM, builtin::ConfigMap};

/// The checksum of an example: the CRC-32 of its text without surrounding space, as eight hex digits.
///
/// Upstream: pkg, `configmap.Checksum`, which writes each run of line ends as a backslash and an `n` first, so that
/// line ends of different systems and blank lines do not matter.
pub fn example_checksum(example: &str) -> String {
    let mut hasher = crc32fast::Hasher::new();
    let lines = example.trim().split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    for (at, line) in lines.filter(|line| !line.is_empty()).enumerate() {
        if at > 0 {
            hasher.update(b"\\n");
        }
        hasher.update(line.as_bytes());
    }
    format!("{:08x}", hasher.finalize())
}

/// Refuses an edited example. A ConfigMap without an example or without a checksum passes.
pub(crate) fn check_example(map: &ConfigMap) -> Result<(), ConfigError> {
    let checksum =
        map.metadata.annotations.as_ref().and_then(|annotations| annotations.get(EXAMPLE_CHECKSUM));
    let example = map.data.as_ref().and_then(|data| data.get(EXAMPLE_KEY));
    let (Some(checksum), Some(example)) = (checksum, example) else { return Ok(()) };
    let found = example_checksum(example);
    if found == *checksum {
        return Ok(());
    }
    let name = map.metadata.name.clone().unwrap_or_default();
    Err(ConfigError {
        config_map: name,
        key: Some(EXAMPLE_KEY.to_owned()),
        message: format!(
            "{EXAMPLE_KEY}: the example was edited, which changes nothing (its checksum is {found}, the annotation \
             {EXAMPLE_CHECKSUM} says {checksum}): write the keys beside {EXAMPLE_KEY}, with the same indentation"
        ),
    })
}
