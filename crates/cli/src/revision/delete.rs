//! `ebb revision delete`.

mod consequences;

use kube::api::ListParams;
use resources::{Object, labels, serving::Revision};

use self::consequences::Holders;
use super::list::order;
use crate::{
    api::Session,
    console::Console,
    error::Error,
    service::{DeleteWaitArgs, delete},
};

/// What `delete` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The revisions
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Delete the revisions of this service that no route leads to
    #[arg(long, value_name = "SERVICE", conflicts_with_all = ["names", "prune_all"])]
    prune: Option<String>,
    /// Delete all revisions of the namespace that no route leads to
    #[arg(long, conflicts_with = "names")]
    prune_all: bool,
    #[command(flatten)]
    wait: DeleteWaitArgs,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    let names = match (&args.prune, args.prune_all) {
        (None, false) => args.names.clone(),
        (service, _) => {
            let names = unreferenced(service.as_deref(), session).await?;
            if names.is_empty() {
                writeln!(console.out, "No unreferenced revisions found.")?;
                return Ok(());
            }
            names
        }
    };
    if names.is_empty() {
        return Err(Error::Usage {
            message: "'revision delete' requires one or more revision name".into(),
            command: "revision delete",
        });
    }
    let holders = Holders::find(session).await;
    let mut failed = Vec::new();
    for name in &names {
        for warning in holders.warnings(name) {
            writeln!(console.err, "Warning: {warning}")?;
        }
        match delete::<Revision>(name, &args.wait, session).await {
            Ok(()) => {
                writeln!(console.out, "Revision '{name}' deleted in namespace '{}'.", session.namespace)?
            }
            Err(error) => failed.push(error),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::Several(failed)) }
}

async fn unreferenced(service: Option<&str>, session: &Session) -> Result<Vec<String>, Error> {
    let params = match service {
        Some(service) => ListParams::default().labels(&format!("{}={service}", labels::SERVICE)),
        None => ListParams::default(),
    };
    let mut revisions = session.list::<Revision>(false, &params).await?;
    revisions.sort_by_cached_key(order);
    let referenced =
        |revision: &&Revision| revision.label(labels::ROUTING_STATE) == Some(labels::ROUTING_STATE_ACTIVE);
    Ok(revisions
        .iter()
        .filter(|revision| !referenced(revision))
        .map(|revision| revision.name().to_owned())
        .collect())
}
