use std::io;

use super::{super::seal::SealKey, *};

struct NoFile;

impl File for NoFile {
    fn append(&self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn size(&self) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[test]
fn the_next_victim() {
    // Segments of 100 bytes: (live bytes, tombstones). The last one is active.
    type Case = (&'static str, &'static [(u64, u64)], Option<u32>);
    let cases: [Case; 7] = [
        ("an empty log", &[(0, 0)], None),
        ("all is live", &[(100, 0), (100, 0), (50, 0)], None),
        ("half is live, and one segment of slack", &[(40, 0), (60, 0), (50, 0)], None),
        ("much is dead: the oldest", &[(30, 0), (20, 0), (20, 0), (10, 0)], Some(1)),
        ("a dead segment goes out of turn", &[(60, 0), (0, 0), (0, 0), (10, 0)], Some(2)),
        ("not with a tombstone in it", &[(60, 0), (0, 1), (0, 0), (10, 0)], Some(3)),
        ("the active one never", &[(0, 0)], None),
    ];
    for (case, segments, expected) in cases {
        let mut ledger = Ledger::default();
        for (id, (live, tombstones)) in (1..).zip(segments) {
            ledger.add(id, Arc::new(NoFile), 100, Form::default());
            let segment = ledger.get_mut(id);
            (segment.live, segment.tombstones) = (*live, *tombstones);
        }
        assert_eq!(ledger.victim(2, 100), expected, "{case}");
    }
}

#[test]
fn what_is_stale_is_written_anew_though_all_of_it_is_live() {
    let mut ledger = Ledger { form: Form::present(Some(SealKey::new(&[1; 32]).id())), ..Ledger::default() };
    let form = ledger.form;
    for (id, form) in [(1, form), (2, Form::default()), (3, form), (4, form)] {
        ledger.add(id, Arc::new(NoFile), 100, form);
        ledger.get_mut(id).live = 100;
    }
    for (victim, stale) in [(1, 1), (2, 1)] {
        assert_eq!((ledger.victim(2, 100), ledger.stale()), (Some(victim), stale));
        ledger.segments.remove(&victim);
    }
    assert_eq!((ledger.victim(2, 100), ledger.stale()), (None, 0));
}
