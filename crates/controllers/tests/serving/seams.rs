//! The ends of the seams: images that are there or not, and gateways that serve what they have seen.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
};

use controllers::{
    network::{self, DomainConflict, IngressClass, LoadBalancers, Served},
    serving::{ImageQuery, ImageResolver},
};
use futures::future::BoxFuture;
use objects::{Client, Event, ListOptions};
use parking_lot::Mutex;
use resources::{
    Object, ObjectKey,
    networking::{Ingress, LoadBalancerIngressStatus, LoadBalancerStatus},
};
use tokio::sync::watch;

/// An image of a registry that knows its digest.
pub(crate) const PINNED: &str = "example.com/pinned:1";
/// What [`PINNED`] stands for.
pub(crate) const PINNED_DIGEST: &str =
    "example.com/pinned@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
/// An image of a registry that never answers.
pub(crate) const SILENT: &str = "example.com/silent:1";

/// Images by the names they were loaded under.
pub(crate) struct Images {
    present: Mutex<BTreeSet<String>>,
    changed: watch::Sender<u64>,
}

impl Images {
    pub(crate) fn new() -> Self {
        Self { present: Mutex::default(), changed: watch::Sender::new(0) }
    }

    pub(crate) fn add(&self, image: &str) {
        self.present.lock().insert(image.to_owned());
        self.changed.send_modify(|version| *version += 1);
    }
}

impl ImageResolver for Images {
    fn local(&self, query: &ImageQuery) -> Option<Result<Option<String>, String>> {
        self.present.lock().contains(&query.image).then_some(Ok(None))
    }

    fn resolve<'a>(&'a self, query: &'a ImageQuery) -> BoxFuture<'a, Result<Option<String>, String>> {
        Box::pin(async move {
            match query.image.as_str() {
                SILENT => std::future::pending().await,
                PINNED if !query.keep_tag => Ok(Some(PINNED_DIGEST.to_owned())),
                PINNED => Ok(None),
                _ => Err("registry gcr.io: manifest unknown".to_owned()),
            }
        })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// Gateways that serve every Ingress as soon as they see it, unless they are held.
#[derive(Default)]
pub(crate) struct Gateways {
    held: AtomicBool,
    beginning: AtomicBool,
    served: Mutex<BTreeMap<ObjectKey, Served>>,
    changed: watch::Sender<u64>,
}

impl Gateways {
    /// From now on they serve nothing, or all that they have seen.
    pub(crate) fn hold(&self, held: bool) {
        self.held.store(held, Ordering::SeqCst);
        self.changed.send_modify(|version| *version += 1);
    }

    /// They begin anew: what they serve is all still to come, until it is told that they know all.
    pub(crate) fn begin(&self) {
        self.beginning.store(true, Ordering::SeqCst);
        self.hold(true);
    }

    /// They have heard of all Ingresses, and serve them.
    pub(crate) fn have_begun(&self) {
        self.beginning.store(false, Ordering::SeqCst);
        self.hold(false);
    }

    /// From now on this Ingress, which they have seen, has lost a host to another one, or has it again.
    pub(crate) fn conflict(&self, ingress: &ObjectKey, conflict: Option<DomainConflict>) {
        self.served.lock().get_mut(ingress).unwrap().conflict = conflict;
        self.changed.send_modify(|version| *version += 1);
    }

    pub(crate) fn follow(
        self: &std::sync::Arc<Self>,
        client: Client,
    ) -> impl Future<Output = ()> + Send + 'static {
        let gateways = std::sync::Arc::clone(self);
        async move {
            let mut watch = client.watch::<Ingress>(ListOptions::all());
            loop {
                if let Event::Applied(ingress) = watch.next().await {
                    let (uid, generation) = (ingress.uid().to_owned(), ingress.generation());
                    let mut served = gateways.served.lock();
                    let conflict = served.remove(&ingress.key()).and_then(|before| before.conflict);
                    served.insert(ingress.key(), Served { uid, generation, conflict });
                    drop(served);
                    gateways.changed.send_modify(|version| *version += 1);
                }
            }
        }
    }
}

impl network::Gateways for Gateways {
    fn class(&self, class: &str) -> IngressClass {
        match class {
            "istio.ingress.networking.knative.dev" | "kourier.ingress.networking.knative.dev" => {
                IngressClass::Served
            }
            _ => IngressClass::Unknown,
        }
    }

    fn know_all(&self) -> bool {
        !self.beginning.load(Ordering::SeqCst)
    }

    fn served(&self, ingress: &ObjectKey) -> Option<Served> {
        self.served.lock().get(ingress).filter(|_| !self.held.load(Ordering::SeqCst)).cloned()
    }

    fn conflicting(&self) -> Vec<ObjectKey> {
        let served = self.served.lock();
        served.iter().filter(|(_, state)| state.conflict.is_some()).map(|(key, _)| key.clone()).collect()
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn load_balancers(&self) -> LoadBalancers {
        let entry = LoadBalancerIngressStatus {
            domain_internal: Some("gateway.knative-serving.svc.cluster.local".to_owned()),
            ..LoadBalancerIngressStatus::default()
        };
        let balancer = LoadBalancerStatus { ingress: vec![entry] };
        LoadBalancers { public: balancer.clone(), private: balancer }
    }
}
