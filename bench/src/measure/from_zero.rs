//! The main figure: a request to a service that has no instance.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};

use super::ms;
use crate::{
    api::{self, Scale},
    bench::Bench,
    budget::Budget,
    floor::{Alone, Prototype, first_byte_of_spawned},
    http, pace,
    platform::{Platform, RuntimeKind},
    row::Row,
    sample::Sample,
    samples::Samples,
    server_timing,
};

/// Starts that are not counted.
const WARM_UP: usize = 5;
/// After the services were deployed: reconcilers have become quiet.
const SETTLE: Duration = Duration::from_secs(2);
/// The parts that `Server-Timing` names, in the order of time. `queue` is the whole wait, and holds the next three.
const PARTS: [&str; 5] = ["queue", "schedule", "sandbox", "start", "connect"];

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for runtime in bench.runtimes() {
        rows.extend(measure(bench, runtime)?.rows(runtime));
    }
    Ok(rows)
}

/// The least that could do the same.
enum Floor {
    /// For containers.
    Prototype(Prototype),
    /// For processes.
    Spawned,
}

impl Floor {
    fn start(sample: &Sample, runtime: RuntimeKind) -> Result<Self> {
        match runtime {
            RuntimeKind::Container => Prototype::start(sample).map(Self::Prototype),
            RuntimeKind::Process => Ok(Self::Spawned),
        }
    }

    fn first_byte(&mut self, sample: &Sample) -> Result<Duration> {
        match self {
            Self::Prototype(prototype) => prototype.first_byte(),
            Self::Spawned => first_byte_of_spawned(sample),
        }
    }

    fn name(runtime: RuntimeKind) -> &'static str {
        match runtime {
            RuntimeKind::Container => "prototype, pooled",
            RuntimeKind::Process => "spawn, connect",
        }
    }
}

/// Milliseconds.
#[derive(Default)]
struct Times {
    ebb: Vec<f64>,
    floor: Vec<f64>,
    alone: Vec<f64>,
    parts: BTreeMap<String, Vec<f64>>,
    /// What the client saw beyond `queue` and `connect`.
    rest: Vec<f64>,
}

/// A service each, so that every call is a start from zero; the floors take turns with it.
fn measure(bench: &Bench, runtime: RuntimeKind) -> Result<Times> {
    let platform = Platform::up(bench, runtime)?;
    let alone = Alone::start(bench, runtime)?;
    let mut floor = Floor::start(&bench.sample, runtime)?;
    let hosts = platform.deploy(&api::names("zero", WARM_UP + bench.rounds(200, 60)), Scale::FromZero)?;
    pace::pause(SETTLE)?;
    let mut pace = bench.pace();
    let mut times = Times::default();
    for (number, host) in hosts.iter().enumerate() {
        pace.gap()?;
        let answer = http::get(platform.http, host, "/")?;
        pace.gap()?;
        let floor = floor.first_byte(&bench.sample)?;
        pace.gap()?;
        let alone = alone.first_byte(&format!("alone-{number}"))?;
        if number >= WARM_UP {
            let told = answer.header("server-timing").context("a start from zero without Server-Timing")?;
            times.add(ms(answer.first_byte), server_timing::parse(told));
            times.floor.push(ms(floor));
            times.alone.push(ms(alone));
        }
    }
    Ok(times)
}

impl Times {
    fn add(&mut self, total: f64, parts: Vec<(String, f64)>) {
        let told = parts.iter().filter(|(name, _)| name == "queue" || name == "connect");
        self.rest.push(total - told.map(|(_, took)| took).sum::<f64>());
        self.ebb.push(total);
        for (name, took) in parts {
            self.parts.entry(name).or_default().push(took);
        }
    }

    fn rows(mut self, runtime: RuntimeKind) -> Vec<Row> {
        let samples = |values: Vec<f64>| values.into_iter().collect::<Samples>();
        let (ebb, floor, alone) = (samples(self.ebb), samples(self.floor), samples(self.alone));
        let name = runtime.name();
        let row = |what: &str, samples: &Samples, percent| {
            let row = Row::percentile(&format!("{name}: {what}"), "ms", samples, percent);
            row.against(Floor::name(runtime), floor.percentile(percent))
        };
        let (mut half, mut most) = (row("zero → first byte", &ebb, 50), row("zero → first byte", &ebb, 99));
        if runtime == RuntimeKind::Container {
            half = half.budget(Budget::AtMost(3.0)).budget(Budget::RatioAtMost(2.0));
            most = most.budget(Budget::AtMost(10.0));
        }
        let mut rows = vec![half, most];
        rows.extend([50, 99].map(|percent| row("runtime alone → first byte", &alone, percent)));
        let parts = PARTS.map(|part| (part, samples(self.parts.remove(part).unwrap_or_default())));
        for (part, took) in parts.into_iter().chain([("outside queue and connect", samples(self.rest))]) {
            let percentile = |percent| Row::percentile(&format!("{name}: · {part}"), "ms", &took, percent);
            rows.extend([50, 99].map(percentile));
        }
        rows
    }
}
