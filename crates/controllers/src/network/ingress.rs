//! Ingress: its status, which says when every gateway serves it.

mod status;

use std::{collections::BTreeSet, sync::Arc};

use futures::future::BoxFuture;
use objects::{Action, Controller, Queue, Reconcile, Result};
use parking_lot::Mutex;
use resources::{Object, ObjectKey, annotations::INGRESS_CLASS, networking::Ingress};
use tokio::sync::watch;

use self::status::{Standing, ingress_status, is_ready, unknown_class_status};
use super::{Context, Gateways, IngressClass};
use crate::serving::under_way::UnderWay;

/// The Ingresses that the gateways do not serve as they now are, or not on all of their hosts.
type Unserved = Mutex<BTreeSet<ObjectKey>>;

struct Ingresses {
    context: Context,
    unserved: Arc<Unserved>,
    under_way: UnderWay,
}

/// The controller of Ingresses.
pub(super) fn run(context: Context) -> BoxFuture<'static, ()> {
    let controller = Controller::new::<Ingress>("ingress", context.client.clone());
    let unserved = Arc::new(Unserved::default());
    let gateways = Arc::clone(&context.gateways);
    let changed = gateways.changed();
    let changes = requeue_concerned(gateways, changed, controller.queue(), Arc::clone(&unserved));
    Box::pin(async move {
        tokio::join!(
            controller.run(Ingresses { context, unserved, under_way: UnderWay::default() }),
            changes
        );
    })
}

/// Queues those whose status a new routing table may change: what was not served may be now, and what was may have lost
/// a host to an older Ingress.
async fn requeue_concerned(
    gateways: Arc<dyn Gateways>,
    mut changed: watch::Receiver<u64>,
    queue: Arc<Queue<ObjectKey>>,
    unserved: Arc<Unserved>,
) {
    while changed.changed().await.is_ok() {
        let mut keys = unserved.lock().clone();
        keys.extend(gateways.conflicting());
        keys.into_iter().for_each(|key| queue.add(key));
    }
    std::future::pending().await
}

impl Reconcile for Ingresses {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let Some(ingress) = client.find::<Ingress>(key).await?.filter(|ingress| !ingress.is_deleting())
        else {
            self.unserved.lock().remove(key);
            self.under_way.forget(key);
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
                // Asked before what is served, so that what they know by then is in it.
                let know_all = gateways.know_all();
                // Noted before the gateways are asked, so that a table taken in between is not missed.
                self.unserved.lock().insert(key.clone());
                let standing = Standing::of(&ingress, gateways.served(key));
                match standing {
                    Standing::Served => {
                        self.unserved.lock().remove(key);
                    }
                    // At their start they serve nothing yet, which says nothing of what was served before.
                    Standing::Waiting if !know_all && is_ready(&ingress) => return Ok(Action::Wait),
                    Standing::Waiting | Standing::Conflict(_) => {}
                }
                next.status = ingress_status(&ingress, standing, gateways.load_balancers(), &now);
            }
        }
        Ok(self.under_way.write_status(client, &*ingress, next).await?.unwrap_or(Action::Wait))
    }
}
