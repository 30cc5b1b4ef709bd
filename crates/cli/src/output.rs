//! `-o`: objects for programs.

mod jsonpath;

use resources::Object;
use serde_json::{Value, json};

use self::jsonpath::JsonPath;
use crate::error::Error;

/// How objects are printed for programs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Format {
    /// Indented JSON.
    Json,
    /// YAML.
    Yaml,
    /// `service.serving.knative.dev/hello`.
    Name,
    /// The object's URL alone.
    Url,
    /// What a path selects.
    JsonPath(JsonPath),
}

/// The formats of lists, for help texts.
pub(crate) const FORMATS: &str = "json|yaml|name|jsonpath=TEMPLATE";
/// The formats of things with a URL.
pub(crate) const FORMATS_AND_URL: &str = "json|yaml|name|jsonpath=TEMPLATE|url";

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("jsonpath", template)) => Ok(Self::JsonPath(JsonPath::parse(template)?)),
            _ => match text.to_ascii_lowercase().as_str() {
                "json" => Ok(Self::Json),
                "yaml" => Ok(Self::Yaml),
                "name" => Ok(Self::Name),
                "url" => Ok(Self::Url),
                "jsonpath" => Err("jsonpath needs a template: -o jsonpath='{.status.url}'".into()),
                _ => Err(format!("one of {FORMATS_AND_URL} is expected")),
            },
        }
    }
}

impl Format {
    /// One object.
    pub(crate) fn object<K: Object>(&self, object: &K, url: Option<&str>) -> Result<String, Error> {
        match self {
            Self::Name => Ok(name_line(object)),
            Self::Url => Ok(format!("{}\n", url.unwrap_or_default())),
            _ => self.tree(&to_value(object)),
        }
    }

    /// A list of objects.
    pub(crate) fn list<K: Object>(&self, objects: &[K]) -> Result<String, Error> {
        match self {
            Self::Name => Ok(objects.iter().map(name_line).collect()),
            Self::Url => Err(Error::Refused(format!("a list has no URL; use -o {FORMATS}"))),
            _ => {
                let items: Vec<Value> = objects.iter().map(to_value).collect();
                self.tree(&json!({
                    "apiVersion": K::kind().api_version(),
                    "kind": K::kind().list_kind(),
                    "items": items,
                    "metadata": {},
                }))
            }
        }
    }

    /// What is no object of the API's.
    pub(crate) fn tree(&self, value: &Value) -> Result<String, Error> {
        match self {
            Self::Name | Self::Url => {
                Err(Error::Refused("it has neither name nor URL; use -o json|yaml".into()))
            }
            Self::Yaml => yaml(value),
            Self::JsonPath(path) => Ok(path.print(value)),
            _ => Ok(indented_json(value)),
        }
    }
}

/// JSON as upstream indents it.
pub(crate) fn indented_json(value: &Value) -> String {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    serde::Serialize::serialize(value, &mut serializer).expect("a JSON tree serializes");
    text.push(b'\n');
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// YAML of a JSON tree.
pub(crate) fn yaml(value: &Value) -> Result<String, Error> {
    serde_saphyr::to_string(value)
        .map_err(|error| Error::Answer { tried: "writing YAML".into(), reason: error.to_string() })
}

/// An object as a JSON tree.
pub(crate) fn to_value<K: Object>(object: &K) -> Value {
    serde_json::to_value(object).expect("an API object serializes")
}

fn name_line<K: Object>(object: &K) -> String {
    let kind = K::kind();
    let group = if kind.group.is_empty() { String::new() } else { format!(".{}", kind.group) };
    format!("{}{group}/{}\n", kind.singular, object.name())
}

#[cfg(test)]
mod tests;
