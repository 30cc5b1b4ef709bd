//! The kinds that a CustomResourceDefinition defines.
//!
//! Whoever holds a [`Kind`] compares it by address and keeps it for good, so each is made once and stays: a definition
//! that is removed and made again gets the kinds it had. What this costs is bounded by [`KINDS_MAX`].

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

static KINDS: Mutex<Vec<&'static Kind>> = Mutex::new(Vec::new());

/// So many different kinds were defined that there can be no more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "{KINDS_MAX} different kinds have been defined since Ebb was started, and there can be no more; start it again"
)]
pub struct TooManyKinds;

/// Whether Ebb itself has the kind that a definition is of, so that the definition changes nothing.
pub fn is_built_in(crd: &CustomResourceDefinition) -> bool {
    let (group, plural) = (crd.spec.group.as_str(), crd.spec.names.plural.as_str());
    crate::kinds::all().iter().any(|kind| kind.group == group && kind.plural == plural)
}

/// The kinds that a definition wants served, in the order of its versions.
///
/// # Errors
/// When there can be no new one.
pub fn kinds(crd: &CustomResourceDefinition) -> Result<Vec<&'static Kind>, TooManyKinds> {
    crd.spec.versions.iter().map(|version| intern(crd, version)).collect()
}

/// The kind under which the objects of a definition are kept.
///
/// # Errors
/// As [`kinds`].
pub fn hub(crd: &CustomResourceDefinition) -> Result<Option<&'static Kind>, TooManyKinds> {
    Ok(crd.spec.versions.first().map(|version| intern(crd, version)).transpose()?.map(Kind::hub))
}

/// The kind with this `apiVersion` among those that are kept under `hub`; `hub` where there is none.
pub(super) fn sibling(hub: &'static Kind, api_version: &str) -> &'static Kind {
    let version = api_version.rsplit('/').next().unwrap_or_default();
    if hub.version == version {
        return hub;
    }
    let kinds = KINDS.lock();
    kinds.iter().rev().find(|kind| kind.hub() == hub.hub() && kind.version == version).copied().unwrap_or(hub)
}

fn intern(
    crd: &CustomResourceDefinition,
    version: &types::CustomResourceDefinitionVersion,
) -> Result<&'static Kind, TooManyKinds> {
    let wanted = Wanted::of(crd, version);
    let mut kinds = KINDS.lock();
    if let Some(known) = kinds.iter().find(|kind| wanted.is(kind)) {
        return Ok(known);
    }
    if kinds.len() >= KINDS_MAX {
        return Err(TooManyKinds);
    }
    let resource = |kind: &&&'static Kind| {
        kind.group == wanted.group && kind.plural == wanted.plural && kind.namespaced == wanted.namespaced
    };
    let hub = kinds.iter().find(resource).map(|kind| kind.hub());
    let kind: &'static Kind = Box::leak(Box::new(wanted.make(hub)));
    kinds.push(kind);
    Ok(kind)
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
