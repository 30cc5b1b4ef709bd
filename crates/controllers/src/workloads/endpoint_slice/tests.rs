use serde_json::json;

use super::*;

fn service(name: &str, selector: serde_json::Value, target: serde_json::Value) -> Service {
    serde_json::from_value(json!({
        "metadata": { "name": name, "namespace": "team", "uid": "s1" },
        "spec": { "selector": selector, "ports": [{ "name": "http", "port": 80, "targetPort": target }] }
    }))
    .unwrap()
}

fn pod(name: &str, port: i32, ready: &str, extra: serde_json::Value) -> Arc<Pod> {
    let mut pod = json!({
        "metadata": { "name": name, "namespace": "team", "labels": { "app": "web", "uid": "0123456789" } },
        "spec": { "containers": [{ "name": "app", "ports": [{ "name": "user-port", "containerPort": port }] }] },
        "status": { "podIP": "10.1.0.1", "phase": "Running", "conditions": [{ "type": "Ready", "status": ready }] },
    });
    json_patch::merge(&mut pod, &extra);
    Arc::new(serde_json::from_value(pod).unwrap())
}

#[test]
fn pods_become_endpoints() {
    let service = service("web", json!({ "app": "web" }), json!("user-port"));
    let pods = [
        pod("ready", 8080, "True", json!({})),
        pod("starting", 8080, "False", json!({})),
        pod("leaving", 8080, "True", json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } })),
        pod("other-port", 9000, "True", json!({})),
        pod("done", 8080, "False", json!({ "status": { "phase": "Succeeded" } })),
        pod("no-address", 8080, "False", json!({ "status": { "podIP": null } })),
    ];
    let slices = slices::desired(&service, &pods);
    let told: Vec<_> = slices
        .iter()
        .map(|slice| {
            let port = slice.ports.as_ref().unwrap()[0].port.unwrap();
            let endpoints = slice.endpoints.iter().map(|endpoint| {
                let conditions = endpoint.conditions.as_ref().unwrap();
                (endpoint.target_ref.as_ref().unwrap().name.clone().unwrap(), conditions.ready.unwrap())
            });
            (slice.metadata.name.clone().unwrap(), port, endpoints.collect::<Vec<_>>())
        })
        .collect();
    let text = |list: &[(&str, bool)]| {
        list.iter().map(|(name, ready)| ((*name).to_owned(), *ready)).collect::<Vec<_>>()
    };
    assert_eq!(
        told,
        [
            ("web-0".to_owned(), 8080, text(&[("ready", true), ("starting", false), ("leaving", false)])),
            ("web-1".to_owned(), 9000, text(&[("other-port", true)])),
        ]
    );
}

#[test]
fn a_service_without_pods_has_an_empty_slice() {
    let slices = slices::desired(&service("web", json!({ "app": "web" }), json!(80)), &[]);
    assert_eq!((slices.len(), slices[0].endpoints.len()), (1, 0));
}

#[test]
fn the_index_finds_the_services_of_a_pod() {
    let mut selection = Selection::default();
    selection.insert(&service("by-uid", json!({ "uid": "0123456789" }), json!(80)));
    selection.insert(&service("by-both", json!({ "app": "web", "uid": "0123456789" }), json!(80)));
    selection.insert(&service("other", json!({ "app": "web", "uid": "9999999999" }), json!(80)));
    selection.insert(&service("none", json!({}), json!(80)));
    let pod = pod("a", 80, "True", json!({}));
    let found = |selection: &mut Selection| {
        let mut names: Vec<_> = selection.services_of(&pod).into_iter().map(|key| key.name).collect();
        names.sort();
        names
    };
    assert_eq!(found(&mut selection), ["by-both", "by-uid"]);
    selection.insert(&service("by-uid", json!({ "app": "else" }), json!(80)));
    assert_eq!(
        found(&mut selection),
        ["by-both", "by-uid"],
        "a changed selector counts, and so does where it was"
    );
    assert_eq!(found(&mut selection), ["by-both"]);
    selection.remove(&ObjectKey::new("team", "by-both"));
    assert_eq!(found(&mut selection), ["by-both"], "once more, to be taken out");
    assert!(found(&mut selection).is_empty());
}
