//! `ebb revision list`.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use kube::api::ListParams;
use resources::{
    Object, ObjectKey, labels,
    serving::{Revision, Service},
};

use crate::{
    api::Session,
    console::Console,
    error::Error,
    listing::ListArgs,
    print::{Table, age, condition_count, non_ready_reason, ready_status},
    service::of_revision,
};

const COLUMNS: &[&str] =
    &["NAME", "SERVICE", "TRAFFIC", "TAGS", "GENERATION", "AGE", "CONDITIONS", "READY", "REASON"];
/// The widest cell; upstream cuts what is longer.
const CELL_MAX: usize = 50;

/// What `list` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    list: ListArgs,
    /// List the revisions of this service alone
    #[arg(short, long, value_name = "NAME")]
    service: Option<String>,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    let mut params = ListParams::default();
    if let Some(service) = &args.service {
        // A service that does not exist is an error, not an empty list.
        session.get::<Service>(service).await?;
        params = params.labels(&format!("{}={service}", labels::SERVICE));
    }
    let mut revisions: Vec<Revision> = args.list.fetch_with(session, params).await?;
    revisions.sort_by_cached_key(order);
    let text = match &args.list.output {
        Some(format) => format.list(&revisions)?,
        None if revisions.is_empty() => "No revisions found.\n".into(),
        None => {
            let services = session.list::<Service>(args.list.all_namespaces, &ListParams::default()).await?;
            let services = services.into_iter().map(|service| (service.key(), service)).collect();
            table(&revisions, &services, &args.list, console.now())
        }
    };
    Ok(console.out.write_all(text.as_bytes())?)
}

/// By namespace and service, the newest first.
pub(super) fn order(revision: &Revision) -> (String, String, Reverse<i64>, String) {
    let generation = revision.label(labels::CONFIGURATION_GENERATION).and_then(|text| text.parse().ok());
    (
        revision.namespace().to_owned(),
        revision.label(labels::SERVICE).unwrap_or_default().to_owned(),
        Reverse(generation.unwrap_or_default()),
        revision.name().to_owned(),
    )
}

fn table(
    revisions: &[Revision],
    services: &BTreeMap<ObjectKey, Service>,
    list: &ListArgs,
    now: Timestamp,
) -> String {
    let mut table = Table::new(list.headers(COLUMNS).as_deref());
    for revision in revisions {
        let conditions = &revision.status.conditions;
        let service = revision.label(labels::SERVICE).unwrap_or_default();
        let (percent, tags) = match services.get(&ObjectKey::new(revision.namespace(), service)) {
            Some(service) => of_revision(revision.name(), service),
            None => (0, Vec::new()),
        };
        let mut cells = list.namespace_cell(revision);
        cells.extend([
            revision.name().to_owned(),
            service.to_owned(),
            if percent == 0 { String::new() } else { format!("{percent}%") },
            tags.join(","),
            revision.label(labels::CONFIGURATION_GENERATION).unwrap_or_default().to_owned(),
            age(revision.metadata.creation_timestamp.as_ref(), now),
            condition_count(conditions),
            ready_status(conditions).to_owned(),
            non_ready_reason(conditions),
        ]);
        table.row(&cells.into_iter().map(cut).collect::<Vec<_>>());
    }
    table.render()
}

fn cut(cell: String) -> String {
    if cell.chars().count() <= CELL_MAX {
        return cell;
    }
    let kept: String = cell.chars().take(CELL_MAX - 4).collect();
    format!("{kept} ...")
}

#[cfg(test)]
mod tests;
