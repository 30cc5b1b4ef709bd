//! `ebb revision`: look at and delete the versions of a service.

mod delete;
mod describe;
mod list;
mod show;

pub use self::show::short_digest;
pub(crate) use self::show::{write_image, write_replicas, write_runtime};
use crate::{api::Session, console::Console, error::Error};

/// The commands of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List revisions
    #[command(visible_alias = "ls")]
    List(list::Args),
    /// Show details of a revision
    Describe(describe::Args),
    /// Delete revisions
    Delete(delete::Args),
}

/// Runs one of the commands.
pub(crate) async fn run(command: Command, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    match command {
        Command::List(args) => list::run(&args, session, console).await,
        Command::Describe(args) => describe::run(&args, session, console).await,
        Command::Delete(args) => delete::run(&args, session, console).await,
    }
}
