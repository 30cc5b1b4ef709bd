//! How many containers can come and go in a second, for long.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use futures::future::try_join_all;
use objects::{Client, DeleteOptions, Event, ListOptions};
use resources::{
    Object, ObjectKey,
    builtin::{Pod, PodSpec},
};
use tokio::time::timeout;

use super::ms;
use crate::{
    api::{self, NAMESPACE},
    bench::Bench,
    budget::Budget,
    floor::{Alone, Retry},
    platform::{Platform, RuntimeKind},
    row::Row,
    usage,
};

/// Starts that are under way at once.
const AT_ONCE: usize = 8;
/// The longest that a pod may take to become ready or to go.
const POD_MAX: Duration = Duration::from_secs(30);

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let runtime = bench.runtime();
    let long = Duration::from_secs(bench.rounds(15, 4));
    // In turns, so that a change of the machine's mood hits both.
    let mut counts = [Count::default(); 2];
    for _ in 0..2 {
        counts[0].add(alone(bench, runtime, long / 2)?);
        counts[1].add(pods(bench, runtime, long / 2)?);
    }
    let [alone, pods] = counts;
    let through = Row::new("through pods of the API", "/s", pods.per_second(), pods.starts);
    let through = through.against("runtime alone", alone.per_second()).budget(Budget::RatioAtLeast(0.5));
    let cpu = Row::new("through pods: processor time per start", "ms", pods.cpu_per_start(), pods.starts);
    let cpu = cpu.against("runtime alone, client included", alone.cpu_per_start());
    Ok(vec![through, cpu])
}

/// What came and went.
#[derive(Clone, Copy, Default)]
struct Count {
    starts: usize,
    took: Duration,
    cpu: Duration,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.starts += other.starts;
        self.took += other.took;
        self.cpu += other.cpu;
    }

    fn per_second(&self) -> f64 {
        self.starts as f64 / self.took.as_secs_f64()
    }

    fn cpu_per_start(&self) -> f64 {
        ms(self.cpu) / self.starts as f64
    }
}

/// Each container is asked once, then removed.
fn alone(bench: &Bench, runtime: RuntimeKind, long: Duration) -> Result<Count> {
    let alone = Alone::start(bench, runtime)?;
    let began = Instant::now();
    let cpu = usage::cpu_of_tree(std::process::id())?;
    let worker = |worker: usize| {
        let starter = alone.starter();
        let work = async move {
            let mut starts = 0;
            while began.elapsed() < long {
                let name = format!("starts-{worker}-{starts}");
                starter.first_byte(&name, Retry::Coarse).await?;
                starter.remove(&name).await?;
                starts += 1;
            }
            anyhow::Ok(starts)
        };
        bench.tokio.spawn(work)
    };
    let workers = bench.tokio.block_on(try_join_all((0..AT_ONCE).map(worker)))?;
    let starts = workers.into_iter().sum::<Result<usize>>()?;
    let cpu = usage::cpu_of_tree(std::process::id())?.saturating_sub(cpu);
    Ok(Count { starts, took: began.elapsed(), cpu })
}

/// Each pod is deleted when it is ready, and the next one made when it is gone.
fn pods(bench: &Bench, runtime: RuntimeKind, long: Duration) -> Result<Count> {
    let platform = Platform::up(bench, runtime)?;
    platform.with_client(async |client| {
        let mut watch = client.watch::<Pod>(ListOptions::namespace(NAMESPACE));
        while !matches!(watch.next().await, Event::Synced) {}
        let began = Instant::now();
        let cpu = usage::cpu_of_tree(platform.pid())?;
        let (mut made, mut gone) = (0, 0);
        while made < AT_ONCE {
            create(client, made).await?;
            made += 1;
        }
        while began.elapsed() < long {
            let Ok(event) = timeout(POD_MAX, watch.next()).await else {
                bail!("no pod has changed within {} s", POD_MAX.as_secs());
            };
            match event {
                Event::Applied(pod) if is_ready(&pod) && !pod.is_deleting() => delete(client, pod.key()),
                Event::Deleted(_) => {
                    gone += 1;
                    create(client, made).await?;
                    made += 1;
                }
                _ => {}
            }
        }
        let cpu = usage::cpu_of_tree(platform.pid())?.saturating_sub(cpu);
        Ok(Count { starts: gone, took: began.elapsed(), cpu })
    })
}

async fn create(client: &Client, number: usize) -> Result<()> {
    let mut container = api::container();
    container.name = "hello".to_owned();
    let spec = PodSpec { containers: vec![container], ..PodSpec::default() };
    let metadata = api::metadata(&format!("starts-{number}"));
    let pod: Arc<Pod> = client.create(Pod { metadata, spec: Some(spec), status: None }).await?;
    drop(pod);
    Ok(())
}

/// Beside the watch, which must not wait for it. Not at once by grace 0, which a kubelet does not see.
fn delete(client: &Client, key: ObjectKey) {
    let client = client.clone();
    tokio::spawn(async move {
        let options = DeleteOptions { grace_period_seconds: Some(1), ..DeleteOptions::default() };
        match client.delete::<Pod>(&key, &options).await {
            Err(error) if !error.is_not_found() => eprintln!("deleting {key}: {error}"),
            _ => {}
        }
    });
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}
