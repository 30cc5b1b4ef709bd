//! What a worker tells of its pod, and when.
//!
//! A start is told once its status is written, so that nothing is written on the way to ready; and not at all for the
//! pods of Revisions, which start and end all the time as they should. What goes wrong is always told, at once.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::Worker;
use crate::pod::{built_in, events::News};

/// How long the same news is not told again.
const REST: Duration = Duration::from_secs(10);
/// How long it is not told again in other words: two faults that take turns are told, but not each time.
const REST_OF_OTHER_WORDS: Duration = Duration::from_secs(1);

impl Worker {
    /// Tells of what happens in the ordinary course, with the next status; of the container at this place, or all.
    pub(super) fn inform(&mut self, index: Option<usize>, reason: &'static str, message: String) {
        let is_revisions = self.records.iter().any(|record| built_in::is_built_in(&record.spec));
        if !is_revisions {
            let news = self.news_of(index, false, reason, message);
            self.news.push(news);
        }
    }

    /// Tells at once of what went wrong.
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
        self.news.push(news);
        self.send_news();
    }

    /// Sends what has been put off.
    pub(super) fn send_news(&mut self) {
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
        News { pod: Arc::clone(&self.pod), field_path: path.unwrap_or_default(), is_warning, reason, message }
    }
}
