//! `ebb service delete`.

use kube::api::ListParams;
use resources::{Object, serving::Service};

use super::{
    target::TargetArgs,
    wait::{DeleteWaitArgs, delete},
};
use crate::{api::Session, console::Console, error::Error};

const COMMAND: &str = "service delete";

/// What `delete` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Delete all services of the namespace
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    wait: DeleteWaitArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    args.target.refuse(COMMAND)?;
    let usage = |message: &str| Error::Usage { message: message.into(), command: COMMAND };
    let names = match (args.names.as_slice(), args.all) {
        ([], false) => return Err(usage("'service delete' requires the service name(s)")),
        ([], true) => {
            let services = session.list::<Service>(false, &ListParams::default()).await?;
            services.iter().map(|service| service.name().to_owned()).collect()
        }
        (_, true) => return Err(usage("'service delete' with --all flag requires no arguments")),
        (names, false) => names.to_vec(),
    };
    if names.is_empty() {
        writeln!(console.out, "No services found.")?;
        return Ok(());
    }
    let mut failed = Vec::new();
    for name in &names {
        match delete::<Service>(name, &args.wait, session).await {
            Ok(()) => writeln!(
                console.out,
                "Service '{name}' successfully deleted in namespace '{}'.",
                session.namespace
            )?,
            Err(error) => failed.push(error),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::Several(failed)) }
}
