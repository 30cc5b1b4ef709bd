use resources::{
    Object,
    builtin::{ConfigMap, Secret},
    meta::ObjectMeta,
};

use super::*;
use crate::{ApiServer, Limits, Options, store::Selection};

const SEEN_MAX: usize = 4;
const LEASE: Duration = Duration::from_secs(10);
const SHARED_FOR: Duration = Duration::from_millis(250);
const LEASES_MAX: usize = 8;

async fn server() -> ApiServer {
    let limits = Limits {
        seen_changes_per_kind_max: SEEN_MAX,
        changes_per_kind_max: 64,
        lease: LEASE,
        lease_shared_for: SHARED_FOR,
        leases_per_kind_max: LEASES_MAX,
        ..Limits::default()
    };
    ApiServer::in_memory(Options { limits, ..Options::new("") }).await.unwrap()
}

/// More than is kept for nobody.
async fn churn(server: &ApiServer, round: usize) {
    for number in 0..2 * SEEN_MAX {
        let (name, namespace) = (Some(format!("m-{round}-{number}")), Some("default".into()));
        let metadata = ObjectMeta { name, namespace, ..ObjectMeta::default() };
        server.client().create(ConfigMap { metadata, ..ConfigMap::default() }).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_after_a_list_is_kept_for_a_while() {
    let server = server().await;
    let (store, kind) = (&server.shared.registry.store, <ConfigMap as Object>::kind());
    let is_kept = |version: u64| store.follow(kind, Selection::default(), version).is_ok();
    let version = store.version();
    store.lease(kind, version);
    // Another kind's is none of this one's.
    let others = store.version();
    store.lease(<Secret as Object>::kind(), others);
    for round in 0..4 {
        churn(&server, round).await;
        assert!(is_kept(version), "{round}");
        tokio::time::sleep(LEASE / 5).await;
    }
    tokio::time::sleep(LEASE / 5).await;
    // Those who wait till then have their turn.
    tokio::task::yield_now().await;
    assert!(!is_kept(version), "nobody writes, and yet it is let go");
    assert!(store.lock().leases.leases.is_empty());
}

#[tokio::test(start_paused = true)]
async fn it_is_not_kept_past_what_is_kept_for_anybody() {
    let server = server().await;
    let (store, kind) = (&server.shared.registry.store, <ConfigMap as Object>::kind());
    let version = store.version();
    store.lease(kind, version);
    for round in 0..64 / SEEN_MAX {
        churn(&server, round).await;
    }
    assert!(store.follow(kind, Selection::default(), version).is_err());
}

#[tokio::test(start_paused = true)]
async fn who_lists_in_a_loop_has_few_leases() {
    let server = server().await;
    let (store, kind) = (&server.shared.registry.store, <ConfigMap as Object>::kind());
    for round in 0..3 {
        churn(&server, round).await;
        for _ in 0..100 {
            let newest = store.version();
            store.lease(kind, newest);
        }
        tokio::time::sleep(SHARED_FOR).await;
    }
    assert_eq!(store.lock().leases.leases.len(), 3);
    // A page of an older version needs its own.
    store.lease(kind, store.version());
    store.lease(kind, 1);
    assert_eq!(store.lock().leases.leases.len(), 5);
    tokio::time::sleep(SHARED_FOR).await;
    store.lease(<Secret as Object>::kind(), 1);
    for version in 0..2 * LEASES_MAX as u64 {
        store.lease(kind, 3 * LEASES_MAX as u64 - version);
    }
    assert_eq!(store.lock().leases.leases.len(), LEASES_MAX + 1, "another kind's is not ended");
}
