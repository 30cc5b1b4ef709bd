use resources::condition::{Status, get, set};

use super::*;

fn now() -> Time {
    Time("2026-01-01T00:00:00Z".parse().unwrap())
}

fn revision(generation: i64, ready: Status, message: &str) -> Arc<Revision> {
    let mut revision = Revision::default();
    revision.metadata.name = Some(format!("app-{generation}"));
    revision.metadata.labels =
        Some([(labels::CONFIGURATION_GENERATION.to_owned(), generation.to_string())].into());
    set(&mut revision.status.conditions, READY, ready, "", "", message, &now());
    Arc::new(revision)
}

/// The latest ready Revision, and Ready's status and reason, of a Configuration at generation 3.
fn check(before: Option<&str>, revisions: &[Arc<Revision>]) -> (Option<String>, String, String) {
    let mut configuration = Configuration::default();
    configuration.metadata.generation = Some(3);
    configuration.status.latest_ready_revision_name = before.map(str::to_owned);
    let latest = LatestCreated::Made(Arc::clone(revisions.last().unwrap()));
    let status = configuration_status(&configuration, &latest, revisions, &now());
    let ready = get(&status.conditions, READY).unwrap();
    assert_eq!(status.latest_created_revision_name.as_deref(), Some(revisions.last().unwrap().name()));
    (status.latest_ready_revision_name, ready.status.clone(), ready.reason.clone())
}

#[test]
fn the_latest_ready_revision_never_goes_back() {
    use Status::{False, True, Unknown};
    let r = |generation, ready| revision(generation, ready, "no");
    let cases = [
        (None, vec![r(3, Unknown)], (None, "Unknown", "")),
        (None, vec![r(3, True)], (Some("app-3"), "True", "")),
        (None, vec![r(3, False)], (None, "False", "RevisionFailed")),
        (Some("app-1"), vec![r(1, True), r(2, True), r(3, Unknown)], (Some("app-2"), "Unknown", "")),
        (Some("app-2"), vec![r(1, True), r(2, False), r(3, Unknown)], (Some("app-2"), "Unknown", "")),
        (
            Some("app-2"),
            vec![r(1, True), r(2, True), r(3, False)],
            (Some("app-2"), "False", "RevisionFailed"),
        ),
        (Some("app-2"), vec![r(1, True), r(2, True), r(3, True)], (Some("app-3"), "True", "")),
        // The Revision is gone: an older one takes its place, or none.
        (Some("app-2"), vec![r(1, True), r(3, Unknown)], (Some("app-1"), "Unknown", "")),
        (Some("app-2"), vec![r(3, Unknown)], (None, "False", "RevisionDeleted")),
    ];
    for (before, revisions, (name, status, reason)) in cases {
        let expect = (name.map(str::to_owned), status.to_owned(), reason.to_owned());
        assert_eq!(check(before, &revisions), expect, "{before:?} of {}", revisions.len());
    }
}

#[test]
fn a_failure_is_told_with_one_full_stop() {
    let configuration = Configuration::default();
    for (said, expect) in [
        ("no database", "no database."),
        ("0/1 nodes are available: 1 Insufficient cpu.", "0/1 nodes are available: 1 Insufficient cpu."),
    ] {
        let failed = LatestCreated::Made(revision(1, Status::False, said));
        for (latest, begins) in [
            (failed, "Revision \"app-1\" failed with message: "),
            (LatestCreated::Refused(said.to_owned()), "Revision creation failed with message: "),
        ] {
            let status = configuration_status(&configuration, &latest, &[], &now());
            assert_eq!(get(&status.conditions, READY).unwrap().message, format!("{begins}{expect}"));
        }
    }
}
