//! Which failures the log has been told of: what repeats until somebody mends an object is no new warning each time.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    mem::{Discriminant, discriminant},
    time::Duration,
};

use parking_lot::Mutex;
use resources::ObjectKey;
use tokio::time::Instant;

use crate::Error;

/// What still fails is told again after so long: a log is rotated.
const AGAIN: Duration = Duration::from_secs(10 * 60);
/// How many causes of one kind are told of a key meanwhile: some name objects that are made anew with each attempt.
const CAUSES_MAX: usize = 4;

/// The failing keys, each with what was told of it lately.
#[derive(Default)]
pub(super) struct Told(Mutex<HashMap<ObjectKey, Vec<Failure>>>);

/// A failure that was told.
struct Failure {
    kind: Discriminant<Error>,
    cause: u64,
    at: Instant,
}

impl Told {
    /// Whether a key fails with a cause that was not told since it last went well, nor within [`AGAIN`].
    pub(super) fn is_news(&self, key: &ObjectKey, error: &Error, now: Instant) -> bool {
        let (kind, cause) = (discriminant(error), cause(error));
        let mut told = self.0.lock();
        let failures = told.entry(key.clone()).or_default();
        failures.retain(|failure| now.duration_since(failure.at) < AGAIN);
        let mut of_kind = 0;
        for failure in failures.iter().filter(|failure| failure.kind == kind) {
            if failure.cause == cause {
                return false;
            }
            of_kind += 1;
        }
        let is_news = of_kind < CAUSES_MAX;
        if is_news {
            failures.push(Failure { kind, cause, at: now });
        }
        is_news
    }

    /// The key went well.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.0.lock().remove(key);
    }
}

/// A hash of what the error says, but for the name of an object that was refused: it has another one at each attempt.
fn cause(error: &Error) -> u64 {
    let refused = match error {
        Error::Invalid { name, .. } | Error::Forbidden { object: Some((_, name)), .. } => name.as_str(),
        _ => "",
    };
    let text = error.to_string();
    let mut hasher = DefaultHasher::new();
    if refused.is_empty() {
        text.hash(&mut hasher)
    } else {
        text.replace(refused, "").hash(&mut hasher)
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use resources::{Object, builtin::Pod};

    use super::*;

    #[test]
    fn what_repeats_is_no_news_until_it_went_well() {
        let told = Told::default();
        let (a, b) = (ObjectKey::new("n", "a"), ObjectKey::new("n", "b"));
        let missing = |what: &str| Error::BadRequest(format!("{what} is not there"));
        let now = Instant::now();
        assert!(told.is_news(&a, &missing("an image"), now));
        assert!(!told.is_news(&a, &missing("an image"), now));
        assert!(told.is_news(&b, &missing("an image"), now), "each key for itself");
        assert!(told.is_news(&a, &missing("a volume"), now), "another cause of the same kind");
        assert!(!told.is_news(&a, &missing("an image"), now), "by turns");
        assert!(told.is_news(&a, &Error::Unavailable("disk".to_owned()), now), "another failure");
        told.forget(&a);
        assert_eq!(told.0.lock().len(), 1);
        assert!(told.is_news(&a, &missing("an image"), now));
    }

    #[test]
    fn names_that_are_made_anew_are_no_causes() {
        let (told, key, now) = (Told::default(), ObjectKey::new("n", "a"), Instant::now());
        let refused = |name: &str, why: &str| Error::forbidden(Pod::kind(), name, why);
        assert!(told.is_news(&key, &refused("a-x1", "quota"), now));
        assert!(!told.is_news(&key, &refused("a-x2", "quota"), now));
        assert!(told.is_news(&key, &refused("a-x3", "policy"), now));
        // Those that are in the midst of a sentence are told of so many times, and no more.
        let in_words = |number| Error::BadRequest(format!("pod a-x{number} names nothing that is there"));
        let news = (0..100).filter(|number| told.is_news(&key, &in_words(*number), now)).count();
        assert_eq!(news, CAUSES_MAX);
        assert!(told.is_news(&key, &in_words(0), now + AGAIN));
    }

    #[test]
    fn what_lasts_is_news_again_after_a_while() {
        let (told, key, start) = (Told::default(), ObjectKey::new("n", "a"), Instant::now());
        let late = Error::Unavailable("not done after 30 s".to_owned());
        let disk = Error::Unavailable("disk".to_owned());
        let cases = [
            (0, &late, true),
            (30, &disk, true),
            (599, &late, false),
            // Each counts from when it was told.
            (600, &disk, false),
            (600, &late, true),
            (630, &disk, true),
            (1199, &late, false),
            (1200, &late, true),
        ];
        for (second, error, expect) in cases {
            let now = start + Duration::from_secs(second);
            assert_eq!(told.is_news(&key, error, now), expect, "{error} after {second} s");
        }
    }
}
