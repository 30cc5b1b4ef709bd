//! Cells of what scales, keeps and runs to its end: autoscalers, disruption budgets, jobs, webhooks (upstream:
//! `pkg/printers/internalversion`).

use jiff::Timestamp;
use resources::duration::human;
use serde_json::Value;

use super::{items, number, text};

/// `Deployment/name`
pub(super) fn scale_target(object: &Value, _: Timestamp) -> Value {
    let target = "/spec/scaleTargetRef";
    format!("{}/{}", text(object, &format!("{target}/kind")), text(object, &format!("{target}/name"))).into()
}

/// What is wanted of each metric; that it is measured would be said in the status.
pub(super) fn targets(object: &Value, _: Timestamp) -> Value {
    let metrics = items(object, "/spec/metrics");
    let shown = metrics.iter().filter(|metric| text(metric, "/type") == "Resource").map(|metric| {
        let target = "/resource/target";
        let wanted = match metric.pointer(&format!("{target}/averageUtilization")) {
            Some(percent) => format!("{percent}%"),
            None => text(metric, &format!("{target}/averageValue")).to_owned(),
        };
        format!("{}: <unknown>/{wanted}", text(metric, "/resource/name"))
    });
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() { "<none>".into() } else { shown.join(", ").into() }
}

pub(super) fn min_pods(object: &Value, _: Timestamp) -> Value {
    object.pointer("/spec/minReplicas").map_or_else(|| "<unset>".into(), |min| min.to_string().into())
}

pub(super) fn current_replicas(object: &Value, _: Timestamp) -> Value {
    number(object, "/status/currentReplicas").into()
}

pub(super) fn min_available(object: &Value, _: Timestamp) -> Value {
    or_missing(object, "/spec/minAvailable")
}

pub(super) fn max_unavailable(object: &Value, _: Timestamp) -> Value {
    or_missing(object, "/spec/maxUnavailable")
}

fn or_missing(object: &Value, pointer: &str) -> Value {
    match object.pointer(pointer) {
        Some(Value::String(share)) => share.as_str().into(),
        Some(count) => count.to_string().into(),
        None => "N/A".into(),
    }
}

pub(super) fn allowed_disruptions(object: &Value, _: Timestamp) -> Value {
    number(object, "/status/disruptionsAllowed").into()
}

pub(super) fn job_status(object: &Value, _: Timestamp) -> Value {
    let is = |kind: &str| {
        let mut conditions = items(object, "/status/conditions").iter();
        conditions.any(|condition| text(condition, "/type") == kind && text(condition, "/status") == "True")
    };
    let known = [("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")];
    known.iter().find(|(kind, _)| is(kind)).map_or("Running", |(_, shown)| *shown).into()
}

/// `0/1`
pub(super) fn completions(object: &Value, _: Timestamp) -> Value {
    let done = number(object, "/status/succeeded");
    match object.pointer("/spec/completions") {
        Some(wanted) => format!("{done}/{wanted}").into(),
        None => format!("{done}/1").into(),
    }
}

/// Only what has begun takes time.
pub(super) fn duration(object: &Value, now: Timestamp) -> Value {
    let time = |field: &str| text(object, field).parse::<Timestamp>().ok();
    match time("/status/startTime") {
        None => "".into(),
        Some(start) => {
            let end = time("/status/completionTime").unwrap_or(now);
            human(end.as_second() - start.as_second()).into()
        }
    }
}

pub(super) fn webhooks(object: &Value, _: Timestamp) -> Value {
    items(object, "/webhooks").len().into()
}
