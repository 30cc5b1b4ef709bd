//! How much of what is told becomes an Event (upstream: client-go, `tools/record/events_cache.go`).
//!
//! ```text
//!   told ─► too often of one object? ─► dropped
//!        └► too many similar ones?   ─► combined into one Event, whose message is the newest
//!        └► else                     ─► an Event of its own, counted up where it is told again
//! ```

mod bucket;

pub use self::bucket::{Bucket, Rate};

use std::{
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use jiff::{SignedDuration, Timestamp};

/// Something to be told of an object.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Who tells.
    pub source: &'a str,
    /// The uid of the object.
    pub uid: &'a str,
    /// `Normal` or `Warning`.
    pub type_: &'a str,
    /// Why, in one word.
    pub reason: &'a str,
    /// In many.
    pub message: &'a str,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is an Event, or counts one up.
    Own,
    /// It counts up the Event that stands for all that are like it.
    Combined,
    /// There is too much of it.
    Dropped,
}

/// What every combined message begins with.
pub const COMBINED: &str = "(combined from similar events): ";

/// How many messages of one reason stand for themselves, within [`WINDOW`].
pub const SIMILAR_MAX: usize = 10;
/// For how long messages are similar, counted from the last one.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// How much may be told of one object.
pub const OF_AN_OBJECT: Rate = Rate { burst_max: 25, refill: SignedDuration::from_mins(5) };
/// Of how many objects, and of how many reasons, it is known what was told; the oldest are forgotten first.
pub const REMEMBERED_MAX: usize = 4096;

/// What was told lately.
#[derive(Debug, Default)]
pub struct Correlator {
    objects: HashMap<u64, Bucket>,
    similar: HashMap<u64, Similar>,
}

#[derive(Debug)]
struct Similar {
    messages: BTreeSet<u64>,
    last: Timestamp,
}

impl Correlator {
    /// Decides on something that is told now.
    pub fn observe(&mut self, told: Told<'_>, now: Timestamp) -> Verdict {
        let combined = self.combines(told, now);
        if !self.may(told, now) {
            return Verdict::Dropped;
        }
        if combined { Verdict::Combined } else { Verdict::Own }
    }

    fn combines(&mut self, told: Told<'_>, now: Timestamp) -> bool {
        let key = hash((told.source, told.uid, told.type_, told.reason));
        make_room(&mut self.similar, key, |similar| similar.last);
        let similar =
            self.similar.entry(key).or_insert_with(|| Similar { messages: BTreeSet::new(), last: now });
        if now.duration_since(similar.last) > WINDOW {
            similar.messages.clear();
        }
        similar.last = now;
        let message = hash(told.message);
        if similar.messages.contains(&message) {
            return false;
        }
        let combines = similar.messages.len() >= SIMILAR_MAX;
        if !combines {
            similar.messages.insert(message);
        }
        combines
    }

    fn may(&mut self, told: Told<'_>, now: Timestamp) -> bool {
        let key = hash((told.source, told.uid));
        make_room(&mut self.objects, key, Bucket::since);
        self.objects.entry(key).or_insert_with(|| Bucket::full(OF_AN_OBJECT, now)).take(now)
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Forgets the older half, if there is no room for one more.
fn make_room<T>(all: &mut HashMap<u64, T>, key: u64, age: impl Fn(&T) -> Timestamp) {
    if all.len() < REMEMBERED_MAX || all.contains_key(&key) {
        return;
    }
    let mut ages: Vec<Timestamp> = all.values().map(&age).collect();
    ages.sort_unstable();
    let middle = ages[ages.len() / 2];
    all.retain(|_, value| age(value) > middle);
}

#[cfg(test)]
mod tests;
