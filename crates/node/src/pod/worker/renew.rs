//! The files of ConfigMaps and Secrets in a pod that runs follow their objects, and its tokens are replaced before they end
//! (upstream: kubernetes, kubelet volume manager, which looks once a minute).

use std::sync::Arc;

use resources::{Object, builtin::Pod};
use tokio::time::{sleep, timeout};

use super::Worker;
use crate::pod::{
    backoff,
    env::Surroundings,
    events::{self, News},
    kubelet::Shared,
    tokens::PodTokens,
    values::{Seen, Values},
    volumes::{self, Places, Turns},
};

impl Worker {
    /// Renews the pod's volumes from now on, as long as it runs. `shown` is what they show, where that is known.
    pub(super) fn renew_volumes(&mut self, shown: Option<Seen>) {
        let Some(prepared) = &self.prepared else { return };
        if Values::are_in_volumes(&self.pod) {
            let (shared, pod) = (Arc::clone(&self.shared), Arc::clone(&self.pod));
            let (address, turns) = (prepared.address.to_string(), self.volumes.clone());
            self.happenings
                .push(Box::pin(async move { follow(&shared, &pod, &address, &turns, shown).await }));
        }
    }
}

async fn follow<T>(
    shared: &Shared,
    pod: &Arc<Pod>,
    address: &str,
    turns: &Turns,
    mut shown: Option<Seen>,
) -> T {
    let (mut failures, mut told, mut tokens) = (0, None, PodTokens::default());
    loop {
        if let Some(shown) = shown.take() {
            tokens = shown.tokens().clone();
            let changed = shown.changed(shared.client.clone(), pod.namespace().to_owned());
            match failures {
                0 => changed.await,
                _ => drop(timeout(backoff::wait_after(failures), changed).await),
            }
        } else if failures > 0 {
            sleep(backoff::wait_after(failures)).await;
        }
        let outcome = match Values::of_volumes(&shared.client, pod, shared.token_source(&tokens)).await {
            Ok(values) => {
                shown = Some(values.seen().clone());
                renew(shared, pod, address, turns, values).await
            }
            Err(error) => Err(error.to_string()),
        };
        failures = if outcome.is_ok() { 0 } else { failures + 1 };
        let why = outcome.err();
        if let Some(why) = why.as_ref().filter(|_| why != told) {
            let message = format!("could not renew all of the pod's volumes; trying again: {why}");
            let (about, reason) = (events::reference(pod, None), "FailedMount");
            let at = (shared.clock)();
            shared.recorder.tell(News { about, is_warning: true, reason, message, at });
        }
        told = why;
    }
}

async fn renew(
    shared: &Shared,
    pod: &Arc<Pod>,
    address: &str,
    turns: &Turns,
    values: Values,
) -> Result<(), String> {
    let (places, pod, address): (Places, _, _) = (shared.places(pod), Arc::clone(pod), address.to_owned());
    let allocatable = shared.options.allocatable;
    let renewed = turns.run(move || {
        volumes::renew(&places, &pod, &values, &Surroundings { address: &address, allocatable })
    });
    renewed.await.map_err(|error| error.to_string())?.map_err(|missing| missing.to_string())
}
