//! From the reason of a condition to the next thing to try.

use resources::{
    Object,
    condition::Condition,
    serving::{Revision, Service},
};

use crate::{
    image::{Image, Name, alike, another_build},
    revision::short_digest,
    service::user_image,
};

/// What a reason calls for.
enum Remedy {
    Account,
    Image,
    Registry,
    Credentials,
    Command,
    Configuration,
    User,
    Logs,
    Machine,
    Port,
    Probe,
    Resources,
    Revision,
    Wait,
    Details,
}

/// Reasons of Knative's, Kubernetes' and Ebb's own, by their beginnings.
const REMEDIES: &[(&str, Remedy)] = &[
    ("ContainerMissing", Remedy::Image),
    ("ImagePull", Remedy::Image),
    ("ErrImage", Remedy::Image),
    ("InvalidImageName", Remedy::Image),
    ("StartError", Remedy::Command),
    ("ContainerCannotRun", Remedy::Machine),
    ("CreateContainerConfigError", Remedy::Configuration),
    ("ExitCode", Remedy::Logs),
    ("CrashLoop", Remedy::Logs),
    ("Error", Remedy::Logs),
    ("RunContainerError", Remedy::Logs),
    ("OOMKilled", Remedy::Resources),
    ("Unschedulable", Remedy::Resources),
    ("InsufficientResources", Remedy::Resources),
    ("ProgressDeadlineExceeded", Remedy::Probe),
    ("HealthCheck", Remedy::Probe),
    ("Unhealthy", Remedy::Probe),
    ("RevisionMissing", Remedy::Revision),
    ("Deploying", Remedy::Wait),
    ("ResolvingDigests", Remedy::Wait),
    ("Uninitialized", Remedy::Wait),
    ("IngressNotConfigured", Remedy::Wait),
    ("OutOfDate", Remedy::Wait),
];

/// What messages say, and the same reason does not tell apart. The image store's words reach this by events and
/// conditions alike.
const SAID: &[(&str, Remedy)] = &[
    ("runAsNonRoot", Remedy::User),
    ("OOMKilled", Remedy::Resources),
    ("setting limits: ", Remedy::Resources),
    ("error looking up service account", Remedy::Account),
    (": unreachable: ", Remedy::Registry),
    (": no answer within ", Remedy::Registry),
    (": unauthorized: ", Remedy::Credentials),
    ("probe failed: dial tcp", Remedy::Port),
    ("probe failed", Remedy::Probe),
];

/// A revision's failure is passed up under a general reason; its message still says which it is.
const SAID_OF_PARTS: &[(&str, Remedy)] =
    &[("Unable to fetch image", Remedy::Image), ("exit code", Remedy::Logs)];

/// One line: what to try next.
pub(super) fn advice(
    service: &Service,
    revision: Option<&Revision>,
    condition: Option<&Condition>,
    there: &[Image],
) -> String {
    line(service, revision, remedy(condition), there)
}

/// Whether the condition is about an image that is not there.
pub(super) fn misses_image(condition: Option<&Condition>) -> bool {
    is_about_an_image(remedy(condition))
}

/// Whether the app itself ended, or could not begin.
pub(super) fn is_of_the_app(condition: Option<&Condition>) -> bool {
    matches!(remedy(condition), Remedy::Logs | Remedy::Command)
}

fn is_about_an_image(remedy: &Remedy) -> bool {
    matches!(remedy, Remedy::Image | Remedy::Registry | Remedy::Credentials)
}

/// One line for a service that is ready, where the reason calls for something certain and can come again: what kept a
/// container from its start did not keep it for good.
pub(in crate::service::describe) fn advice_when_ready(service: &Service, said: &Condition) -> Option<String> {
    let remedy = certain(said)?;
    let comes_again = matches!(remedy, Remedy::Logs | Remedy::Port | Remedy::Probe | Remedy::Resources);
    comes_again.then(|| line(service, None, remedy, &[]))
}

