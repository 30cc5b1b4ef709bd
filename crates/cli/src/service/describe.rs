//! `ebb service describe`.

mod cold_starts;
mod revisions;
mod warnings;
mod why;

use jiff::Timestamp;
use resources::{
    builtin::Event,
    serving::{Revision, Service},
};

pub(super) use self::why::obstacle;
use self::{
    cold_starts::{ColdStart, write_cold_starts},
    revisions::{shown, write_revisions},
};
use super::{target::TargetArgs, update::revisions};
use crate::{
    api::Session,
    console::Console,
    error::Error,
    image::{self, Image},
    output::Format,
    print::{Attributes, write_conditions, write_metadata},
};

/// What `describe` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service's name
    name: String,
    /// Show more: all revisions, environment, scaling, messages
    #[arg(short, long)]
    verbose: bool,
    /// Output format: json|yaml|name|jsonpath=TEMPLATE|url
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    args.target.refuse("service describe")?;
    let service = session.get::<Service>(&args.name).await?;
    let text = match &args.output {
        Some(format) => format.object(&service, service.status.url.as_deref())?,
        None => {
            let revisions = revisions(&args.name, session).await?;
            let cold_starts = cold_starts::fetch(&args.name, session).await?;
            let warnings = warnings::of_service(&service, &revisions, session).await?;
            let there = match why::misses_image(&service, &revisions) {
                true => image::there(session).await,
                false => Vec::new(),
            };
            let seen = Seen {
                warnings: &warnings,
                cold_starts: &cold_starts.items,
                images: &there,
                plain_processes: cold_starts.plain_processes,
            };
            describe(&service, &revisions, seen, args.verbose, console.now())
        }
    };
    Ok(console.out.write_all(text.as_bytes())?)
}

/// What was seen beside the service and its revisions.
#[derive(Clone, Copy, Debug, Default)]
struct Seen<'a> {
    warnings: &'a [Event],
    cold_starts: &'a [ColdStart],
    /// The images that are loaded, where one is missing.
    images: &'a [Image],
    /// Containers are plain processes.
    plain_processes: bool,
}

/// The description of a service: upstream's, then what Ebb adds.
fn describe(
    service: &Service,
    revisions: &[Revision],
    seen: Seen<'_>,
    verbose: bool,
    now: Timestamp,
) -> String {
    let mut to = Attributes::default();
    write_metadata(&mut to, &service.metadata, verbose, now);
    to.add("URL", service.status.url.as_deref().unwrap_or_default());
    if let Some(address) = service.status.address.as_ref().filter(|_| verbose) {
        to.add("Cluster", address.url.as_deref().unwrap_or_default());
    }
    let spec = &service.spec.template.spec;
    if let Some(account) = &spec.service_account_name {
        to.add("Service Account", account);
    }
    if let Some(secret) = spec.image_pull_secrets.first() {
        to.add("Image Pull Secret", &secret.name);
    }
    to.blank();
    to.end_section();

    let described = shown(service, revisions, verbose);
    to.add("Revisions", "");
    to.end_section();
    write_revisions(&mut to, &described, verbose, now);
    to.blank();
    to.end_section();

    to.add("Conditions", "");
    write_conditions(&mut to, &service.status.conditions, verbose, now);
    to.end_section();

    let is_ready = why::write(&mut to, service, revisions, seen);
    warnings::write(&mut to, service, seen.warnings, is_ready, now);
    write_cold_starts(&mut to, seen.cold_starts, now);
    to.finish()
}

#[cfg(test)]
mod tests;
