//! The API's store over a disk that crashes, fails and forgets, against a model of what was promised.
//!
//! A life of the server is: open, check what is there against the model, let several clients write at once over TLS and in
//! process, and end as it comes. The model is the history of all changes in the order of their versions, read from the
//! server itself before its end, and what it has acknowledged. Whatever happens:
//!
//! - what was acknowledged is there, and what is there is a beginning of the history;
//! - no version comes twice, however many lives end in a crash;
//! - a watch or an exact list from an old version goes on where it was, or is told 410; an update from a lost one 409;
//! - after a failure nothing is acknowledged, `/readyz` says why and what to do, and nothing wrong is served.
//!
//! `disk` is the one that the store itself is tested on. A failing case prints its seed and the operation.

mod clients;
mod history;
mod life;

use crate::disk::{Chance, Fault, SimulatedDisk};

use self::life::{End, World};

/// Of each client in a life: so few that every operation of a life can be the one that goes wrong.
const WRITES: usize = 10;

/// A world in which the server has lived and written enough for compaction to be at work.
fn prepared() -> (World, u64) {
    let mut world = World::new();
    for life in 0..3 {
        let ended = world.live(Chance(life), 60, None);
        assert!(matches!(ended, End::Closed), "{ended:?}");
        world.next(SimulatedDisk::after_kill);
    }
    let before = world.disk.operations();
    assert!(matches!(world.live(Chance(3), WRITES, None), End::Closed));
    assert!(world.first_segment() > 1, "compaction has removed some");
    let operations = world.disk.operations() - before;
    world.next(SimulatedDisk::after_kill);
    (world, operations)
}

/// Lives in worlds of their own, some at a time.
fn each(cases: impl IntoIterator<Item = u64>, world: &World, run: impl Fn(&mut World, u64) + Sync) {
    const AT_ONCE: usize = 2;
    let cases: Vec<u64> = cases.into_iter().collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let mut world = world.copy();
                    let _told = Told(*case);
                    run(&mut world, *case);
                }
            });
        }
    });
}

/// Says which case it was, when one fails.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was case {}", self.0);
        }
    }
}

#[test]
fn a_crash_at_any_operation_keeps_every_promise() {
    let (world, operations) = prepared();
    // How many depends on how many writes are committed together.
    assert!(operations > WRITES as u64, "{operations}");
    each(1..=operations, &world, |world, at| {
        let mut chance = Chance(at);
        // Several in a row: versions must not come back after the second crash either.
        for life in 0..3 {
            world.disk.arm(
                if life == 0 { at } else { 1 + chance.below(operations as usize) as u64 },
                Fault::PowerCut,
            );
            world.live(Chance(100 * at + life), WRITES, None);
            world.next(|disk| disk.after_either(&mut chance));
        }
        world.check_only();
    });
}

#[test]
fn a_failing_operation_stops_acknowledging_and_says_so() {
    let (world, operations) = prepared();
    let faults = [Fault::Error(std::io::ErrorKind::Other), Fault::Full];
    let cases = (1..=operations).flat_map(|at| [2 * at, 2 * at + 1]).filter(|case| case % 5 == 0);
    each(cases, &world, |world, case| {
        let (at, fault) = (case / 2, faults[case as usize % 2]);
        world.disk.arm(at, fault);
        let said = ["other error", "no storage space"][case as usize % 2];
        let ended = world.live(Chance(case), WRITES, None);
        match &ended {
            End::Failed { ready } => {
                for words in [said, "[-]storage failed", "make room on the disk or repair it, then restart"] {
                    assert!(ready.contains(words), "{fault:?} at {at}: {ready}");
                }
            }
            End::NotOpened(error) => assert!(error.contains(said), "{fault:?} at {at}: {error}"),
            End::Closed => assert!(!world.disk.has_failed(), "{fault:?} at {at} was not noticed"),
        }
        // The same disk with the cause gone; then with the power gone as well.
        let mut chance = Chance(case);
        world.next(SimulatedDisk::after_kill);
        assert!(matches!(world.live(Chance(case + 1), 5, None), End::Closed));
        world.next(|disk| disk.after_power_cut(&mut chance));
        world.check_only();
    });
}

#[test]
fn a_failing_read_serves_nothing_wrong() {
    let (world, _) = prepared();
    let mut probe = world.copy();
    assert!(matches!(probe.live(Chance(9), WRITES, None), End::Closed));
    let reads = probe.disk.reads();
    each((1..=reads).step_by(1 + reads as usize / 40), &world, |world, at| {
        world.disk.arm_read(at);
        match world.live(Chance(at), WRITES, None) {
            End::Failed { ready } => assert!(ready.contains("bad sector"), "{at}: {ready}"),
            End::NotOpened(error) => assert!(error.contains("bad sector"), "{at}: {error}"),
            // It was a hint's, which is made again.
            End::Closed => {}
        }
        world.next(SimulatedDisk::after_kill);
        world.check_only();
    });
}

#[test]
fn a_flipped_byte_serves_nothing_wrong() {
    const FLIPS: u64 = 120;
    let (world, _) = prepared();
    each(0..FLIPS, &world, |world, case| {
        let mut chance = Chance(case);
        let files = world.files();
        let (path, len) = &files[chance.below(files.len())];
        let (at, bits) = (chance.below(*len), 1 << chance.below(8));
        let flip = (path.as_path(), at, bits);
        let ended = if case % 2 == 0 {
            world.disk.flip(path, at, bits);
            world.live(Chance(case), WRITES, None)
        } else {
            world.live(Chance(case), WRITES, Some(flip))
        };
        match ended {
            End::Failed { ready } => assert!(ready.contains("is damaged at byte"), "{flip:?}: {ready}"),
            End::NotOpened(error) => {
                assert!(
                    error.contains("is damaged at byte") || error.contains("has format"),
                    "{flip:?}: {error}"
                );
            }
            // Nobody needs it any more, or it is known from elsewhere.
            End::Closed => {}
        }
        if world.disk.has_file(path) {
            world.disk.flip(path, at, bits);
        }
        world.next(SimulatedDisk::after_kill);
        world.check_only();
    });
}
