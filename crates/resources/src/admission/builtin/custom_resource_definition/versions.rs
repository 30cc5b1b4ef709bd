//! The versions of a kind: their names, columns and subresources.

use std::collections::BTreeSet;

use super::{SPEC, extensions, rules, structure};
use crate::{
    admission::{FieldError, path::Path},
    custom::{
        CustomResourceDefinition, JsonPath, Patterns, is_format,
        types::{CustomResourceDefinitionVersion as Version, CustomResourceSubresources, JSONSchemaProps},
    },
    names::dns,
};

/// Types that a printer column may have.
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
/// How long a deprecation's warning may be, in characters.
const WARNING_MAX: usize = 256;

/// Where errors in a part of a version are told of: where the versions do not differ in it, upstream has it once for
/// all.
struct Places<'a> {
    schema: Path<'a>,
    subresources: Path<'a>,
    columns: Path<'a>,
    selectable: Path<'a>,
}

/// `before`: the versions that are there already.
pub(super) fn check(versions: &[Version], before: &[Version], path: &Path<'_>, errors: &mut Vec<FieldError>) {
    for (at, version) in versions.iter().enumerate() {
        if schema_of(version).is_none() {
            let at = path.index(at);
            errors.push(FieldError::required(&at.child("schema").child("openAPIV3Schema"), ""));
        }
    }
    let alike = Alike::of(versions);
    let mut patterns = Patterns::default();
    for (at, version) in versions.iter().enumerate() {
        let own = path.index(at);
        let wrong = dns::label_1035(&version.name);
        if !wrong.is_empty() {
            errors.push(FieldError::invalid(&own.child("name"), &version.name, wrong.join(",")));
        }
        check_deprecation(version, &own.child("deprecationWarning"), errors);
        let place = |alike: bool, all: &'static str, each: &'static str| {
            if alike { SPEC.child(all) } else { own.child(each) }
        };
        let places = Places {
            schema: place(alike.schema, "validation", "schema"),
            subresources: place(alike.subresources, "subresources", "subresources"),
            columns: place(alike.columns, "additionalPrinterColumns", "additionalPrinterColumns"),
            selectable: place(alike.selectable, "selectableFields", "selectableFields"),
        };
        let first = at == 0;
        let there = Alike {
            schema: first || !alike.schema,
            subresources: first || !alike.subresources,
            columns: first || !alike.columns,
            selectable: first || !alike.selectable,
        };
        let same = |old: &Version| old.name == version.name && old.schema == version.schema;
        check_version(version, before.iter().any(same), &places, &there, &mut patterns, errors);
    }
    let shown = || if versions.is_empty() { None } else { serde_json::to_value(versions).ok() };
    let names: BTreeSet<&str> = versions.iter().map(|version| version.name.as_str()).collect();
    if names.len() != versions.len() {
        errors.push(FieldError::invalid(path, shown(), "must contain unique version names"));
    }
    if versions.iter().filter(|version| version.storage).count() != 1 {
        let why = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid(path, shown(), why));
    }
}

fn schema_of(version: &Version) -> Option<&JSONSchemaProps> {
    version.schema.as_ref()?.open_api_v3_schema.as_ref()
}

/// A choice of a version's parts.
struct Alike {
    schema: bool,
    subresources: bool,
    columns: bool,
    selectable: bool,
}

impl Alike {
    /// The parts in which no version differs from the first, and which that has.
    fn of(versions: &[Version]) -> Self {
        fn all<T: PartialEq>(versions: &[Version], part: impl Fn(&Version) -> Option<&T>) -> bool {
            let first = versions.first().and_then(&part);
            first.is_some() && versions.iter().all(|version| part(version) == first)
        }
        Self {
            schema: all(versions, |version| version.schema.as_ref()),
            subresources: all(versions, |version| version.subresources.as_ref()),
            columns: all(versions, |version| version.additional_printer_columns.as_ref()),
            selectable: all(versions, |version| version.selectable_fields.as_ref()),
        }
    }
}

/// Looks at those parts of a version that are `there`. `known`: whether its schema is the one that it had; `patterns`:
/// those of the definition.
fn check_version(
    version: &Version,
    known: bool,
    places: &Places<'_>,
    there: &Alike,
    patterns: &mut Patterns,
    errors: &mut Vec<FieldError>,
) {
    if let Some(schema) = schema_of(version).filter(|_| there.schema) {
        let path = places.schema.child("openAPIV3Schema");
        let before = errors.len();
        structure::check(schema, patterns, &path, errors);
        extensions::check(schema, &path, errors);
        if errors.len() == before {
            structure::check_defaults(schema, patterns, &path, errors);
            rules::check(schema, &path, known, patterns, errors);
        }
    }
    if let Some(subresources) = version.subresources.as_ref().filter(|_| there.subresources) {
        check_scale(subresources, &places.subresources, errors);
    }
    if there.columns {
        check_columns(version, &places.columns, errors);
    }
    if there.selectable {
        check_selectable(version, &places.selectable, errors);
    }
}

fn check_deprecation(version: &Version, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let Some(warning) = &version.deprecation_warning else { return };
    let mut wrong = |why: &str| errors.push(FieldError::invalid(path, warning, why));
    if version.deprecated != Some(true) {
        wrong("can only be set for deprecated versions");
    } else if warning.len() > WARNING_MAX {
        wrong("must be <= 256 characters long");
    } else if warning.is_empty() {
        wrong("must not be an empty string");
    }
}

