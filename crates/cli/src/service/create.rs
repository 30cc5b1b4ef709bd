//! `ebb service create`.

use kube::api::PostParams;
use resources::{
    Object,
    annotations::{CREATOR, LAST_MODIFIER},
    serving::Service,
};

use super::{
    announce::{self, Verb},
    declaration::Declaration,
    edit::OccasionVerb,
    target::TargetArgs,
    traffic::{self, LATEST},
    wait::WaitArgs,
};
use crate::{api::Session, console::Console, error::Error};

const COMMAND: &str = "service create";

/// What `create` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    declaration: Declaration,
    /// Create the service even if it exists, and replace it then
    #[arg(long)]
    force: bool,
    /// Set a tag: `@latest=TAG`, or TAG alone
    #[arg(long, value_name = "REVISION=TAG", value_delimiter = ',')]
    tag: Vec<String>,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    args.target.refuse(COMMAND)?;
    let mut service = args.declaration.service(OccasionVerb::Create, COMMAND, session, console)?;
    if !args.tag.is_empty() {
        let wish = traffic::Wish {
            tags: args.tag.clone(),
            traffic: vec![format!("{LATEST}=100")],
            untag: Vec::new(),
        };
        let split = traffic::compute(&service, &wish, &[], true).map_err(Error::Refused)?;
        service.spec.traffic = split.targets;
    }
    let name = service.name().to_owned();
    let Some(current) = session.find::<Service>(&name).await? else {
        let created = session.all::<Service>().create(&PostParams::default(), &service).await;
        created.map_err(|error| session.explain(error))?;
        let verb = Verb { doing: "Creating", done: "created" };
        return announce::written(&name, verb, &args.wait, session, console).await;
    };
    if !args.force {
        return Err(Error::Refused(format!(
            "cannot create service '{name}' in namespace '{}' because the service already exists and no --force \
             option was given",
            session.namespace
        )));
    }
    let before = current.generation();
    let replaced = session.replace(current, |current| Ok(replacement(service.clone(), current))).await?;
    if replaced.generation() == before {
        writeln!(console.out, "Service '{name}' replaced in namespace '{}' (unchanged).", session.namespace)?;
        return Ok(());
    }
    let verb = Verb { doing: "Replacing", done: "replaced" };
    announce::written(&name, verb, &args.wait, session, console).await
}

/// The declared service in place of the current one. Who made it stays; everything else is as declared.
fn replacement(mut declared: Service, current: &Service) -> Service {
    for key in [CREATOR, LAST_MODIFIER] {
        if let Some(value) = current.annotation(key) {
            let annotations = declared.metadata.annotations.get_or_insert_default();
            annotations.insert(key.to_owned(), value.to_owned());
        }
    }
    declared.metadata.resource_version = current.metadata.resource_version.clone();
    declared
}
