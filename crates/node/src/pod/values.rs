//! The ConfigMaps and Secrets that a pod names: a container's are read for each of its starts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use objects::{Client, Event, ListOptions, Result};
use resources::{
    Object, ObjectKey,
    builtin::{ConfigMap, Container, Pod, Secret, ServiceAccountTokenProjection, Volume},
};
use tokio::time::Instant;

use super::tokens::{self, PodTokens, Tokens};

/// How long a change is let be before what names it is tried again: whoever changes one thing often changes more.
const CHANGE_REST: Duration = Duration::from_millis(100);

/// What a pod can refer to by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    config_maps: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    secrets: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    seen: Seen,
}

/// Where volumes' tokens come from.
pub(super) struct TokenSource<'a> {
    pub(super) tokens: &'a dyn Tokens,
    /// Those that are shown.
    pub(super) shown: &'a PodTokens,
}

/// Which versions of what a pod names were read; `None` for what was not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    config_maps: BTreeMap<String, Option<String>>,
    secrets: BTreeMap<String, Option<String>>,
    tokens: PodTokens,
}

/// Something a pod needs that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Missing(pub(super) String);

impl Values {
    /// Reads what a container's environment names; what is not there is simply absent.
    pub(super) async fn of_container(client: &Client, pod: &Pod, container: &Container) -> Result<Self> {
        Self::read(client, pod, Names::of_container(container)).await
    }

    /// Reads what the pod's volumes name; what is not there is simply absent.
    pub(super) async fn of_volumes(client: &Client, pod: &Pod, source: TokenSource<'_>) -> Result<Self> {
        let mut values = Self::read(client, pod, Names::of_volumes(volumes(pod))).await?;
        let asked = tokens::Asked::by(volumes(pod));
        values.seen.tokens = source.shown.renewed(source.tokens, pod, asked, Instant::now());
        Ok(values)
    }

    /// Whether the pod's volumes name any.
    pub(super) fn are_in_volumes(pod: &Pod) -> bool {
        let names = Names::of_volumes(volumes(pod));
        let has_tokens = !tokens::Asked::by(volumes(pod)).is_empty();
        !names.config_maps.is_empty() || !names.secrets.is_empty() || has_tokens
    }

    async fn read(client: &Client, pod: &Pod, names: Names) -> Result<Self> {
        let mut values = Self::default();
        for name in names.config_maps {
            let found = client.find::<ConfigMap>(&ObjectKey::new(pod.namespace(), &name)).await?;
            values.seen.config_maps.insert(name.clone(), found.as_ref().and_then(|map| version(&**map)));
            if let Some(map) = found {
                let text =
                    map.data.iter().flatten().map(|(key, value)| (key.clone(), value.clone().into_bytes()));
                let bytes =
                    map.binary_data.iter().flatten().map(|(key, value)| (key.clone(), value.0.clone()));
                values.config_maps.insert(name, text.chain(bytes).collect());
            }
        }
        for name in names.secrets {
            let found = client.find::<Secret>(&ObjectKey::new(pod.namespace(), &name)).await?;
            values.seen.secrets.insert(name.clone(), found.as_ref().and_then(|secret| version(&**secret)));
            if let Some(secret) = found {
                let bytes = secret.data.iter().flatten().map(|(key, value)| (key.clone(), value.0.clone()));
                values.secrets.insert(name, bytes.collect());
            }
        }
        Ok(values)
    }

    /// What was read.
    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// A token that a volume asks for.
    pub(super) fn token(&self, source: &ServiceAccountTokenProjection) -> Result<&str, Missing> {
        self.seen.tokens.get(&tokens::Asked::of(source))
    }

    /// A ConfigMap's keys.
    pub(super) fn config_map(&self, name: &str) -> Result<&BTreeMap<String, Vec<u8>>, Missing> {
        self.config_maps.get(name).ok_or_else(|| Missing(format!("configmap {name:?} not found")))
    }

    /// A Secret's keys.
    pub(super) fn secret(&self, name: &str) -> Result<&BTreeMap<String, Vec<u8>>, Missing> {
        self.secrets.get(name).ok_or_else(|| Missing(format!("secret {name:?} not found")))
    }
}

fn volumes(pod: &Pod) -> impl Iterator<Item = &Volume> {
    pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten())
}

impl Seen {
    /// The tokens that are shown.
    pub(super) fn tokens(&self) -> &PodTokens {
        &self.tokens
    }

    /// Waits until something of it is not what it was, or too old; for ever where nothing was read.
    pub(super) async fn changed(self, client: Client, namespace: String) {
        tokio::select! {
            () = differs::<ConfigMap>(&client, &namespace, &self.config_maps) => {}
            () = differs::<Secret>(&client, &namespace, &self.secrets) => {}
            () = self.tokens.old() => {}
        }
        tokio::time::sleep(CHANGE_REST).await;
    }
}

async fn differs<K: Object>(client: &Client, namespace: &str, seen: &BTreeMap<String, Option<String>>) {
    let mut options = ListOptions::namespace(namespace);
    match seen.keys().collect::<Vec<_>>()[..] {
        [] => return std::future::pending().await,
        [only] => options.name = Some(only.clone()),
        _ => {}
    }
    let mut watch = client.watch::<K>(options);
    loop {
        if let Event::Applied(object) = watch.next().await
            && let Some(before) = seen.get(object.name())
            && *before != version(&*object)
        {
            return;
        }
    }
}

fn version<K: Object>(object: &K) -> Option<String> {
    object.metadata().resource_version.clone()
}

/// Each name once, whoever mentions it.
#[derive(Debug, Default)]
struct Names {
    config_maps: BTreeSet<String>,
    secrets: BTreeSet<String>,
}

impl Names {
    fn of_container(container: &Container) -> Self {
        let mut names = Self::default();
        for source in container.env_from.iter().flatten() {
            names.config_maps.extend(source.config_map_ref.as_ref().map(|source| source.name.clone()));
            names.secrets.extend(source.secret_ref.as_ref().map(|source| source.name.clone()));
        }
        for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
            names.config_maps.extend(source.config_map_key_ref.as_ref().map(|source| source.name.clone()));
            names.secrets.extend(source.secret_key_ref.as_ref().map(|source| source.name.clone()));
        }
        names
    }

    fn of_volumes<'a>(volumes: impl Iterator<Item = &'a Volume>) -> Self {
        let mut names = Self::default();
        for volume in volumes {
            names.config_maps.extend(volume.config_map.as_ref().map(|source| source.name.clone()));
            names.secrets.extend(volume.secret.as_ref().and_then(|source| source.secret_name.clone()));
            for source in volume.projected.iter().flat_map(|source| source.sources.iter().flatten()) {
                names.config_maps.extend(source.config_map.as_ref().map(|source| source.name.clone()));
                names.secrets.extend(source.secret.as_ref().map(|source| source.name.clone()));
            }
        }
        names
    }
}
