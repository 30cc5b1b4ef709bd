use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt, ready};
use objects::{Backend, Changes, Error, ListOptions, Listed, Result, WriteTarget};
use resources::{DynObject, Kind, ObjectKey};
use tokio::time::{sleep, timeout};

use super::*;

/// An API that takes a delete only after it has refused so many.
struct Busy {
    refusals: u32,
    calls: AtomicU32,
}

fn busy<T: Send + 'static>() -> BoxFuture<'static, Result<T>> {
    ready(Err(Error::Unavailable("busy".to_owned()))).boxed()
}

impl Backend for Busy {
    fn get(&self, _: &'static Kind, _: &ObjectKey) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        busy()
    }

    fn list(&self, _: &'static Kind, _: &ListOptions) -> BoxFuture<'_, Result<Listed>> {
        busy()
    }

    fn changes(&self, _: &'static Kind, _: &ListOptions, _: &str) -> BoxFuture<'_, Result<Changes>> {
        busy()
    }

    fn create(&self, _: Arc<dyn DynObject>) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        busy()
    }

    fn update(&self, _: WriteTarget, _: Arc<dyn DynObject>) -> BoxFuture<'_, Result<Arc<dyn DynObject>>> {
        busy()
    }

    fn delete(&self, _: &'static Kind, _: &ObjectKey, _: &DeleteOptions) -> BoxFuture<'_, Result<()>> {
        let calls = self.calls.fetch_add(1, Ordering::SeqCst);
        if calls < self.refusals { busy() } else { ready(Ok(())).boxed() }
    }
}

fn api(refusals: u32) -> (Arc<Busy>, Client) {
    let api = Arc::new(Busy { refusals, calls: AtomicU32::default() });
    (Arc::clone(&api), Client::new(api))
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_forgotten_when_the_api_takes_it_and_not_waited_for_when_the_node_stops() {
    let (pod, stop) = (Pod::default(), CancellationToken::new());
    let hour = Duration::from_secs(3600);
    let (busy, client) = api(3);
    timeout(hour, forget(&client, &pod, &stop)).await.unwrap();
    assert_eq!(busy.calls.load(Ordering::SeqCst), 4, "until it is taken");

    let (busy, never) = api(u32::MAX);
    let stopping = async {
        sleep(Duration::from_secs(60)).await;
        stop.cancel();
    };
    timeout(hour, async { tokio::join!(forget(&never, &pod, &stop), stopping) }).await.unwrap();
    assert!(busy.calls.load(Ordering::SeqCst) > 1, "it was tried until then");
}
