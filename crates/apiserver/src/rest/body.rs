//! Request bodies: read within limits, and parsed.

use std::thread;

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;
use tokio::time::timeout;

use super::{
    call::Call,
    json::{self, Bounds, Read},
    protobuf::{self, Unreadable},
};
use crate::{aside::aside, status::Failure};

/// A body as a JSON tree.
pub(super) struct Parsed {
    pub(super) value: Value,
    /// Fields that came twice; the last one counts.
    pub(super) duplicates: Vec<String>,
    /// About how long the tree is as JSON. YAML with aliases can be much shorter.
    pub(super) bytes: usize,
    /// The text, if it is JSON: for who wants to know where something is.
    pub(super) text: Option<Bytes>,
}

/// Reads the whole body. Can be called once.
pub(super) async fn read(call: &mut Call) -> Result<Bytes, Failure> {
    let limits = &call.shared.registry.limits;
    let Some(body) = call.body.take() else { return Ok(Bytes::new()) };
    let limit = limits.body_bytes_max;
    let too_large = || Failure::too_large(format!("Request entity too large: limit is {limit}"));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    match timeout(limits.body_timeout, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => {
            let bytes = body.to_bytes();
            call.body_bytes = bytes.len();
            Ok(bytes)
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Failure::bad_request(format!("the body could not be read: {error}"))),
        Err(_) => Err(Failure::timeout("the body did not arrive in time")),
    }
}

/// Reads the body as JSON or YAML.
pub(super) async fn parse(call: &mut Call) -> Result<Parsed, Failure> {
    let format = format(&call.headers)?;
    let bytes = read(call).await?;
    parse_bytes(call, format, &bytes).await
}

/// As [`parse`], of a body that may be empty.
pub(super) async fn parse_if_any(call: &mut Call) -> Result<Option<Parsed>, Failure> {
    let bytes = read(call).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let format = format(&call.headers)?;
    parse_bytes(call, format, &bytes).await.map(Some)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
    Protobuf,
}

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The media type of the body, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let header = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim()
}

fn format(headers: &HeaderMap) -> Result<Format, Failure> {
    match media_type(headers) {
        "" | "application/json" => Ok(Format::Json),
        "application/yaml" | "text/yaml" | "application/x-yaml" => Ok(Format::Yaml),
        PROTOBUF => Ok(Format::Protobuf),
        _ => Err(unknown_format("application/json, application/yaml, application/vnd.kubernetes.protobuf")),
    }
}

fn unknown_format(known: &str) -> Failure {
    Failure::unsupported_media_type(format!(
        "the body of the request was in an unknown format - accepted media types include: {known}"
    ))
}

/// Reads what a body holds.
pub(super) async fn parse_bytes(call: &mut Call, format: Format, bytes: &Bytes) -> Result<Parsed, Failure> {
    let bounds = Bounds::of(&call.shared.registry.limits);
    let parsed = aside(bytes.len(), || parse_now(format, bytes, bounds)).await?;
    call.body_bytes = parsed.bytes;
    Ok(parsed)
}

fn parse_now(format: Format, bytes: &Bytes, bounds: Bounds) -> Result<Parsed, Failure> {
    let read = match format {
        // kube-apiserver's words: it looks for the kind first.
        Format::Json => json::read(bytes, bounds)
            .map_err(|error| format!("couldn't get version/kind; json parse error: {error}")),
        Format::Yaml => with_deep_stack(|| yaml(bytes, bounds)),
        Format::Protobuf => match protobuf::read(bytes, bounds) {
            Ok(value) if json::nodes(&value) > bounds.nodes_max => {
                Err(json::too_many_nodes(bounds.nodes_max))
            }
            Ok(value) => Ok(Read { value, duplicates: Vec::new(), bytes: bytes.len() }),
            Err(Unreadable::Malformed(why)) => Err(why),
            // Of kinds without messages, as Knative's and users' are.
            Err(Unreadable::Kind) => return Err(unknown_format("application/json, application/yaml")),
        },
    };
    let Read { value, duplicates, bytes: tree_bytes } = read.map_err(Failure::bad_request)?;
    let text = (format == Format::Json).then(|| bytes.clone());
    Ok(Parsed { value, duplicates, bytes: tree_bytes.max(bytes.len()), text })
}

/// What a document as deep as it may be takes: the reader of YAML has several large frames for each level.
const YAML_STACK_BYTES: usize = 16 << 20;

/// Reads on a thread that has stack enough. Clients send JSON, as kubectl does with what is YAML on disk, so its price is
/// seldom paid.
fn with_deep_stack(read: impl FnOnce() -> Result<Read, String> + Send) -> Result<Read, String> {
    thread::scope(|scope| {
        let reader = thread::Builder::new().name("yaml".into()).stack_size(YAML_STACK_BYTES);
        match reader.spawn_scoped(scope, read).map(thread::ScopedJoinHandle::join) {
            Ok(Ok(read)) => read,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => Err(format!("no thread can be had to read YAML: {error}; try again, or send JSON")),
        }
    })
}

/// The YAML reader's own depth limit is higher by this much, so that the error is the same as for JSON.
const DEPTH_MARGIN: usize = 8;

fn yaml(bytes: &[u8], bounds: Bounds) -> Result<Read, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    let Bounds { depth_max, nodes_max, bytes_max } = bounds;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: depth_max + DEPTH_MARGIN,
            max_nodes: nodes_max,
            max_total_scalar_bytes: bytes_max,
            max_recorded_anchor_bytes: bytes_max,
        },
    };
    // `read_from` sees aliases expanded and counts each expansion.
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |from| json::read_from(from, bounds))
        .map_err(|error| format!("error converting YAML to JSON: yaml: {error}"))
}
