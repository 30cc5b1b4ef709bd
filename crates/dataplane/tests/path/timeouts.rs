use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use dataplane::RevisionConfig;
use futures::channel::mpsc;
use futures::{FutureExt, SinkExt};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::time::timeout;

use crate::rig::{App, Gate, PATIENCE, Reply, Rig, Still, eventually, get, limited};

const LIMIT: Duration = Duration::from_millis(60);
const TICK: Duration = Duration::from_millis(1);

fn config(change: impl Fn(&mut RevisionConfig)) -> RevisionConfig {
    let mut config = limited(0);
    change(&mut config);
    config
}

/// The answer to a request, which must come when the limit has passed and not before.
async fn answer_at_the_limit(rig: &Rig, time: &Still) -> Reply {
    let answer = rig.enter("/").await;
    time.passes(LIMIT - TICK).await;
    rig.caught_up().await;
    assert!(!answer.is_finished(), "too early");
    time.passes(TICK).await;
    answer.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn nothing_in_time_is_504() {
    let time = Still::new();
    let app = App::gated(&Gate::closed()).await;
    let cases = [
        (config(|config| config.timeout = LIMIT), "request timeout", "timeoutSeconds"),
        (
            config(|config| config.response_start_timeout = LIMIT),
            "response start timeout",
            "responseStartTimeoutSeconds",
        ),
        (config(|config| config.idle_timeout = LIMIT), "idle timeout", "idleTimeoutSeconds"),
    ];
    for (config, text, field) in cases {
        let rig = Rig::serving(config, &[&app]).await;
        let reply = answer_at_the_limit(&rig, &time).await;
        assert_eq!((reply.status, reply.body.lines().next()), (StatusCode::GATEWAY_TIMEOUT, Some(text)));
        let (limit, seconds) = (reply.body.lines().nth(1).unwrap(), "0.06 s");
        assert!(limit.contains(field) && limit.contains(seconds), "{limit}");
        eventually("the application was let go", || app.at_once() == 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_an_instance_counts() {
    let time = Still::new();
    let rig = Rig::serving(config(|config| config.timeout = LIMIT), &[]).await;
    assert_eq!(answer_at_the_limit(&rig, &time).await.status, StatusCode::GATEWAY_TIMEOUT);
}

type Frames = mpsc::Sender<Result<Frame<Bytes>, std::io::Error>>;

/// An application whose one response the test sends frame by frame.
async fn fed() -> (Frames, App) {
    let (frames, body) = mpsc::channel(1);
    let body = Mutex::new(Some(body));
    let app = App::new(move |_| {
        let body = body.lock().unwrap().take().expect("one request");
        async move { Response::new(BodyExt::boxed(StreamBody::new(body))) }
    })
    .await;
    (frames, app)
}

#[tokio::test(start_paused = true)]
async fn a_response_that_has_begun() {
    let time = Still::new();
    let almost = LIMIT - TICK;
    let idle = |config: &mut RevisionConfig| config.idle_timeout = LIMIT;
    let total = |config: &mut RevisionConfig| config.timeout = LIMIT;
    let start = |config: &mut RevisionConfig| config.response_start_timeout = LIMIT;
    // (configuration, pauses with a frame after each, how long after the last of them it is cut, if it is)
    let cases = [
        ("idle counts from the last frame", config(idle), vec![almost; 3], None),
        ("idle without a frame", config(idle), vec![], Some(LIMIT)),
        ("idle after a frame", config(idle), vec![almost], Some(LIMIT)),
        ("total passes between frames", config(total), vec![LIMIT / 3; 2], Some(LIMIT / 3)),
        ("response start is over once it began", config(start), vec![LIMIT; 2], None),
    ];
    for (what, config, pauses, cut) in cases {
        let (mut frames, app) = fed().await;
        let rig = Rig::serving(config, &[&app]).await;
        let response = rig.client().await.send(get("/")).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{what}");
        let mut body = response.into_body();
        for pause in pauses {
            time.passes(pause).await;
            frames.send(Ok(Frame::data("drop".into()))).await.unwrap();
            let frame = timeout(PATIENCE, body.frame()).await.expect(what);
            assert!(matches!(frame, Some(Ok(_))), "{what}: {frame:?}");
        }
        if let Some(after) = cut {
            time.passes(after - TICK).await;
            rig.caught_up().await;
            assert!(body.frame().now_or_never().is_none(), "{what}: too early");
            time.passes(TICK).await;
            let frame = timeout(PATIENCE, body.frame()).await.expect(what);
            assert!(matches!(frame, Some(Err(_))), "{what}: {frame:?}");
        } else {
            drop(frames);
            let rest = timeout(PATIENCE, body.collect()).await.expect(what);
            assert!(rest.is_ok(), "{what}: {rest:?}");
        }
        eventually("the application was let go", || app.at_once() == 0).await;
    }
}
