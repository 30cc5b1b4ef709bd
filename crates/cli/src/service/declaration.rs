//! What `create` and `apply` are asked for: an empty service or a file's, changed by the flags.

use std::path::PathBuf;

use resources::serving::Service;

use super::{
    edit::{EditArgs, Occasion, OccasionVerb},
    manifest,
};
use crate::{api::Session, console::Console, error::Error};

/// The flags that declare a service.
#[derive(Debug, clap::Args)]
pub(super) struct Declaration {
    /// The service's name
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    edit: EditArgs,
    /// Take the service from a file, `-` for the standard input; other options change what it says
    #[arg(short, long, value_name = "FILE")]
    filename: Option<PathBuf>,
}

impl Declaration {
    /// The declared service; `command` is the one that asks, for messages.
    pub(super) fn service(
        &self,
        verb: OccasionVerb,
        command: &'static str,
        session: &Session,
        console: &Console<'_>,
    ) -> Result<Service, Error> {
        let usage = |message: String| Error::Usage { message, command };
        let name = match self.names.as_slice() {
            [name] => Some(name.as_str()),
            _ if self.filename.is_some() => None,
            _ => {
                return Err(usage(format!("'{command}' requires the service name given as single argument")));
            }
        };
        if !self.edit.names_image() && self.filename.is_none() {
            let message =
                format!("'{command}' requires the image name to run provided with the --image option");
            return Err(usage(message));
        }
        let mut service = manifest::service(name, &session.namespace, self.filename.as_deref())?;
        let occasion = Occasion { verb, base: None, now: console.now(), random: console.random };
        self.edit.apply(&mut service, &occasion, &self.edit.read_files()?).map_err(usage)?;
        Ok(service)
    }
}
