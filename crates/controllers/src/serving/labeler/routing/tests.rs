use super::*;

fn metadata(state: Option<&str>, routes: Option<&str>) -> ObjectMeta {
    let entry =
        |key: &str, value: Option<&str>| value.map(|value| [(key.to_owned(), value.to_owned())].into());
    ObjectMeta {
        labels: entry(ROUTING_STATE, state),
        annotations: entry(ROUTES, routes),
        ..ObjectMeta::default()
    }
}

#[test]
fn marks_and_states() {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    // (state and routes before, routes now, state and routes after, whether the time is noted)
    let cases = [
        ((Some("pending"), None), vec![], (Some("pending"), None), false),
        ((Some("pending"), None), vec!["a"], (Some("active"), Some("a")), true),
        ((Some("active"), Some("a")), vec!["a"], (Some("active"), Some("a")), false),
        ((Some("active"), Some("a")), vec!["b", "a"], (Some("active"), Some("a,b")), false),
        ((Some("active"), Some("a")), vec![], (Some("reserve"), None), true),
        ((Some("reserve"), None), vec!["a"], (Some("active"), Some("a")), true),
        ((Some("reserve"), None), vec![], (Some("reserve"), None), false),
        ((None, Some("a")), vec![], (Some("reserve"), None), true),
    ];
    for ((state, routes), now_routes, (state_after, routes_after), noted) in cases {
        let mut object = metadata(state, routes);
        let now_routes = now_routes.into_iter().map(str::to_owned).collect();
        mark_revision(&mut object, &now_routes, now);
        let time =
            object.annotations.as_mut().and_then(|annotations| annotations.remove(ROUTING_STATE_MODIFIED));
        assert_eq!(
            time.as_deref(),
            noted.then_some("2026-01-01T00:00:00Z"),
            "{state:?} {routes:?} {now_routes:?}"
        );
        let expect = metadata(state_after, routes_after);
        assert_eq!(object.labels, expect.labels, "{state:?} {routes:?} {now_routes:?}");
        let annotations = object.annotations.filter(|annotations| !annotations.is_empty());
        assert_eq!(annotations, expect.annotations, "{state:?} {routes:?} {now_routes:?}");
    }
}
