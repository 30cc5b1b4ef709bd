//! GET of many objects.

use http::Response;
use objects::Error;
use resources::Kind;
use serde_json::{Value, json};

use super::{
    Form,
    call::Call,
    partial,
    reply::{self, Pieces},
};
use crate::{
    mount::Body,
    status::Failure,
    store::{Page, PageOptions, Place, Start, Stored},
    table,
};

pub(super) async fn run(call: &Call) -> Result<Response<Body>, Failure> {
    let form = call.form()?;
    let selection = call.selected().await?;
    call.query.number::<i64>("timeoutSeconds")?;
    // Fewer than none are all.
    let limit = call.query.number::<i64>("limit")?.unwrap_or_default();
    let options = PageOptions { limit: usize::try_from(limit).unwrap_or_default(), from: from(call)? };
    let anew = match &options.from {
        Start::Place(place) => Some(place.clone().anew()),
        Start::Now | Start::Version(_) => None,
    };
    let mut page =
        match (call.registry().store.page_leased(call.resource.kind, &selection, options).await, anew) {
            (Err(Error::Expired(_)), Some(anew)) => return Err(Failure::list_expired(&anew.token())),
            (page, _) => page?,
        };
    call.resource.view_all(&mut page.items).await?;
    let mut metadata = metadata(&page);
    let is_selected = ["labelSelector", "fieldSelector"].iter().any(|name| call.query.get(name).is_some());
    if let Some(place) = page.next.as_ref().filter(|_| !is_selected)
        && let Some(count) = call.registry().store.remaining(call.resource.kind, &selection, place)
    {
        metadata["remainingItemCount"] = count.into();
    }
    respond(call, &form, &page, metadata).await
}

/// A page in the form that is wanted, with this metadata.
pub(super) async fn respond(
    call: &Call,
    form: &Form,
    page: &Page,
    metadata: Value,
) -> Result<Response<Body>, Failure> {
    let response = answer(call, form, page, metadata).await?;
    Ok(reply::warn(response, &call.deprecation()))
}

async fn answer(call: &Call, form: &Form, page: &Page, metadata: Value) -> Result<Response<Body>, Failure> {
    let kind = call.resource.kind;
    match form {
        Form::Table(form) => {
            let (columns, now) = (call.columns(), call.now());
            let head = table::head(columns, &metadata, *form);
            let write = |stored: &Stored, pieces: &mut Pieces| {
                let row = table::row(columns, stored, *form, now)?;
                pieces.push(row.to_string().as_bytes());
                Ok(())
            };
            reply::list(&head, table::ROWS, &page.items, write).await
        }
        Form::Partial { list } => {
            let head = partial::head(kind, &metadata, *list)?;
            let write = |stored: &Stored, pieces: &mut Pieces| {
                pieces.push(partial::item(stored)?.to_string().as_bytes());
                Ok(())
            };
            reply::list(&head, ITEMS, &page.items, write).await
        }
        Form::Object | Form::Discovery(_) => of_objects(kind, page, metadata).await,
    }
}

const ITEMS: &str = "items";

/// A list of whole objects.
async fn of_objects(kind: &Kind, page: &Page, mut metadata: Value) -> Result<Response<Body>, Failure> {
    if kind.is_defined() && page.next.is_none() {
        // Upstream writes it for what users define.
        metadata["continue"] = "".into();
    }
    let head = json!({"kind": kind.list_kind(), "apiVersion": kind.api_version(), "metadata": metadata});
    // Upstream, the items of a built-in kind's list do not repeat the kind; those of a custom resource's list do.
    let said = format!("{{\"apiVersion\":\"{}\",\"kind\":\"{}\",", kind.api_version(), kind.kind);
    let write = |stored: &Stored, pieces: &mut Pieces| {
        let json = stored.json();
        match json.strip_prefix(said.as_bytes()).filter(|_| kind.is_builtin()) {
            Some(rest) => {
                pieces.push(b"{");
                pieces.push(rest);
            }
            None => pieces.push(&json),
        }
        Ok(())
    };
    reply::list(&head, ITEMS, &page.items, write).await
}

/// A list's metadata.
pub(super) fn metadata(page: &Page) -> Value {
    let mut metadata = json!({"resourceVersion": page.version.to_string()});
    if let Some(place) = &page.next {
        metadata["continue"] = place.token().into();
    }
    metadata
}

/// The version that is asked for (upstream: apiserver, semantics of `resourceVersion` and `resourceVersionMatch`).
fn from(call: &Call) -> Result<Start, Failure> {
    let version: Option<u64> = version(call).map_err(|failure| failure.within("invalid resource version"))?;
    let matching = call.query.get("resourceVersionMatch");
    check_match(call, version, matching)?;
    if let Some(token) = call.query.get("continue") {
        if version.is_some_and(|version| version > 0) {
            return Err(Failure::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        return Ok(Start::Place(Place::parse(token)?));
    }
    let current = call.registry().store.version();
    match (version, matching) {
        (Some(version), _) if version > current => Err(Failure::too_large_version(version, current)),
        (Some(version), Some("Exact")) => Ok(Start::Version(version)),
        // A page of a version is one of that version, unless newer ones may do.
        (Some(version), None) if version > 0 && is_limited(call) => Ok(Start::Version(version)),
        // What is there now is not older than anything that was.
        _ => Ok(Start::Now),
    }
}

fn is_limited(call: &Call) -> bool {
    call.query.number::<i64>("limit").ok().flatten().is_some_and(|limit| limit > 0)
}

/// Whether `resourceVersionMatch` goes with the rest (upstream: apimachinery, `ValidateListOptions`).
fn check_match(call: &Call, version: Option<u64>, matching: Option<&str>) -> Result<(), Failure> {
    let mut mistakes = Vec::new();
    if let Some(matching) = matching {
        if version.is_none() {
            mistakes.push(
                "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided".into(),
            );
        }
        if call.query.get("continue").is_some() {
            mistakes.push("Forbidden: resourceVersionMatch is forbidden when continue is provided".into());
        }
        if !matches!(matching, "Exact" | "NotOlderThan") {
            mistakes.push(format!(
                "Unsupported value: {matching:?}: supported values: \"Exact\", \"NotOlderThan\", \"\""
            ));
        }
        if matching == "Exact" && version == Some(0) {
            mistakes.push(
                "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"".to_owned(),
            );
        }
    }
    let mut mistakes: Vec<_> = mistakes.into_iter().map(|why| ("resourceVersionMatch", why)).collect();
    if call.query.get("sendInitialEvents").is_some() {
        let why = "Forbidden: sendInitialEvents is forbidden for list".to_owned();
        mistakes.push(("sendInitialEvents", why));
    }
    if mistakes.is_empty() { Ok(()) } else { Err(Failure::options("ListOptions", &mistakes)) }
}

/// The `resourceVersion` parameter.
pub(super) fn version(call: &Call) -> Result<Option<u64>, Failure> {
    let text = call.query.get("resourceVersion");
    text.map(|text| {
        text.parse().map_err(|_| {
            Failure::bad_request(format!(
                "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
            ))
        })
    })
    .transpose()
}
