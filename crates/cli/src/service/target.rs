//! Kn's offline mode, which works on a directory of manifests.

use std::path::PathBuf;

use crate::error::Error;

/// The option that asks for it.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct TargetArgs {
    /// Work on files instead of the API; not built
    #[arg(long, value_name = "PATH", hide = true)]
    target: Option<PathBuf>,
}

impl TargetArgs {
    /// Refuses it; `command` is the one that is asked, for messages.
    pub(super) fn refuse(&self, command: &'static str) -> Result<(), Error> {
        match self.target {
            None => Ok(()),
            Some(_) => Err(Error::Usage {
                message: "--target (work on files instead of the API) is not built; write the manifest with \
                          `ebb service describe NAME -o yaml` and use --filename"
                    .into(),
                command,
            }),
        }
    }
}
