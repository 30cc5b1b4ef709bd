//! Time and randomness, as the API server is given them.

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use resources::meta::Time;

use crate::hex::hex;

/// The wall clock and the randomness of names and uids. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    random: Arc<Mutex<StdRng>>,
}

/// What generated names end in: no vowels and no digits that look like them, so that no words come out (upstream:
/// apimachinery, `util/rand`).
const SUFFIX_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH: usize = 5;

impl Environment {
    /// A clock and a seed of the caller's.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static, seed: u64) -> Self {
        Self { now: Arc::new(now), random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))) }
    }

    /// The system's clock and randomness.
    #[allow(clippy::disallowed_methods)]
    pub fn system() -> Self {
        let random = StdRng::from_os_rng();
        Self { now: Arc::new(Timestamp::now), random: Arc::new(Mutex::new(random)) }
    }

    /// Now, in whole seconds, as objects carry it.
    pub(crate) fn now(&self) -> Time {
        let now = (self.now)();
        Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
    }

    /// Now, as certificates and messages need it.
    pub(crate) fn timestamp(&self) -> Timestamp {
        (self.now)()
    }

    /// A new uid: a random UUID (version 4).
    pub(crate) fn uid(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.random.lock().fill_bytes(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut uid = hex(&bytes);
        for at in [8, 13, 18, 23] {
            uid.insert(at, '-');
        }
        uid
    }

    /// What a generated name ends in.
    pub(crate) fn suffix(&self) -> String {
        let mut random = self.random.lock();
        let mut letter = || char::from(SUFFIX_LETTERS[random.random_range(0..SUFFIX_LETTERS.len())]);
        (0..SUFFIX_LENGTH).map(|_| letter()).collect()
    }

    /// A number from 0 up to, not including, `end`, which is not 0.
    pub(crate) fn below(&self, end: u32) -> u32 {
        self.random.lock().random_range(0..end)
    }

    /// A number from 0 up to, not including, 1.
    pub(crate) fn fraction(&self) -> f64 {
        self.random.lock().random()
    }
}
