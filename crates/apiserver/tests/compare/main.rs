//! The same HTTP calls to ours and to a real kube-apiserver: what differs is in `differences.txt`, and nothing else may.
//!
//! ```text
//!   scripts/*.http ─┬─► ours ───► plain ─┐
//!                   └─► theirs ─► plain ─┴─► differ ─► differences.txt
//! ```
//!
//! A script is a few calls in a namespace of its own (`script.rs` has the grammar). `each_kind.http` runs once for each
//! built-in kind, with its object of `samples.yaml`. An answer is made plain by giving names to what no two servers have
//! in common: uids, times, versions (`plain.rs`).
//!
//! With `EBB_COMPARE=write` the list is written anew; a difference keeps the heading it has. With `EBB_COMPARE_WITH` the
//! peer is not started but reached by that kubeconfig.
#![allow(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod differ;
#[allow(dead_code, reason = "a server that may be gone is called by others")]
#[path = "../api/https.rs"]
mod https;
#[allow(dead_code, reason = "what it can install is not compared")]
#[path = "../../../objects/tests/backends/kubernetes.rs"]
mod kubernetes;
mod list;
mod plain;
mod run;
mod samples;
mod script;
mod servers;

use std::{collections::BTreeSet, path::Path};

use futures::{StreamExt, stream};

use crate::{differ::Difference, list::List, servers::Servers};

/// How many scripts run at the same time.
const AT_ONCE: usize = 12;

#[test]
fn ours_answers_as_kubernetes() {
    let servers = match Servers::find() {
        Ok(servers) => servers,
        Err(reason) => return eprintln!("skipped: ours_answers_as_kubernetes: {reason}"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let found = runtime.block_on(compare(servers));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare/differences.txt");
    let mut list = List::read(&path);
    if std::env::var_os("EBB_COMPARE").is_some_and(|wish| wish == "write") {
        list.renew(&found);
        return list.write(&path);
    }
    if let Some(report) = list.report(&found) {
        panic!("{report}");
    }
}

async fn compare(servers: Servers) -> BTreeSet<Difference> {
    let homes = servers.start().await;
    let scripts = script::all();
    let calls: usize = scripts.iter().map(|script| script.calls.len()).sum();
    let found = stream::iter(&scripts)
        .map(|script| run::both(&homes, script))
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let found: BTreeSet<Difference> = found.into_iter().flatten().collect();
    eprintln!("{calls} calls in {} scripts, {} differences", scripts.len(), found.len());
    found
}
