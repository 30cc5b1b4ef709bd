//! kubectl: the one on the machine when it is new enough, else our own build from upstream's Go modules.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::find_program;
use super::go_program::GoProgram;
use super::version::Version;
use crate::cache::Cache;
use crate::process;

/// Field validation by the server and aggregated discovery are as today from here on.
const OLDEST: Version = Version { major: 1, minor: 31 };
/// What we build; `xtask/kubectl/go.mod` names the same release as v0.MINOR.PATCH.
const BUILT: &str = "v1.34.4";

const GO_MOD: &str = include_str!("../../kubectl/go.mod");
const GO_SUM: &str = include_str!("../../kubectl/go.sum");
const SOURCES: &[(&str, &str)] =
    &[("main.go", include_str!("../../kubectl/main.go")), ("go.mod", GO_MOD), ("go.sum", GO_SUM)];

pub(super) fn find_or_build(cache: &Cache) -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("EBB_KUBECTL").map(PathBuf::from) {
        let version = version_of(&given).with_context(|| format!("EBB_KUBECTL is {}", given.display()))?;
        if version < OLDEST {
            bail!("EBB_KUBECTL is {}, which is {}; {} or newer is needed", given.display(), version, OLDEST);
        }
        return Ok(given);
    }
    let program = GoProgram { name: "kubectl", sources: SOURCES, linker_flags: &linker_flags() };
    let usable = find_program("kubectl").filter(|path| version_of(path).is_ok_and(|v| v >= OLDEST));
    usable.map_or_else(|| program.find_or_build(cache), Ok)
}

/// What upstream's release build writes into the program, and `kubectl version` prints.
fn linker_flags() -> String {
    let Version { major, minor } = parse(BUILT).expect("BUILT is a version");
    let version = "k8s.io/component-base/version";
    format!(
        "-s -w -X {version}.gitVersion={BUILT} -X {version}.gitMajor={major} -X {version}.gitMinor={minor}"
    )
}

fn version_of(kubectl: &Path) -> Result<Version> {
    let text = process::output(Command::new(kubectl).args(["version", "--client", "--output=json"]))?;
    let answer: Value = serde_json::from_str(&text).context("kubectl's answer to `version` is no JSON")?;
    let version = answer["clientVersion"]["gitVersion"].as_str().unwrap_or_default();
    parse(version).with_context(|| format!("kubectl calls itself `{version}`, which is no version"))
}

/// `v1.34.4`, `v1.31.2-gke.1`, …
fn parse(version: &str) -> Option<Version> {
    Version::parse(version.strip_prefix('v')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let new_enough = |version| parse(version).map(|version| version >= OLDEST);
        assert_eq!(new_enough("v1.20.2"), Some(false));
        assert_eq!(new_enough("v1.9.0"), Some(false));
        assert_eq!(new_enough("v1.31.0-gke.4"), Some(true));
        assert_eq!(new_enough("v2.0.0"), Some(true));
        assert_eq!(new_enough("v0.0.0-master+$Format:%H$"), Some(false));
        assert_eq!(new_enough("unknown"), None);
    }

    #[test]
    fn the_modules_are_those_of_the_release_we_name() {
        let modules = BUILT.replace("v1.", "v0.");
        assert!(
            GO_MOD.contains(&format!("k8s.io/kubectl {modules}\n")),
            "xtask/kubectl/go.mod is not {modules}"
        );
        assert!(
            GO_SUM.contains(&format!("k8s.io/kubectl {modules} ")),
            "xtask/kubectl/go.sum is not {modules}"
        );
    }
}
