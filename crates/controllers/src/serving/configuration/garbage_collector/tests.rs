use super::*;

const HOUR: u64 = 3600;

fn revision(name: &str, state: &str, hours_old: i64) -> Arc<Revision> {
    let mut revision = Revision::default();
    let created = now() - SignedDuration::from_hours(hours_old);
    revision.metadata.name = Some(name.to_owned());
    revision.metadata.creation_timestamp = Some(resources::meta::Time(created));
    revision.metadata.labels = Some([(ROUTING_STATE.to_owned(), state.to_owned())].into());
    Arc::new(revision)
}

fn now() -> Timestamp {
    "2026-01-31T00:00:00Z".parse().unwrap()
}

fn limits(create: Option<u64>, active: Option<u64>, min: i64, max: Option<i64>) -> GarbageCollection {
    let hours = |limit: Option<u64>| {
        limit.map_or(Retention::Disabled, |hours| Retention::Limit(Duration::from_secs(hours * HOUR)))
    };
    GarbageCollection {
        retain_since_create_time: hours(create),
        retain_since_last_active_time: hours(active),
        min_non_active_revisions: min,
        max_non_active_revisions: max.map_or(Retention::Disabled, Retention::Limit),
    }
}

#[test]
fn surplus_of_limits() {
    let mut configuration = Configuration::default();
    configuration.status.latest_ready_revision_name = Some("ready".to_owned());
    let mut pinned = Revision::clone(&revision("pinned", "reserve", 90));
    pinned.metadata.annotations = Some([(NO_GC.to_owned(), "true".to_owned())].into());
    let revisions = [
        revision("young", "reserve", 1),
        revision("old", "reserve", 50),
        revision("older", "reserve", 60),
        revision("oldest", "reserve", 70),
        revision("busy", "active", 80),
        revision("new", "pending", 80),
        revision("ready", "reserve", 80),
        Arc::new(pinned),
    ];
    // (limits, the names to delete)
    let cases = [
        (GarbageCollection::default(), vec![]),
        (limits(Some(48), Some(15), 0, None), vec!["oldest", "older", "old"]),
        (limits(Some(48), Some(15), 2, None), vec!["oldest", "older"]),
        (limits(Some(48), Some(65), 0, None), vec!["oldest"]),
        (limits(Some(48), None, 0, None), vec!["oldest", "older", "old"]),
        (limits(None, None, 0, None), vec![]),
        (limits(None, None, 0, Some(1)), vec!["oldest", "older", "old"]),
        (limits(Some(65), Some(65), 0, Some(2)), vec!["oldest", "older"]),
        (limits(Some(48), Some(15), 20, Some(1000)), vec![]),
    ];
    for (limits, expect) in cases {
        let deleted = surplus(&configuration, &revisions, &limits, now());
        let names: Vec<_> = deleted.now.iter().map(|revision| revision.name()).collect();
        assert_eq!(names, expect, "{limits:?}");
    }
}

#[test]
fn the_next_one_is_looked_for_when_it_becomes_old() {
    let revisions = [revision("young", "reserve", 1), revision("old", "reserve", 50)];
    let hours = |hours: u64| Some(Duration::from_secs(hours * HOUR) + TICK);
    // (limits, when to look again)
    let cases = [
        (limits(Some(60), None, 0, None), hours(10)),
        (limits(Some(60), Some(70), 0, None), hours(20)),
        (limits(Some(48), None, 0, None), hours(47)),
        (limits(Some(48), None, 1, None), None),
        (limits(Some(60), None, 2, None), None),
        (limits(None, None, 0, None), None),
        (limits(Some(60), None, 0, Some(1)), hours(59)),
    ];
    for (limits, expect) in cases {
        let next = surplus(&Configuration::default(), &revisions, &limits, now()).next;
        assert_eq!(next, expect, "{limits:?}");
    }
}
