//! The kinds that a CustomResourceDefinition defines.
//!
//! Whoever holds a [`Kind`] compares it by address and keeps it for good, so each is made once and stays: a definition
//! that is removed and made again gets the kinds it had. What this costs is bounded by [`KINDS_MAX`], for definitions that
//! are written; those that are stored get their kinds in any case.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use parking_lot::Mutex;
use schemars::{Schema, SchemaGenerator, json_schema};

use super::{CustomResourceDefinition, object, types};
use crate::kind::{Kind, Parts, ScalePaths, Subresources};

/// What a CustomResourceDefinition says of a kind beyond what every kind has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defined {
    /// The first kind that was made for the resource; `None` for that one.
    pub(crate) hub: Option<&'static Kind>,
    pub(crate) list_kind: &'static str,
    pub(crate) selectable: &'static [&'static str],
    pub(crate) scale: Option<&'static ScalePaths>,
}

/// How many different kinds may be defined while one process runs.
pub const KINDS_MAX: usize = 10_000;

/// The kinds that were made.
#[derive(Default)]
struct Made {
    count: usize,
    /// By group, plural and version, in the order in which they were made.
    of_version: HashMap<(&'static str, &'static str, &'static str), Vec<&'static Kind>>,
    /// By group, plural and whether its objects live in namespaces: what they are kept under.
    hubs: HashMap<(&'static str, &'static str, bool), &'static Kind>,
}

impl Made {
    fn of_version<'a>(&'a self, group: &'a str, plural: &'a str, version: &'a str) -> &'a [&'static Kind] {
        self.of_version.get(&(group, plural, version)).map(Vec::as_slice).unwrap_or_default()
    }

    fn find(&self, wanted: &Wanted<'_>) -> Option<&'static Kind> {
        let alike = self.of_version(wanted.group, wanted.plural, wanted.version);
        alike.iter().copied().find(|kind| wanted.is(kind))
    }
}

static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);

/// So many different kinds were defined that there can be no more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the limit of {KINDS_MAX} custom kinds since start was reached; restart Ebb to define more")]
pub struct TooManyKinds;

/// Whether a definition's kinds may be made; nothing is made yet.
///
/// # Errors
/// When they would be too many.
pub fn check_room(crd: &CustomResourceDefinition) -> Result<(), TooManyKinds> {
    let made = MADE.lock();
    let new = crd.spec.versions.iter().map(|version| Wanted::of(crd, version));
    let new: HashSet<&str> =
        new.filter(|wanted| made.find(wanted).is_none()).map(|new| new.version).collect();
    if new.is_empty() || made.count + new.len() <= KINDS_MAX { Ok(()) } else { Err(TooManyKinds) }
}

/// Whether Ebb itself has the kind that a definition is of, so that the definition changes nothing.
pub fn is_built_in(crd: &CustomResourceDefinition) -> bool {
    let (group, plural) = (crd.spec.group.as_str(), crd.spec.names.plural.as_str());
    crate::kinds::listed().any(|kind| kind.group == group && kind.plural == plural)
}

/// The kinds that a definition wants served, in the order of its versions. Whoever takes a definition in has asked for
/// [room](check_room).
pub fn kinds(crd: &CustomResourceDefinition) -> Vec<&'static Kind> {
    crd.spec.versions.iter().map(|version| intern(crd, version)).collect()
}

/// The kind under which the objects of a definition are kept.
pub fn hub(crd: &CustomResourceDefinition) -> Option<&'static Kind> {
    crd.spec.versions.first().map(|version| intern(crd, version).hub())
}

/// The kind with this `apiVersion` among those that are kept under `hub`; `hub` where there is none.
pub(super) fn sibling(hub: &'static Kind, api_version: &str) -> &'static Kind {
    let version = api_version.rsplit('/').next().unwrap_or_default();
    if hub.version == version {
        return hub;
    }
    let made = MADE.lock();
    let of_version = made.of_version(hub.group, hub.plural, version);
    of_version.iter().rev().find(|kind| kind.hub() == hub.hub()).copied().unwrap_or(hub)
}

fn intern(crd: &CustomResourceDefinition, version: &types::CustomResourceDefinitionVersion) -> &'static Kind {
    let wanted = Wanted::of(crd, version);
    let mut made = MADE.lock();
    if let Some(known) = made.find(&wanted) {
        return known;
    }
    let hub = made.hubs.get(&(wanted.group, wanted.plural, wanted.namespaced)).copied();
    let kind: &'static Kind = Box::leak(Box::new(wanted.make(hub)));
    made.count += 1;
    made.of_version.entry((kind.group, kind.plural, kind.version)).or_default().push(kind);
    made.hubs.entry((kind.group, kind.plural, kind.namespaced)).or_insert(kind);
    kind
}

