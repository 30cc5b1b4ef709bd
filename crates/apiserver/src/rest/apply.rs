//! PATCH with a configuration: server-side apply.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::{Response, StatusCode};
use objects::Error;
use resources::{DynObject, Kind};
use serde_json::{Map, Value};

use super::{
    body,
    call::Call,
    decode::{self, FieldValidation, Misfit},
    reply,
};
use crate::{
    apply::{self, Conflict, Managed, Manager, Operation, Refused},
    aside::aside,
    mount::Body,
    registry::{Target, Wanted, apart, overtaken},
    schema,
    status::Failure,
    store::Stored,
};

/// The version of a Scale.
const SCALE: &str = "autoscaling/v1";

pub(super) async fn run(mut call: Call, target: Target) -> Result<Response<Body>, Failure> {
    let form = call.form()?;
    let mut configuration = read(&mut call).await?;
    check_kind(call.resource.kind, &configuration)?;
    // What is there has its name.
    decode::check_given_key(&call.resource, &mut configuration)?;
    let Applied { code, before, stored, mut warned } = apply(&call, target, configuration).await?;
    if target == Target::Object {
        warned.extend(call.registry().warnings(&*stored.object()?, before.as_deref()).await);
    }
    Ok(reply::warn(reply::object(&call, code, &stored, &form)?, &warned))
}

/// An object that was applied.
pub(super) struct Applied {
    pub(super) code: StatusCode,
    pub(super) before: Option<Arc<dyn DynObject>>,
    pub(super) stored: Arc<Stored>,
    /// What its applier should be warned of.
    pub(super) warned: Vec<String>,
}

/// Applies a configuration to an object, or creates the object from it.
pub(super) async fn apply(call: &Call, target: Target, configuration: Value) -> Result<Applied, Failure> {
    let validation = FieldValidation::of(call)?;
    let mut caller = call.caller()?;
    let manager = applier(call, caller.manager.take())?;
    let force = call.query.flag("force");
    let (kind, key) = (call.resource.kind, call.resource.key());
    let name = format!(
        "{}/{}; {}, Kind={}",
        configuration.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default(),
        key.name,
        if kind.group.is_empty() { format!("/{}", kind.version) } else { kind.api_version() },
        kind.kind
    );
    let now = call.registry().environment.now();
    let root = schema::Root::of(kind, call.resource.definition.as_deref());
    let (mut before, mut warned) = (None, Vec::new());
    let mut wanted = |live: Value, mut managed: Managed, current: Option<&Stored>| {
        let mut object =
            apply::apply(&mut managed, &live, &configuration, &root, &manager, force, now.clone())
                .map_err(|why| refused(why, &name, call))?;
        decode::put_in_place(&call.resource, &mut object);
        let len = object.to_string().len();
        let decoded = decode::decode(&call.resource, object, Vec::new(), None, validation).map_err(misfit)?;
        call.check_grant(&decoded.object, current)?;
        before = current.map(Stored::object).transpose()?;
        warned = decoded.warnings;
        Ok::<_, Failure>(Wanted { applied: Some(managed), ..Wanted::new(decoded.object, len) })
    };
    let registry = call.registry();
    for _ in 0..registry.limits.write_attempts_max {
        let (code, outcome) = if is_there(call)? {
            let change = |current: &Stored| {
                let (live, managed) = apart(&current.json());
                wanted(live, managed, Some(current))
            };
            match registry.update(kind, &key, target, &caller, change).await {
                // It went in between.
                Err(failure) if failure.code == StatusCode::NOT_FOUND && may_be_new(call) => continue,
                outcome => (StatusCode::OK, outcome),
            }
        } else {
            decode::check_named(&configuration, &key.name)?;
            check_may_be_new(&configuration, call.resource.kind, &key.name)?;
            call.check_may_create().await?;
            let nothing = Value::Object(Map::new());
            let wanted = aside(call.body_bytes, || wanted(nothing, Managed::default(), None)).await?;
            match registry.create(wanted, &caller).await {
                // It came in between.
                Err(Error::AlreadyExists { .. }) => continue,
                outcome => (StatusCode::CREATED, outcome.map_err(Failure::from)),
            }
        };
        return Ok(Applied { code, before, stored: outcome?, warned });
    }
    Err(overtaken(kind, &key.name).into())
}

/// Only a whole object is made by applying it.
fn may_be_new(call: &Call) -> bool {
    call.resource.subresource.is_none()
}

