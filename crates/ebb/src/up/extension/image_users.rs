//! Who could not start again without an image.

use images::{Digest, Reference, Store};
use objects::{Client, ListOptions, Result};
use resources::{
    Object, ObjectKey,
    builtin::{Container, Pod, PodSpec},
    labels,
    serving::Revision,
};

/// The Revisions and the pods of nobody's Revision whose containers run this content, as `revision NAMESPACE/NAME`; a
/// container, if that is all that does.
pub(super) async fn users(client: &Client, store: &Store, digest: &Digest) -> Result<Vec<String>> {
    let is = |image: &str| {
        let reference = image.parse::<Reference>().ok();
        reference.and_then(|reference| store.get(&reference)).is_some_and(|image| image.digest == *digest)
    };
    let revisions = client.list::<Revision>(&ListOptions::all()).await?.items;
    let pods = client.list::<Pod>(&ListOptions::all()).await?.items;
    let revisions = revisions.iter().filter(|revision| images_of_revision(revision).any(is));
    let pods = pods.iter().filter(|pod| pod.label(labels::REVISION).is_none() && images_of_pod(pod).any(is));
    let named = |kind: &str, key: ObjectKey| format!("{kind} {}/{}", key.namespace, key.name);
    let revisions = revisions.map(|revision| named("revision", revision.key()));
    let mut users: Vec<_> = revisions.chain(pods.map(|pod| named("pod", pod.key()))).collect();
    if users.is_empty() && store.is_leased(digest) {
        // Its tag leads elsewhere by now.
        users.push("a container that runs".to_owned());
    }
    Ok(users)
}

/// What a Revision was pinned to, and while it is not, what it names: a tag may lead elsewhere by now.
fn images_of_revision(revision: &Revision) -> impl Iterator<Item = &str> {
    let statuses = &revision.status.container_statuses;
    let pinned = |container: &Container| {
        let status = statuses.iter().find(|status| status.name == container.name);
        status.map(|status| status.image_digest.as_str()).filter(|digest| !digest.is_empty())
    };
    revision
        .spec
        .containers
        .iter()
        .filter_map(move |container| pinned(container).or(container.image.as_deref()))
}

/// What a pod's containers name; nothing once they have ended for good.
fn images_of_pod<'a>(pod: &'a Pod) -> impl Iterator<Item = &'a str> {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let spec: Option<&PodSpec> = pod.spec.as_ref().filter(|_| !matches!(phase, Some("Succeeded" | "Failed")));
    let all = |spec: &'a PodSpec| spec.init_containers.iter().flatten().chain(&spec.containers);
    spec.into_iter().flat_map(all).filter_map(|container| container.image.as_deref())
}
