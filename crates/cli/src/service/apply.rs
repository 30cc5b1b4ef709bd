//! `ebb service apply`: a three-way merge on the client, as `kn service apply` does it.

use kube::api::{Patch, PatchParams, PostParams};
use resources::{Object, annotations::LAST_APPLIED, serving::Service};
use serde_json::Value;

use super::{
    announce::{self, Verb},
    declaration::Declaration,
    edit::OccasionVerb,
    three_way,
    wait::WaitArgs,
};
use crate::{api::Session, console::Console, error::Error, output::to_value};

const COMMAND: &str = "service apply";

/// What `apply` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    declaration: Declaration,
    /// Accepted as `create` does; apply always changes what exists
    #[arg(long, hide = true)]
    force: bool,
    #[command(flatten)]
    wait: WaitArgs,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    let service = args.declaration.service(OccasionVerb::Apply, COMMAND, session, console)?;
    let name = service.name().to_owned();
    let Some(current) = session.find::<Service>(&name).await? else {
        let annotated = annotated(&service);
        let created = session.all::<Service>().create(&PostParams::default(), &annotated).await;
        created.map_err(|error| session.explain(error))?;
        let verb = Verb { doing: "Creating", done: "created" };
        return announce::written(&name, verb, &args.wait, session, console).await;
    };
    if current.annotation(LAST_APPLIED).is_none() {
        writeln!(
            console.err,
            "Warning: 'ebb service apply' should be used only for services created by 'ebb service apply'"
        )?;
    }
    if !patched(&service, &current, session).await? {
        writeln!(console.out, "No changes to apply to service '{name}'.")?;
        let revision = current.status.latest_ready_revision_name.as_deref().unwrap_or_default();
        return announce::unchanged(
            &name,
            revision,
            current.status.url.as_deref().unwrap_or_default(),
            console,
        );
    }
    let verb = Verb { doing: "Applying", done: "applied" };
    announce::written(&name, verb, &args.wait, session, console).await
}

/// Sends what differs. Whether that changed what is wanted: a patch that only repeats defaults does not.
async fn patched(service: &Service, current: &Service, session: &Session) -> Result<bool, Error> {
    let last: Value =
        current.annotation(LAST_APPLIED).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let patch = three_way::merge_patch(&last, &wish(&annotated(service)), &wish(current));
    if patch.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(false);
    }
    let api = session.all::<Service>();
    let result = api.patch(service.name(), &PatchParams::default(), &Patch::Merge(&patch)).await;
    let after: Service = result.map_err(|error| session.explain(error))?;
    Ok(after.generation() != current.generation())
}

/// The service, carrying itself as what was last applied.
fn annotated(service: &Service) -> Service {
    let mut annotated = service.clone();
    let annotations = annotated.metadata.annotations.get_or_insert_default();
    annotations.remove(LAST_APPLIED);
    annotations.insert(LAST_APPLIED.to_owned(), wish(service).to_string());
    annotated
}

/// The part of an object that is the user's.
fn wish(service: &Service) -> Value {
    let mut value = to_value(service);
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
    }
    value
}