/// What a kind is known by.
struct Wanted<'a> {
    group: &'a str,
    version: &'a str,
    kind: &'a str,
    list_kind: String,
    plural: &'a str,
    singular: String,
    short_names: &'a [String],
    categories: &'a [String],
    namespaced: bool,
    subresources: Subresources,
    scale: Option<ScalePaths>,
    selectable: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(crd: &'a CustomResourceDefinition, version: &'a types::CustomResourceDefinitionVersion) -> Self {
        let given = crd.status.as_ref().and_then(|status| status.accepted_names.as_ref());
        let names = given.filter(|given| given.plural == crd.spec.names.plural).unwrap_or(&crd.spec.names);
        let subresources = version.subresources.as_ref();
        let scale = subresources.and_then(|subresources| subresources.scale.as_ref());
        let some = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        Self {
            group: &crd.spec.group,
            version: &version.name,
            kind: &names.kind,
            list_kind: some(&names.list_kind).unwrap_or_else(|| format!("{}List", names.kind)),
            plural: &names.plural,
            singular: some(&names.singular).unwrap_or_else(|| names.kind.to_lowercase()),
            short_names: names.short_names.as_deref().unwrap_or_default(),
            categories: names.categories.as_deref().unwrap_or_default(),
            namespaced: crd.spec.scope != "Cluster",
            subresources: Subresources {
                status: subresources.is_some_and(|subresources| subresources.status.is_some()),
                scale: scale.is_some(),
            },
            scale: scale.map(|scale| ScalePaths {
                spec_replicas: scale.spec_replicas_path.clone(),
                status_replicas: scale.status_replicas_path.clone(),
                label_selector: some(&scale.label_selector_path),
            }),
            selectable: (version.selectable_fields.iter().flatten())
                .map(|field| field.json_path.trim_start_matches('.'))
                .collect(),
        }
    }

    fn is(&self, kind: &Kind) -> bool {
        let Some(defined) = kind.defined else { return false };
        (kind.group, kind.version, kind.kind) == (self.group, self.version, self.kind)
            && (kind.plural, kind.singular) == (self.plural, self.singular.as_str())
            && defined.list_kind == self.list_kind
            && kind.short_names.iter().eq(self.short_names)
            && kind.categories.iter().eq(self.categories)
            && (kind.namespaced, kind.subresources) == (self.namespaced, self.subresources)
            && defined.scale == self.scale.as_ref()
            && defined.selectable == self.selectable
    }

    fn make(self, hub: Option<&'static Kind>) -> Kind {
        let content = if self.subresources.status { object::same_but_status } else { object::same_content };
        Kind {
            group: leak(self.group),
            version: leak(self.version),
            kind: leak(self.kind),
            plural: leak(self.plural),
            singular: leak(&self.singular),
            short_names: leak_all(self.short_names),
            categories: leak_all(self.categories),
            namespaced: self.namespaced,
            subresources: self.subresources,
            derived: false,
            schema: anything,
            parts: Some(Parts { with_status: object::with_status, same_spec: content }),
            same: object::same,
            decode: object::decode,
            decode_strict: object::decode_strict,
            defined: Some(Defined {
                hub,
                list_kind: leak(&self.list_kind),
                selectable: leak_all(&self.selectable),
                scale: self.scale.map(|scale| &*Box::leak(Box::new(scale))),
            }),
            form: None,
        }
    }
}

/// The schema of a defined kind is its definition's, and not one of a type.
fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({})
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.into())
}

fn leak_all<T: AsRef<str>>(texts: &[T]) -> &'static [&'static str] {
    texts.iter().map(|text| leak(text.as_ref())).collect::<Vec<_>>().leak()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_are_made_once_and_only_when_they_are_asked_for() {
        let crd = |plural: &str, versions: &[&str]| -> CustomResourceDefinition {
            let versions =
                versions.iter().map(|name| json!({"name": name, "served": true, "storage": false}));
            let names = json!({"plural": plural, "kind": "Made"});
            let versions: Vec<_> = versions.collect();
            let spec = json!({"group": "made.example.com", "scope": "Namespaced", "names": names, "versions": versions});
            serde_json::from_value(
                json!({"metadata": {"name": format!("{plural}.made.example.com")}, "spec": spec}),
            )
            .unwrap()
        };
        let count = |plural: &str| {
            let made = MADE.lock();
            made.of_version.keys().filter(|(_, known, _)| *known == plural).count()
        };
        let two = crd("twos", &["v1", "v2"]);
        check_room(&two).unwrap();
        assert_eq!(count("twos"), 0, "nothing is made where it is only asked for room");
        let made = kinds(&two);
        assert_eq!((count("twos"), kinds(&two) == made, hub(&two)), (2, true, Some(made[0])));
        assert_eq!(sibling(made[0], "made.example.com/v2"), made[1]);
        assert_eq!(sibling(made[1], "made.example.com/v3"), made[1]);
        let names: Vec<String> = (0..=KINDS_MAX).map(|number| format!("v{number}")).collect();
        let many = crd("manies", &names.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(check_room(&many).is_err());
        assert_eq!(count("manies"), 0);
    }
}
