//! The Images of a Revision: wishes that what it runs be kept at hand.

use resources::{
    Object,
    builtin::Container,
    names,
    networking::{Image, ImageSpec},
    serving::{ContainerStatus, Revision},
};

use super::meta::{child_labels, workload_annotations};
use crate::serving::child;

/// One Image for each container; `digests` are those of its containers, then of its init containers.
pub(super) fn desired_images(revision: &Revision, digests: &[ContainerStatus]) -> Vec<Image> {
    let containers = revision.spec.containers.iter().chain(&revision.spec.init_containers);
    let digests = digests.iter().map(|status| status.image_digest.as_str()).chain(std::iter::repeat(""));
    containers.zip(digests).map(|(container, digest)| desired_image(revision, container, digest)).collect()
}

fn desired_image(revision: &Revision, container: &Container, digest: &str) -> Image {
    let tag = container.image.as_deref().unwrap_or_default();
    Image::new(
        child::metadata(
            revision,
            names::image_cache(revision.name(), &container.name),
            child_labels(revision),
            workload_annotations(revision),
        ),
        ImageSpec {
            image: if digest.is_empty() { tag } else { digest }.to_owned(),
            service_account_name: revision.spec.service_account_name.clone(),
            image_pull_secrets: revision.spec.image_pull_secrets.clone(),
        },
    )
}
