//! Which failures the log has been told of: what repeats until somebody mends an object is no new warning each time.

use std::{
    collections::HashMap,
    mem::{Discriminant, discriminant},
    time::Duration,
};

use parking_lot::Mutex;
use resources::ObjectKey;
use tokio::time::Instant;

use crate::Error;

/// What still fails is told again after so long: one kind has several causes, and a log is rotated.
const AGAIN: Duration = Duration::from_secs(10 * 60);

/// The failing keys, each with the kind of its last failure and when that was told. Messages would not do: they name
/// objects that are made anew with each attempt.
#[derive(Default)]
pub(super) struct Told(Mutex<HashMap<ObjectKey, (Discriminant<Error>, Instant)>>);

impl Told {
    /// Whether a key fails for the first time since it last went well, in another way than before, or was last told of
    /// [`AGAIN`] ago.
    pub(super) fn is_news(&self, key: &ObjectKey, error: &Error, now: Instant) -> bool {
        let failure = discriminant(error);
        let mut told = self.0.lock();
        let known =
            told.get(key).is_some_and(|(last, at)| *last == failure && now.duration_since(*at) < AGAIN);
        if !known {
            told.insert(key.clone(), (failure, now));
        }
        !known
    }

    /// The key went well.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.0.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_no_news_until_it_went_well() {
        let told = Told::default();
        let (a, b) = (ObjectKey::new("n", "a"), ObjectKey::new("n", "b"));
        let missing = |pod: &str| Error::BadRequest(format!("pod {pod} names nothing that is there"));
        let now = Instant::now();
        assert!(told.is_news(&a, &missing("a-x1"), now));
        assert!(!told.is_news(&a, &missing("a-x2"), now), "the same of another pod");
        assert!(told.is_news(&b, &missing("b-x1"), now), "each key for itself");
        assert!(told.is_news(&a, &Error::Unavailable("disk".to_owned()), now), "another failure");
        told.forget(&a);
        assert_eq!(told.0.lock().len(), 1);
        assert!(told.is_news(&a, &missing("a-x3"), now));
    }

    #[test]
    fn what_lasts_is_news_again_after_a_while() {
        let (told, key, start) = (Told::default(), ObjectKey::new("n", "a"), Instant::now());
        let late = Error::Unavailable("not done after 30 s".to_owned());
        let disk = Error::Unavailable("disk".to_owned());
        let missing = Error::BadRequest("missing".to_owned());
        let cases = [
            (0, &late, true),
            (30, &disk, false),
            (599, &disk, false),
            (600, &disk, true),
            (1199, &late, false),
            (1200, &late, true),
            // Another failure counts from when it is told.
            (1700, &missing, true),
            (1800, &missing, false),
            (2299, &missing, false),
            (2300, &missing, true),
        ];
        for (second, error, expect) in cases {
            let now = start + Duration::from_secs(second);
            assert_eq!(told.is_news(&key, error, now), expect, "{error} after {second} s");
        }
    }
}
