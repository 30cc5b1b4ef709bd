//! Programs in Go that the tests run, built once from upstream's modules and kept in the cache.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::go;
use crate::cache::Cache;
use crate::process;

pub(super) struct GoProgram<'a> {
    pub(super) name: &'static str,
    /// Its files and what is in them, `go.mod` and `go.sum` among them.
    pub(super) sources: &'static [(&'static str, &'static str)],
    pub(super) linker_flags: &'a str,
}

impl GoProgram<'_> {
    /// The program in the cache, built anew when it is not there or its sources have changed since.
    pub(super) fn find_or_build(&self, cache: &Cache) -> Result<PathBuf> {
        let folder = cache.path(format!("{}-go", self.name));
        let program = folder.join(self.name);
        if self.is_built(&folder) {
            return Ok(program);
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        // Until it is built, what is there belongs to other sources.
        let written =
            self.sources.iter().try_for_each(|(name, content)| fs::write(folder.join(name), content));
        _ = fs::remove_file(&program);
        written.with_context(|| format!("cannot write the sources of {} to the cache", self.name))?;
        let go = go::find_or_install()?;
        println!("building {} from its Go modules with {} (once, some minutes)", self.name, go.version());
        let mut command = go.command();
        command.current_dir(&folder).args([
            "build",
            "-mod=readonly",
            "-trimpath",
            "-ldflags",
            self.linker_flags,
        ]);
        process::output(command.args(["-o", "built", "."]))
            .with_context(|| format!("cannot build {}", self.name))?;
        fs::rename(folder.join("built"), &program)
            .with_context(|| format!("cannot move {} to its place in the cache", self.name))?;
        Ok(program)
    }

    fn is_built(&self, folder: &Path) -> bool {
        let is_same = |(name, content): &(&str, &str)| {
            fs::read_to_string(folder.join(name)).is_ok_and(|there| there == *content)
        };
        folder.join(self.name).is_file() && self.sources.iter().all(is_same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: GoProgram<'_> = GoProgram {
        name: "program",
        sources: &[("main.go", "package main"), ("go.mod", "module m")],
        linker_flags: "",
    };

    #[test]
    fn it_is_built_again_when_its_sources_change() {
        let folder = std::env::temp_dir().join(format!("ebb-go-program-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert!(!PROGRAM.is_built(&folder));
        for (name, content) in PROGRAM.sources {
            fs::write(folder.join(name), content).unwrap();
        }
        assert!(!PROGRAM.is_built(&folder), "the sources alone are no program");
        fs::write(folder.join(PROGRAM.name), "").unwrap();
        assert!(PROGRAM.is_built(&folder));
        fs::write(folder.join("go.mod"), "module other").unwrap();
        assert!(!PROGRAM.is_built(&folder));
        fs::remove_dir_all(&folder).unwrap();
    }
}
