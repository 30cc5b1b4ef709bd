//! Where a remote API server is, what this client sees of it, and every limit.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use resources::{Kind, ObjectKey, meta::ObjectMeta};

use crate::Backoff;

/// The way to an API server.
#[derive(Clone, Debug)]
pub enum Access {
    /// The text of a kubeconfig; its current context counts.
    Kubeconfig(String),
    /// What `kubectl` would use here (`$KUBECONFIG`, `~/.kube/config`), else the service account of this pod.
    Surroundings,
}

/// How a [`Remote`](super::Remote) works.
#[derive(Clone, Debug, Default)]
pub struct RemoteOptions {
    /// Every limit.
    pub limits: RemoteLimits,
    /// Kinds of which lists and watches see a part only: what permissions or memory call for. The others are seen whole.
    pub scopes: HashMap<&'static Kind, Scope>,
}

/// A part of a kind that the server can select.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only this namespace.
    pub namespace: Option<String>,
    /// Only this name.
    pub name: Option<String>,
    /// Only objects with each of these labels.
    pub labels: BTreeMap<String, String>,
}

impl Scope {
    /// Whether every object with this key is in the scope.
    pub(super) fn covers(&self, key: &ObjectKey) -> bool {
        self.labels.is_empty() && self.has_key(key)
    }

    /// Whether the object with this metadata is in the scope.
    pub(super) fn has(&self, metadata: &ObjectMeta) -> bool {
        let label = |name| metadata.labels.as_ref().and_then(|labels| labels.get(name));
        self.has_key(&ObjectKey::of(metadata))
            && self.labels.iter().all(|(name, value)| label(name) == Some(value))
    }

    fn has_key(&self, key: &ObjectKey) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
            && self.name.as_ref().is_none_or(|name| *name == key.name)
    }
}

/// The limits of a [`Remote`](super::Remote). Sizes are bytes.
#[derive(Clone, Debug)]
pub struct RemoteLimits {
    /// Requests at once, watches not counted; further ones wait.
    pub requests_max: usize,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a request may take, its wait for a place among `requests_max` included.
    pub request_timeout: Duration,
    /// An answer's body.
    pub body_bytes_max: usize,
    /// One line of a watch: one object.
    pub line_bytes_max: usize,
    /// Objects asked for at a time when a kind is listed (upstream: client-go, `tools/pager`).
    pub page_max: usize,
    /// The time after which the server is asked to end a watch, which then goes on with a new request.
    pub watch_timeout: Duration,
    /// A watch that has told nothing for so long counts as broken; servers send a bookmark about once a minute.
    pub watch_idle_max: Duration,
    /// Recent changes kept per kind; a watcher that falls further behind has to list again.
    pub changes_per_kind_max: usize,
    /// The wait before a reflector that failed tries again.
    pub retry: Backoff,
    /// How often an update without a `resourceVersion` is tried while others are faster.
    pub update_attempts_max: usize,
}

impl Default for RemoteLimits {
    fn default() -> Self {
        Self {
            requests_max: 64,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            body_bytes_max: 64 << 20,
            line_bytes_max: 8 << 20,
            page_max: 500,
            watch_timeout: Duration::from_secs(1800),
            watch_idle_max: Duration::from_secs(180),
            changes_per_kind_max: 2048,
            retry: Backoff { min: Duration::from_millis(10), max: Duration::from_secs(5) },
            update_attempts_max: 8,
        }
    }
}
