//! What can be measured, by name.

mod api;
mod burst;
mod crowd;
mod deploy;
mod from_zero;
mod idle;
mod latency;
mod start_up;
mod starts;
mod throughput;

use std::time::Duration;

use anyhow::{Result, bail};

use crate::{bench::Bench, row::Row};

/// One measurement.
pub(crate) struct Measurement {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Bench) -> Result<Vec<Row>>,
    /// Takes long: only when it is asked for by name.
    pub(crate) on_request: bool,
}

const ALL: &[Measurement] = &[
    Measurement {
        name: "start-up",
        about: "exec of `ebb up` on an empty directory → first 200 of /readyz",
        run: start_up::run,
        on_request: false,
    },
    Measurement {
        name: "from-zero",
        about: "one service at a time from zero → first byte through the gateway, idle gaps of 1–50 ms",
        run: from_zero::run,
        on_request: false,
    },
    Measurement {
        name: "burst",
        about: "20, then 100 services from zero at once",
        run: burst::run,
        on_request: false,
    },
    Measurement {
        name: "starts",
        about: "container starts per second, sustained, first answer and teardown included",
        run: starts::run,
        on_request: false,
    },
    Measurement {
        name: "throughput",
        about: "requests per second of a warm service through the gateway, beside the app on the host",
        run: throughput::run,
        on_request: false,
    },
    Measurement {
        name: "latency",
        about: "what the gateway adds to a warm request, 1 connection",
        run: latency::run,
        on_request: false,
    },
    Measurement {
        name: "deploy",
        about: "50 new services with initial scale 0: first sent → last Ready",
        run: deploy::run,
        on_request: false,
    },
    Measurement {
        name: "api",
        about: "the API beside etcd + kube-apiserver, both with fsync, over HTTP/2 with TLS that is kept",
        run: api::run,
        on_request: false,
    },
    Measurement {
        name: "idle",
        about: "memory and processor of daemon, keeper and pool, with 1 and with 1,000 services at zero",
        run: idle::run,
        on_request: false,
    },
    Measurement {
        name: "crowd",
        about: "10,000 services at zero: until all are ready, memory, processor, a list, a restart",
        run: crowd::run,
        on_request: true,
    },
];

/// In milliseconds.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The measurements of these names, in our order; without names all but those on request.
pub(crate) fn choose(names: &[String]) -> Result<Vec<&'static Measurement>> {
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|known| known.name != name.as_str())) {
        bail!("there is no measurement {unknown:?}; {}", help());
    }
    let chosen = |known: &&Measurement| {
        let named = names.iter().any(|name| name == known.name);
        named || (names.is_empty() && !known.on_request)
    };
    Ok(ALL.iter().filter(chosen).collect())
}

/// The names, as the help shows them.
pub(crate) fn help() -> String {
    let names: Vec<_> = ALL.iter().map(|measurement| measurement.name).collect();
    format!("NAME is one of: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_in_our_order() {
        let chosen = |names: &[&str]| -> Option<Vec<&str>> {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            choose(&names).ok().map(|chosen| chosen.iter().map(|measurement| measurement.name).collect())
        };
        assert_eq!(chosen(&["idle", "start-up"]), Some(vec!["start-up", "idle"]));
        assert_eq!(chosen(&["crowd"]), Some(vec!["crowd"]));
        let all = chosen(&[]).unwrap_or_default();
        assert_eq!((all.len(), all.contains(&"crowd")), (ALL.len() - 1, false));
        assert_eq!(chosen(&["idle", "nope"]), None);
    }
}
