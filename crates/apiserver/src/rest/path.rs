//! Paths of resources.

use std::sync::Arc;

use http::Method;
use objects::Error;
use resources::{Kind, Object, ObjectKey, builtin::Pod};

use super::query::decode;
use crate::{
    discovery::not_served,
    served::{Definition, Served, form},
    status::Failure,
    store::Stored,
};

/// A path, cut at its slashes.
pub(crate) fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// What a path names: all objects of a kind, one object, or a part of one.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) kind: &'static Kind,
    /// What a user says of the kind; `None` for one that Ebb has a type of.
    pub(crate) definition: Option<Arc<Definition>>,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
    /// Whether it is watched by its path, as clients did before there was a parameter for it.
    pub(crate) watched: bool,
}

impl Resource {
    /// `/api/v1/…` and `/apis/GROUP/VERSION/…`, with or without `namespaces/NAME/`.
    pub(crate) fn parse(method: &Method, path: &str, served: &Served) -> Result<Self, Failure> {
        if path.contains("//") {
            return Err(Failure::nowhere());
        }
        let segments = segments(path);
        let (group, version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Err(Failure::nowhere()),
        };
        let (watched, rest) = match rest {
            ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
            rest => (false, rest),
        };
        let kind = |plural: &str| {
            served.by_plural(group, version, plural).ok_or_else(|| not_served(method, group, Some(plural)))
        };
        let (kind, namespace, rest) = match rest {
            // Of a namespace itself there are parts, which are named like no kind.
            ["namespaces", namespace, plural, rest @ ..]
                if served.by_plural(group, version, plural).is_some() =>
            {
                (kind(plural)?, Some(decode(namespace)), rest)
            }
            // Nor is there anything behind one that is named like no kind at all.
            ["namespaces", _, plural, ..] if served.by_plural(group, version, "namespaces").is_none() => {
                return Err(not_served(method, group, Some(plural)));
            }
            [plural, rest @ ..] => (kind(plural)?, None, rest),
            [] => return Err(Failure::no_such_path()),
        };
        let (name, subresource) = match rest {
            [] => (None, None),
            [name] => (Some(decode(name)), None),
            [name, subresource] => (Some(decode(name)), Some((*subresource).to_owned())),
            [_, part, ..] => return Err(not_served(method, group, Some(part))),
        };
        // Who may watch may not do what parts are for: there is no such path (upstream: apiserver, installer).
        if watched && subresource.is_some() {
            return Err(Failure::no_such_path());
        }
        // Objects of a namespace are found in it; only lists reach over all namespaces.
        if kind.namespaced != namespace.is_some() && (namespace.is_some() || name.is_some()) {
            return Err(if kind.is_defined() { Failure::nowhere() } else { Failure::no_such_path() });
        }
        let definition = served.definition(kind).cloned();
        Ok(Self { kind, definition, namespace, name, subresource, watched })
    }

    /// The object's key; empty parts where the path names none.
    pub(crate) fn key(&self) -> ObjectKey {
        ObjectKey::new(self.namespace.clone().unwrap_or_default(), self.name.clone().unwrap_or_default())
    }

    /// Puts what the path's version or form has of stored objects in their place.
    pub(crate) async fn view_all(&self, all: &mut [Arc<Stored>]) -> Result<(), Error> {
        match &self.definition {
            Some(definition) => definition.view_all(all).await,
            None => form::of_all(self.kind, all).await,
        }
    }

    pub(crate) fn is_pod(&self) -> bool {
        self.kind == Pod::kind()
    }
}