/// `there` are the images that are loaded.
fn line(service: &Service, revision: Option<&Revision>, remedy: &Remedy, there: &[Image]) -> String {
    let (name, namespace) = (service.name(), service.namespace());
    let latest = service.status.latest_created_revision_name.as_deref();
    let of_revision = revision;
    let revision = revision.map(Object::name).or(latest).unwrap_or("REVISION");
    let template = &service.spec.template;
    let image = template.spec.serving_container().and_then(|container| container.image.as_deref());
    let image = image.map_or("IMAGE", |image| user_image(&template.metadata, image).unwrap_or(image));
    if is_about_an_image(remedy)
        && let Some(wanted) = of_revision.and_then(|revision| pinned(revision, image))
        && let Some(other) = another_build(image, wanted, there)
    {
        return format!(
            "{image} is here as another build ({}; the revision wants {}): `ebb service update {name} -n {namespace} \
             --image {image}`",
            short_digest(&other.digest),
            short_digest(wanted)
        );
    }
    if is_about_an_image(remedy)
        && let Some(alike) = alike(image, there)
    {
        return format!(
            "{alike} is loaded, if that is the one: `ebb service update {name} -n {namespace} --image {alike}`; or load \
             this one: `ebb image load FILE --name {image}`"
        );
    }
    match remedy {
        Remedy::Account => format!(
            "`kubectl create serviceaccount -n {namespace} ACCOUNT`, or another one: `ebb service update {name} -n \
             {namespace} --service-account ACCOUNT`; Ebb tries again by itself"
        ),
        Remedy::Image => format!(
            "`ebb image load FILE --name {image}`, or correct the name: `ebb service update {name} -n {namespace} \
             --image IMAGE`; Ebb tries again by itself"
        ),
        Remedy::Registry => format!(
            "can this machine reach the registry (DNS, route, proxy)? Without it: `ebb image load FILE --name {image}`; \
             Ebb tries again by itself"
        ),
        Remedy::Credentials => format!(
            "is the name right? A private one needs `kubectl create secret docker-registry SECRET -n {namespace} …`, then \
             `ebb service update {name} -n {namespace} --pull-secret SECRET`"
        ),
        Remedy::Command => format!(
            "set a program that exists in the image: `ebb service update {name} -n {namespace} --cmd PROGRAM --arg ARGUMENT`, or \
             another image: `--image IMAGE`"
        ),
        Remedy::Configuration => format!(
            "create the ConfigMap, Secret or key that is missing (`kubectl apply -n {namespace} -f FILE`); Ebb tries \
             again by itself"
        ),
        Remedy::User => format!(
            "run it as another user (`ebb service update {name} -n {namespace} --user UID`) or from an image that names \
             one, or leave `runAsNonRoot` out"
        ),
        Remedy::Logs => format!(
            "read the app's logs: `kubectl logs -n {namespace} -l serving.knative.dev/revision={revision} -c \
             user-container --tail 50`"
        ),
        Remedy::Machine => "this machine lacks what the message names (memory, disk, processes, open files): make room, or see the \
                            log of `ebb up`; Ebb tries again by itself"
            .to_owned(),
        Remedy::Port => format!(
            "nothing listens on that port in the container: have the app listen on $PORT, or say which it has: `ebb service \
             update {name} -n {namespace} --port PORT`; its logs: `kubectl logs -n {namespace} -l \
             serving.knative.dev/revision={revision} -c user-container --tail 50`"
        ),
        Remedy::Probe => format!(
            "does the app listen on its port (--port) and answer its probe? `kubectl logs -n {namespace} -l \
             serving.knative.dev/revision={revision} -c user-container --tail 50`"
        ),
        Remedy::Resources => format!(
            "change requests or limits: `ebb service update {name} -n {namespace} --request cpu=…,memory=… --limit \
             cpu=…,memory=…`"
        ),
        Remedy::Revision => format!(
            "send the traffic to a revision that exists: `ebb revision list -n {namespace} -s {name}`, then `ebb \
             service update {name} -n {namespace} --traffic …`"
        ),
        Remedy::Wait => format!("it is being worked on: `ebb service wait {name} -n {namespace}`"),
        Remedy::Details => format!(
            "show all details: `ebb service describe {name} -n {namespace} --verbose`, `ebb revision describe \
             {revision} -n {namespace} --verbose`"
        ),
    }
}

/// The digest that a revision wants of the image that its user knows by this name.
fn pinned<'a>(revision: &'a Revision, named: &str) -> Option<&'a str> {
    let named = Name::of(named);
    let resolved = revision.status.container_statuses.iter().map(|status| status.image_digest.as_str());
    let written = revision.spec.containers.iter().filter_map(|container| container.image.as_deref());
    let mut images = resolved.chain(written).map(Name::of);
    images.find_map(|image| image.digest.filter(|_| image.is_of_the_repository_of(&named)))
}

fn remedy(condition: Option<&Condition>) -> &'static Remedy {
    let Some(condition) = condition else { return &Remedy::Wait };
    match certain(condition) {
        Some(remedy) => remedy,
        None if condition.is_unknown() => &Remedy::Wait,
        None => &Remedy::Details,
    }
}

fn certain(condition: &Condition) -> Option<&'static Remedy> {
    let by_message = |table: &'static [(&str, Remedy)]| {
        table.iter().find(|(said, _)| condition.message.contains(said)).map(|(_, remedy)| remedy)
    };
    let by_reason =
        || REMEDIES.iter().find(|(reason, _)| condition.reason.starts_with(reason)).map(|(_, remedy)| remedy);
    by_message(SAID).or_else(by_reason).or_else(|| by_message(SAID_OF_PARTS))
}
