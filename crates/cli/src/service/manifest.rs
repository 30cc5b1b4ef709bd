//! The service a command starts from: an empty one, or a file's.

use std::path::Path;

use resources::{
    Object,
    builtin::Container,
    meta::ObjectMeta,
    serving::{RevisionSpec, RevisionTemplateSpec, Service, ServiceSpec},
};
use serde_json::Value;

use super::annotations::USER_IMAGE;
use crate::{error::Error, text::read_text_or_input};

/// An empty service of that name, or the file's.
pub(super) fn service(name: Option<&str>, namespace: &str, file: Option<&Path>) -> Result<Service, Error> {
    let mut service = match file {
        Some(path) => read(name, path)?,
        None => empty(name.unwrap_or_default()),
    };
    service.metadata.namespace = Some(namespace.to_owned());
    Ok(service)
}

/// One container without anything, and a place for the image as the user names it: its presence says that the image
/// may be pinned to its digest later.
fn empty(name: &str) -> Service {
    let annotations = [(USER_IMAGE.to_owned(), String::new())].into();
    let template = RevisionTemplateSpec {
        metadata: ObjectMeta { annotations: Some(annotations), ..ObjectMeta::default() },
        spec: RevisionSpec { containers: vec![Container::default()], ..RevisionSpec::default() },
    };
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    Service::new(metadata, ServiceSpec { template, ..ServiceSpec::default() })
}

fn read(name: Option<&str>, path: &Path) -> Result<Service, Error> {
    let content = |reason: String| Error::Content {
        path: path.to_owned(),
        expected: "the manifest of a Knative Service",
        reason,
    };
    let text = read_text_or_input(path)?;
    let value: Value = serde_saphyr::from_str(&text).map_err(|error| content(error.to_string()))?;
    let field = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = Service::kind();
    if (field("apiVersion"), field("kind")) != (kind.api_version(), kind.kind.to_owned()) {
        let found = format!("it says apiVersion '{}', kind '{}'", field("apiVersion"), field("kind"));
        return Err(content(found));
    }
    let mut service: Service = decoded(value).map_err(content)?;
    match (name, service.name()) {
        (None, "") => {
            return Err(Error::Refused("no service name provided in command parameter or file".into()));
        }
        (Some(name), "") => service.metadata.name = Some(name.to_owned()),
        (Some(name), given) if name != given => {
            return Err(Error::Refused(format!(
                "provided service name '{name}' doesn't match name from file '{given}'"
            )));
        }
        _ => {}
    }
    Ok(service)
}

/// An object of a kind, without fields that the kind has not; or why it is none.
pub(super) fn decoded<K: Object + Clone>(value: Value) -> Result<K, String> {
    let (object, unknown) = K::kind().decode_strict(value).map_err(|error| error.to_string())?;
    if !unknown.is_empty() {
        return Err(format!("unknown field \"{}\"", unknown.join("\", \"")));
    }
    resources::downcast::<K>(object)
        .map(|object| K::clone(&object))
        .ok_or_else(|| "it holds another kind".to_owned())
}
