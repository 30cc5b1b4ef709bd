//! `ebb route`: look at where requests go.

use jiff::Timestamp;
use resources::{Object, serving::Route};

use crate::{
    api::Session,
    console::Console,
    error::Error,
    listing::ListArgs,
    output::Format,
    print::{Attributes, Indent, Table, ready_status, write_conditions, write_metadata},
};

/// The commands of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List routes
    #[command(visible_alias = "ls")]
    List(ListCommand),
    /// Show details of a route
    Describe(DescribeCommand),
}

/// What `list` takes.
#[derive(Debug, clap::Args)]
pub struct ListCommand {
    #[command(flatten)]
    list: ListArgs,
}

/// What `describe` takes.
#[derive(Debug, clap::Args)]
pub struct DescribeCommand {
    /// The route's name
    name: String,
    /// Show more: all labels and annotations, messages
    #[arg(short, long)]
    verbose: bool,
    /// Output format: json|yaml|name|jsonpath=TEMPLATE|url
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

/// Runs one of the commands.
pub(crate) async fn run(command: Command, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    let text = match command {
        Command::List(ListCommand { list }) => {
            let routes: Vec<Route> = list.fetch(session).await?;
            match &list.output {
                Some(format) => format.list(&routes)?,
                None => table(&routes, &list),
            }
        }
        Command::Describe(args) => {
            let route = session.get::<Route>(&args.name).await?;
            match &args.output {
                Some(format) => format.object(&route, route.status.url.as_deref())?,
                None => describe(&route, args.verbose, console.now()),
            }
        }
    };
    Ok(console.out.write_all(text.as_bytes())?)
}

fn table(routes: &[Route], list: &ListArgs) -> String {
    if routes.is_empty() {
        return "No routes found.\n".into();
    }
    let mut table = Table::new(list.headers(&["NAME", "URL", "READY"]).as_deref());
    for route in routes {
        let mut cells = list.namespace_cell(route);
        let url = route.status.url.clone().unwrap_or_default();
        cells.extend([route.name().to_owned(), url, ready_status(&route.status.conditions).to_owned()]);
        table.row(&cells);
    }
    table.render()
}

fn describe(route: &Route, verbose: bool, now: Timestamp) -> String {
    let mut to = Attributes::default();
    write_metadata(&mut to, &route.metadata, verbose, now);
    to.add("URL", route.status.url.as_deref().unwrap_or_default());
    let owners = route.metadata.owner_references.iter().flatten();
    for owner in owners.filter(|owner| owner.kind == "Service") {
        let version = if verbose { format!(" ({})", owner.api_version) } else { String::new() };
        to.add("Service", &format!("{}{version}", owner.name));
    }
    to.blank();
    to.add("Traffic Targets", "");
    to.end_section();
    let nested = Indent::default().nested();
    for target in &route.status.traffic {
        let revision = target.revision_name.as_deref().unwrap_or_default();
        let mut header = match target.latest_revision {
            Some(true) => format!("@latest ({revision})"),
            _ => revision.to_owned(),
        };
        let tag = target.tag.as_deref().filter(|tag| !tag.is_empty());
        header.extend(tag.map(|tag| format!(" #{tag}")));
        to.cells(&nested, &[&format!("{:3}%", target.percent.unwrap_or_default()), &header]);
        if tag.is_some() {
            to.add_at(&nested.column(), "URL", target.url.as_deref().unwrap_or_default());
        }
    }
    to.blank();
    to.add("Conditions", "");
    write_conditions(&mut to, &route.status.conditions, verbose, now);
    to.finish()
}

#[cfg(test)]
mod tests;
