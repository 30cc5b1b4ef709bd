//! The power is cut, or the process killed, at every operation.

use std::io::ErrorKind;

use proptest::prelude::*;
use storage::objects::Options;

use super::{
    disk::{Chance, Fault, SimulatedDisk},
    history::{Action, History},
    sealing::sealed_with,
    small,
};

#[test]
fn closing_in_order_loses_nothing_and_needs_no_gap() {
    let disk = SimulatedDisk::default();
    let mut history = History::default();
    let mut chance = Chance(1);
    let mut next = 1;
    for _ in 0..5 {
        let (store, recovered) = history.open(&disk, small()).unwrap();
        assert!(recovered.clean);
        assert_eq!((recovered.last_durable, recovered.next), (next - 1, next));
        let actions: Vec<_> = (0..40).map(|_| Action::any(&mut chance)).collect();
        history.run(&store, &actions).unwrap();
        store.close().unwrap();
        history.check(&store);
        history.closed();
        next += 40;
    }
}

#[test]
fn a_power_cut_at_any_operation_leaves_a_prefix_with_all_that_was_acknowledged() {
    let mut chance = Chance(2);
    let actions: Vec<_> = (0..120).map(|_| Action::any(&mut chance)).collect();
    let whole_run = {
        let disk = SimulatedDisk::default();
        let mut history = History::default();
        let (store, _) = history.open(&disk, small()).unwrap();
        history.run(&store, &actions).unwrap();
        store.close().unwrap();
        disk.operations()
    };
    assert!(whole_run > 100);
    for at in 1..=whole_run {
        let mut disk = SimulatedDisk::default();
        let mut history = History::default();
        disk.arm(at, Fault::PowerCut);
        // Twice: versions must not come back after the second cut either.
        for _ in 0..2 {
            if let Ok((store, _)) = history.open(&disk, small())
                && history.run(&store, &actions).is_ok()
            {
                let _ = store.close();
            }
            disk = disk.after_either(&mut chance);
            disk.arm(at / 2 + 1, Fault::PowerCut);
        }
        let disk = disk.after_power_cut(&mut chance);
        let (store, _) = history.open(&disk, small()).unwrap();
        history.run(&store, &actions).unwrap();
    }
}

fn action() -> impl Strategy<Value = Action> {
    (0..6u8, prop::option::weighted(0.8, 0..600usize), prop::bool::weighted(0.3))
        .prop_map(|(key, value_len, waits)| Action { key, value_len, waits })
}

/// One life of the process: what it writes, and what goes wrong at which operation, if anything does.
fn life() -> impl Strategy<Value = (Vec<Action>, Option<(u64, Fault)>)> {
    let fault = prop_oneof![
        3 => Just(Fault::PowerCut),
        1 => Just(Fault::Error(ErrorKind::Other)),
        1 => Just(Fault::Full),
    ];
    (prop::collection::vec(action(), 0..80), prop::option::weighted(0.8, (1..120u64, fault)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_number_of_lives(
        lives in prop::collection::vec(life(), 1..6),
        seed: u64,
        segment_bytes_max in 200..4000u64,
    ) {
        // Each life has a key of its own, and the keys of all before.
        let options = |life: usize| {
            let keys: Vec<u8> = (0..=life as u8).rev().collect();
            let prefixes = &["core/pods/default/pod-1", "core/pods/default/pod-4"];
            sealed_with(prefixes, &keys, Options { segment_bytes_max, ..small() })
        };
        let last = lives.len();
        let mut chance = Chance(seed);
        let mut disk = SimulatedDisk::default();
        let mut history = History::default();
        for (life, (actions, fault)) in lives.into_iter().enumerate() {
            if let Some((at, fault)) = fault {
                disk.arm(at, fault);
            }
            let Ok((store, _)) = history.open(&disk, options(life)) else {
                disk = disk.after_either(&mut chance);
                continue;
            };
            if history.run(&store, &actions).is_ok() && store.close().is_ok() {
                history.closed();
            }
            drop(store);
            disk = disk.after_either(&mut chance);
        }
        let (store, _) = history.open(&disk, options(last)).unwrap();
        history.check(&store);
    }
}
