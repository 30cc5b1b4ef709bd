use std::task::Poll;

use resources::{Object, builtin::ConfigMap, meta::ObjectMeta};

use super::*;
use crate::{
    ApiServer, Limits, Options,
    selector::LabelSelector,
    store::{facts::Facts, pairs::Interner, ring::RingLimits, shelf::Entry},
};

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
    let whole = |from: Start| store.page(kind, &all, PageOptions { limit: 0, from });
    let (version, there) = (store.version(), whole(Start::Now).await.unwrap().items.len());
    let mut late = 3 * SLICE..;
    let mut listing = Box::pin(whole(Start::Now));
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
    assert!(matches!(whole(Start::Version(version)).await, Err(Error::Expired(_))));
}

#[test]
fn few_objects_are_looked_at_under_one_lock() {
    let server = Limits::default();
    let limits = RingLimits {
        changes_max: server.changes_per_kind_max,
        bytes_max: server.change_bytes_per_kind_max,
        seen_changes_max: server.seen_changes_per_kind_max,
        seen_bytes_max: server.seen_change_bytes_per_kind_max,
        typed_max: server.typed_changes_per_kind_max,
        seen_typed_max: server.seen_typed_changes_per_kind_max,
    };
    let (mut shelf, mut names) = (Shelf::new(0, limits), Interner::new());
    let (kind, many) = (<ConfigMap as Object>::kind(), 2 * LOOKED_AT_MAX);
    let key = |number: usize| Key::of(kind, &ObjectKey::new("default", format!("m-{number:04}")));
    for number in 0..many {
        let facts = Facts::with(&map(number), &[], &mut names);
        shelf.insert(Entry { key: key(number), version: 1, facts });
    }
    let pick = |selection: &Selection, after: Option<&Key>, limit: usize| {
        let slice = super::pick(&shelf, &BTreeMap::new(), kind, selection, after, limit);
        (slice.picked.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), slice.next)
    };
    let all = Selection::default();
    assert_eq!(pick(&all, None, 2), (vec![key(0), key(1)], Some(key(1))));
    assert_eq!(pick(&all, Some(&key(many - 3)), 2), (vec![key(many - 2), key(many - 1)], None));
    let labels = LabelSelector::parse("there-is=none").unwrap();
    let none = Selection { namespace: Some("default".into()), labels, ..Selection::default() };
    assert_eq!(pick(&none, None, 2), (vec![], Some(key(LOOKED_AT_MAX - 1))));
    assert_eq!(pick(&none, Some(&key(LOOKED_AT_MAX - 1)), 2), (vec![], None));
    // In any namespace, so there may be more of that name: where to go on is told by what has been found alone.
    let anywhere = Selection { name: Some("m-0000".into()), ..Selection::default() };
    assert_eq!(pick(&anywhere, None, 1), (vec![key(0)], Some(key(0))));
    // By its name and namespace, one is looked at.
    let named = |name: &str| Selection {
        namespace: Some("default".into()),
        name: Some(name.into()),
        ..Selection::default()
    };
    assert_eq!(pick(&named("m-0001"), None, 2), (vec![key(1)], None));
    assert_eq!(pick(&named("m-0001"), Some(&key(1)), 2), (vec![], None));
    assert_eq!(pick(&named("none"), None, 2), (vec![], None));
}
