//! Kinds of which deletes may have been missed.

use std::collections::HashMap;

use parking_lot::Mutex;
use resources::Kind;

/// Kinds and the number of their last loss.
pub(super) type Lost = HashMap<&'static Kind, u64>;

/// What has still to be made good. Watches that are lost together are so by looking at everything once.
#[derive(Default)]
pub(super) struct Missed(Mutex<State>);

#[derive(Default)]
struct State {
    lost: Lost,
    losses: u64,
}

impl Missed {
    /// The watch of a kind was lost.
    pub(super) fn add(&self, kind: &'static Kind) {
        let mut state = self.0.lock();
        state.losses += 1;
        let number = state.losses;
        state.lost.insert(kind, number);
    }

    /// The kinds to look for. They stay until they are made good, whatever becomes of who looks.
    pub(super) fn all(&self) -> Lost {
        self.0.lock().lost.clone()
    }

    /// Everything was looked at for these; what was lost again meanwhile stays.
    pub(super) fn made_good(&self, lost: &Lost) {
        self.0.lock().lost.retain(|kind, number| lost.get(kind) != Some(number));
    }
}

#[cfg(test)]
mod tests {
    use resources::{
        Object,
        builtin::{Deployment, Pod},
    };

    use super::*;

    #[test]
    fn what_is_lost_again_while_it_is_made_good_stays() {
        let missed = Missed::default();
        missed.add(Pod::kind());
        missed.add(Deployment::kind());
        let lost = missed.all();
        assert_eq!(lost.len(), 2);
        missed.add(Pod::kind());
        missed.made_good(&lost);
        assert_eq!(missed.all().into_keys().collect::<Vec<_>>(), [Pod::kind()]);
    }
}
