//! An operation fails: nothing is acknowledged from then on, nothing is tried again, reads go on.

use std::{error::Error as _, io::ErrorKind, path::Path, sync::Arc};

use storage::{
    Error,
    objects::{Durability, ObjectStore, Op, Options},
};

use super::{
    disk::{Chance, Fault, SimulatedDisk},
    durable,
    history::{Action, DIR, History},
    small,
};

#[test]
fn any_failing_operation_stops_acknowledging() {
    let mut chance = Chance(3);
    let actions: Vec<_> = (0..100).map(|_| Action::any(&mut chance)).collect();
    for fault in [Fault::Error(ErrorKind::Other), Fault::Full] {
        for at in 1..250 {
            let disk = SimulatedDisk::default();
            disk.arm(at, fault);
            let mut history = History::default();
            let Ok((store, _)) = history.open(&disk, small()) else { continue };
            if history.run(&store, &actions).is_ok() && store.close().is_ok() {
                // The operation was not reached, or it was one that changes nothing.
                continue;
            }
            check_failed(&store, &format!("{fault:?} at {at}"));
            history.check(&store);
            let operations = disk.operations();
            assert!(matches!(store.close(), Err(Error::Failed(_))));
            assert_eq!(disk.operations(), operations, "nothing is tried again");
            drop(store);

            // The next process reads what the system still remembers of the failed write, and then the power goes.
            let disk = disk.after_kill();
            let (store, _) = history.open(&disk, small()).unwrap();
            history.run(&store, &actions).unwrap();
            let disk = disk.after_power_cut(&mut chance);
            history.open(&disk, small()).unwrap();
        }
    }
}

#[test]
fn a_failing_read_stops_acknowledging() {
    let disk = SimulatedDisk::default();
    let mut history = History::default();
    let (store, _) = history.open(&disk, small()).unwrap();
    let mut chance = Chance(4);
    let actions: Vec<_> = (0..100).map(|_| Action::any(&mut chance)).collect();
    history.run(&store, &actions).unwrap();
    store.close().unwrap();
    history.closed();
    let at_open = {
        let disk = disk.after_kill();
        history.open(&disk, Options { cache_bytes_max: 0, ..small() }).unwrap();
        disk.reads()
    };
    assert!(at_open > 5);
    for at in 1..=at_open {
        let disk = disk.after_kill();
        disk.arm_read(at);
        let opened = ObjectStore::open_on(Arc::new(disk.clone()), Path::new(DIR), small());
        // A hint that cannot be read is made again.
        match opened {
            Ok((store, _)) => drop(store),
            Err(error) => assert!(matches!(&error, Error::Io { .. }), "{at}: {error}"),
        }
        disk.repair();
        history.open(&disk, small()).unwrap();
    }

    let disk = disk.after_kill();
    let (store, _) = history.open(&disk, Options { cache_bytes_max: 0, ..small() }).unwrap();
    let key = store.scan("").next().unwrap().0;
    disk.arm_read(1);
    let failed = store.get(&key).unwrap_err();
    assert!(matches!(&failed, Error::Failed(cause) if matches!(**cause, Error::Io { .. })), "{failed}");
    assert!(matches!(store.append("a", Op::Delete, Durability::Wait), Err(Error::Failed(_))));
    assert!(matches!(durable(&store, 1), Err(Error::Failed(_))));
    assert!(store.health().is_err());
    history.check(&store);
    assert!(matches!(store.close(), Err(Error::Failed(_))));
    drop(store);
    history.open(&disk, small()).unwrap();
}

fn check_failed(store: &ObjectStore, case: &str) {
    let error = store.health().expect_err(case);
    let cause = error.source().and_then(|cause| cause.source()).expect(case).to_string();
    assert!(cause.contains("other error") || cause.contains("no storage space"), "{case}: {cause}");
    for version in [1, store.stats().last] {
        assert!(matches!(durable(store, version), Err(Error::Failed(_))), "{case}");
    }
    let refused = store.append("a", Op::Delete, Durability::Wait);
    assert!(matches!(refused, Err(Error::Failed(_))), "{case}");
}
