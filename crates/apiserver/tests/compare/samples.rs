//! One object of each built-in kind.

use std::sync::LazyLock;

use resources::{Kind, kinds};
use serde_json::{Value, json};

pub(crate) struct Sample {
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    kind: &'static Kind,
    object: Value,
}

static ALL: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let samples: Vec<Sample> = include_str!("samples.yaml").split("\n---\n").map(Sample::read).collect();
    // A CustomResourceDefinition has a name of its own making; scripts/custom.http is about them. Of the others only
    // Knative's own are taken.
    let apart = [
        "CustomResourceDefinition",
        "Job",
        "MutatingWebhookConfiguration",
        "StatefulSet",
        "ValidatingWebhookConfiguration",
    ];
    let sampled = |kind: &&Kind| !kind.group.ends_with("knative.dev") && !apart.contains(&kind.kind);
    for kind in kinds::served().filter(sampled) {
        let known = samples.iter().any(|sample| sample.kind == kind);
        assert!(known, "{kind:?} has no object in tests/compare/samples.yaml");
    }
    samples
});

pub(crate) fn all() -> &'static [Sample] {
    &ALL
}

impl Sample {
    fn read(yaml: &str) -> Self {
        let object: Value = serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"));
        let text = |field: &str| object[field].as_str().unwrap_or_else(|| panic!("{yaml} has no {field}"));
        let kind = kinds::by_kind(text("apiVersion"), text("kind"))
            .unwrap_or_else(|| panic!("{} is served by nobody", text("kind")));
        Self { plural: kind.plural, singular: kind.singular, kind, object }
    }

    /// What its scripts are called after: a form shares the plural of its original.
    pub(crate) fn title(&self) -> String {
        let (kind, original) = (self.kind, self.kind.original());
        match kind.is_form() {
            true if kind.group == original.group => format!("{}-{}", self.plural, kind.version),
            true => format!("{}-{}", self.plural, kind.group.replace('.', "-")),
            false => self.plural.to_owned(),
        }
    }

    /// The object's name in a script's namespace; what has no namespace has the script in its name.
    pub(crate) fn name(&self, namespace: &str) -> String {
        if self.kind.namespaced { "sample".into() } else { format!("{namespace}-sample") }
    }

    /// The object as JSON, with the script in a label.
    pub(crate) fn json(&self, namespace: &str) -> String {
        let mut object = self.object.clone();
        object["metadata"]["name"] = self.name(namespace).into();
        object["metadata"]["labels"] = json!({"script": namespace});
        object.to_string()
    }

    /// The path of all that are in the script's namespace.
    pub(crate) fn collection(&self, namespace: &str) -> String {
        let (root, plural) = (self.root(), self.plural);
        if self.kind.namespaced {
            format!("{root}/namespaces/{namespace}/{plural}")
        } else {
            format!("{root}/{plural}")
        }
    }

    /// The path of all there are.
    pub(crate) fn everywhere(&self) -> String {
        format!("{}/{}", self.root(), self.plural)
    }

    pub(crate) fn kind_name(&self) -> &'static str {
        self.kind.kind
    }

    pub(crate) fn api_version(&self) -> String {
        self.kind.api_version()
    }

    fn root(&self) -> String {
        let (group, version) = (self.kind.group, self.kind.version);
        if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
    }
}
