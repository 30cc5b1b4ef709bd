//! The command tree, and how a command ends.

use std::{io, process::ExitCode};

use crate::{
    api::Session, backup, connection::Global, console::Console, error::Error, image, kubeconfig, revision,
    route, service, version,
};

/// The commands for users; to be flattened into the program's own.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Manage Knative services
    #[command(subcommand, visible_alias = "ksvc", alias = "services")]
    Service(service::Command),
    /// Manage service revisions
    #[command(subcommand, alias = "revisions")]
    Revision(revision::Command),
    /// List and describe service routes
    #[command(subcommand, alias = "routes")]
    Route(route::Command),
    /// Manage the images that this Ebb has
    #[command(subcommand, alias = "images")]
    Image(image::Command),
    /// Write the state of this Ebb into a file while it runs: all objects, no images
    Backup(backup::Args),
    /// Print the kubeconfig of this machine's Ebb, or merge it into your own
    Kubeconfig(kubeconfig::Args),
    /// Show the version of this program
    Version(version::Args),
}

/// Runs a command and reports its failure. The exit status is 0 or 1, as kn's.
pub async fn run(command: Command, global: Global, console: &mut Console<'_>) -> ExitCode {
    match execute(command, &global, console).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough, as `head` does.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            report(&error, console.err);
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command, global: &Global, console: &mut Console<'_>) -> Result<(), Error> {
    match command {
        Command::Kubeconfig(args) => kubeconfig::run(&args, global, console),
        Command::Version(args) => version::run(&args, console),
        Command::Backup(args) => {
            backup::run(&args, &Session::open(global, &console.environment).await?, console).await
        }
        Command::Service(command) => {
            service::run(command, &Session::open(global, &console.environment).await?, console).await
        }
        Command::Revision(command) => {
            revision::run(command, &Session::open(global, &console.environment).await?, console).await
        }
        Command::Route(command) => {
            route::run(command, &Session::open(global, &console.environment).await?, console).await
        }
        Command::Image(command) => {
            image::run(command, &Session::open(global, &console.environment).await?, console).await
        }
    }
}

fn report(error: &Error, err: &mut dyn io::Write) {
    let advice = error.advice();
    // When not even this can be written, nobody is there to read it.
    let _ = match (&advice, error) {
        (None, _) => writeln!(err, "Error: {error}"),
        (Some(advice), Error::Usage { .. }) => writeln!(err, "Error: {error}\n{advice}"),
        (Some(advice), Error::NotReady { .. } | Error::Several(_)) => {
            writeln!(err, "Error: {error}\n{advice}")
        }
        (Some(advice), _) => writeln!(err, "Error: {error}; {advice}"),
    };
}
