//! Ingress: its status, which says when every gateway serves it.

mod status;

use std::{collections::BTreeSet, sync::Arc};

use futures::future::BoxFuture;
use objects::{Action, Controller, Queue, Reconcile, Result};
use parking_lot::Mutex;
use resources::{Object, ObjectKey, annotations::INGRESS_CLASS, networking::Ingress};
use tokio::sync::watch;

use self::status::{ingress_status, is_served, unknown_class_status};
use super::{Context, IngressClass};
use crate::serving::child::write_status;

/// The Ingresses that no gateway serves yet as they now are: the only ones that a new routing table concerns.
type Waiting = Mutex<BTreeSet<ObjectKey>>;

struct Ingresses {
    context: Context,
    waiting: Arc<Waiting>,
}

/// The controller of Ingresses.
pub(super) fn run(context: Context) -> BoxFuture<'static, ()> {
    let controller = Controller::new::<Ingress>("ingress", context.client.clone());
    let waiting = Arc::new(Waiting::default());
    let changes = requeue_waiting(context.gateways.changed(), controller.queue(), Arc::clone(&waiting));
    Box::pin(async move {
        tokio::join!(controller.run(Ingresses { context, waiting }), changes);
    })
}

async fn requeue_waiting(
    mut changed: watch::Receiver<u64>,
    queue: Arc<Queue<ObjectKey>>,
    waiting: Arc<Waiting>,
) {
    while changed.changed().await.is_ok() {
        let keys: Vec<_> = waiting.lock().iter().cloned().collect();
        keys.into_iter().for_each(|key| queue.add(key));
    }
    std::future::pending().await
}

impl Reconcile for Ingresses {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let Some(ingress) = client.find::<Ingress>(key).await?.filter(|ingress| !ingress.is_deleting())
        else {
            self.waiting.lock().remove(key);
            return Ok(Action::Wait);
        };
        let gateways = &self.context.gateways;
        let class = INGRESS_CLASS.of(&ingress.metadata).unwrap_or_default();
        let mut next = Ingress::clone(&ingress);
        let now = self.context.now();
        match gateways.class(class) {
            IngressClass::Others => return Ok(Action::Wait),
            IngressClass::Unknown => next.status = unknown_class_status(&ingress, class, &now),
            IngressClass::Served => {
                // Noted before the gateways are asked, so that a table taken in between is not missed.
                self.waiting.lock().insert(key.clone());
                let served = is_served(&ingress, gateways.applied(key).as_ref());
                if served {
                    self.waiting.lock().remove(key);
                }
                next.status = ingress_status(&ingress, served, gateways.load_balancers(), &now);
            }
        }
        write_status(client, &*ingress, next).await?;
        Ok(Action::Wait)
    }
}
