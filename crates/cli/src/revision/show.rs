//! The attributes of a revision, in its own description and in its service's.

use resources::{
    annotations::{self, Key, MAX_SCALE, MIN_SCALE, TARGET, TARGET_UTILIZATION_PERCENTAGE, WINDOW},
    builtin::{Container, EnvFromSource, EnvVar},
    image_name::ImageName,
    meta::Quantity,
    quantity,
    serving::Revision,
};

use crate::{
    print::{Attributes, Indent, write_list},
    service::user_image,
};

/// How much of a digest is shown.
const DIGEST_DIGITS: usize = 6;

/// `Image:`, as the user named it where that is known, with the digest that runs.
pub(crate) fn write_image(to: &mut Attributes, indent: &Indent, revision: &Revision) {
    let Some(container) = revision.spec.serving_container() else {
        return to.add_at(indent, "Image", "Unknown");
    };
    let image = container.image.as_deref().unwrap_or_default();
    let digest = revision.status.container_statuses.first().map(|status| status.image_digest.as_str());
    let digest = digest.filter(|digest| !digest.is_empty());
    let (shown, how, digest) = match user_image(&revision.metadata, image) {
        // While nothing is known of the image, the spec still says what it was pinned to.
        Some(named) => (named, "pinned to", digest.or(ImageName::split(image).digest)),
        None => (image, "at", digest),
    };
    let text = match digest {
        Some(digest) => format!("{shown} ({how} {})", short_digest(digest)),
        None => shown.to_owned(),
    };
    to.add_at(indent, "Image", &text);
}

/// `Replicas:`, those that are ready of those that are wanted.
pub(crate) fn write_replicas(to: &mut Attributes, indent: &Indent, revision: &Revision) {
    if let (Some(actual), Some(desired)) = (revision.status.actual_replicas, revision.status.desired_replicas)
    {
        to.add_at(indent, "Replicas", &format!("{actual}/{desired}"));
    }
}

/// How the revision runs: port, environment, scale, concurrency, resources.
pub(crate) fn write_runtime(to: &mut Attributes, indent: &Indent, revision: &Revision, verbose: bool) {
    let container = revision.spec.serving_container();
    if let Some(port) = container.and_then(|container| container.ports.as_ref()?.first()) {
        to.add_at(indent, "Port", &port.container_port.to_string());
    }
    let env = container.and_then(|container| container.env.as_ref());
    let env: Vec<String> = env.into_iter().flatten().map(variable).collect();
    write_list(to, indent, "Env", &env, verbose);
    let env_from = container.and_then(|container| container.env_from.as_ref());
    let env_from: Vec<String> = env_from.into_iter().flatten().filter_map(source).collect();
    write_list(to, indent, "EnvFrom", &env_from, verbose);
    write_scale(to, indent, revision);
    write_concurrency(to, indent, revision);
    if let Some(container) = container {
        write_amounts(to, indent, "Memory", "memory", container);
        write_amounts(to, indent, "CPU", "cpu", container);
    }
}

fn write_scale(to: &mut Attributes, indent: &Indent, revision: &Revision) {
    let (min, max) = (annotation(revision, &MIN_SCALE), annotation(revision, &MAX_SCALE));
    if min.is_some() || max.is_some() {
        to.add_at(indent, "Scale", &format!("{} ... {}", min.unwrap_or("0"), max.unwrap_or("∞")));
    }
}

fn write_concurrency(to: &mut Attributes, indent: &Indent, revision: &Revision) {
    let limit =
        revision.spec.container_concurrency.filter(|limit| *limit != 0).map(|limit| limit.to_string());
    let lines = [
        ("Limit", limit.as_deref()),
        ("Target", annotation(revision, &TARGET)),
        ("Window", annotation(revision, &WINDOW)),
        ("TargetUtilization", annotation(revision, &TARGET_UTILIZATION_PERCENTAGE)),
    ];
    if lines.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    to.add_at(indent, "Concurrency", "");
    for (label, value) in lines {
        if let Some(value) = value {
            to.add_at(&indent.nested(), label, value);
        }
    }
}

/// What is asked for and what is allowed, or the one that is given.
fn write_amounts(to: &mut Attributes, indent: &Indent, label: &str, name: &str, container: &Container) {
    let resources = container.resources.as_ref();
    let amount = |amounts: Option<&std::collections::BTreeMap<String, Quantity>>| {
        amounts
            .and_then(|amounts| amounts.get(name))
            .map(|amount| amount.0.clone())
            .filter(|amount| quantity::nanos(amount) != Some(0))
    };
    let request = amount(resources.and_then(|resources| resources.requests.as_ref()));
    let limit = amount(resources.and_then(|resources| resources.limits.as_ref()));
    match (request, limit) {
        (Some(request), Some(limit)) => to.add_at(indent, label, &format!("{request} ... {limit}")),
        (Some(one), None) | (None, Some(one)) => to.add_at(indent, label, &one),
        (None, None) => {}
    }
}

fn annotation<'a>(revision: &'a Revision, key: &Key) -> Option<&'a str> {
    annotations::lookup(revision.metadata.annotations.as_ref()?, key)
}

fn variable(variable: &EnvVar) -> String {
    let value =
        if variable.value_from.is_some() { "[ref]" } else { variable.value.as_deref().unwrap_or_default() };
    format!("{}={value}", variable.name)
}

fn source(source: &EnvFromSource) -> Option<String> {
    let config_map = source.config_map_ref.as_ref().map(|source| format!("cm:{}", source.name));
    config_map.or_else(|| source.secret_ref.as_ref().map(|source| format!("secret:{}", source.name)))
}

/// The first digits of a digest, which are enough to tell images apart.
pub fn short_digest(digest: &str) -> String {
    match digest.split_once("sha256:") {
        Some((_, hex)) => hex.chars().take(DIGEST_DIGITS).collect(),
        None => digest.to_owned(),
    }
}
