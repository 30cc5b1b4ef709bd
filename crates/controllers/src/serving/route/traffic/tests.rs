use resources::{
    condition::{READY, Status, set},
    meta::Time,
};

use super::*;

fn ready(conditions: &mut Vec<resources::condition::Condition>, status: Status) {
    let now = Time("2026-01-01T00:00:00Z".parse().unwrap());
    set(conditions, READY, status, "", "", "", &now);
}

fn named() -> Referenced {
    let mut named = Referenced::default();
    for (name, status) in [("good", Status::True), ("bad", Status::False), ("slow", Status::Unknown)] {
        let mut revision = Revision::default();
        revision.metadata.name = Some(name.to_owned());
        ready(&mut revision.status.conditions, status);
        named.revisions.insert(name.to_owned(), Arc::new(revision));
        let mut configuration = Configuration::default();
        configuration.metadata.name = Some(name.to_owned());
        configuration.status.observed_generation = Some(0);
        configuration.status.latest_ready_revision_name = (name == "good").then(|| name.to_owned());
        ready(&mut configuration.status.conditions, status);
        named.configurations.insert(name.to_owned(), Arc::new(configuration));
    }
    named
}

fn target(revision: Option<&str>, configuration: Option<&str>) -> TrafficTarget {
    TrafficTarget {
        revision_name: revision.map(str::to_owned),
        configuration_name: configuration.map(str::to_owned),
        percent: Some(100),
        ..TrafficTarget::default()
    }
}

#[test]
fn each_kind_of_bad_target_is_named() {
    use Status::{False, Unknown};
    let cases = [
        (
            target(Some("gone"), None),
            (False, "RevisionMissing", "Revision \"gone\" referenced in traffic not found."),
        ),
        (target(Some("bad"), None), (False, "RevisionMissing", "Revision \"bad\" failed to become ready.")),
        (target(Some("slow"), None), (Unknown, "RevisionMissing", "Revision \"slow\" is not yet ready.")),
        (
            target(None, Some("gone")),
            (False, "ConfigurationMissing", "Configuration \"gone\" referenced in traffic not found."),
        ),
        (
            target(None, Some("bad")),
            (False, "RevisionMissing", "Configuration \"bad\" does not have any ready Revision."),
        ),
        (
            target(None, Some("slow")),
            (Unknown, "RevisionMissing", "Configuration \"slow\" is waiting for a Revision to become ready."),
        ),
    ];
    for (target, (status, reason, message)) in cases {
        let mut route = Route::default();
        route.spec.traffic = vec![self::target(Some("good"), None), target];
        let verdict = resolve(&route, &named()).unwrap_err();
        assert_eq!(
            (verdict.status, verdict.reason.as_str(), verdict.message.as_str()),
            (status, reason, message)
        );
    }
}

#[test]
fn what_is_said_of_a_configuration_is_old_news_once_it_has_not_failed() {
    let named = named();
    let mut route = Route::default();
    route.spec.traffic = vec![target(None, Some("bad"))];
    let said = resolve(&route, &named).unwrap_err();
    let bad = &named.configurations["bad"];
    assert_eq!(overtaken(&said, bad), None, "it is as it was");
    let (mut mended, mut tried) = (Configuration::clone(bad), Configuration::clone(bad));
    mended.status.latest_ready_revision_name = Some("bad".to_owned());
    ready(&mut tried.status.conditions, Status::Unknown);
    for (since, is) in [(&mended, not_migrated()), (&tried, waiting("bad"))] {
        assert_eq!(overtaken(&said, since), Some(is));
        assert_eq!(overtaken(&missing("Revision", "gone"), since), None, "it is not of the Configuration");
    }
    assert_eq!(overtaken(&said, &named.configurations["good"]), None, "it is of another one");
}

#[test]
fn a_configuration_stands_for_its_latest_ready_revision() {
    let mut route = Route::default();
    route.spec.traffic = vec![target(None, Some("good"))];
    let targets = resolve(&route, &named()).unwrap();
    assert_eq!((targets[0].revision.as_str(), targets[0].latest), ("good", true));
}

#[test]
fn shares_of_one_revision_add_up_and_nothing_is_left_out() {
    let target = |revision: &str, percent| Target {
        tag: String::new(),
        revision: revision.to_owned(),
        percent,
        protocol: Protocol::Http1,
        latest: false,
    };
    let shares = shares(&[target("a", 30), target("b", 0), target("c", 40), target("a", 30)]);
    let shares: Vec<_> = shares.iter().map(|share| (share.revision.as_str(), share.percent)).collect();
    assert_eq!(shares, [("a", 60), ("c", 40)]);
}
