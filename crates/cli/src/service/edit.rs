//! The flags that change a Service: each group knows its options and what they do to the object.

mod container;
mod env;
mod env_from;
mod metadata;
mod pairs;
mod pin;
mod pod;
mod probe;
mod requests;
mod revision_name;
mod scale;
mod source;
mod volume;

use std::path::Path;

use jiff::Timestamp;
use resources::{
    annotations::INITIAL_SCALE,
    builtin::Container,
    serving::{Revision, RevisionSpec, Service},
};

use super::annotations::UPDATE_TIMESTAMP;
use crate::{
    error::Error,
    text::{read_text, read_text_or_input},
};

/// Every flag that `create`, `apply` and `update` share.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    container: container::ContainerArgs,
    #[command(flatten)]
    env: env::EnvArgs,
    #[command(flatten)]
    env_from: env_from::EnvFromArgs,
    #[command(flatten)]
    volume: volume::VolumeArgs,
    #[command(flatten)]
    requests: requests::ResourceArgs,
    #[command(flatten)]
    probe: probe::ProbeArgs,
    #[command(flatten)]
    pod: pod::PodArgs,
    #[command(flatten)]
    scale: scale::ScaleArgs,
    #[command(flatten)]
    metadata: metadata::MetadataArgs,
    #[command(flatten)]
    visibility: metadata::VisibilityArgs,
    #[command(flatten)]
    pin: pin::PinArgs,
    #[command(flatten)]
    revision_name: revision_name::RevisionNameArgs,
}

/// Which command edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OccasionVerb {
    Create,
    Apply,
    Update,
}

/// What an edit depends on besides its flags.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion<'a> {
    pub(super) verb: OccasionVerb,
    /// The revision whose image the next one keeps.
    pub(super) base: Option<&'a Revision>,
    pub(super) now: Timestamp,
    pub(super) random: fn() -> u64,
}

/// The files that flags name, read before anything is changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    env: String,
    containers: Vec<Container>,
}

impl EditArgs {
    /// Whether `--image` is given.
    pub(super) fn names_image(&self) -> bool {
        self.container.image.is_some()
    }

    /// Whether the flags change the template. Visibility and pinning by themselves do not.
    pub(super) fn makes_revision(&self) -> bool {
        let without = Self { visibility: Default::default(), pin: Default::default(), ..self.clone() };
        without != Self::default()
    }

    /// Whether the next revision shall run exactly the image that the last one runs.
    pub(super) fn pins_image(&self, service: &Service) -> bool {
        !self.names_image() && self.makes_revision() && self.pin.applies_to(&service.spec.template)
    }

    /// Reads the files that flags name.
    pub(super) fn read_files(&self) -> Result<Files, Error> {
        let env = self.env.file().map(read_text).transpose()?.unwrap_or_default();
        let containers = self.pod.containers().map(read_containers).transpose()?.unwrap_or_default();
        Ok(Files { env, containers })
    }

    /// Changes the service as the flags say. Errors are about the flags.
    pub(super) fn apply(
        &self,
        service: &mut Service,
        occasion: &Occasion<'_>,
        files: &Files,
    ) -> Result<(), String> {
        if self.scale.sets_initial_scale() && self.metadata.sets_initial_scale() {
            return Err(format!(
                "only one of the --scale-init or --annotation {} can be specified",
                INITIAL_SCALE.name()
            ));
        }
        let makes_revision = self.makes_revision();
        let template = &mut service.spec.template;
        if template.spec.containers.is_empty() {
            template.spec.containers.push(Container::default());
        }
        self.env.apply(main_container(&mut template.spec), &files.env)?;
        self.env_from.apply(main_container(&mut template.spec))?;
        self.volume.apply(&mut template.spec)?;
        self.container.apply(main_container(&mut template.spec))?;
        self.requests.apply(main_container(&mut template.spec))?;
        self.pod.apply(&mut template.spec, &files.containers)?;
        self.probe.apply(main_container(&mut template.spec))?;
        // Applying the same twice must name the same revision, which a template cannot promise.
        if occasion.verb != OccasionVerb::Apply {
            if occasion.verb == OccasionVerb::Update && makes_revision {
                // The name is that of the last revision; the next one gets its own, from the flag or from the server.
                service.spec.template.metadata.name = None;
            }
            self.revision_name.apply(service, occasion.random)?;
        }
        let template = &mut service.spec.template;
        // A stamp makes a change out of `--image` with the same tag. Applying the same twice must change nothing.
        if makes_revision && occasion.verb != OccasionVerb::Apply {
            let annotations = template.metadata.annotations.get_or_insert_default();
            annotations.insert(UPDATE_TIMESTAMP.to_owned(), to_the_second(occasion.now));
        }
        let keep_image = makes_revision && (!self.names_image() || occasion.verb == OccasionVerb::Apply);
        self.pin.apply(template, makes_revision, occasion.base.filter(|_| keep_image))?;
        self.scale.apply(template)?;
        self.visibility.apply(service);
        self.metadata.apply(service)
    }
}

/// The container that flags are about: the first.
fn main_container(spec: &mut RevisionSpec) -> &mut Container {
    &mut spec.containers[0]
}

fn to_the_second(time: Timestamp) -> String {
    // Whole seconds of a timestamp are within its range.
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

fn read_containers(path: &Path) -> Result<Vec<Container>, Error> {
    #[derive(serde::Deserialize)]
    struct Containers {
        containers: Vec<Container>,
    }
    let text = read_text_or_input(path)?;
    let read: Containers = serde_saphyr::from_str(&text).map_err(|error| Error::Content {
        path: path.to_owned(),
        expected: "a list of containers",
        reason: error.to_string(),
    })?;
    Ok(read.containers)
}

#[cfg(test)]
mod tests;
