//! `--lock-to-digest`: a change of something else must not change the image that a moving tag leads to.
//!
//! Upstream: client, `lock-to-digest`. The spec holds the digest the last revision ran, and an annotation the image as
//! the user named it.

use resources::serving::{Revision, RevisionTemplateSpec};

use crate::service::annotations::USER_IMAGE;

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct PinArgs {
    /// Keep the image that runs unless --image is given [default]
    #[arg(long, conflicts_with = "no_lock_to_digest")]
    lock_to_digest: bool,
    /// Look the image's tag up afresh for each new revision
    #[arg(long)]
    no_lock_to_digest: bool,
}

impl PinArgs {
    /// Whether the template's image is to be pinned: it was before, or the flag says so.
    pub(super) fn applies_to(&self, template: &RevisionTemplateSpec) -> bool {
        let was = template
            .metadata
            .annotations
            .as_ref()
            .is_some_and(|annotations| annotations.contains_key(USER_IMAGE));
        !self.no_lock_to_digest && (was || self.lock_to_digest)
    }

    /// Notes the user's image, and takes the digest from the base revision where there is one.
    pub(super) fn apply(
        &self,
        template: &mut RevisionTemplateSpec,
        makes_revision: bool,
        base: Option<&Revision>,
    ) -> Result<(), String> {
        if self.no_lock_to_digest {
            if let Some(annotations) = &mut template.metadata.annotations {
                annotations.remove(USER_IMAGE);
            }
            return Ok(());
        }
        if !makes_revision || !self.applies_to(template) {
            return Ok(());
        }
        note_user_image(template);
        base.map_or(Ok(()), |base| take_digest(template, base))
    }
}

fn note_user_image(template: &mut RevisionTemplateSpec) {
    let image =
        template.spec.serving_container().and_then(|container| container.image.clone()).unwrap_or_default();
    let annotations = template.metadata.annotations.get_or_insert_default();
    let known = annotations.get(USER_IMAGE).is_some_and(|image| !image.is_empty());
    match (image.contains('@'), known) {
        (false, _) => drop(annotations.insert(USER_IMAGE.to_owned(), image)),
        (true, true) => {}
        // A digest is all that the user ever named.
        (true, false) => drop(annotations.remove(USER_IMAGE)),
    }
}

fn take_digest(template: &mut RevisionTemplateSpec, base: &Revision) -> Result<(), String> {
    let name = base.metadata.name.as_deref().unwrap_or_default();
    let at = template.spec.serving_container().and_then(|serving| {
        template.spec.containers.iter().position(|container| std::ptr::eq(container, serving))
    });
    let (Some(at), Some(was)) = (at, base.spec.serving_container()) else {
        return Err(format!("can not pin image to digest: no container found in base revision {name}"));
    };
    let container = &mut template.spec.containers[at];
    if container.image != was.image {
        return Err(format!(
            "can not pin image to digest: the service has the image {}, its revision {name} has {}; give --image, or \
             --no-lock-to-digest",
            container.image.as_deref().unwrap_or_default(),
            was.image.as_deref().unwrap_or_default(),
        ));
    }
    let digest = base.status.container_statuses.iter().find(|status| status.name == was.name);
    let digest = digest.or(base.status.container_statuses.first()).map(|status| status.image_digest.clone());
    if let Some(digest) = digest.filter(|digest| !digest.is_empty()) {
        container.image = Some(digest);
    }
    Ok(())
}
