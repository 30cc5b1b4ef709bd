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
    Table(Includes),
    /// Aggregated discovery, in this version of it.
    Discovery(&'static str),
}

/// How much of each object a table's rows carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Includes {
    Metadata,
    Object,
    None,
}

/// The first form of the `Accept` header that there is.
pub(crate) fn negotiate(headers: &HeaderMap, query: &Query) -> Result<Form, Failure> {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let wishes: Vec<&str> =
        accept.flat_map(|value| value.split(',')).map(str::trim).filter(|wish| !wish.is_empty()).collect();
    if wishes.is_empty() {
        return Ok(Form::Object);
    }
    for wish in &wishes {
        if let Some(form) = form(wish, query)? {
            return Ok(form);
        }
    }
    Err(Failure::not_acceptable("only the following media types are accepted: application/json"))
}

fn form(wish: &str, query: &Query) -> Result<Option<Form>, Failure> {
    let mut parts = wish.split(';').map(str::trim);
    if !matches!(parts.next(), Some("application/json" | "application/*" | "*/*")) {
        return Ok(None);
    }
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let parameter = |name: &str| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    Ok(match (parameter("as"), parameter("g"), parameter("v")) {
        (None, ..) => Some(Form::Object),
        (Some("Table"), Some("meta.k8s.io"), Some("v1")) => Some(Form::Table(includes(query)?)),
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
        Some(other) => Err(Failure::bad_request(format!("unrecognized includeObject value: {other}"))),
    }
}
