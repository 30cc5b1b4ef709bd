//! What a user does with the API: deploy services, wait until they are ready.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use objects::{Client, Event, ListOptions, WriteTarget};
use resources::{
    Object, ObjectKey, annotations,
    builtin::{ConfigMap, Container, Pod},
    condition,
    meta::ObjectMeta,
    serving::{RevisionSpec, RevisionTemplateSpec, Service, ServiceSpec},
};
use tokio::time::timeout;

use crate::sample::IMAGE;

/// The namespace of everything here.
pub(crate) const NAMESPACE: &str = "default";
/// Services that are sent at once, as a client with several connections would.
const CREATES_AT_ONCE: usize = 16;
/// The longest that services may take to become ready.
const READY_MAX: Duration = Duration::from_secs(180);
/// The longest that pods may take to go.
const ZERO_MAX: Duration = Duration::from_secs(120);

/// How a service is scaled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scale {
    /// Starts at zero, and after its last request stays up for longer than a measurement takes.
    FromZero,
    /// Starts at zero, and falls back as soon as the rules allow.
    BackToZero,
    /// Always one instance.
    One,
}

impl Scale {
    fn annotations(self) -> Vec<(annotations::Key, &'static str)> {
        let zero = (annotations::INITIAL_SCALE, "0");
        match self {
            Self::FromZero => vec![zero, (annotations::SCALE_TO_ZERO_POD_RETENTION_PERIOD, "10m")],
            Self::BackToZero => vec![
                zero,
                (annotations::WINDOW, "6s"),
                (annotations::SCALE_TO_ZERO_POD_RETENTION_PERIOD, "0s"),
            ],
            Self::One => vec![(annotations::MIN_SCALE, "1"), (annotations::MAX_SCALE, "1")],
        }
    }
}

/// Lets services begin with no instance, which upstream forbids unless it is told otherwise.
pub(crate) async fn allow_initial_scale_zero(client: &Client) -> Result<()> {
    let key = ObjectKey { namespace: "knative-serving".into(), name: "config-autoscaler".into() };
    let allow = |map: &mut ConfigMap| {
        let data = map.data.get_or_insert_default();
        data.insert("allow-zero-initial-scale".into(), "true".into());
    };
    client.modify(WriteTarget::Object, &key, allow).await.context("allowing an initial scale of 0")?;
    Ok(())
}

/// Names that begin alike.
pub(crate) fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}-{number}")).collect()
}

/// Creates a service per name.
pub(crate) async fn deploy(client: &Client, names: &[String], scale: Scale) -> Result<()> {
    let creates = names.iter().map(|name| client.create(service(name, scale)));
    let created = stream::iter(creates).buffer_unordered(CREATES_AT_ONCE);
    created.try_for_each(async |_: Arc<Service>| Ok(())).await.context("creating services")
}

/// Creates so many small ConfigMaps, for something to list.
pub(crate) async fn fill(client: &Client, maps: usize) -> Result<()> {
    let map = |name: String| ConfigMap { metadata: metadata(&name), ..ConfigMap::default() };
    let creates = names("filling", maps).into_iter().map(|name| client.create(map(name)));
    let created = stream::iter(creates).buffer_unordered(CREATES_AT_ONCE);
    created.try_for_each(async |_: Arc<ConfigMap>| Ok(())).await.context("creating ConfigMaps")
}

/// Waits until every service of these names is ready; returns their hosts, in the order of the names.
pub(crate) async fn ready(client: &Client, names: &[String]) -> Result<Vec<String>> {
    let mut missing: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut watch = client.watch::<Service>(ListOptions::namespace(NAMESPACE));
    let mut last = String::new();
    let all = async {
        while !missing.is_empty() {
            let Event::Applied(service) = watch.next().await else { continue };
            let ready = condition::get(&service.status.conditions, condition::READY);
            match ready {
                Some(ready) if ready.is_true() => {
                    missing.remove(service.name());
                }
                Some(ready) => last = format!("{}: {} {}", service.name(), ready.reason, ready.message),
                None => {}
            }
        }
    };
    if timeout(READY_MAX, all).await.is_err() {
        let (seconds, first) = (READY_MAX.as_secs(), missing.first());
        anyhow::bail!(
            "{} services are not ready after {seconds} s, as {first:?}; last: {last}",
            missing.len()
        );
    }
    Ok(names.iter().map(|name| host(name)).collect())
}

/// The host by which the gateway knows a service.
pub(crate) fn host(name: &str) -> String {
    format!("{name}.{NAMESPACE}.localhost")
}

/// Waits until there is no pod.
pub(crate) async fn at_zero(client: &Client) -> Result<()> {
    let mut watch = client.watch::<Pod>(ListOptions::namespace(NAMESPACE));
    let gone = async {
        let (mut pods, mut all_told) = (BTreeSet::new(), false);
        while !(all_told && pods.is_empty()) {
            match watch.next().await {
                Event::Restarted => (pods, all_told) = (BTreeSet::new(), false),
                Event::Applied(pod) => _ = pods.insert(pod.key()),
                Event::Deleted(pod) => _ = pods.remove(&pod.key()),
                Event::Synced => all_told = true,
            }
        }
    };
    let gone = timeout(ZERO_MAX, gone).await;
    ensure!(gone.is_ok(), "a service has not fallen to zero within {} s", ZERO_MAX.as_secs());
    Ok(())
}

/// The sample's container.
pub(crate) fn container() -> Container {
    Container { image: Some(IMAGE.to_owned()), ..Container::default() }
}

fn service(name: &str, scale: Scale) -> Service {
    let wanted = scale.annotations();
    let wanted = wanted.into_iter().map(|(key, value)| (key.name().to_owned(), value.to_owned())).collect();
    let template = RevisionTemplateSpec {
        metadata: ObjectMeta { annotations: Some(wanted), ..ObjectMeta::default() },
        spec: RevisionSpec { containers: vec![container()], ..RevisionSpec::default() },
    };
    Service::new(metadata(name), ServiceSpec { template, traffic: Vec::new() })
}

/// Name and namespace.
pub(crate) fn metadata(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), namespace: Some(NAMESPACE.to_owned()), ..ObjectMeta::default() }
}
