//! Flags for labels, annotations and visibility.

use std::collections::BTreeMap;

use resources::{
    annotations::{AUTOSCALING_GROUP, INITIAL_SCALE},
    labels::{VISIBILITY, VISIBILITY_CLUSTER_LOCAL},
    serving::Service,
};

use super::pairs::{Edit, edits_allowing_singles};

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct MetadataArgs {
    /// Label of the service and its revisions: NAME=VALUE; NAME- takes it away
    #[arg(short, long, value_name = "NAME=VALUE")]
    label: Vec<String>,
    /// Label of the service alone, likewise
    #[arg(long, value_name = "NAME=VALUE")]
    label_service: Vec<String>,
    /// Label of the revisions alone, likewise
    #[arg(long, value_name = "NAME=VALUE")]
    label_revision: Vec<String>,
    /// Annotation of the service and its revisions: NAME=VALUE; NAME- takes it away
    #[arg(short, long, value_name = "NAME=VALUE")]
    annotation: Vec<String>,
    /// Annotation of the service alone, likewise
    #[arg(long, value_name = "NAME=VALUE")]
    annotation_service: Vec<String>,
    /// Annotation of the revisions alone, likewise
    #[arg(long, value_name = "NAME=VALUE")]
    annotation_revision: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct VisibilityArgs {
    /// Make the service private: only callers inside the platform reach it
    #[arg(long, conflicts_with = "no_cluster_local")]
    cluster_local: bool,
    /// Make the service public again
    #[arg(long)]
    no_cluster_local: bool,
}

type Map = Option<BTreeMap<String, String>>;

impl MetadataArgs {
    pub(super) fn apply(&self, service: &mut Service) -> Result<(), String> {
        let labels = edits(&self.label, "--label")?;
        let of_service = edits(&self.label_service, "--label-service")?;
        let of_revision = edits(&self.label_revision, "--label-revision")?;
        change(&mut service.metadata.labels, labels.iter().chain(&of_service));
        change(&mut service.spec.template.metadata.labels, labels.iter().chain(&of_revision));

        let annotations = edits(&self.annotation, "--annotation")?;
        let of_service = edits(&self.annotation_service, "--annotation-service")?;
        let of_revision = edits(&self.annotation_revision, "--annotation-revision")?;
        if let Some(Edit::Set(name, _)) = of_service.iter().find(|edit| is_scaling(edit)) {
            return Err(format!(
                "service can not have auto-scaling related annotation: {name} , please update using \
                 '--annotation-revision'"
            ));
        }
        change(&mut service.spec.template.metadata.annotations, annotations.iter().chain(&of_revision));
        // How to scale is a revision's alone.
        let general = annotations.iter().filter(|edit| !is_scaling(edit));
        change(&mut service.metadata.annotations, general.chain(&of_service));
        Ok(())
    }

    /// Whether `--annotation` sets the initial scale, which has a flag of its own.
    pub(super) fn sets_initial_scale(&self) -> bool {
        self.annotation.iter().any(|text| text.contains(INITIAL_SCALE.name()))
    }
}

impl VisibilityArgs {
    pub(super) fn apply(&self, service: &mut Service) {
        let labels = &mut service.metadata.labels;
        if self.cluster_local {
            change(labels, [&Edit::Set(VISIBILITY, VISIBILITY_CLUSTER_LOCAL)].into_iter());
        } else if self.no_cluster_local {
            change(labels, [&Edit::Unset(VISIBILITY)].into_iter());
        }
    }
}

fn edits<'a>(texts: &'a [String], flag: &str) -> Result<Vec<Edit<'a>>, String> {
    edits_allowing_singles(texts).map_err(|error| format!("Invalid {flag}: {error}"))
}

fn is_scaling(edit: &Edit<'_>) -> bool {
    matches!(edit, Edit::Set(name, _) if name.starts_with(AUTOSCALING_GROUP))
}

/// Sets first and unsets then, whatever their order.
fn change<'a>(map: &mut Map, edits: impl Iterator<Item = &'a Edit<'a>>) {
    let mut unset = Vec::new();
    for edit in edits {
        match edit {
            Edit::Set(name, value) => {
                map.get_or_insert_default().insert((*name).to_owned(), (*value).to_owned());
            }
            Edit::Unset(name) => unset.push(*name),
        }
    }
    for name in unset {
        map.iter_mut().for_each(|map| drop(map.remove(name)));
    }
    map.take_if(|map| map.is_empty());
}
