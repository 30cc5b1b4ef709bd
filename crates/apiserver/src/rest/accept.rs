//! What form of an answer the client wants.

use http::{HeaderMap, header};

use super::Query;
use crate::status::Failure;

/// The form of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Objects as they are.
    Object,
    /// Rows of a table for people.
    Table(TableForm),
    /// Their metadata alone; whether a list of them was asked for.
    Partial { list: bool },
    /// Aggregated discovery, in this version of it.
    Discovery(&'static str),
}

/// A table: how much of each object its rows carry, and in which version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableForm {
    pub(crate) includes: Includes,
    pub(crate) api_version: &'static str,
}

/// How much of each object a table's rows carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Includes {
    Metadata,
    Object,
    None,
}

/// What an answer is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Yaml,
}

/// The first form of the `Accept` header that there is, and what to write it in.
pub(crate) fn negotiate(headers: &HeaderMap, query: &Query) -> Result<(Form, Media), Failure> {
    first(headers, query, &[Media::Json, Media::Yaml])
}

/// As `negotiate`, of what comes as a stream.
pub(crate) fn negotiate_stream(headers: &HeaderMap, query: &Query) -> Result<Form, Failure> {
    first(headers, query, &[Media::Json]).map(|(form, _)| form)
}

fn first(headers: &HeaderMap, query: &Query, offered: &[Media]) -> Result<(Form, Media), Failure> {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let wishes: Vec<&str> =
        accept.flat_map(|value| value.split(',')).map(str::trim).filter(|wish| !wish.is_empty()).collect();
    if wishes.is_empty() {
        return Ok((Form::Object, Media::Json));
    }
    let known = |wish: &&str| media(wish).filter(|media| offered.contains(media));
    for wish in &wishes {
        if let Some(media) = known(wish)
            && let Some(form) = form(wish, query)?
        {
            return Ok((form, media));
        }
    }
    // Upstream tells apart what it has not heard of and what it cannot make of the object.
    if wishes.iter().any(|wish| known(wish).is_some()) {
        let why = "only the following media types are accepted: application/json, application/yaml";
        return Err(Failure::not_acceptable(why));
    }
    Err(Failure::nothing_acceptable(offered.contains(&Media::Yaml)))
}

fn media(wish: &str) -> Option<Media> {
    match wish.split(';').next().map(str::trim) {
        Some("application/json" | "*/*") => Some(Media::Json),
        Some("application/yaml") => Some(Media::Yaml),
        _ => None,
    }
}

fn form(wish: &str, query: &Query) -> Result<Option<Form>, Failure> {
    let parts = wish.split(';').skip(1).map(str::trim);
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let parameter = |name: &str| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    Ok(match (parameter("as"), parameter("g"), parameter("v")) {
        (None, ..) => Some(Form::Object),
        (Some("Table"), Some("meta.k8s.io"), Some(version @ ("v1" | "v1beta1"))) => {
            let api_version = if version == "v1" { "meta.k8s.io/v1" } else { "meta.k8s.io/v1beta1" };
            Some(Form::Table(TableForm { includes: includes(query)?, api_version }))
        }
        (Some("PartialObjectMetadata"), Some("meta.k8s.io"), Some("v1")) => {
            Some(Form::Partial { list: false })
        }
        (Some("PartialObjectMetadataList"), Some("meta.k8s.io"), Some("v1")) => {
            Some(Form::Partial { list: true })
        }
        (Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io"), Some("v2")) => {
            Some(Form::Discovery("v2"))
        }
        (Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io"), Some("v2beta1")) => {
            Some(Form::Discovery("v2beta1"))
        }
        _ => None,
    })
}

fn includes(query: &Query) -> Result<Includes, Failure> {
    match query.get("includeObject") {
        None | Some("Metadata") => Ok(Includes::Metadata),
        Some("Object") => Ok(Includes::Object),
        Some("None") => Ok(Includes::None),
        Some(other) => Err(Failure::bad_request(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', 'Object', 'None', or empty"
        ))),
    }
}
