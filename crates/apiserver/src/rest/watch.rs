//! GET with `watch`: a stream of changes, one JSON document per line.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use objects::{ChangeKind, Error};
use resources::Kind;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Form, accept::negotiate_stream, call::Call, list, partial, reply};
use crate::{
    environment::Environment,
    mount::Body,
    served::{Definition, form},
    status::Failure,
    store::{Follower, Seen, Selection, Start, Store, Stored},
    table,
};

/// The annotation of the bookmark that ends what was there at the start (upstream: `InitialEventsAnnotationKey`).
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

pub(super) fn run(call: Call) -> Result<Response<Body>, Failure> {
    let watch = Watch::new(&call)?;
    let start = start(&call)?;
    let store = Arc::clone(&call.registry().store);
    let selection = call.selection()?;
    let lines = stream::once(async move {
        match begin(&store, watch, selection, start).await {
            Ok(watching) => self::lines(watching).boxed(),
            Err(error) => stream::iter([failed(error)]).boxed(),
        }
    });
    let frames = lines.flatten().filter(|lines| futures::future::ready(!lines.is_empty()));
    let frames = frames.map(|lines| Ok::<_, Infallible>(Frame::data(lines)));
    let body = StreamBody::new(frames).map_err(|never| match never {}).boxed_unsync();
    Ok(reply::respond(StatusCode::OK, "application/json", body))
}

/// Where a watch begins.
struct Beginning {
    /// The version whose successors are wanted; `None`: what is there now comes first.
    version: Option<u64>,
    /// Whether a bookmark tells the end of what was there at the start.
    bookmark: bool,
}

/// How changes are told.
struct Watch {
    kind: &'static Kind,
    definition: Option<Arc<Definition>>,
    /// Cancelled when the kind is no longer served as it was when the watch began.
    ended: CancellationToken,
    form: Form,
    /// Whether the client has seen the columns of the table.
    has_columns: bool,
    bookmarks: bool,
    bookmark_interval: Duration,
    end: Instant,
    draining: CancellationToken,
    environment: Environment,
}

impl Watch {
    fn new(call: &Call) -> Result<Self, Failure> {
        let limits = &call.registry().limits;
        let timeout = match call.query.number::<i64>("timeoutSeconds")?.unwrap_or_default() {
            // Spread, so that watches that began together do not end together.
            0 => limits.watch_timeout_min.mul_f64(1.0 + call.registry().environment.fraction()),
            // Less than no time is over at once.
            seconds => Duration::from_secs(seconds.try_into().unwrap_or(0)).min(limits.watch_timeout_max),
        };
        Ok(Self {
            kind: call.resource.kind,
            definition: call.resource.definition.clone(),
            ended: (call.resource.definition.as_ref())
                .map_or_else(CancellationToken::new, |definition| definition.ended.clone()),
            form: negotiate_stream(&call.headers, &call.query)?,
            has_columns: false,
            bookmarks: call.query.flag("allowWatchBookmarks"),
            bookmark_interval: limits.bookmark_interval,
            end: Instant::now() + timeout,
            draining: call.shared.draining.clone(),
            environment: call.registry().environment.clone(),
        })
    }

    fn lines(&mut self, seen: &[Seen]) -> Result<Bytes, Error> {
        let mut lines = BytesMut::new();
        for Seen { kind, stored } in seen {
            let word = match kind {
                ChangeKind::Added => "ADDED",
                ChangeKind::Modified => "MODIFIED",
                ChangeKind::Deleted => "DELETED",
            };
            let viewed = match &self.definition {
                Some(definition) => Some(definition.view_change(stored)?),
                None => form::of(self.kind, stored)?,
            };
            let object = self.object(viewed.as_ref().unwrap_or(stored))?;
            lines.reserve(object.len() + 40);
            lines.extend_from_slice(format!("{{\"type\":\"{word}\",\"object\":").as_bytes());
            lines.extend_from_slice(&object);
            lines.extend_from_slice(b"}\n");
        }
        Ok(lines.freeze())
    }

    fn object(&mut self, stored: &Stored) -> Result<Bytes, Error> {
        match self.form {
            Form::Table(form) => {
                let columns = table::columns(self.kind, self.definition.as_deref());
                let mut table = table::of_object(columns, stored, form, self.environment.timestamp())?;
                if std::mem::replace(&mut self.has_columns, true) {
                    table["columnDefinitions"] = Value::Null;
                }
                Ok(table.to_string().into())
            }
            Form::Partial { .. } => Ok(partial::item(stored)?.to_string().into()),
            Form::Object | Form::Discovery(_) => Ok(stored.json()),
        }
    }

    fn bookmark(&self, version: u64, initial: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": version.to_string(), "creationTimestamp": null});
        if initial {
            metadata["annotations"] = json!({INITIAL_EVENTS_END: "true"});
        }
        let mut object =
            json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": metadata});
        match self.form {
            Form::Table(form) => object = table::bookmark(&metadata, form),
            Form::Partial { .. } => object = partial::around(metadata),
            Form::Object | Form::Discovery(_) => {}
        }
        format!("{}\n", json!({"type": "BOOKMARK", "object": object})).into()
    }
}

