//! Which failures the log has been told of: what repeats until somebody mends an object is no new warning each time.

use std::{
    collections::HashMap,
    mem::{Discriminant, discriminant},
};

use parking_lot::Mutex;
use resources::ObjectKey;

use crate::Error;

/// The failing keys, each with the kind of its last failure. Messages would not do: they name objects that are made anew
/// with each attempt.
#[derive(Default)]
pub(super) struct Told(Mutex<HashMap<ObjectKey, Discriminant<Error>>>);

impl Told {
    /// Whether a key fails for the first time since it last went well, or in another way than before.
    pub(super) fn is_news(&self, key: &ObjectKey, error: &Error) -> bool {
        let failure = discriminant(error);
        self.0.lock().insert(key.clone(), failure) != Some(failure)
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
        assert!(told.is_news(&a, &missing("a-x1")));
        assert!(!told.is_news(&a, &missing("a-x2")), "the same of another pod");
        assert!(told.is_news(&b, &missing("b-x1")), "each key for itself");
        assert!(told.is_news(&a, &Error::Unavailable("disk".to_owned())), "another failure");
        told.forget(&a);
        assert_eq!(told.0.lock().len(), 1);
        assert!(told.is_news(&a, &missing("a-x3")));
    }
}
