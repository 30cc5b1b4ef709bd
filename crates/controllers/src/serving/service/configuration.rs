//! The Configuration of a Service.

use resources::{
    Object,
    annotations::{ROLLOUT_DURATION, ROUTES},
    labels,
    serving::{Configuration, ConfigurationSpec, Service},
};

use crate::serving::child::{self, take_metadata};

/// The Configuration that a Service asks for.
pub(super) fn desired_configuration(service: &Service) -> Configuration {
    let mut labels = child::labels(&service.metadata);
    labels.insert(labels::SERVICE.to_owned(), service.name().to_owned());
    labels.insert(labels::SERVICE_UID.to_owned(), service.uid().to_owned());
    let mut annotations = child::annotations(&service.metadata);
    annotations.retain(|key, _| !ROLLOUT_DURATION.spellings().contains(&key.as_str()));
    Configuration::new(
        child::metadata(service, service.name().to_owned(), labels, annotations),
        ConfigurationSpec { template: service.spec.template.clone() },
    )
}

/// `existing` as `desired` asks, which is also how labels and annotations that the Service lost go; the routes that lead
/// to it are the labeler's.
pub(super) fn merge(existing: &Configuration, desired: Configuration) -> Configuration {
    let mut merged = existing.clone();
    take_metadata(&mut merged.metadata, desired.metadata, &[ROUTES]);
    merged.spec = desired.spec;
    merged
}
