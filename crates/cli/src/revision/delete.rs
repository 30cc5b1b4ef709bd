//! `ebb revision delete`.

use kube::api::ListParams;
use resources::{
    Object, labels,
    serving::{Revision, Route},
};

use super::list::order;
use crate::{
    api::Session,
    console::Console,
    error::Error,
    service::{DeleteWaitArgs, delete},
};

/// How many routes of the namespace are looked through for those that lead to what is deleted.
const ROUTES_MAX: u32 = 500;

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
    let mut routes = Vec::new();
    let names = match (&args.prune, args.prune_all) {
        (None, false) => {
            if !args.names.is_empty() {
                // Only for warnings: what may not read routes may still delete.
                let listed = session.page::<Route>(&ListParams::default().limit(ROUTES_MAX)).await;
                routes = listed.map(|(routes, _)| routes).unwrap_or_default();
            }
            args.names.clone()
        }
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
    let mut failed = Vec::new();
    for name in &names {
        for warning in routes.iter().filter_map(|route| lost(name, route)) {
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

/// What a route loses with a revision that it sends requests to.
fn lost(revision: &str, route: &Route) -> Option<String> {
    let leads_there =
        route.status.traffic.iter().filter(|target| target.revision_name.as_deref() == Some(revision));
    let (mut percent, mut tags) = (0, Vec::new());
    for target in leads_there {
        percent += target.percent.unwrap_or_default();
        tags.extend(target.tag.as_deref().filter(|tag| !tag.is_empty()));
    }
    let (route, tags) = (route.name(), tags.join(", "));
    let gets = match (percent, tags.as_str()) {
        (0, "") => return None,
        (0, tags) => format!("what is sent to the tag {tags} of route '{route}'"),
        (percent, "") => format!("{percent}% of the traffic of route '{route}'"),
        (percent, tags) => format!("{percent}% of the traffic of route '{route}' (tag {tags})"),
    };
    Some(format!(
        "Revision '{revision}' gets {gets}: its requests will fail until the service's traffic is changed"
    ))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_route_that_leads_there_is_told_of_with_its_share_and_tags() {
        let route: Route = serde_json::from_value(json!({
            "metadata": { "name": "tr", "namespace": "default" },
            "status": { "traffic": [
                { "revisionName": "tr-00002", "latestRevision": true, "percent": 64 },
                { "revisionName": "tr-00001", "percent": 36, "tag": "old" },
                { "revisionName": "tr-00002", "percent": 0, "tag": "" },
                { "revisionName": "tr-00003", "tag": "next" },
                { "revisionName": "tr-00004", "percent": 0 },
            ] },
        }))
        .unwrap();
        for (revision, gets) in [
            ("tr-00001", Some("36% of the traffic of route 'tr' (tag old)")),
            ("tr-00002", Some("64% of the traffic of route 'tr'")),
            ("tr-00003", Some("what is sent to the tag next of route 'tr'")),
            ("tr-00004", None),
            ("tr", None),
        ] {
            let expect = gets.map(|gets| {
                format!(
                    "Revision '{revision}' gets {gets}: its requests will fail until the service's traffic is changed"
                )
            });
            assert_eq!(lost(revision, &route), expect);
        }
    }
}
