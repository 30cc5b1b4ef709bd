use std::time::Duration;

use bytes::Bytes;
use dataplane::RevisionConfig;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::rig::{App, Gate, Rig, eventually, get, limited};

const SHORT: Duration = Duration::from_millis(60);
/// What must not pass between two steps, which is many times what they take.
const LONG: Duration = Duration::from_millis(900);
const STEP: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::MAX;

fn config(change: impl Fn(&mut RevisionConfig)) -> RevisionConfig {
    let mut config = limited(0);
    change(&mut config);
    config
}

#[tokio::test]
async fn nothing_in_time_is_504() {
    let app = App::gated(&Gate::closed()).await;
    let cases = [
        (config(|config| config.timeout = SHORT), "request timeout", "timeoutSeconds"),
        (
            config(|config| config.response_start_timeout = SHORT),
            "response start timeout",
            "responseStartTimeoutSeconds",
        ),
        (config(|config| config.idle_timeout = SHORT), "idle timeout", "idleTimeoutSeconds"),
    ];
    for (config, text, field) in cases {
        let rig = Rig::serving(config, &[&app]).await;
        let reply = rig.get("/").await;
        assert_eq!((reply.status, reply.body.lines().next()), (StatusCode::GATEWAY_TIMEOUT, Some(text)));
        let (limit, seconds) = (reply.body.lines().nth(1).unwrap(), "0.06 s");
        assert!(limit.contains(field) && limit.contains(seconds), "{limit}");
        eventually("the application was let go", || app.at_once() == 0).await;
    }
}

#[tokio::test]
async fn waiting_for_an_instance_counts() {
    let rig = Rig::serving(config(|config| config.timeout = SHORT), &[]).await;
    assert_eq!(rig.get("/").await.status, StatusCode::GATEWAY_TIMEOUT);
}

/// An application that sends a frame each `pause` for a while.
async fn dripping(pause: Duration, frames: usize) -> App {
    App::new(move |_| async move {
        let stream = futures::stream::unfold(0, move |sent| async move {
            (sent < frames).then_some(())?;
            tokio::time::sleep(pause).await;
            Some((Ok(Frame::data(Bytes::from_static(b"drop"))), sent + 1))
        });
        Response::new(BodyExt::boxed(SyncBody(StreamBody::new(Box::pin(stream)))))
    })
    .await
}

/// Streams are not `Sync`, and boxes of bodies want it; only one task ever looks at one.
struct SyncBody<S>(StreamBody<S>);

impl<S> hyper::body::Body for SyncBody<S>
where
    StreamBody<S>: hyper::body::Body<Data = Bytes, Error = std::io::Error> + Unpin,
{
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        std::pin::Pin::new(&mut self.0).poll_frame(cx)
    }
}

#[tokio::test]
async fn a_response_that_has_begun() {
    let idle = |config: &mut RevisionConfig| config.idle_timeout = LONG;
    let total = |config: &mut RevisionConfig| config.timeout = LONG;
    let start = |config: &mut RevisionConfig| config.response_start_timeout = LONG;
    // (configuration, pause between frames, frames, whether all of it arrives)
    let cases = [
        ("idle longer than the frames' pause", config(idle), STEP, 20, true),
        ("idle shorter than the frames' pause", config(idle), NEVER, 2, false),
        ("total passes between frames", config(total), STEP, 100, false),
        ("response start is over once it began", config(start), STEP, 20, true),
    ];
    for (what, config, pause, frames, whole) in cases {
        let app = dripping(pause, frames).await;
        let rig = Rig::serving(config, &[&app]).await;
        let response = rig.client().await.send(get("/")).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{what}");
        let body = response.into_body().collect().await;
        assert_eq!(body.is_ok(), whole, "{what}: {body:?}");
        eventually("the application was let go", || app.at_once() == 0).await;
    }
}