fn start(call: &Call) -> Result<Beginning, Failure> {
    let version = list::version(call)?;
    let matching = call.query.get("resourceVersionMatch");
    let initial = call.query.get("sendInitialEvents").map(|_| call.query.flag("sendInitialEvents"));
    match (initial, matching) {
        (None, Some(_)) => Err(Failure::options(
            "ListOptions",
            &[(
                "resourceVersionMatch",
                "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
                    .into(),
            )],
        )),
        (Some(_), matching) if matching != Some("NotOlderThan") => {
            let why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            let mut mistakes = vec![("resourceVersionMatch", why.to_owned())];
            mistakes.extend(matching.map(|matching| {
                let why = format!("Unsupported value: {matching:?}: supported values: \"NotOlderThan\"");
                ("resourceVersionMatch", why)
            }));
            Err(Failure::options("ListOptions", &mistakes))
        }
        (Some(true), _) if !call.query.flag("allowWatchBookmarks") => Err(Failure::options(
            "ListOptions",
            &[(
                "sendInitialEvents",
                "Forbidden: sendInitialEvents is forbidden for watch unless allowWatchBookmarks is true"
                    .into(),
            )],
        )),
        (Some(true), _) => Ok(Beginning { version: None, bookmark: true }),
        (Some(false), _) => Ok(Beginning {
            version: Some(version.filter(|version| *version > 0).unwrap_or(call.registry().store.version())),
            bookmark: false,
        }),
        (None, _) => Ok(Beginning { version: version.filter(|version| *version > 0), bookmark: false }),
    }
}

/// A watch that has begun.
struct Watching {
    watch: Watch,
    follower: Follower,
    /// Where what was there at the start and has not been told yet begins. It is read as the client takes it.
    there: Option<Start>,
    /// Whether a bookmark is to tell its end.
    bookmark: bool,
}

/// Finds the place from which to follow.
async fn begin(
    store: &Arc<Store>,
    watch: Watch,
    selection: Selection,
    start: Beginning,
) -> Result<Watching, Error> {
    if let Some(definition) = &watch.definition {
        definition.prepare(store, &selection).await?;
    }
    if let Some(version) = start.version {
        let follower = store.follow(watch.kind, selection, version)?;
        return Ok(Watching { watch, follower, there: None, bookmark: false });
    }
    let follower = store.follow_now(watch.kind, selection)?;
    let there = Some(Start::Version(follower.cursor()));
    Ok(Watching { watch, follower, there, bookmark: start.bookmark })
}

/// All that a watch tells: what was there at the start, and then the changes.
fn lines(watching: Watching) -> impl futures::Stream<Item = Bytes> {
    stream::unfold(Some(watching), |state| async {
        let mut watching = state?;
        match watching.next().await {
            Ok(Some(lines)) => Some((lines, Some(watching))),
            Ok(None) => None,
            Err(error) => Some((failed(error), None)),
        }
    })
}

impl Watching {
    /// The next lines; `None` when the time is up, the server drains or the kind is gone.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(lines) = self.first().await? {
            // Others get their turn.
            tokio::task::yield_now().await;
            return Ok(Some(lines).filter(|_| !self.watch.draining.is_cancelled()));
        }
        let Self { watch, follower, .. } = self;
        let bookmark_at = Instant::now() + watch.bookmark_interval;
        let seen = tokio::select! {
            // What was told before the kind's end is told.
            biased;
            () = sleep_until(watch.end) => return Ok(None),
            () = watch.draining.cancelled() => return Ok(None),
            seen = follower.next() => seen?,
            () = watch.ended.cancelled() => return Ok(None),
            () = sleep_until(bookmark_at), if watch.bookmarks && bookmark_at < watch.end => {
                return Ok(Some(watch.bookmark(follower.cursor(), false)));
            }
        };
        watch.lines(&seen).map(Some)
    }

    /// Some of what was there at the start; `None` when all of it has been told.
    async fn first(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(from) = self.there.take() else { return Ok(None) };
        let page = self.follower.page(from, reply::WRITTEN_AT_ONCE).await?;
        let added = page.items.into_iter().map(|stored| Seen { kind: ChangeKind::Added, stored });
        let lines = self.watch.lines(&added.collect::<Vec<_>>())?;
        self.there = page.next.map(Start::Place);
        if self.there.is_some() || !self.bookmark {
            return Ok(Some(lines));
        }
        let mut lines = BytesMut::from(&lines[..]);
        lines.extend_from_slice(&self.watch.bookmark(page.version, true));
        Ok(Some(lines.freeze()))
    }
}

/// The line that ends a watch that cannot go on.
fn failed(error: Error) -> Bytes {
    let status = Failure::from(error).to_status();
    format!("{}\n", json!({"type": "ERROR", "object": status})).into()
}
