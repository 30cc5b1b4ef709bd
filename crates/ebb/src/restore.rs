//! `ebb restore`: a data directory made of a backup, for `ebb up` to begin with.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::Path,
};

use anyhow::{Context, Result};

use crate::{args::Restore, up::DataDir};

/// Restores, and says what is there then. What fails leaves nothing behind.
pub(crate) fn run(Restore { file, data_dir, secrets_key }: &Restore) -> Result<()> {
    let backup: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = File::open(file).with_context(|| format!("opening {}", file.display()))?;
        Box::new(BufReader::new(opened))
    };
    let path = data_dir.clone().unwrap_or_else(DataDir::default_path);
    // Held while this lasts: an `ebb up` that uses it has it already.
    let dir = DataDir::open(&path)?;
    let restored = apiserver::restore(backup, &dir.api(), secrets_key.as_deref()).inspect_err(|_| {
        if let Some(unused) = dir.unused() {
            unused.remove();
        }
    })?;
    let named = data_dir.as_ref().map_or(String::new(), |dir| format!(" --data-dir {}", dir.display()));
    writeln!(
        std::io::stdout(),
        "Restored {} objects of {} into {}.\n{} more are made again from these. Images are not in a backup: `ebb image load`\n\
         those that no registry has.\nStart it:  ebb up{named}",
        restored.objects,
        restored.taken,
        path.display(),
        restored.left_out,
    )?;
    Ok(())
}
