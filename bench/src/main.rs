//! Speed of the real binary, each figure beside a floor or a peer of the same run.
//!
//! A number alone says more about the machine than about Ebb. So every measurement drives `ebb up` from a second
//! process, takes turns with the least that could do the same (a *floor*) or with what does it elsewhere (a *peer*: the
//! app alone, etcd + kube-apiserver), and what counts is the ratio. It sees the product from outside: the API, the
//! gateway, `/proc`. It links what a client needs, the API's types and its client, and what makes an image. What is
//! measured only a floor may link, to show what that part costs alone (`floor/alone.rs`: the node's runtime).
//!
//! ```text
//!  args ──► measure/* ──┬─► platform: ebb up, API client ──► ebb ──► containers
//!                       ├─► floor/*: the same app, started or served by less
//!                       ├─► peer: etcd + kube-apiserver
//!                       ├─► http, http2, load/*, lister: requests, timed or in the way of others
//!                       └─► Samples ──► Row (ebb, reference, budgets) ──► report: table, JSON
//! ```
//!
//! Everything it starts it stops, also on Ctrl-C, and everything is in a temporary directory, except that a peer which
//! had to be built is kept.

// A measuring program has the real clock, and nobody to pass it.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]
#![forbid(unsafe_code)]

mod api;
mod args;
mod bench;
mod budget;
mod floor;
mod http;
mod http2;
mod kubeconfig;
mod lister;
mod load;
mod machine;
mod measure;
mod pace;
mod peer;
mod platform;
mod process;
mod programs;
mod report;
mod row;
mod sample;
mod samples;
mod server_timing;
mod story;
mod usage;

use std::process::ExitCode;

use clap::Parser;

use self::{args::Arguments, bench::Bench, report::Report};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        // The floors are programs of their own; this is how they are executed. The keeper wants no other thread.
        Some("keeper") => node::keeper_main(),
        Some(floor::TLS_LISTENER) => return floor::tls_listener(),
        _ => {}
    }
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what was asked for; false when something could not be measured. A missed budget is a result.
fn run(arguments: Arguments) -> anyhow::Result<bool> {
    let chosen = measure::choose(&arguments.names)?;
    let bench = Bench::new(&arguments)?;
    let mut report = Report::new(arguments.quick);
    for measurement in chosen {
        report.measure(measurement, &bench)?;
        if pace::interrupted() {
            break;
        }
    }
    report.summary();
    if let Some(path) = &arguments.json {
        report.write_json(path)?;
    }
    Ok(report.is_whole())
}
