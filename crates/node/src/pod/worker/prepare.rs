//! What the containers of a pod share, made before the first of them: sandbox, address, volumes.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use resources::{Object, builtin::Pod, container_reasons::CREATE_CONTAINER_CONFIG_ERROR};
use tokio::time::timeout;

use super::{Happening, Worker, told};
use crate::{
    pod::{
        backoff,
        env::Surroundings,
        image::Failure,
        kubelet::Shared,
        state::State,
        tokens::PodTokens,
        values::{Missing, Seen, Values},
        volumes::{self, Turns, Volumes},
    },
    runtime::{SandboxId, SandboxSpec},
};

/// The longest hostname the kernel takes.
const HOSTNAME_MAX: usize = 63;

/// For how many pods to come an address is guessed: as many as sandboxes are made beforehand.
const GUESSES: usize = 4;

/// What the containers of a pod share.
pub(super) struct Prepared {
    pub(super) hostname: String,
    pub(super) address: Ipv4Addr,
    pub(super) volumes: Volumes,
}

impl Worker {
    /// Makes the shared things but for the sandbox; the outcome is a happening.
    pub(super) fn prepare(&mut self) {
        let (shared, pod, sandbox) = (Arc::clone(&self.shared), Arc::clone(&self.pod), self.sandbox.clone());
        let Some(address) = self.address.or_else(|| shared.addresses.take()) else {
            let (network, prefix) = shared.options.pod_network;
            let message = format!("no address is left in {network}/{prefix} for another pod");
            let failure = Failure::new("FailedCreatePodSandBox", message);
            self.happenings.push(Box::pin(std::future::ready(Happening::Prepared(Err(failure)))));
            return;
        };
        // Given back at the pod's end, whatever becomes of this.
        self.address = Some(address);
        let turns = self.volumes.clone();
        self.happenings.push(Box::pin(async move {
            Happening::Prepared(prepare(&shared, &pod, &sandbox, address, &turns).await)
        }));
    }

    /// Asks for the sandbox of a pod that is prepared; the outcome is a happening. What is asked for after it waits for it.
    pub(super) fn make_sandbox(&mut self, shown: Option<Seen>) {
        let Some(Prepared { hostname, address, .. }) = self.prepared.as_deref() else { return };
        let (hostname, addresses) = (hostname.clone(), vec![IpAddr::V4(*address)]);
        let (shared, pod) = (Arc::clone(&self.shared), Arc::clone(&self.pod));
        let next = shared.addresses.next(GUESSES).into_iter().map(IpAddr::V4).collect();
        let spec = SandboxSpec { id: self.sandbox.clone(), hostname, addresses, next };
        self.happenings.push(Box::pin(async move {
            let made = shared.runtime.create_sandbox(spec).await.map_err(|error| {
                tracing::debug!(pod = %pod.key(), %error, "could not make a pod's sandbox");
                Failure::new("FailedCreatePodSandBox", told::of_sandbox(&error, pod.name()))
            });
            Happening::Sandboxed(made.map(|()| shown))
        }));
    }

    /// Notes that what the containers share could not be made. It is tried again after a while, or when what was read
    /// for it has changed.
    pub(super) fn not_prepared(&mut self, failure: Failure) {
        // Starts that were asked for meanwhile fail with it.
        self.prepared = None;
        self.has_sandbox = false;
        self.prepare_failures += 1;
        let wait = backoff::wait_after(self.prepare_failures);
        let reason =
            if failure.reason == CREATE_CONTAINER_CONFIG_ERROR { "FailedMount" } else { failure.reason };
        self.warn(None, reason, failure.message.clone());
        let changed = failure.seen.changed(self.shared.client.clone(), self.pod.namespace().to_owned());
        for record in &mut self.records {
            record.state = State::waiting(failure.reason, failure.message.clone());
        }
        self.happenings.push(Box::pin(async move {
            let _changed_or_waited = timeout(wait, changed).await;
            Happening::PrepareAgain
        }));
    }
}

async fn prepare(
    shared: &Shared,
    pod: &Arc<Pod>,
    sandbox: &SandboxId,
    address: Ipv4Addr,
    turns: &Turns,
) -> Result<(Prepared, Option<Seen>), Failure> {
    // There is one where the sandbox could not be made before, or a worker has ended by a fault of its own.
    if let Err(error) = shared.runtime.remove_sandbox(sandbox).await {
        tracing::warn!(pod = %pod.key(), %error, "could not remove all of an earlier sandbox");
    }
    let config_error = |message: String| Failure::new(CREATE_CONTAINER_CONFIG_ERROR, message);
    let (volumes, shown) = if pod
        .spec
        .as_ref()
        .is_some_and(|spec| spec.volumes.as_ref().is_some_and(|volumes| !volumes.is_empty()))
    {
        let read = Values::of_volumes(&shared.client, pod, shared.token_source(&PodTokens::default())).await;
        let values = read.map_err(|error| config_error(error.to_string()))?;
        let (places, pod, shown) = (shared.places(pod), Arc::clone(pod), values.seen().clone());
        let (address, allocatable) = (address.to_string(), shared.options.allocatable);
        let made = turns.run(move || {
            volumes::make(&places, &pod, &values, &Surroundings { address: &address, allocatable })
        });
        let made = made.await.map_err(|error| config_error(error.to_string()))?;
        let seen =
            |missing: Missing| Failure { seen: Box::new(shown.clone()), ..config_error(missing.to_string()) };
        (made.map_err(seen)?, Some(shown))
    } else {
        (Volumes::new(), None)
    };
    Ok((Prepared { hostname: hostname(pod), address, volumes }, shown))
}

/// The shared things of a pod that runs: they are there, and stay as its containers see them.
pub(super) fn kept(shared: &Shared, pod: &Pod, address: Ipv4Addr) -> Prepared {
    let volumes = volumes::kept(&shared.places(pod), pod);
    Prepared { hostname: hostname(pod), address, volumes }
}

fn hostname(pod: &Pod) -> String {
    let own = pod.spec.as_ref().and_then(|spec| spec.hostname.clone());
    let mut name = own.unwrap_or_else(|| pod.name().to_owned());
    name.truncate(HOSTNAME_MAX);
    name.trim_end_matches(['-', '.']).to_owned()
}
