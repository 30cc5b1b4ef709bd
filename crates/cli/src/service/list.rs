//! `ebb service list`.

use jiff::Timestamp;
use resources::{Object, serving::Service};

use super::target::TargetArgs;
use crate::{
    api::Session,
    console::Console,
    error::Error,
    listing::ListArgs,
    print::{Table, age, condition_count, non_ready_reason, ready_status},
};

const COLUMNS: &[&str] = &["NAME", "URL", "LATEST", "AGE", "CONDITIONS", "READY", "REASON"];

/// What `list` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    args.target.refuse("service list")?;
    let services: Vec<Service> = args.list.fetch(session).await?;
    let text = match &args.list.output {
        Some(format) => format.list(&services)?,
        None => table(&services, &args.list, console.now()),
    };
    Ok(console.out.write_all(text.as_bytes())?)
}

fn table(services: &[Service], list: &ListArgs, now: Timestamp) -> String {
    if services.is_empty() {
        return "No services found.\n".into();
    }
    let mut table = Table::new(list.headers(COLUMNS).as_deref());
    for service in services {
        let status = &service.status;
        let mut cells = list.namespace_cell(service);
        cells.extend([
            service.name().to_owned(),
            status.url.clone().unwrap_or_default(),
            status.latest_ready_revision_name.clone().unwrap_or_default(),
            age(service.metadata.creation_timestamp.as_ref(), now),
            condition_count(&status.conditions),
            ready_status(&status.conditions).to_owned(),
            non_ready_reason(&status.conditions),
        ]);
        table.row(&cells);
    }
    table.render()
}

#[cfg(test)]
mod tests;
