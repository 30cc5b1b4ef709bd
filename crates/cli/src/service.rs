//! `ebb service`: create, change, look at and delete Knative Services.

mod annotations;
mod announce;
mod apply;
mod create;
mod declaration;
mod delete;
mod describe;
mod edit;
mod export;
mod import;
mod list;
mod manifest;
mod renamed;
mod target;
mod three_way;
mod traffic;
mod update;
mod wait;

pub use self::annotations::user_image;
pub(crate) use self::{
    traffic::of_revision,
    wait::{DeleteWaitArgs, delete},
};
use crate::{api::Session, console::Console, error::Error};

/// The commands of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create a service
    Create(Box<create::Args>),
    /// Apply a service declaration: create the service, or change what differs
    Apply(Box<apply::Args>),
    /// Update a service
    Update(Box<update::Args>),
    /// List services
    #[command(visible_alias = "ls")]
    List(list::Args),
    /// Show details of a service, and why it is not ready
    Describe(describe::Args),
    /// Delete services
    Delete(delete::Args),
    /// Wait for a service to be ready
    Wait(wait::Args),
    /// Write a service, and the revisions that its traffic goes to, for another Ebb or cluster
    Export(export::Args),
    /// Create a service and its revisions from what `export` wrote
    Import(import::Args),
}

/// Runs one of the commands.
pub(crate) async fn run(command: Command, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    match command {
        Command::Create(args) => create::run(&args, session, console).await,
        Command::Apply(args) => apply::run(&args, session, console).await,
        Command::Update(args) => update::run(&args, session, console).await,
        Command::List(args) => list::run(&args, session, console).await,
        Command::Describe(args) => describe::run(&args, session, console).await,
        Command::Delete(args) => delete::run(&args, session, console).await,
        Command::Wait(args) => wait::run(&args, session, console).await,
        Command::Export(args) => export::run(&args, session, console).await,
        Command::Import(args) => import::run(&args, session, console).await,
    }
}
