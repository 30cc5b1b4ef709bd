//! The CustomResourceDefinitions of Knative's kinds. Ebb has types of these and is defined nothing by them; they are there
//! for clients that look for Knative by its definitions.
//!
//! Each is made of what is known of its kind, so that it says what is served.

use resources::{
    Kind, Object,
    annotations::LAST_APPLIED,
    custom::{CustomResourceDefinition, types},
    kinds,
    meta::ObjectMeta,
    provided::PROVIDED,
};
use serde_json::json;

use crate::table;

/// Labels by which upstream's are selected.
const LABELS: [(&str, &str); 2] =
    [("app.kubernetes.io/name", "knative-serving"), ("knative.dev/crd-install", "true")];

/// One for each of Knative's kinds, in the order of discovery.
pub(super) fn all() -> impl Iterator<Item = CustomResourceDefinition> {
    kinds::all().iter().copied().filter(|kind| !kind.is_builtin()).map(of)
}

fn of(kind: &'static Kind) -> CustomResourceDefinition {
    let columns = table::printer_columns(kind);
    let version = types::CustomResourceDefinitionVersion {
        additional_printer_columns: Some(columns).filter(|columns| !columns.is_empty()),
        name: kind.version.into(),
        schema: Some(types::CustomResourceValidation { open_api_v3_schema: Some(anything()) }),
        served: true,
        storage: true,
        subresources: kind.subresources.status.then(|| types::CustomResourceSubresources {
            scale: None,
            status: Some(types::CustomResourceSubresourceStatus(json!({}))),
        }),
        ..types::CustomResourceDefinitionVersion::default()
    };
    let spec = types::CustomResourceDefinitionSpec {
        group: kind.group.into(),
        names: names(kind),
        scope: if kind.namespaced { "Namespaced" } else { "Cluster" }.into(),
        versions: vec![version],
        ..types::CustomResourceDefinitionSpec::default()
    };
    CustomResourceDefinition(types::CustomResourceDefinition {
        metadata: metadata(kind.resource()),
        spec,
        status: None,
    })
}

fn names(kind: &Kind) -> types::CustomResourceDefinitionNames {
    let some = |names: &[&str]| {
        let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
        Some(names).filter(|names| !names.is_empty())
    };
    types::CustomResourceDefinitionNames {
        categories: some(kind.categories),
        kind: kind.kind.into(),
        list_kind: Some(kind.list_kind()),
        plural: kind.plural.into(),
        short_names: some(kind.short_names),
        singular: Some(kind.singular.into()),
    }
}

fn metadata(name: String) -> ObjectMeta {
    let definition = <CustomResourceDefinition as Object>::kind();
    // `kubectl apply` warns of an object that it finds without: it would of each, wherever upstream's are applied. This
    // one asks for nothing that a later one could leave out.
    let applied = json!({
        "apiVersion": definition.api_version(),
        "kind": definition.kind,
        "metadata": {"name": &name},
    });
    let annotations =
        [(LAST_APPLIED.to_owned(), applied.to_string()), (PROVIDED.to_owned(), "true".to_owned())];
    let labels = LABELS.map(|(key, value)| (key.to_owned(), value.to_owned()));
    ObjectMeta {
        name: Some(name),
        annotations: Some(annotations.into()),
        labels: Some(labels.into()),
        ..ObjectMeta::default()
    }
}

/// What objects may have is for the kind's own rules to say, and for its own part of the OpenAPI documents to tell.
fn anything() -> types::JSONSchemaProps {
    types::JSONSchemaProps {
        type_: Some("object".into()),
        x_kubernetes_preserve_unknown_fields: Some(true),
        ..types::JSONSchemaProps::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_resource_has_one() {
        let names: BTreeSet<_> = all().filter_map(|definition| definition.0.metadata.name).collect();
        assert_eq!(names.len(), all().count(), "{names:?}");
        assert!(names.contains("services.serving.knative.dev"), "{names:?}");
        assert!(names.iter().all(|name| name.ends_with(".knative.dev")), "{names:?}");
    }
}