/// Whether there is something to apply to, where nothing is an answer.
fn is_there(call: &Call) -> Result<bool, Failure> {
    match call.registry().get(call.resource.kind, &call.resource.key()) {
        Ok(_) => Ok(true),
        Err(Error::NotFound { .. }) if may_be_new(call) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Who applies: whoever does must say what it is called.
fn applier(call: &Call, updater: Option<Manager>) -> Result<Manager, Failure> {
    match updater.filter(|_| call.query.get("fieldManager").is_some()) {
        Some(updater) => Ok(Manager { operation: Operation::Apply, ..updater }),
        None => Err(Failure::options(
            "PatchOptions",
            &[("fieldManager", "Required value: is required for apply patch".to_owned())],
        )),
    }
}

/// The configuration in the body.
pub(super) async fn read(call: &mut Call) -> Result<Value, Failure> {
    let bytes: Bytes = body::read(call).await?;
    let configuration = body::parse_bytes(call, body::Format::Yaml, &bytes).await?.value;
    let managed = configuration.pointer("/metadata/managedFields");
    if managed.is_some_and(|managed| !managed.is_null()) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    Ok(configuration)
}

/// A configuration names its kind, whatever its path says.
fn check_kind(kind: &Kind, configuration: &Value) -> Result<(), Failure> {
    let [given_version, given_kind] = ["apiVersion", "kind"]
        .map(|field| configuration.get(field).and_then(Value::as_str).unwrap_or_default());
    if configuration.is_object() && given_version == kind.api_version() && given_kind == kind.kind {
        return Ok(());
    }
    let (group, version) = given_version.rsplit_once('/').unwrap_or(("", given_version));
    Err(Failure::bad_request(format!("invalid object type: {group}/{version}, Kind={given_kind}")))
}

/// A configuration of one certain object makes no new one.
fn check_may_be_new(configuration: &Value, kind: &'static Kind, name: &str) -> Result<(), Failure> {
    match configuration.pointer("/metadata/uid").and_then(Value::as_str) {
        None | Some("") => Ok(()),
        Some(uid) => Err(Error::Conflict {
            kind,
            name: name.to_owned(),
            message: format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            ),
        }
        .into()),
    }
}

/// `object`: which one, as upstream's errors name it.
fn refused(refused: Refused, object: &str, call: &Call) -> Failure {
    let conflicts = match refused {
        Refused::Malformed(faults) => {
            let faults = match faults.as_slice() {
                [fault] => fault.clone(),
                faults => format!("errors:\n  {}", faults.join("\n  ")),
            };
            return Failure::untyped(format!("failed to create typed patch object ({object}): {faults}"));
        }
        Refused::Conflicts(conflicts) => conflicts,
    };
    let left_out = conflicts.left_out();
    let mut conflicts = conflicts.into_kept();
    // Who applies a Scale sees others by its own version.
    if call.resource.subresource.as_deref() == Some("scale") {
        conflicts.iter_mut().for_each(|conflict| conflict.manager.api_version = SCALE.into());
    }
    let causes = conflicts
        .iter()
        .map(|conflict| (conflict.field.clone(), format!("conflict with {}", who(conflict))))
        .collect();
    Failure::apply_conflict(message(&conflicts, left_out), causes)
}

/// Upstream: apimachinery, managedfields, `getConflictMessage`.
fn message(conflicts: &[Conflict], left_out: usize) -> String {
    if let [conflict] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {}: {}", who(conflict), conflict.field);
    }
    let mut fields: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for conflict in conflicts {
        fields.entry(who(conflict)).or_default().push(&conflict.field);
    }
    let lines = fields.iter().flat_map(|(who, fields)| {
        let fields = fields.iter().map(|field| format!("- {field}"));
        std::iter::once(format!("conflicts with {who}:")).chain(fields)
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    let more =
        if left_out > 0 { format!("\n{left_out} more conflicts are not shown") } else { String::new() };
    format!("Apply failed with {} conflicts: {lines}{more}", conflicts.len() + left_out)
}

/// Upstream: apimachinery, managedfields, `printManager`.
fn who(Conflict { manager, .. }: &Conflict) -> String {
    let mut who = format!("{:?}", manager.name);
    if !manager.subresource.is_empty() {
        who += &format!(" with subresource {:?}", manager.subresource);
    }
    if manager.operation == Operation::Update {
        who += &format!(" using {}", manager.api_version);
    }
    who
}

fn misfit(misfit: Misfit) -> Failure {
    match misfit {
        Misfit::Type(why) => {
            Failure::untyped(format!("failed to convert new object to proper version: {why}"))
        }
        Misfit::Strict(why) => Failure::bad_request(format!("strict decoding error: {why}")),
    }
}
