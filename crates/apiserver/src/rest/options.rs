//! `DeleteOptions`, from the query or the body.

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
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
        from_body(&parsed.value, &mut options)?;
    }
    Ok(options)
}

fn from_body(body: &Value, options: &mut DeleteOptions) -> Result<(), Failure> {
    if body.get("kind").and_then(Value::as_str).is_some_and(|kind| kind != "DeleteOptions") {
        return Err(Failure::bad_request("decoded object cannot be converted to DeleteOptions"));
    }
    if let Err(error) = serde_json::from_value::<meta::DeleteOptions>(body.clone()) {
        return Err(Failure::bad_request(format!("the body is no DeleteOptions: {error}")));
    }
    if let Some(seconds) = body.get("gracePeriodSeconds").and_then(Value::as_i64) {
        options.grace_period_seconds = Some(seconds);
    }
    if let Some(policy) = body.get("propagationPolicy").and_then(Value::as_str) {
        if body.get("orphanDependents").is_some_and(Value::is_boolean) {
            let why = format!(
                "Invalid value: {policy:?}: orphanDependents and deletionPropagation cannot be both set"
            );
            return Err(Failure::options("DeleteOptions", &[("propagationPolicy", why)]));
        }
        options.propagation = Some(propagation(policy)?);
    } else if let Some(orphan) = body.get("orphanDependents").and_then(Value::as_bool) {
        options.propagation = Some(orphans(orphan));
    }
    if let Some(preconditions) = body.get("preconditions") {
        let text = |field| preconditions.get(field).and_then(Value::as_str).map(str::to_owned);
        options.precondition = Precondition { uid: text("uid"), resource_version: text("resourceVersion") };
    }
    if let Some(wishes) = body.get("dryRun").and_then(Value::as_array) {
        options.dry_run = wishes.iter().any(|wish| wish == "All");
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
