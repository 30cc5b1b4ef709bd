//! What a request is about, as far as rights go (upstream: apiserver, `endpoints/request/requestinfo.go`).

use http::Method;

use crate::{
    rest::{Query, decode, segments},
    selector::exact_name,
};

/// What somebody wants to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    /// `get`, `list`, `watch`, `create`, …; of other paths the method in small letters.
    pub(crate) verb: String,
    pub(crate) asked: Asked,
}

/// What it is wanted of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Objects. What is not named is empty: no namespace is all of them, no name all there are.
    Resource { group: String, resource: String, subresource: String, namespace: String, name: String },
    /// Anything else, by its path.
    Path(String),
}

impl Default for Asked {
    fn default() -> Self {
        Self::Path(String::new())
    }
}

/// The parts of a namespace itself; what else follows its name is in it.
const PARTS_OF_NAMESPACES: [&str; 2] = ["status", "finalize"];

impl Attributes {
    /// Of a request. What the path names need not be there.
    pub(crate) fn of(method: &Method, path: &str, query: &Query) -> Self {
        let segments: Vec<String> = segments(path).into_iter().map(decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["api", _version, rest @ ..] if !rest.is_empty() => Self::of_resource("", rest, method, query),
            ["apis", group, _version, rest @ ..] if !rest.is_empty() => {
                Self::of_resource(group, rest, method, query)
            }
            _ => Self { verb: method.as_str().to_lowercase(), asked: Asked::Path(decode(path)) },
        }
    }

    fn of_resource(group: &str, rest: &[&str], method: &Method, query: &Query) -> Self {
        // The old way to watch says so before it says what.
        let (watched, rest) = match rest {
            ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
            rest => (false, rest),
        };
        let (namespace, parts) = match rest {
            ["namespaces", namespace, part, ..] if !PARTS_OF_NAMESPACES.contains(part) => {
                (*namespace, &rest[2..])
            }
            ["namespaces", namespace, ..] => (*namespace, rest),
            _ => ("", rest),
        };
        let part = |at: usize| parts.get(at).copied().unwrap_or_default().to_owned();
        let (resource, mut name, subresource) = (part(0), part(1), part(2));
        let verb = match *method {
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if name.is_empty() => "deletecollection",
            Method::DELETE => "delete",
            _ if watched => "watch",
            Method::GET | Method::HEAD if !name.is_empty() => "get",
            Method::GET | Method::HEAD => {
                // Who may see one object may list it alone.
                name = query.get("fieldSelector").and_then(exact_name).unwrap_or_default();
                if query.flag("watch") { "watch" } else { "list" }
            }
            _ => "",
        };
        let (group, namespace) = (group.to_owned(), namespace.to_owned());
        let asked = Asked::Resource { group, resource, subresource, namespace, name };
        Self { verb: verb.to_owned(), asked }
    }

    /// The namespace whose bindings count beside those of all.
    pub(super) fn namespace(&self) -> &str {
        match &self.asked {
            Asked::Resource { namespace, .. } => namespace,
            Asked::Path(_) => "",
        }
    }

    /// Why a user may not, in kube-apiserver's words (upstream: `responsewriters/errors.go`).
    pub(crate) fn refusal(&self, user: &str) -> String {
        let verb = &self.verb;
        let sentence = match &self.asked {
            Asked::Path(path) => format!("User {user:?} cannot {verb} path {path:?}"),
            Asked::Resource { group, resource, subresource, namespace, .. } => {
                let slash = if subresource.is_empty() { "" } else { "/" };
                let place = match namespace.as_str() {
                    "" => "at the cluster scope".to_owned(),
                    namespace => format!("in the namespace {namespace:?}"),
                };
                let resource = format!("{resource}{slash}{subresource}");
                format!("User {user:?} cannot {verb} resource {resource:?} in API group {group:?} {place}")
            }
        };
        // What users write into paths must not look like HTML.
        sentence.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }
}

#[cfg(test)]
mod tests;
