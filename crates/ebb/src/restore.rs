//! `ebb restore`: a data directory made of a backup, for `ebb up` to begin with.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read, Write},
    path::Path,
};

use anyhow::{Result, anyhow, bail};

use crate::{args::Restore, at_fault::NamedFiles, up::DataDir};

/// How a backup begins.
const HEAD: &[u8] = b"{\"backup\":";

/// Restores, and says what is there then. What fails leaves nothing behind.
pub(crate) fn run(Restore { file, data_dir, secrets_key }: &Restore) -> Result<()> {
    let name = match file.to_str() {
        Some("-") => "the standard input".to_owned(),
        _ => file.display().to_string(),
    };
    let backup = open(file, &name)?;
    let files = NamedFiles { secrets_key: secrets_key.as_deref(), ..NamedFiles::default() };
    files.look()?;
    let path = data_dir.clone().unwrap_or_else(DataDir::default_path);
    // Held while this lasts: an `ebb up` that uses it has it already.
    let dir = DataDir::open(&path)?;
    let restored = apiserver::restore(backup, &dir.api(), secrets_key.as_deref()).map_err(|error| {
        if let Some(unused) = dir.unused() {
            unused.remove();
        }
        if matches!(error, apiserver::Error::StateExists { .. }) {
            return anyhow!(
                "there is a state already in {}: name a new or an empty directory with --data-dir",
                path.display()
            );
        }
        files.told(error, format_args!("restoring {name}"))
    })?;
    let named = data_dir.as_ref().map_or(String::new(), |dir| format!(" --data-dir {}", dir.display()));
    writeln!(
        io::stdout(),
        "Restored {} objects of {} into {}.\n{} more are made again from these. Images are not in a backup: `ebb image load`\n\
         those that no registry has.\nStart it:  ebb up{named}",
        restored.objects,
        restored.taken,
        path.display(),
        restored.left_out,
    )?;
    Ok(())
}

/// What is to be restored. What does not begin as a backup is refused before anything is made for it.
fn open(file: &Path, name: &str) -> Result<Box<dyn BufRead>> {
    let unreadable =
        |error: io::Error| anyhow!("cannot read {name}: {error}; name a file that `ebb backup` has written");
    let mut backup: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(file).map_err(unreadable)?))
    };
    let mut head = Vec::new();
    backup.by_ref().take(HEAD.len() as u64).read_to_end(&mut head).map_err(unreadable)?;
    if head != HEAD {
        bail!("{name} is no backup: name a file that `ebb backup` has written");
    }
    Ok(Box::new(Cursor::new(head).chain(backup)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_backup_is_refused_by_name_before_anything_is_made() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::write(at("letters"), "to my love\n").unwrap();
        std::fs::write(at("empty"), "").unwrap();
        std::fs::write(at("cut"), "{\"backup\":1,\"version\":7,\"ebb\":\"0\",\"taken\":\"\"}\n").unwrap();
        for (file, expect) in [
            ("letters", "is no backup"),
            ("empty", "is no backup"),
            ("absent", "cannot read"),
            ("", "Is a directory"),
            ("cut", "line 2 of the backup: the backup breaks off here"),
        ] {
            let data = at("data");
            let options = Restore { file: at(file), data_dir: Some(data.clone()), secrets_key: None };
            let refused = format!("{:#}", run(&options).unwrap_err());
            assert!(refused.contains(expect), "{file}: {refused}");
            assert!(refused.contains(options.file.to_str().unwrap()), "{file}: {refused}");
            assert!(!data.exists(), "{file}: {refused}");
        }
        let options =
            Restore { file: at("cut"), data_dir: Some(at("data")), secrets_key: Some(at("no-key")) };
        let refused = format!("{:#}", run(&options).unwrap_err());
        assert!(
            refused.starts_with("--secrets-key: cannot read ") && refused.contains("no-key"),
            "{refused}"
        );
    }
}
