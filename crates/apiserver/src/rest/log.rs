//! `pods/log`.

use futures::StreamExt;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use jiff::{SignedDuration, Timestamp};
use resources::{builtin::Pod, downcast};

use super::{call::Call, reply};
use crate::{kubelet::LogOptions, mount::Body, status::Failure};

pub(super) async fn run(call: Call) -> Result<Response<Body>, Failure> {
    let stored = call.registry().get(call.resource.kind, &call.resource.key())?;
    let pod = downcast::<Pod>(stored.object()?).ok_or_else(Failure::no_such_path)?;
    let container = container(&pod, call.query.get("container"))?;
    let options = options(&call)?;
    let kubelet = call.shared.kubelet.get().cloned();
    let kubelet = kubelet.ok_or_else(|| Failure::unavailable("there is no node here that has logs"))?;
    let log = kubelet.logs(pod, &container, options).await?;
    let drain = call.shared.draining.clone();
    let frames = log.take_until(drain.cancelled_owned()).map(|piece| piece.map(Frame::data));
    Ok(reply::respond(StatusCode::OK, "text/plain", StreamBody::new(frames).boxed_unsync()))
}

/// The container whose log is meant; the only one need not be named.
fn container(pod: &Pod, wanted: Option<&str>) -> Result<String, Failure> {
    let spec = pod.spec.as_ref();
    let names: Vec<&str> =
        spec.iter().flat_map(|spec| &spec.containers).map(|container| container.name.as_str()).collect();
    let init = spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
    let all: Vec<&str> = names.iter().copied().chain(init.map(|container| container.name.as_str())).collect();
    let pod = pod.metadata.name.as_deref().unwrap_or_default();
    match (wanted, names.as_slice()) {
        (Some(wanted), _) if all.contains(&wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => {
            Err(Failure::bad_request(format!("container {wanted} is not valid for pod {pod}")))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, several) => Err(Failure::bad_request(format!(
            "a container name must be specified for pod {pod}, choose one of: [{}]",
            several.join(" ")
        ))),
    }
}

fn options(call: &Call) -> Result<LogOptions, Failure> {
    let query = &call.query;
    let since_seconds: Option<i64> = query.number("sinceSeconds")?;
    let since = match (since_seconds, query.get("sinceTime")) {
        (Some(_), Some(_)) => {
            return Err(Failure::bad_request("at most one of sinceTime or sinceSeconds may be specified"));
        }
        (Some(seconds), None) => {
            call.registry().chance.timestamp().checked_sub(SignedDuration::from_secs(seconds)).ok()
        }
        (None, Some(text)) => Some(text.parse::<Timestamp>().map_err(|error| {
            Failure::bad_request(format!("unable to decode query parameter sinceTime: {error}"))
        })?),
        (None, None) => None,
    };
    Ok(LogOptions {
        follow: query.flag("follow"),
        previous: query.flag("previous"),
        tail_lines: query.number("tailLines")?,
        since,
        timestamps: query.flag("timestamps"),
        limit_bytes: query.number("limitBytes")?,
    })
}
