use std::task::Poll;

use resources::{Object, builtin::ConfigMap, meta::ObjectMeta};

use super::*;
use crate::{ApiServer, Limits, Options};

fn map(number: usize) -> ConfigMap {
    let (name, namespace) = (Some(format!("m-{number:04}")), Some("default".into()));
    ConfigMap { metadata: ObjectMeta { name, namespace, ..ObjectMeta::default() }, ..ConfigMap::default() }
}

#[tokio::test]
async fn what_is_written_meanwhile_does_not_overtake_a_list() {
    let limits = Limits { seen_changes_per_kind_max: 4, ..Limits::default() };
    let server = ApiServer::in_memory(Options { limits, ..Options::new("") }).await.unwrap();
    let (client, store) = (server.client(), &server.shared.registry.store);
    for number in 0..3 * SLICE {
        client.create(map(number)).await.unwrap();
    }
    let (kind, all) = (<ConfigMap as Object>::kind(), Selection::default());
    let whole = |from: From| store.page(kind, &all, PageOptions { limit: 0, from });
    let (version, there) = (store.version(), whole(From::Now).await.unwrap().items.len());
    let mut late = 3 * SLICE..;
    let mut listing = Box::pin(whole(From::Now));
    let page = loop {
        if let Poll::Ready(page) = futures::poll!(&mut listing) {
            break page.unwrap();
        }
        // More between two slices than is kept for nobody.
        for number in late.by_ref().take(10) {
            client.create(map(number)).await.unwrap();
        }
    };
    assert_eq!((page.version, page.items.len()), (version, there));
    assert!(late.next() > Some(3 * SLICE), "nothing was written meanwhile");
    // When it is through, nothing is kept for it.
    client.create(map(9999)).await.unwrap();
    assert!(matches!(whole(From::Version(version)).await, Err(Error::Expired(_))));
}
