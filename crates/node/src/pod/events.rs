//! Events about pods: what a user reads first when something went wrong at night (`kubectl describe pod`).
//!
//! They are news, not state: nothing waits for one, and one that cannot be written is let go. One task writes them, off
//! every start's path and thread, from a queue that is bounded; the same news of the same pod is one Event, with a count; of
//! one pod no more is told than a bound (`resources::events`). They expire as the home has it.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use objects::{Client, Error, WriteTarget};
use parking_lot::Mutex;
use resources::{
    Object,
    builtin::{Event, EventSource, ObjectReference, Pod},
    events::{self, Bucket, Correlator, Rate, Verdict},
    meta::{ObjectMeta, Time},
};
use tokio::sync::mpsc;

use crate::logs::Clock;

/// The most news that wait to be written.
const WAITING_MAX: usize = 1024;

/// Of how many starts it is told that they went as they should. Each is four Events or more, which are kept for an hour, and
/// a node may start dozens of pods a second for as long as it runs. So a few are told of, and of many the first.
const STARTS: Rate = Rate { burst_max: 20, refill: SignedDuration::from_secs(2) };

/// Something to tell of a pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct News {
    pub(super) about: ObjectReference,
    pub(super) is_warning: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// When it happened.
    pub(super) at: Timestamp,
}

impl News {
    /// Whether the other tells the same of the same part of one pod, if not in the same words.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.about.field_path, self.reason) == (&other.about.field_path, other.reason)
    }

    fn uid(&self) -> &str {
        self.about.uid.as_deref().unwrap_or_default()
    }
}

/// What news are about: a part of the pod, as `spec.containers{name}`, or all of it. News are kept for a while, and the pod
/// need not be.
pub(super) fn reference(pod: &Pod, field_path: Option<String>) -> ObjectReference {
    ObjectReference {
        api_version: Some(Pod::kind().api_version()),
        kind: Some(Pod::kind().kind.to_owned()),
        name: Some(pod.name().to_owned()),
        namespace: Some(pod.namespace().to_owned()),
        uid: Some(pod.uid().to_owned()),
        resource_version: pod.metadata.resource_version.clone(),
        field_path,
    }
}

/// Where workers tell.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    news: mpsc::Sender<News>,
    starts: Arc<Mutex<Bucket>>,
}

/// What was told and is not written yet.
pub(super) struct Told(mpsc::Receiver<News>);

/// A recorder, and what [`write`] writes from.
pub(super) fn recorder(now: Timestamp) -> (Recorder, Told) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let starts = Arc::new(Mutex::new(Bucket::full(STARTS, now)));
    (Recorder { news: sender, starts }, Told(receiver))
}

impl Recorder {
    /// Tells; never waits.
    pub(super) fn tell(&self, news: News) {
        if let Err(error) = self.news.try_send(news) {
            tracing::debug!(%error, "an event is lost");
        }
    }

    /// Whether it may be told of one more start.
    pub(super) fn takes_start(&self, now: Timestamp) -> bool {
        self.starts.lock().take(now)
    }
}

/// Writes what is told, one after the other, to the end of all recorders.
pub(super) async fn write(mut told: Told, client: Client, clock: Clock, node: String) {
    let mut correlator = Correlator::default();
    while let Some(news) = told.0.recv().await {
        if correlator.observe(about(&news), clock()) == Verdict::Dropped {
            continue;
        }
        let at = Time(news.at);
        let event = event(&news, &node, &at);
        let key = event.key();
        // First the write that is right nearly always; whether it was told before need not be asked.
        let mut written = client.create(event).await;
        if matches!(written, Err(Error::AlreadyExists { .. })) {
            let again = |event: &mut Event| {
                event.count = Some(event.count.unwrap_or(1).saturating_add(1));
                event.last_timestamp = Some(at.clone());
                event.message = Some(news.message.clone());
            };
            written = client.modify(WriteTarget::Object, &key, again).await;
        }
        if let Err(error) = written {
            tracing::debug!(event = %key, reason = news.reason, %error, "an event is lost");
        }
    }
}

/// Who tells of what. All that is told of one reason is one Event already, so that nothing need be combined.
fn about(news: &News) -> events::Told<'_> {
    let type_ = if news.is_warning { "Warning" } else { "Normal" };
    events::Told {
        source: component(news),
        uid: news.uid(),
        type_,
        reason: news.reason,
        message: &news.message,
    }
}

/// Upstream's scheduler tells of where a pod goes, its kubelet of all else.
fn component(news: &News) -> &'static str {
    if matches!(news.reason, "Scheduled" | "FailedScheduling") { "default-scheduler" } else { "kubelet" }
}

fn event(news: &News, node: &str, at: &Time) -> Event {
    let about = &news.about;
    let component = component(news);
    let host = (component == "kubelet").then(|| node.to_owned());
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{:016x}", about.name.as_deref().unwrap_or_default(), fingerprint(news))),
            namespace: about.namespace.clone(),
            ..ObjectMeta::default()
        },
        involved_object: about.clone(),
        type_: Some(if news.is_warning { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(news.reason.to_owned()),
        message: Some(news.message.clone()),
        count: Some(1),
        first_timestamp: Some(at.clone()),
        last_timestamp: Some(at.clone()),
        reporting_component: Some(component.to_owned()),
        reporting_instance: Some(host.clone().unwrap_or_default()),
        source: Some(EventSource { component: Some(component.to_owned()), host }),
        ..Event::default()
    }
}

/// The same for the same reason at the same place of the same pod, whatever its words: so a pod has few Events, however
/// often and variously it fails.
fn fingerprint(news: &News) -> u64 {
    let mut hasher = DefaultHasher::new();
    let field_path = news.about.field_path.as_deref().unwrap_or_default();
    (news.uid(), news.reason, field_path).hash(&mut hasher);
    hasher.finish()
}
