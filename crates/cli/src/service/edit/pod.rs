//! Flags for the pod around the container.

use std::path::{Path, PathBuf};

use resources::{
    builtin::{Container, LocalObjectReference, Toleration},
    serving::RevisionSpec,
};

use super::pairs::{Edit, edits_allowing_singles};

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct PodArgs {
    /// Service account to run as; empty for the namespace's default
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// Secret to pull the image with; empty for none
    #[arg(long, value_name = "NAME")]
    pull_secret: Option<String>,
    /// File with further containers, under `containers:`; `-` for the standard input
    #[arg(long, alias = "extra-containers", value_name = "FILE")]
    containers: Option<PathBuf>,
    /// Label that a node must have: NAME=VALUE; NAME- takes it away
    #[arg(long, value_name = "NAME=VALUE")]
    node_selector: Vec<String>,
    /// Taint that the pod may be placed on: Key=KEY,Operator=OPERATOR,Value=VALUE,Effect=EFFECT
    #[arg(long, value_name = "TOLERATION", value_delimiter = ',')]
    toleration: Vec<String>,
}

impl PodArgs {
    /// The file with further containers.
    pub(super) fn containers(&self) -> Option<&Path> {
        self.containers.as_deref()
    }

    pub(super) fn apply(&self, spec: &mut RevisionSpec, containers: &[Container]) -> Result<(), String> {
        if let Some(name) = &self.service_account {
            spec.service_account_name = non_empty(name);
        }
        if let Some(name) = &self.pull_secret {
            spec.image_pull_secrets =
                non_empty(name).map(|name| LocalObjectReference { name }).into_iter().collect();
        }
        for container in containers {
            match spec.containers.iter_mut().skip(1).find(|there| there.name == container.name) {
                Some(there) => *there = container.clone(),
                None => spec.containers.push(container.clone()),
            }
        }
        self.select_nodes(spec)?;
        if !self.toleration.is_empty() {
            spec.tolerations.push(self.tolerated()?);
        }
        Ok(())
    }

    fn select_nodes(&self, spec: &mut RevisionSpec) -> Result<(), String> {
        for edit in edits_allowing_singles(&self.node_selector)
            .map_err(|error| format!("Invalid --node-selector: {error}"))?
        {
            let selector = spec.node_selector.get_or_insert_default();
            match edit {
                Edit::Set(name, value) => selector.insert(name.to_owned(), value.to_owned()),
                Edit::Unset(name) => selector.remove(name),
            };
        }
        spec.node_selector.take_if(|selector| selector.is_empty());
        Ok(())
    }

    fn tolerated(&self) -> Result<Toleration, String> {
        let mut toleration = Toleration::default();
        for edit in edits_allowing_singles(&self.toleration)
            .map_err(|error| format!("Invalid --toleration: {error}"))?
        {
            let Edit::Set(name, value) = edit else {
                return Err("Invalid --toleration: Key, Operator, Value and Effect are expected".into());
            };
            let place = match name.to_ascii_lowercase().as_str() {
                "key" => &mut toleration.key,
                "operator" => &mut toleration.operator,
                "value" => &mut toleration.value,
                "effect" => &mut toleration.effect,
                other => return Err(format!("Invalid --toleration: unknown key {other:?}")),
            };
            *place = non_empty(value);
        }
        Ok(toleration)
    }
}

fn non_empty(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
