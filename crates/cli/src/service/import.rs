//! `ebb service import`: a service and its revisions from what `export` wrote, or `kn service export`.

use std::{path::PathBuf, time::Duration};

use kube::api::PostParams;
use resources::{
    Object,
    labels::CONFIGURATION_GENERATION,
    meta::OwnerReference,
    serving::{Configuration, Revision, Service},
};
use serde_json::Value;

use super::{
    announce::{self, Verb},
    export::{API_VERSION, KIND},
    manifest::decoded,
    renamed::Renamed,
    wait::WaitArgs,
};
use crate::{api::Session, console::Console, error::Error, text::read_text_or_input};

/// How often it is looked whether the service has its configuration.
const ATTEMPTS_MAX: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// What `import` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What `ebb service export` wrote; `-` for the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    wait: WaitArgs,
}

pub(super) async fn run(args: &Args, session: &Session, console: &mut Console<'_>) -> Result<(), Error> {
    let (mut service, revisions) = read(args)?;
    let name = service.name().to_owned();
    service.metadata.namespace = Some(session.namespace.clone());
    let names = Renamed::of(&service, &revisions);
    names.service(&mut service);
    if session.find::<Service>(&name).await?.is_some() {
        return Err(Error::Refused(format!(
            "cannot import service '{name}' in namespace '{}' because the service already exists",
            session.namespace
        )));
    }
    let created = session.all::<Service>().create(&PostParams::default(), &service).await;
    created.map_err(|error| session.explain(error))?;
    if !revisions.is_empty() {
        let owner = owner(&name, session).await?;
        for mut revision in revisions {
            revision.metadata.namespace = Some(session.namespace.clone());
            revision.metadata.name = Some(names.name(revision.name()));
            // That of another configuration's count: here it would be one to come.
            revision.metadata.labels.get_or_insert_default().remove(CONFIGURATION_GENERATION);
            // Only what its configuration owns is one of the service's revisions.
            revision.metadata.owner_references = Some(vec![owner.clone()]);
            let created = session.all::<Revision>().create(&PostParams::default(), &revision).await;
            created.map_err(|error| session.explain(error))?;
        }
    }
    let verb = Verb { doing: "Importing", done: "imported" };
    announce::written(&name, verb, &args.wait, session, console).await
}

fn read(args: &Args) -> Result<(Service, Vec<Revision>), Error> {
    let content = |reason: String| Error::Content {
        path: args.file.clone(),
        expected: "a file of `service export`",
        reason,
    };
    let value: Value = serde_saphyr::from_str(&read_text_or_input(&args.file)?)
        .map_err(|error| content(error.to_string()))?;
    if (&value["apiVersion"], &value["kind"]) != (&API_VERSION.into(), &KIND.into()) {
        return Err(content(format!("it says apiVersion {}, kind {}", value["apiVersion"], value["kind"])));
    }
    let service: Service = decoded(value["spec"]["service"].clone()).map_err(content)?;
    if service.name().is_empty() {
        return Err(content("it names no service".into()));
    }
    let revisions = value["spec"]["revisions"].as_array().into_iter().flatten().cloned();
    let revisions = revisions.map(decoded).collect::<Result<Vec<Revision>, _>>().map_err(content)?;
    Ok((service, revisions))
}

/// The reference by which the service's configuration, which a controller makes, owns its revisions.
async fn owner(service: &str, session: &Session) -> Result<OwnerReference, Error> {
    for _ in 0..ATTEMPTS_MAX {
        if let Some(configuration) = session.find::<Configuration>(service).await? {
            let kind = Configuration::kind();
            return Ok(OwnerReference {
                api_version: kind.api_version(),
                kind: kind.kind.to_owned(),
                name: service.to_owned(),
                uid: configuration.uid().to_owned(),
                controller: Some(true),
                block_owner_deletion: Some(true),
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
    let seconds = (PAUSE * ATTEMPTS_MAX).as_secs();
    Err(Error::Timeout { kind: "configuration", name: service.to_owned(), what: "made", seconds })
}