/// Replica counts are where their names say, under `.spec` and `.status`.
fn check_scale(subresources: &CustomResourceSubresources, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let Some(scale) = &subresources.scale else { return };
    let path = path.child("scale");
    let mut check = |name: &str, json_path: &str, below: &[&str], required: bool| {
        let at = path.child(name);
        if json_path.is_empty() {
            if required {
                errors.push(FieldError::required(&at, ""));
            }
            return;
        }
        let simple = JsonPath::parse(json_path).ok().is_some_and(|path| path.fields().is_some());
        if !simple {
            errors.push(FieldError::invalid(&at, json_path, "should be a simple json path without arrays"));
        } else if !below.iter().any(|root| json_path.starts_with(root)) {
            let root = below.iter().map(|root| root.trim_end_matches('.')).collect::<Vec<_>>().join(" or ");
            errors.push(FieldError::invalid(&at, json_path, format!("should be a json path under {root}")));
        }
    };
    check("specReplicasPath", &scale.spec_replicas_path, &[".spec."], true);
    check("statusReplicasPath", &scale.status_replicas_path, &[".status."], true);
    let selector = scale.label_selector_path.as_deref().unwrap_or_default();
    check("labelSelectorPath", selector, &[".spec.", ".status."], false);
}

fn check_columns(version: &Version, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    for (at, column) in version.additional_printer_columns.iter().flatten().enumerate() {
        let path = path.index(at);
        if column.name.is_empty() {
            errors.push(FieldError::required(&path.child("name"), ""));
        }
        let types = format!("must be one of {}", COLUMN_TYPES.join(","));
        match column.type_.as_str() {
            "" => errors.push(FieldError::required(&path.child("type"), types)),
            known if COLUMN_TYPES.contains(&known) => {}
            other => errors.push(FieldError::invalid(&path.child("type"), other, types)),
        }
        let format = column.format.as_deref().unwrap_or_default();
        if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
            let formats = format!("must be one of {}", COLUMN_FORMATS.join(","));
            errors.push(FieldError::invalid(&path.child("format"), format, formats));
        }
        let at = path.child("JSONPath");
        if column.json_path.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else if !column.json_path.starts_with('.') {
            errors.push(FieldError::invalid(
                &at,
                &column.json_path,
                "must be a simple json path starting with .",
            ));
        } else if let Err(why) = JsonPath::parse(&column.json_path) {
            errors.push(FieldError::invalid(&at, &column.json_path, why));
        }
    }
}

fn check_selectable(version: &Version, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    /// Upstream: `MaxSelectableFields`.
    const FIELDS_MAX: usize = 8;
    let fields = version.selectable_fields.as_deref().unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (at, field) in fields.iter().enumerate() {
        let at = path.index(at);
        let at = at.child("jsonPath");
        let text = field.json_path.as_str();
        if text.is_empty() {
            errors.push(FieldError::required(&at, ""));
            continue;
        }
        let found = JsonPath::parse(text).ok().and_then(|path| {
            let names: Vec<String> = path.fields()?.into_iter().map(str::to_owned).collect();
            let schema = schema_of(version)?;
            names.iter().try_fold(schema, |schema, name| schema.properties.as_ref()?.get(name))
        });
        match found.map(|schema| schema.type_.as_deref()) {
            None => {
                let why = "is an invalid path: does not refer to a valid field";
                errors.push(FieldError::invalid(&at, text, why));
            }
            Some(Some("string" | "boolean" | "integer")) if text.starts_with(".metadata.") => {
                errors.push(FieldError::invalid(&at, text, "must not point to fields in metadata"));
            }
            Some(Some("string" | "boolean" | "integer")) => {}
            Some(_) => {
                let why = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
                errors.push(FieldError::invalid(&at, text, why));
            }
        }
        if !seen.insert(text) {
            errors.push(FieldError::duplicate(&at, text));
        }
    }
    if fields.len() > FIELDS_MAX {
        errors.push(FieldError::too_many(path, fields.len(), FIELDS_MAX));
    }
}

/// A version under which objects are stored stays until they are moved.
pub(super) fn check_stored(crd: &CustomResourceDefinition, errors: &mut Vec<FieldError>) {
    let path = Path::root("status");
    let path = path.child("storedVersions");
    let stored = crd.status.as_ref().and_then(|status| status.stored_versions.as_deref()).unwrap_or_default();
    if stored.is_empty() {
        errors.push(FieldError::invalid(&path, None::<()>, "must have at least one stored version"));
    }
    for (at, name) in stored.iter().enumerate() {
        if crd.spec.versions.iter().all(|version| version.name != *name) {
            let why = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            );
            errors.push(FieldError::invalid(&path.index(at), name, why));
        }
    }
}

/// What is taken and means nothing.
pub(super) fn warnings(versions: &[Version]) -> Vec<String> {
    let formats = versions.iter().filter_map(schema_of).flat_map(unknown_formats);
    let formats = formats.map(|format| format!("unrecognized format {format:?}"));
    formats.collect()
}

/// The formats of texts that mean nothing.
fn unknown_formats(schema: &JSONSchemaProps) -> Vec<&str> {
    let own = schema.format.as_deref().filter(|format| {
        schema.type_.as_deref() == Some("string") && !format.is_empty() && !is_format(format)
    });
    let below = extensions::children(schema).flat_map(|(_, child)| unknown_formats(child));
    own.into_iter().chain(below).collect()
}
