//! Where things that outlive a clone are kept: `$EBB_CACHE`, else `$XDG_CACHE_HOME/ebb`, else `~/.cache/ebb`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(crate) fn open() -> Result<Self> {
        let folder =
            folder(|name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from))
                .context("no place for the cache: set EBB_CACHE to a folder outside the clone")?;
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create the cache {}", folder.display()))?;
        Ok(Self { folder })
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }

    /// One run at a time fills the cache; the others wait. Released when the file is dropped.
    pub(crate) fn lock(&self) -> Result<File> {
        let path = self.path("lock");
        let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }
}

fn folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    variable("EBB_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("ebb")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/ebb")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_variable_wins() {
        let check = |set: &[(&str, &str)], expect: Option<&str>| {
            let found =
                folder(|name| set.iter().find(|(set, _)| *set == name).map(|(_, value)| value.into()));
            assert_eq!(found, expect.map(PathBuf::from), "{set:?}");
        };
        check(&[], None);
        check(&[("HOME", "/h")], Some("/h/.cache/ebb"));
        check(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], Some("/x/ebb"));
        check(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x"), ("EBB_CACHE", "/e")], Some("/e"));
    }
}
