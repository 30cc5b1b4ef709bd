//! What the journal has of a kind, read once at the start. Several threads read and parse; one makes the index of it.

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use objects::Error;
use resources::Kind;

use super::{Journal, Key, facts::Glance, key};

/// Threads that read: more would wait for the one that makes the index.
const READERS_MAX: usize = 4;
/// Objects that one of them reads at a time.
const BATCH: usize = 256;
/// Batches that have been read and wait for the index.
const WAITING_MAX: usize = 8;

/// An object as it was found.
pub(super) struct Loaded {
    pub(super) key: Key,
    pub(super) version: u64,
    pub(super) glance: Glance,
}

/// Reads every object of a kind, in no order, and gives `take` some of them at a time. How many there will be at most is
/// what it is given with them.
pub(super) fn load(
    kind: &'static Kind,
    journal: &Journal,
    mut take: impl FnMut(Vec<Loaded>, usize),
) -> Result<(), Error> {
    let prefix = key::prefix(kind);
    let keys = journal.keys(&prefix);
    let read = |batch: &[Arc<str>]| -> Result<Vec<Loaded>, Error> {
        let loaded = batch.iter().map(|disk_key| read(kind, &prefix, disk_key, journal));
        loaded.filter_map(Result::transpose).collect()
    };
    let readers = thread::available_parallelism().map_or(1, NonZero::get).min(READERS_MAX);
    if keys.len() <= BATCH || readers == 1 {
        return keys.chunks(BATCH).try_for_each(|batch| {
            take(read(batch)?, keys.len());
            Ok(())
        });
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(WAITING_MAX);
        for _ in 0..readers {
            let (sender, next, read, keys) = (sender.clone(), &next, &read, &keys);
            scope.spawn(move || {
                while let Some(batch) = keys.chunks(BATCH).nth(next.fetch_add(1, Ordering::Relaxed)) {
                    // Nobody takes it any more when another batch could not be read.
                    if sender.send(read(batch)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        receiver.into_iter().try_for_each(|batch| {
            take(batch?, keys.len());
            Ok(())
        })
    })
}

fn read(
    kind: &'static Kind,
    prefix: &str,
    disk_key: &Arc<str>,
    journal: &Journal,
) -> Result<Option<Loaded>, Error> {
    let Some(key) = Key::found(prefix, Arc::clone(disk_key)) else { return Ok(None) };
    let Some((version, json)) = journal.get(disk_key)? else { return Ok(None) };
    let glance = Glance::read(kind, &json)
        .map_err(|error| Error::Internal(format!("what is stored under {key:?} cannot be read: {error}")))?;
    Ok(Some(Loaded { key, version, glance }))
}

#[cfg(test)]
mod tests;
