//! `ebb service export`: a service as a file, alone or with the revisions that its traffic names.
//!
//! Two forms, as kn has them: one for `import`, and a list for `kubectl apply`, which makes one revision after the other.

use std::collections::{BTreeMap, BTreeSet};

use resources::{
    Object,
    annotations::{CREATOR, LAST_APPLIED, LAST_MODIFIER},
    labels::{CONFIGURATION_GENERATION, CONFIGURATION_UID, SERVICE_UID},
    meta::ObjectMeta,
    serving::{Revision, RevisionTemplateSpec, Service, ServiceSpec},
};
use serde_json::{Value, json};

use super::{annotations::UPDATE_TIMESTAMP, renamed::Renamed, update::revisions};
use crate::{
    api::Session,
    console::Console,
    error::Error,
    output::{Format, to_value},
};

const COMMAND: &str = "service export";

/// What a file for `import` says that it is (upstream: client, `v1alpha1.Export`).
pub(super) const API_VERSION: &str = "client.knative.dev/v1alpha1";
pub(super) const KIND: &str = "Export";

/// What is said of a service where it is, and not of the service.
const NOT_EXPORTED: &[&str] = &[
    CREATOR,
    LAST_MODIFIER,
    LAST_APPLIED,
    CONFIGURATION_UID,
    SERVICE_UID,
    UPDATE_TIMESTAMP,
    "serving.knative.dev/lastPinned",
    "serving.knative.dev/routes",
    "serving.knative.dev/routingStateModified",
];

/// What `export` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service's name
    name: String,
    /// Output format, which has to be given: json|yaml|jsonpath=TEMPLATE
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
    /// Export the revisions that traffic goes to as well
    #[arg(long)]
    with_revisions: bool,
    /// What is written: `export` for `ebb service import`, `replay` for `kubectl apply`
    #[arg(long, value_name = "MODE", default_value = "export")]
    mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Export,
    Replay,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    let Some(format) = &args.output else {
        let message = format!("'{COMMAND}' requires output format: -o yaml, for one");
        return Err(Error::Usage { message, command: COMMAND });
    };
    let service = session.get::<Service>(&args.name).await?;
    let others = if args.with_revisions {
        routed(&service, revisions(&args.name, session).await?)
    } else {
        Vec::new()
    };
    let exported = match args.mode {
        Mode::Export => export(&service, &others, args.with_revisions),
        Mode::Replay => replay(&service, &others, args.with_revisions),
    };
    Ok(console.out.write_all(format.tree(&exported)?.as_bytes())?)
}

/// The revisions that traffic goes to beside the latest, oldest first.
fn routed(service: &Service, mut revisions: Vec<Revision>) -> Vec<Revision> {
    let named: BTreeSet<_> =
        service.spec.traffic.iter().filter_map(|target| target.revision_name.as_deref()).collect();
    let latest = service.status.latest_created_revision_name.as_deref();
    revisions.retain(|revision| named.contains(revision.name()) && Some(revision.name()) != latest);
    let generation = |revision: &Revision| -> i64 {
        revision.label(CONFIGURATION_GENERATION).and_then(|text| text.parse().ok()).unwrap_or_default()
    };
    revisions.sort_by_key(|revision| (generation(revision), revision.name().to_owned()));
    revisions
}

fn export(service: &Service, others: &[Revision], with_revisions: bool) -> Value {
    let revisions: Vec<_> = others.iter().map(exported_revision).collect();
    json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {},
        "spec": {"service": to_value(&exported_service(service, with_revisions)), "revisions": revisions},
    })
}

/// A service for each revision, the latest last.
fn replay(service: &Service, others: &[Revision], with_revisions: bool) -> Value {
    let mut latest = exported_service(service, with_revisions);
    if !with_revisions {
        return to_value(&latest);
    }
    let names = Renamed::of(&latest, others);
    names.service(&mut latest);
    let latest = to_value(&latest);
    let before = others.iter().map(|revision| {
        let mut earlier = exported_service(service, false);
        let labels = service.spec.template.metadata.labels.clone();
        let name = Some(names.name(revision.name()));
        earlier.spec.template = RevisionTemplateSpec {
            metadata: ObjectMeta { name, labels, ..kept(&revision.metadata) },
            spec: revision.spec.clone(),
        };
        to_value(&earlier)
    });
    let items: Vec<_> = before.chain([latest]).collect();
    json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items})
}

/// The service as it was asked for. With its traffic, the latest revision has its name, since what traffic names has to be
/// named alike elsewhere.
fn exported_service(service: &Service, with_traffic: bool) -> Service {
    let template = &service.spec.template;
    let mut metadata = kept(&template.metadata);
    let mut spec = ServiceSpec { traffic: Vec::new(), ..service.spec.clone() };
    if with_traffic {
        metadata.name.clone_from(&service.status.latest_created_revision_name);
        spec.traffic.clone_from(&service.spec.traffic);
    }
    spec.template = RevisionTemplateSpec { metadata, spec: template.spec.clone() };
    Service::new(kept(&service.metadata), spec)
}

fn exported_revision(revision: &Revision) -> Value {
    let mut exported = Revision::clone(revision);
    exported.metadata = kept(&revision.metadata);
    let mut exported = to_value(&exported);
    if let Some(fields) = exported.as_object_mut() {
        fields.remove("status");
    }
    exported
}

/// Of metadata what the user said: the name, labels and annotations.
fn kept(metadata: &ObjectMeta) -> ObjectMeta {
    let said = |map: &Option<BTreeMap<String, String>>| {
        let mut map = map.clone()?;
        map.retain(|key, _| !NOT_EXPORTED.contains(&key.as_str()));
        (!map.is_empty()).then_some(map)
    };
    ObjectMeta {
        name: metadata.name.clone(),
        labels: said(&metadata.labels),
        annotations: said(&metadata.annotations),
        ..ObjectMeta::default()
    }
}

#[cfg(test)]
mod tests;
