//! A list of traffic targets under change.

use resources::serving::TrafficTarget;

use super::{LATEST, Share};

/// The targets of a service's spec.
pub(super) struct Targets(Vec<TrafficTarget>);

impl Targets {
    pub(super) fn new(targets: Vec<TrafficTarget>) -> Self {
        Self(targets)
    }

    /// Takes a tag away; whether it was there.
    pub(super) fn untag(&mut self, tag: &str) -> bool {
        match self.tagged(tag) {
            Some(target) => {
                target.tag = None;
                true
            }
            None => false,
        }
    }

    /// Gives the latest revision a tag.
    pub(super) fn tag_latest(&mut self, tag: &str) -> Result<(), String> {
        let there = self.0.iter().find(|target| is_latest(target)).and_then(tag_of).map(str::to_owned);
        if there.as_deref() == Some(tag) {
            return Ok(());
        }
        self.refuse_overwriting(tag)?;
        if let Some(there) = there {
            return Err(format!(
                "tag '{there}' exists on latest ready revision of service, refusing to overwrite existing tag with \
                 '{tag}', add flag '--untag {there}' in command to untag it"
            ));
        }
        match self.0.iter_mut().find(|target| is_latest(target)) {
            Some(target) => target.tag = Some(tag.to_owned()),
            None => self.0.push(TrafficTarget { tag: Some(tag.to_owned()), ..target(LATEST, 0) }),
        }
        Ok(())
    }

    /// Gives a revision a tag; a revision may have several, each as a target of its own.
    pub(super) fn tag(&mut self, revision: &str, tag: &str) -> Result<(), String> {
        let of_revision = |target: &TrafficTarget| target.revision_name.as_deref() == Some(revision);
        if self.0.iter().any(|target| of_revision(target) && tag_of(target) == Some(tag)) {
            return Ok(());
        }
        self.refuse_overwriting(tag)?;
        match self.0.iter_mut().find(|target| of_revision(target)) {
            Some(untagged) if tag_of(untagged).is_none() => untagged.tag = Some(tag.to_owned()),
            _ => self.0.push(TrafficTarget { tag: Some(tag.to_owned()), ..target(revision, 0) }),
        }
        Ok(())
    }

    /// Takes every share away.
    pub(super) fn reset(&mut self) {
        self.0.iter_mut().for_each(|target| target.percent = Some(0));
    }

    /// Gives a target its share. Where a tag is spelled as a revision's name, the tag is meant: it is unique.
    pub(super) fn set(&mut self, share: &Share) {
        let reference = share.reference.as_str();
        let at = if reference == LATEST {
            self.0.iter().position(is_latest)
        } else {
            let tagged = self.0.iter().position(|target| tag_of(target) == Some(reference));
            tagged.or_else(|| {
                self.0.iter().position(|target| target.revision_name.as_deref() == Some(reference))
            })
        };
        match at {
            Some(at) => self.0[at].percent = Some(share.percent),
            None => self.0.push(target(reference, share.percent)),
        }
    }

    /// The targets that have a share or a tag.
    pub(super) fn finish(mut self) -> Vec<TrafficTarget> {
        self.0.retain(|target| tag_of(target).is_some() || target.percent.unwrap_or_default() != 0);
        self.0
    }

    fn tagged(&mut self, tag: &str) -> Option<&mut TrafficTarget> {
        self.0.iter_mut().find(|target| tag_of(target) == Some(tag))
    }

    fn refuse_overwriting(&mut self, tag: &str) -> Result<(), String> {
        match self.tagged(tag) {
            None => Ok(()),
            Some(_) => Err(format!(
                "refusing to overwrite existing tag in service, add flag '--untag {tag}' in command to untag it"
            )),
        }
    }
}

fn target(reference: &str, percent: i64) -> TrafficTarget {
    let latest = reference == LATEST;
    TrafficTarget {
        revision_name: (!latest).then(|| reference.to_owned()),
        latest_revision: Some(latest),
        percent: Some(percent),
        ..TrafficTarget::default()
    }
}

fn is_latest(target: &TrafficTarget) -> bool {
    target.latest_revision == Some(true)
}

/// Some API servers give an empty tag where there is none.
fn tag_of(target: &TrafficTarget) -> Option<&str> {
    target.tag.as_deref().filter(|tag| !tag.is_empty())
}
