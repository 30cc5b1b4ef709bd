//! What a worker tells of its pod, and when.
//!
//! A start is told once its status is written, so that nothing is written on the way to ready. The pods of Revisions start
//! and end all the time as they should: how one started is told when it has been there for a while, of as many as may
//! be told of, and of no more (`pod/events.rs`); sooner where something goes wrong. What goes wrong itself is always told,
//! at once.

use std::time::Duration;

use tokio::time::Instant;

use super::{Happening, Worker};
use crate::pod::{
    built_in,
    events::{self, News},
    state::Record,
};

/// How long a Revision's pod is there before it is told how it started.
const SETTLED_AFTER: Duration = Duration::from_secs(5);

/// How long the same news is not told again.
const REST: Duration = Duration::from_secs(10);
/// How long it is not told again in other words: two faults that take turns are told, but not each time.
const REST_OF_OTHER_WORDS: Duration = Duration::from_secs(1);

/// What becomes of news of what happens in the ordinary course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrdinaryNews {
    /// Told with the next status.
    Told,
    /// Kept until it shows whether the pod is one to tell of.
    Kept,
    Untold,
}

impl OrdinaryNews {
    /// Of a pod of these containers, from its start on.
    pub(super) fn of(records: &[Record]) -> Self {
        let is_revisions = records.iter().any(|record| built_in::is_built_in(&record.spec));
        if is_revisions { Self::Kept } else { Self::Told }
    }

    /// Of a pod that started long ago.
    pub(super) fn after_start(self) -> Self {
        if self == Self::Kept { Self::Untold } else { self }
    }

    /// Of a pod of which something has gone wrong; `takes_start` says whether it may be told of one more start, and is
    /// asked only where that is not settled.
    fn after_warning(self, takes_start: impl FnOnce() -> bool) -> Self {
        if self != Self::Kept {
            return self;
        }
        if takes_start() { Self::Told } else { Self::Untold }
    }
}

impl Worker {
    /// Tells of what happens in the ordinary course, with the next status; of the container at this place, or all.
    pub(super) fn inform(&mut self, index: Option<usize>, reason: &'static str, message: String) {
        if self.ordinary_news != OrdinaryNews::Untold {
            let news = self.news_of(index, false, reason, message);
            self.news.push(news);
        }
    }

    /// Looks in a while whether the start is to be told of.
    pub(super) fn settle_later(&mut self) {
        if self.ordinary_news == OrdinaryNews::Kept {
            self.after(SETTLED_AFTER, Happening::Settled);
        }
    }

    /// Tells how the pod started, if it may be told of one more; and from now on only of what goes wrong, unless it is
    /// still on its way.
    pub(super) fn settle(&mut self) {
        if self.ordinary_news != OrdinaryNews::Kept {
            return;
        }
        if !self.shared.recorder.takes_start((self.shared.clock)()) {
            self.ordinary_news = OrdinaryNews::Untold;
            self.news.clear();
            return;
        }
        self.ordinary_news = OrdinaryNews::Told;
        self.send_news();
        let is_ready = |record: &Record| record.running().is_some_and(|running| running.ready);
        if self.records.iter().all(|record| record.is_init || is_ready(record)) {
            self.ordinary_news = OrdinaryNews::Untold;
        }
    }

    /// Tells at once of what went wrong, and of how the pod came so far, if it may be told of one more start.
    pub(super) fn warn(&mut self, index: Option<usize>, reason: &'static str, message: String) {
        let news = self.news_of(index, true, reason, message);
        let is_alike = |(last, _): &&mut (News, Instant)| last.is_like(&news);
        match self.warnings.iter_mut().find(is_alike) {
            Some((last, at)) => {
                let rest = if last.message == news.message { REST } else { REST_OF_OTHER_WORDS };
                if at.elapsed() < rest {
                    return;
                }
                (*last, *at) = (news.clone(), Instant::now());
            }
            None => self.warnings.push((news.clone(), Instant::now())),
        }
        let shared = &self.shared;
        self.ordinary_news =
            self.ordinary_news.after_warning(|| shared.recorder.takes_start((shared.clock)()));
        if self.ordinary_news == OrdinaryNews::Untold {
            self.news.clear();
        }
        self.news.push(news);
        self.send_news();
    }

    /// Sends what has been put off.
    pub(super) fn send_news(&mut self) {
        if self.ordinary_news == OrdinaryNews::Kept {
            return;
        }
        self.news.drain(..).for_each(|news| self.shared.recorder.tell(news));
    }

    pub(super) fn news_of(
        &self,
        index: Option<usize>,
        is_warning: bool,
        reason: &'static str,
        message: String,
    ) -> News {
        let path = index.map(|index| {
            let record = &self.records[index];
            let list = if record.is_init { "initContainers" } else { "containers" };
            format!("spec.{list}{{{}}}", record.spec.name)
        });
        let about = events::reference(&self.pod, path);
        News { about, is_warning, reason, message, at: (self.shared.clock)() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_takes_its_start_from_those_that_may_be_told_of() {
        use OrdinaryNews::{Kept, Told, Untold};
        // (before, whether there may be one more, after, whether it was asked)
        for (before, may, after, is_asked) in [
            (Kept, true, Told, true),
            (Kept, false, Untold, true),
            (Untold, true, Untold, false),
            (Told, false, Told, false),
        ] {
            let mut asked = false;
            let takes_start = || {
                asked = true;
                may
            };
            assert_eq!(before.after_warning(takes_start), after, "{before:?} {may}");
            assert_eq!(asked, is_asked, "{before:?} {may}");
        }
    }
}
