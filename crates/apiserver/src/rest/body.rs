//! Bodies of requests: read within limits, and taken apart.

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;
use tokio::time::timeout;

use super::{
    call::Call,
    json,
    protobuf::{self, Unreadable},
};
use crate::{aside::aside, status::Failure};

/// A body as a JSON tree.
pub(super) struct Parsed {
    pub(super) value: Value,
    /// Fields that came twice; the last one counts.
    pub(super) duplicates: Vec<String>,
    /// The length of the text.
    pub(super) len: usize,
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
    let depth_max = call.shared.registry.limits.depth_max;
    let bytes = read(call).await?;
    parse_bytes(format, &bytes, depth_max)
}

/// As [`parse`], of a body that may be empty.
pub(super) async fn parse_if_any(call: &mut Call) -> Result<Option<Parsed>, Failure> {
    let depth_max = call.shared.registry.limits.depth_max;
    let bytes = read(call).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    parse_bytes(format(&call.headers)?, &bytes, depth_max).map(Some)
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
        _ => Err(Failure::unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
        )),
    }
}

pub(super) fn parse_bytes(format: Format, bytes: &Bytes, depth_max: usize) -> Result<Parsed, Failure> {
    aside(bytes.len(), || parse_now(format, bytes, depth_max))
}

fn parse_now(format: Format, bytes: &Bytes, depth_max: usize) -> Result<Parsed, Failure> {
    let read = match format {
        // In the words of a server that looks for the kind first.
        Format::Json => json::read(bytes, depth_max)
            .map_err(|error| format!("couldn't get version/kind; json parse error: {error}")),
        Format::Yaml => yaml(bytes, depth_max),
        Format::Protobuf => match protobuf::read(bytes) {
            Ok(value) => Ok((value, Vec::new())),
            Err(Unreadable::Malformed(why)) => Err(why.to_owned()),
            Err(Unreadable::Kind) => {
                return Err(Failure::unsupported_media_type(
                    "protobuf bodies of this kind are not supported by this version of Ebb: let kubectl write YAML and apply that: `kubectl create … --dry-run=client -o yaml | kubectl apply -f -`",
                ));
            }
        },
    };
    let (value, duplicates) = read.map_err(Failure::bad_request)?;
    let text = (format == Format::Json).then(|| bytes.clone());
    Ok(Parsed { value, duplicates, len: bytes.len(), text })
}

fn yaml(bytes: &[u8], depth_max: usize) -> Result<(Value, Vec<String>), String> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    let value: Value = serde_saphyr::from_str(text)
        .map_err(|error| format!("error converting YAML to JSON: yaml: {error}"))?;
    if json::is_deeper(&value, depth_max) {
        return Err(json::too_deep(depth_max));
    }
    Ok((value, Vec::new()))
}
