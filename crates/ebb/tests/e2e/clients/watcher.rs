//! kube-rs' watcher behind a reflector, in both ways that it begins.

use std::collections::BTreeMap;

use futures::StreamExt;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject},
    runtime::{
        WatchStreamExt, reflector,
        reflector::{Store, store::Writer},
        watcher,
    },
};
use serde_json::Value;

use super::{client, storm, up};
use crate::rig::{need_kubectl, until};

/// So few that a list takes several pages while others write.
const PAGE: u32 = 7;

struct Reflector {
    kind: ApiResource,
    store: Store<DynamicObject>,
}

impl Reflector {
    fn start(runtime: &tokio::runtime::Runtime, client: &Client, kind: ApiResource, streaming: bool) -> Self {
        let config = watcher::Config::default().labels(storm::SELECTOR);
        let config = if streaming { config.streaming_lists() } else { config.page_size(PAGE) };
        let writer = Writer::new(kind.clone());
        let store = writer.as_reader();
        let objects: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
        let events = reflector(writer, watcher(objects, config).default_backoff());
        runtime.spawn(events.for_each(|_| std::future::ready(())));
        Self { kind, store }
    }

    fn known(&self) -> BTreeMap<String, Value> {
        let objects = self.store.state();
        let objects = objects.iter().map(|object| serde_json::to_value(&**object).unwrap());
        objects.map(|object| (storm::key(&object), storm::alone(&object))).collect()
    }
}

#[test]
fn watchers_end_with_what_there_is() {
    if !need_kubectl("watchers_end_with_what_there_is") {
        return;
    }
    let mut ebb = up();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(client(&ebb));
    let both = |kind: ApiResource| {
        [false, true].map(|streaming| Reflector::start(&runtime, &client, kind.clone(), streaming))
    };
    let reflectors: Vec<_> = storm::kinds().into_iter().flat_map(both).collect();
    storm::run(&mut ebb, &runtime, &client);
    for reflector in &reflectors {
        let there = || storm::there(&ebb, &reflector.kind);
        let same = until(|| (!there().is_empty() && reflector.known() == there()).then_some(()));
        assert!(
            same.is_some(),
            "{}: {:?}\nare known as {:?}",
            reflector.kind.plural,
            there(),
            reflector.known()
        );
    }
}
