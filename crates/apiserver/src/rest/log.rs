//! `pods/log`.

use futures::StreamExt;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use jiff::{SignedDuration, Timestamp};
use resources::{builtin::Pod, downcast};

use super::{call::Call, container::container, reply};
use crate::{kubelet::LogOptions, mount::Body, status::Failure};

pub(super) async fn run(call: Call) -> Result<Response<Body>, Failure> {
    let stored = call.registry().get(call.resource.kind, &call.resource.key())?;
    let pod = downcast::<Pod>(stored.object()?).ok_or_else(Failure::no_such_path)?;
    let options = options(&call)?;
    let container = container(&pod, call.query.get("container"))?;
    if pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default().is_empty() {
        // Nothing has been written where nothing has run.
        return Ok(reply::nothing());
    }
    let kubelet = call.shared.kubelet.get().cloned();
    let kubelet = kubelet
        .ok_or_else(|| Failure::unavailable("container logs are not available: no node is running"))?;
    let log = kubelet.logs(pod, &container, options).await?;
    let drain = call.shared.draining.clone();
    let frames = log.take_until(drain.cancelled_owned()).map(|piece| piece.map(Frame::data));
    Ok(reply::respond(StatusCode::OK, "text/plain", StreamBody::new(frames).boxed_unsync()))
}

/// Upstream: kubernetes, `ValidatePodLogOptions`.
fn options(call: &Call) -> Result<LogOptions, Failure> {
    let query = &call.query;
    let tail_lines: Option<i64> = query.number("tailLines")?;
    let limit_bytes: Option<i64> = query.number("limitBytes")?;
    let since_seconds: Option<i64> = query.number("sinceSeconds")?;
    let since_time = query.get("sinceTime").map(|text| {
        text.parse::<Timestamp>().map_err(|error| {
            Failure::bad_request(format!("unable to decode query parameter sinceTime: {error}"))
        })
    });
    let since_time = since_time.transpose()?;
    let mut mistakes = Vec::new();
    let too_small = |value: i64, what: &str| format!("Invalid value: {value}: must be greater than {what}0");
    if let Some(lines @ ..0) = tail_lines {
        mistakes.push(("tailLines", too_small(lines, "or equal to ")));
    }
    if let Some(bytes @ ..1) = limit_bytes {
        mistakes.push(("limitBytes", too_small(bytes, "")));
    }
    if since_seconds.is_some() && since_time.is_some() {
        let why = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified";
        mistakes.push(("[]", why.to_owned()));
    } else if let Some(seconds @ ..1) = since_seconds {
        mistakes.push(("sinceSeconds", too_small(seconds, "")));
    }
    if !mistakes.is_empty() {
        let pod = call.resource.name.as_deref().unwrap_or_default();
        return Err(Failure::options_of(pod, "PodLogOptions", &mistakes));
    }
    let now = call.registry().environment.timestamp();
    let ago = since_seconds.and_then(|seconds| now.checked_sub(SignedDuration::from_secs(seconds)).ok());
    Ok(LogOptions {
        follow: query.flag("follow"),
        previous: query.flag("previous"),
        tail_lines: tail_lines.map(i64::unsigned_abs),
        since: since_time.or(ago),
        timestamps: query.flag("timestamps"),
        limit_bytes: limit_bytes.map(i64::unsigned_abs),
    })
}
