//! What can be measured, by name.

mod burst;
mod deploy;
mod from_zero;
mod idle;
mod latency;
mod start_up;
mod starts;
mod throughput;

use anyhow::{Result, bail};

use crate::{bench::Bench, row::Row};

/// One measurement.
pub(crate) struct Measurement {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Bench) -> Result<Vec<Row>>,
}

const ALL: &[Measurement] = &[
    Measurement {
        name: "start-up",
        about: "exec of `ebb up` on an empty directory → first 200 of /readyz",
        run: start_up::run,
    },
    Measurement {
        name: "from-zero",
        about: "one service at a time from zero → first byte through the gateway, idle gaps of 1–50 ms",
        run: from_zero::run,
    },
    Measurement { name: "burst", about: "20, then 100 services from zero at once", run: burst::run },
    Measurement {
        name: "starts",
        about: "container starts per second, sustained, first answer and teardown included",
        run: starts::run,
    },
    Measurement {
        name: "throughput",
        about: "requests per second of a warm service through the gateway, beside the app on the host",
        run: throughput::run,
    },
    Measurement {
        name: "latency",
        about: "what the gateway adds to a warm request, 1 connection",
        run: latency::run,
    },
    Measurement {
        name: "deploy",
        about: "50 new services with initial scale 0: first sent → last Ready",
        run: deploy::run,
    },
    Measurement {
        name: "idle",
        about: "memory and processor of daemon, keeper and pool, with 1 and with 1,000 services at zero",
        run: idle::run,
    },
];

/// The measurements of these names, in our order; all without names.
pub(crate) fn choose(names: &[String]) -> Result<Vec<&'static Measurement>> {
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|known| known.name != name.as_str())) {
        bail!("there is no measurement {unknown:?}; {}", help());
    }
    let chosen = |known: &&Measurement| names.is_empty() || names.iter().any(|name| name == known.name);
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
        assert_eq!(chosen(&[]).map(|all| all.len()), Some(ALL.len()));
        assert_eq!(chosen(&["idle", "nope"]), None);
    }
}
