//! The table of cases.

#[path = "cases/deletes.rs"]
mod deletes;
#[path = "cases/reads.rs"]
mod reads;
#[path = "cases/watches.rs"]
mod watches;
#[path = "cases/writes.rs"]
mod writes;

use futures::future::BoxFuture;
use objects::{Client, ListOptions};
use resources::{
    builtin::{ConfigMap, Deployment},
    serving::Configuration,
};
use tokio::time::timeout;

use crate::home::{Home, PATIENCE};

/// Changes per kind that each home keeps, so that a case can get past them.
pub(crate) const CHANGES_MAX: usize = 64;

type Case = fn(Home) -> BoxFuture<'static, ()>;

macro_rules! cases {
    ($($module:ident::$case:ident,)*) => {
        &[$((stringify!($case), |home| Box::pin($module::$case(home)))),*]
    };
}

const CASES: &[(&str, Case)] = cases![
    reads::what_was_created_is_there,
    reads::lists_find_what_the_options_say,
    reads::pages_follow_each_other_in_the_order_of_keys,
    reads::own_writes_are_seen_at_once,
    writes::names_are_taken_once,
    writes::names_can_be_generated,
    writes::a_namespace_has_to_be_there,
    writes::broken_rules_are_named,
    writes::an_old_version_is_a_conflict,
    writes::without_a_version_the_last_writer_wins,
    writes::writers_that_meet_try_again,
    writes::status_and_spec_are_written_apart,
    writes::status_and_spec_are_written_apart_in_knative_kinds,
    writes::a_kind_without_status_says_so,
    deletes::what_was_deleted_is_gone,
    deletes::preconditions_hold,
    deletes::a_dry_run_changes_nothing,
    deletes::finalizers_hold_an_object,
    deletes::another_object_of_the_same_name_is_spared,
    watches::changes_come_in_order,
    watches::leaving_the_labels_is_a_delete,
    watches::leaving_the_owner_is_a_delete,
    watches::a_name_can_be_watched,
    watches::a_watch_that_slept_too_long_begins_again,
    watches::watches_of_a_kind_tell_the_same,
];

/// Runs every case twice: with clients that know nothing yet, and with clients that follow the kinds already.
pub(crate) async fn run(connect: impl AsyncFn() -> Client) {
    let mut failed = Vec::new();
    for (pass, warm) in [("cold", false), ("warm", true)] {
        for (name, case) in CASES {
            let (client, other) = (connect().await, connect().await);
            if warm {
                follow(&client).await;
                follow(&other).await;
            }
            let namespace = format!("{}-{pass}", name.replace('_', "-"));
            let case = case(Home::new(client, other, namespace).await);
            if !matches!(tokio::spawn(timeout(PATIENCE * 2, case)).await, Ok(Ok(()))) {
                failed.push(format!("{name} ({pass})"));
            }
        }
    }
    assert!(failed.is_empty(), "failed or took too long: {}", failed.join(", "));
}

async fn follow(client: &Client) {
    let one = ListOptions { limit: 1, ..ListOptions::all() };
    client.list::<ConfigMap>(&one).await.unwrap();
    client.list::<Deployment>(&one).await.unwrap();
    client.list::<Configuration>(&one).await.unwrap();
}
