//! `kill -9` under load, again and again: clients write and watch over TLS until, in the midst of it, the daemon is gone.
//!
//! What was acknowledged is there the next time, no version comes twice, and a watch goes on where it was or is told 410.
//! `EBB_KILLS=1000` makes it so many rounds.

mod replica;
mod writers;

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};

use self::{
    replica::Replica,
    writers::{KINDS, Known, Writer},
};
use crate::{
    https::{self, Https},
    rig::{Ebb, PATIENCE},
};

/// How often it is killed if nobody says, and how long a round may take: far above what it takes.
const ROUNDS: usize = 50;
const ROUND_MAX: Duration = Duration::from_secs(60);
/// Writers of each kind, each with objects of its own.
const WRITERS: usize = 2;
/// It is killed after at most so many acknowledged writes.
const WRITES_MAX: u64 = 120;

/// A small deterministic generator (an LCG's upper bits).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn kills_under_load_lose_nothing_that_was_acknowledged() {
    let rounds =
        std::env::var("EBB_KILLS").map_or(ROUNDS, |rounds| rounds.parse().expect("EBB_KILLS is a number"));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut loads = Loads::new();
    let mut ebb = Ebb::with_runtime("process");
    let (begun, mut chance) = (Instant::now(), Chance(7));
    let mut writes = 0;
    for round in 0..rounds {
        let round_begun = Instant::now();
        writes += loads.round(&runtime, &mut ebb, &mut chance, round);
        ebb.restart();
        runtime.block_on(loads.check(&home(&ebb), round));
        assert!(round_begun.elapsed() < ROUND_MAX, "round {round} took {:?}", round_begun.elapsed());
    }
    eprintln!(
        "{rounds} kills, {writes} acknowledged writes, {} watches went on and {} began anew, {:?}",
        loads.resumed,
        loads.relisted,
        begun.elapsed()
    );
}

fn home(ebb: &Ebb) -> Https {
    Https::of(&fs::read_to_string(ebb.dir().join("kubeconfig")).unwrap())
}

/// Who writes and who watches, from round to round.
struct Loads {
    writers: Vec<Writer>,
    replicas: Vec<Replica>,
    /// The greatest version that anybody has seen.
    greatest: u64,
    resumed: usize,
    relisted: usize,
}

impl Loads {
    fn new() -> Self {
        let writers = (0..KINDS.len() * WRITERS).map(Writer::new).collect();
        let replicas = (0..KINDS.len()).map(Replica::new).collect();
        Self { writers, replicas, greatest: 0, resumed: 0, relisted: 0 }
    }

    /// Writes and watches until the daemon is killed; returns how many writes were acknowledged.
    fn round(&mut self, runtime: &Runtime, ebb: &mut Ebb, chance: &mut Chance, round: usize) -> u64 {
        let home = home(ebb);
        let killed = Arc::new(AtomicBool::new(false));
        let (acknowledge, acknowledged) = channel();
        let (begin, begun) = channel();
        let writers = std::mem::take(&mut self.writers).into_iter().map(|mut writer| {
            let (home, killed, acknowledge) = (home.clone(), Arc::clone(&killed), acknowledge.clone());
            let begin = begin.clone();
            runtime.spawn(async move {
                writer.write(&home, &killed, &begin, &acknowledge).await;
                writer
            })
        });
        let writers: Vec<_> = writers.collect();
        let replicas = std::mem::take(&mut self.replicas).into_iter().map(|mut replica| {
            let (home, begin) = (home.clone(), begin.clone());
            runtime.spawn(async move {
                replica.follow(&home, &begin).await;
                replica
            })
        });
        let replicas: Vec<_> = replicas.collect();
        drop((acknowledge, begin));
        let all = (writers.len() + replicas.len()) as u64;
        assert_eq!(take(&begun, all), all, "round {round}: all of them are at it");
        while acknowledged.try_recv().is_ok() {}
        let wanted = 1 + chance.below(WRITES_MAX);
        let seen = take(&acknowledged, wanted);
        killed.store(true, Ordering::SeqCst);
        ebb.kill();
        assert_eq!(seen, wanted, "round {round}: the writers go on until it is killed");
        self.writers = runtime.block_on(async { join(writers).await });
        self.replicas = runtime.block_on(async { join(replicas).await });
        let before = self.greatest;
        for writer in &self.writers {
            let versions = writer.versions_of_round();
            assert!(versions.iter().all(|version| *version > before), "round {round}: {before} {versions:?}");
        }
        let seen = self.writers.iter().flat_map(Writer::versions_of_round).copied().max();
        let watched = self.replicas.iter().map(|replica| replica.version()).max();
        self.greatest = [Some(before), seen, watched].into_iter().flatten().max().unwrap_or_default();
        self.writers.iter().map(|writer| writer.versions_of_round().len() as u64).sum()
    }

    /// Holds what is there after a kill against what was acknowledged, and against what watches have told.
    async fn check(&mut self, home: &Https, round: usize) {
        for (kind, replica) in self.replicas.iter_mut().enumerate() {
            let list =
                https::answer(home.connect().await.send("GET", KINDS[kind].everything, &[], "").await).await;
            assert_eq!(list.code, 200, "{}", list.text);
            let there = objects(&list.json);
            for writer in self.writers.iter_mut().filter(|writer| writer.kind == kind) {
                writer.check(&there, round);
            }
            if replica.check(home, &there, round).await {
                self.resumed += 1;
            } else {
                self.relisted += 1;
            }
        }
    }
}

fn take(acknowledged: &Receiver<()>, wanted: u64) -> u64 {
    (0..wanted).take_while(|_| acknowledged.recv_timeout(PATIENCE).is_ok()).count() as u64
}

async fn join<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

/// The objects of a list by name: version, and what is in them.
fn objects(list: &Value) -> BTreeMap<String, Known> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| (item["metadata"]["name"].as_str().unwrap().to_owned(), Known::of(item))).collect()
}
