//! Events: what a user reads first when something went wrong at night (`kubectl describe`, `kubectl get events`).
//!
//! ```text
//!   a child was refused ─────────────────┐
//!   a condition turned (after the status │ is written) ──► record ──► one Event per (object, reason, message),
//!   a reconcile failed ──────────────────┘                            counted while it repeats; many that are alike
//!                                                                     become one, and too many are dropped
//! ```
//!
//! What is told of plain Deployments is in `workloads::events`, and written as these are.
//!
//! Unlike upstream no event tells that a child was made: the child is there to be seen, names its owner and says when it
//! was made, and four more objects for each of ten thousand services would tell nothing else.
//!
//! They are news, not state: nothing waits for one or reads one, and one that cannot be written is let go. Between a
//! request at zero and its instance none is written. They expire as the home has it: in a cluster by the API server,
//! embedded by `workloads::event_expiry`.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
    sync::Arc,
};

use objects::{Action, Client, Error, Reconcile, Result, WriteTarget};
use parking_lot::Mutex;
use resources::{
    Object, ObjectKey,
    builtin::{Event, EventSource, ObjectReference},
    events::{self, COMBINED, Correlator, Verdict},
    meta::{ObjectMeta, Time},
};

use super::{
    child::{self, Child, ensure_by},
    context::Context,
};

/// What there is to tell of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// `Normal` or `Warning`.
    type_: &'static str,
    reason: Cow<'static, str>,
    message: String,
}

impl News {
    pub(crate) fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self { type_: "Normal", reason: reason.into(), message: message.into() }
    }

    pub(crate) fn warning(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { type_: "Warning", reason: reason.into(), message: message.into() }
    }
}

/// Writes an event about an object, or counts it up where the same was told before.
pub(super) async fn record<K: Object>(context: &Context, about: &K, news: News) {
    write(&context.client, &context.told, reference(about), news, &context.now()).await;
}

/// What an event is about. Events are kept for a while, and the object need not be.
pub(crate) fn reference<K: Object>(about: &K) -> ObjectReference {
    ObjectReference {
        api_version: Some(K::kind().api_version()),
        kind: Some(K::kind().kind.to_owned()),
        name: Some(about.name().to_owned()),
        namespace: Some(about.namespace().to_owned()),
        uid: Some(about.uid().to_owned()),
        resource_version: about.metadata().resource_version.clone(),
        ..ObjectReference::default()
    }
}

/// As [`record`], of what happened `now`; `lately`: what was told before.
pub(crate) async fn write(
    client: &Client,
    lately: &Mutex<Correlator>,
    about: ObjectReference,
    news: News,
    now: &Time,
) {
    let component = format!("{}-controller", about.kind.as_deref().unwrap_or_default().to_lowercase());
    let uid = about.uid.as_deref().unwrap_or_default();
    let told = events::Told {
        source: &component,
        uid,
        type_: news.type_,
        reason: &news.reason,
        message: &news.message,
    };
    let verdict = lately.lock().observe(told, now.0);
    let (news, fingerprint) = match verdict {
        Verdict::Dropped => return,
        Verdict::Own => (news.clone(), fingerprint(uid, &news)),
        Verdict::Combined => {
            let all = News { message: String::new(), ..news.clone() };
            (News { message: format!("{COMBINED}{}", news.message), ..news }, fingerprint(uid, &all))
        }
    };
    let event = event(about, &news, component, fingerprint, now);
    let key = event.key();
    // First the write that is right nearly always; whether it was told before need not be asked.
    let mut written = client.create(event).await;
    if matches!(written, Err(Error::AlreadyExists { .. })) {
        let again = |event: &mut Event| count_up(event, &news.message, now);
        written = client.modify(WriteTarget::Object, &key, again).await;
    }
    if let Err(error) = written {
        tracing::debug!(event = %key, reason = %news.reason, %error, "an event is lost");
    }
}

/// Creates a child, and tells on its owner if it is refused.
pub(super) async fn create<K: Object>(context: &Context, owner: &impl Object, child: K) -> Result<Arc<K>> {
    let (kind, name) = (K::kind().kind, child.name().to_owned());
    let made = child::create(&context.client, child).await;
    match &made {
        Err(error) if is_news(error) => {
            let message = format!("Failed to create {kind} {name:?}: {error}");
            record(context, owner, News::warning("CreationFailed", message)).await;
        }
        Ok(_) | Err(_) => {}
    }
    made
}

/// As [`child::ensure`], and tells on the owner of a child that is refused.
pub(super) async fn ensure<K: Object + PartialEq>(
    context: &Context,
    owner: &impl Object,
    desired: K,
    merge: impl FnOnce(&K, K) -> K,
) -> Result<Child<K>> {
    ensure_by(&context.client, owner, desired, merge, |desired| create(context, owner, desired)).await
}

/// A reconciler of objects of kind `K` whose failures become Events about the object that it failed on. How often is
/// bounded by the queue, which waits longer after each failure.
pub(super) struct WithEvents<K, R> {
    context: Context,
    reconciler: R,
    kind: PhantomData<fn(K)>,
}

impl<K: Object, R: Reconcile> WithEvents<K, R> {
    pub(super) fn new(context: &Context, reconciler: R) -> Self {
        Self { context: context.clone(), reconciler, kind: PhantomData }
    }
}

impl<K: Object, R: Reconcile> Reconcile for WithEvents<K, R> {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let outcome = self.reconciler.reconcile(key).await;
        if let Err(error) = &outcome
            && is_news(error)
            && let Ok(object) = self.context.client.get::<K>(key).await
        {
            record(&self.context, &*object, News::warning("InternalError", error.to_string())).await;
        }
        outcome
    }
}

/// Whether a failure tells a user anything: conflicts are how writers meet, and an API that cannot take writes now shall
/// not get more of them.
pub(crate) fn is_news(error: &Error) -> bool {
    !error.is_conflict() && !matches!(error, Error::Expired(_) | Error::Unavailable(_))
}

fn event(about: ObjectReference, news: &News, component: String, fingerprint: u64, now: &Time) -> Event {
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{fingerprint:016x}", about.name.as_deref().unwrap_or_default())),
            namespace: about.namespace.clone(),
            ..ObjectMeta::default()
        },
        involved_object: about,
        type_: Some(news.type_.to_owned()),
        reason: Some(news.reason.clone().into_owned()),
        message: Some(news.message.clone()),
        count: Some(1),
        first_timestamp: Some(now.clone()),
        last_timestamp: Some(now.clone()),
        source: Some(EventSource { component: Some(component.clone()), host: None }),
        reporting_component: Some(component),
        reporting_instance: Some(String::new()),
        ..Event::default()
    }
}

fn count_up(event: &mut Event, message: &str, now: &Time) {
    event.message = Some(message.to_owned());
    event.count = Some(event.count.unwrap_or(1).saturating_add(1));
    event.last_timestamp = Some(now.clone());
}

/// The same for the same news, so that it is found again by name and nobody has to remember what was told.
fn fingerprint(uid: &str, news: &News) -> u64 {
    let mut hasher = DefaultHasher::new();
    (uid, &news.reason, &news.message).hash(&mut hasher);
    hasher.finish()
}
