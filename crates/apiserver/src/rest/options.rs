//! `DeleteOptions`, from the query or the body.

use k8s_openapi::apimachinery::pkg::apis::meta;
use objects::{DeleteOptions, Precondition, Propagation};
use serde_json::Value;

use super::{body, call::Call};
use crate::status::Failure;

/// What a delete asks for. The body counts before the query (upstream: apiserver, `handlers/delete.go`).
pub(super) async fn delete(call: &mut Call) -> Result<DeleteOptions, Failure> {
    let mut options = DeleteOptions {
        grace_period_seconds: call.query.number("gracePeriodSeconds")?,
        propagation: call.query.get("propagationPolicy").map(propagation).transpose()?,
        precondition: Precondition::default(),
        dry_run: false,
    };
    if let Some(orphan) = call.query.get("orphanDependents") {
        options.propagation = Some(orphans(orphan == "true"));
    }
    if let Some(parsed) = body::parse_if_any(call).await? {
        from_body(parsed.value, &mut options)?;
    }
    Ok(options)
}

pub(super) fn from_body(body: Value, options: &mut DeleteOptions) -> Result<(), Failure> {
    if body.get("kind").and_then(Value::as_str).is_some_and(|kind| kind != "DeleteOptions") {
        return Err(Failure::bad_request("decoded object cannot be converted to DeleteOptions"));
    }
    let body: meta::v1::DeleteOptions = serde_json::from_value(body).map_err(|error| {
        let what = "DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions";
        Failure::bad_request(format!("{what}: {error}"))
    })?;
    options.grace_period_seconds = body.grace_period_seconds.or(options.grace_period_seconds);
    if let Some(policy) = body.propagation_policy {
        if body.orphan_dependents.is_some() {
            let why = format!(
                "Invalid value: {policy:?}: orphanDependents and deletionPropagation cannot be both set"
            );
            return Err(Failure::options("DeleteOptions", &[("propagationPolicy", why)]));
        }
        options.propagation = Some(propagation(&policy)?);
    } else if let Some(orphan) = body.orphan_dependents {
        options.propagation = Some(orphans(orphan));
    }
    if let Some(meta::v1::Preconditions { uid, resource_version }) = body.preconditions {
        options.precondition = Precondition { uid, resource_version };
    }
    for wish in body.dry_run.into_iter().flatten() {
        options.dry_run |= super::call::dry_run(&wish, "DeleteOptions")?;
    }
    Ok(())
}

fn orphans(orphan: bool) -> Propagation {
    if orphan { Propagation::Orphan } else { Propagation::Background }
}

fn propagation(policy: &str) -> Result<Propagation, Failure> {
    match policy {
        "Orphan" => Ok(Propagation::Orphan),
        "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        other => {
            let why = format!(
                "Unsupported value: {other:?}: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            );
            Err(Failure::options("DeleteOptions", &[("propagationPolicy", why)]))
        }
    }
}
