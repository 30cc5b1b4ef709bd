//! `ebb service update`.

use kube::api::ListParams;
use resources::{
    Object, labels,
    serving::{Revision, Service},
};

use super::{
    announce,
    edit::{EditArgs, Occasion, OccasionVerb},
    target::TargetArgs,
    traffic,
    wait::WaitArgs,
};
use crate::{api::Session, console::Console, error::Error};

const COMMAND: &str = "service update";

/// What `update` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service's name
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    traffic: traffic::Wish,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    args.target.refuse(COMMAND)?;
    let usage = |message: String| Error::Usage { message, command: COMMAND };
    let [name] = args.names.as_slice() else {
        return Err(usage("'service update' requires the service name given as single argument".into()));
    };
    if args.edit == EditArgs::default() && args.traffic == traffic::Wish::default() {
        return Err(usage("flag(s) not set".into()));
    }
    let files = args.edit.read_files()?;
    let current = session.get::<Service>(name).await?;
    let revisions = revisions(name, session).await?;
    let base = current
        .status
        .latest_created_revision_name
        .as_ref()
        .and_then(|name| revisions.iter().find(|revision| revision.name() == name));
    if base.is_none() && args.edit.pins_image(&current) {
        writeln!(console.err, "Warning: No revision found to update image digest")?;
    }
    let (before, ready_before) = (current.generation(), current.status.latest_ready_revision_name.clone());
    let occasion = Occasion { verb: OccasionVerb::Update, base, now: console.now(), random: console.random };
    let mut warning = None;
    let change = |current: &Service| {
        let mut service = current.clone();
        args.edit.apply(&mut service, &occasion, &files).map_err(usage)?;
        if args.traffic != traffic::Wish::default() {
            let makes_revision = args.edit.makes_revision();
            let split = traffic::compute(&service, &args.traffic, &revisions, makes_revision)
                .map_err(Error::Refused)?;
            warning = split.warning();
            service.spec.traffic = split.targets;
        }
        Ok(service)
    };
    let updated = session.replace(current, change).await?;
    if let Some(warning) = warning {
        writeln!(console.err, "Warning: {warning}")?;
    }
    if updated.generation() == before {
        writeln!(console.out, "Service '{name}' updated in namespace '{}'.", session.namespace)?;
        writeln!(console.out, "No new revision has been created.")?;
        return Ok(());
    }
    if !args.wait.wanted(true) {
        writeln!(console.out, "Service '{name}' updated in namespace '{}'.", session.namespace)?;
        return Ok(());
    }
    // Upstream writes this one Service with a capital letter.
    writeln!(console.out, "Updating Service '{name}' in namespace '{}':", session.namespace)?;
    writeln!(console.out)?;
    announce::ready(name, &args.wait, session, console).await?;
    writeln!(console.out)?;
    announce::show_url(name, ready_before.as_deref(), "updated", session, console).await
}

/// The revisions of a service.
pub(super) async fn revisions(service: &str, session: &Session) -> Result<Vec<Revision>, Error> {
    let params = ListParams::default().labels(&format!("{}={service}", labels::SERVICE));
    session.list(false, &params).await
}
