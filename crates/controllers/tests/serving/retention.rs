//! Revisions that nothing leads to are deleted by the limits of `config-gc`.

use std::{sync::Arc, time::Duration};

use objects::WriteTarget;
use resources::{
    Object,
    annotations::NO_GC,
    builtin::Deployment,
    serving::{Revision, Service},
};
use serde_json::json;

use crate::home::{Home, VirtualTime};

const IMAGE: &str = "gcr.io/p/hello:v1";
const HOUR: Duration = Duration::from_secs(3600);
const DEFAULTS: &[(&str, &str)] = &[
    ("retain-since-create-time", "48h"),
    ("retain-since-last-active-time", "15h"),
    ("min-non-active-revisions", "20"),
    ("max-non-active-revisions", "1000"),
];

async fn next_revision(home: &Home, value: &str) {
    let container = json!({"image": IMAGE, "env": [{"name": "V", "value": value}]});
    let service =
        json!({"metadata": {"name": "hello"}, "spec": {"template": {"spec": {"containers": [container]}}}});
    home.apply::<Service>(service).await;
    home.service_ready("hello").await;
}

/// Marks a Revision to be kept.
async fn keep(home: &Home, revision: &str) {
    let mark = |revision: &mut Revision| {
        revision.metadata.annotations.get_or_insert_default().insert(NO_GC.to_owned(), "true".to_owned());
    };
    home.client.modify(WriteTarget::Object, &home.key(revision), mark).await.unwrap();
}

fn numbers(revisions: &[Arc<Revision>]) -> Vec<&str> {
    revisions.iter().map(|revision| revision.name().trim_start_matches("hello-0000")).collect()
}

pub(crate) async fn what_is_beyond_the_most_goes(home: &Home) {
    home.load(&[IMAGE]);
    next_revision(home, "1").await;
    keep(home, "hello-00001").await;
    for value in ["2", "3"] {
        next_revision(home, value).await;
    }
    home.configure("config-gc", &[("min-non-active-revisions", "0"), ("max-non-active-revisions", "0")])
        .await;
    let few = home.until_all("few", |revisions| numbers(revisions) == ["1", "3"]);
    home.within(Duration::from_secs(1), few).await;
    home.gone::<Deployment>("hello-00002-deployment").await;
    home.quiet().await;
    home.until_all("as few", |revisions| numbers(revisions) == ["1", "3"]).await;
}

pub(crate) async fn an_age_counts_when_nothing_else_happens(home: &Home, time: &VirtualTime) {
    home.load(&[IMAGE]);
    let ages = ["retain-since-create-time", "retain-since-last-active-time"].map(|age| (age, "2h"));
    home.configure("config-gc", &[&ages[..], &[("min-non-active-revisions", "0")]].concat()).await;
    for value in ["1", "2"] {
        next_revision(home, value).await;
    }
    home.quiet().await;
    home.until_all("two", |revisions| numbers(revisions) == ["1", "2"]).await;
    time.pass(2 * HOUR).await;
    home.within(Duration::from_secs(1), home.gone::<Revision>("hello-00001")).await;
}

/// Makes a Service with five Revisions, an hour apart, the last of which has all traffic.
async fn five_revisions(home: &Home, time: &VirtualTime) {
    home.configure("config-gc", DEFAULTS).await;
    for value in ["1", "2", "3", "4", "5"] {
        next_revision(home, value).await;
        time.pass(HOUR).await;
    }
    keep(home, "hello-00001").await;
}

pub(crate) async fn the_limits_of_the_configuration_decide(home: &Home, time: &VirtualTime) {
    const FOREVER: (&str, &str) = ("retain-since-create-time", "disabled");
    const IDLE: (&str, &str) = ("retain-since-last-active-time", "disabled");
    // (config-gc, the Revisions that stay). The second was made 4 hours ago and lost its traffic 3 hours ago.
    type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);
    home.load(&[IMAGE]);
    let cases: &[Case] = &[
        (&[], &["1", "2", "3", "4", "5"]),
        (
            &[FOREVER, IDLE, ("min-non-active-revisions", "0"), ("max-non-active-revisions", "1")],
            &["1", "4", "5"],
        ),
        (
            &[FOREVER, IDLE, ("min-non-active-revisions", "0"), ("max-non-active-revisions", "disabled")],
            &["1", "2", "3", "4", "5"],
        ),
        (&[("retain-since-create-time", "150m"), IDLE, ("min-non-active-revisions", "0")], &["1", "4", "5"]),
        (
            &[FOREVER, ("retain-since-last-active-time", "150m"), ("min-non-active-revisions", "0")],
            &["1", "3", "4", "5"],
        ),
        (
            &[
                ("retain-since-create-time", "1m"),
                ("retain-since-last-active-time", "1m"),
                ("min-non-active-revisions", "2"),
            ],
            &["1", "3", "4", "5"],
        ),
    ];
    for (limits, expect) in cases {
        five_revisions(home, time).await;
        home.configure("config-gc", limits).await;
        for gone in ["1", "2", "3", "4", "5"].iter().filter(|number| !expect.contains(number)) {
            home.gone::<Revision>(&format!("hello-0000{gone}")).await;
            home.gone::<Deployment>(&format!("hello-0000{gone}-deployment")).await;
        }
        time.pass(Duration::from_secs(60)).await;
        let left = home.client.list::<Revision>(&home.here()).await.unwrap().items;
        assert_eq!(numbers(&left), *expect, "{limits:?}");
        let service = home.service_ready("hello").await;
        home.client.delete_exactly(&*service).await.unwrap();
        home.until_all::<Revision>("gone", <[_]>::is_empty).await;
    }
}
