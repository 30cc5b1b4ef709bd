//! `ebb revision describe`.

use jiff::Timestamp;
use resources::{
    Object, labels,
    serving::{Revision, Service},
};

use super::show::{write_image, write_replicas, write_runtime};
use crate::{
    api::Session,
    console::Console,
    error::Error,
    output::Format,
    print::{Attributes, Indent, write_conditions, write_list, write_metadata},
    service::of_revision,
};

/// What `describe` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The revision's name
    name: String,
    /// Show more: variables, the place in the service, messages
    #[arg(short, long)]
    verbose: bool,
    /// Output format: json|yaml|name|jsonpath=TEMPLATE
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    let revision = session.get::<Revision>(&args.name).await?;
    let text = match &args.output {
        Some(Format::Url) => return Err(Error::Refused("a revision has no URL of its own".into())),
        Some(format) => format.object(&revision, None)?,
        None => {
            let service = match revision.label(labels::SERVICE).filter(|_| args.verbose) {
                Some(name) => session.find::<Service>(name).await?,
                None => None,
            };
            describe(&revision, service.as_ref(), args.verbose, console.now())
        }
    };
    Ok(console.out.write_all(text.as_bytes())?)
}

fn describe(revision: &Revision, service: Option<&Service>, verbose: bool, now: Timestamp) -> String {
    let (mut to, edge) = (Attributes::default(), Indent::default());
    write_metadata(&mut to, &revision.metadata, verbose, now);
    write_image(&mut to, &edge, revision);
    write_replicas(&mut to, &edge, revision);
    write_runtime(&mut to, &edge, revision, verbose);
    if let Some(name) = revision.label(labels::SERVICE) {
        to.add("Service", name);
    }
    if let Some(service) = service {
        write_place(&mut to, revision, service);
    }
    to.blank();
    to.add("Conditions", "");
    write_conditions(&mut to, &revision.status.conditions, verbose, now);
    to.finish()
}

/// Where the revision stands among those of its service.
fn write_place(to: &mut Attributes, revision: &Revision, service: &Service) {
    let nested = Indent::default().nested();
    let is = |name: &Option<String>| (name.as_deref() == Some(revision.name())).to_string();
    let generation = revision.label(labels::CONFIGURATION_GENERATION).unwrap_or_default();
    to.add_at(&nested, "Configuration Generation", generation);
    to.add_at(&nested, "Latest Created", &is(&service.status.latest_created_revision_name));
    to.add_at(&nested, "Latest Ready", &is(&service.status.latest_ready_revision_name));
    let (percent, tags) = of_revision(revision.name(), service);
    if percent != 0 {
        to.add_at(&nested, "Traffic", &format!("{percent}%"));
    }
    let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
    write_list(to, &nested, "Tags", &tags, true);
}
