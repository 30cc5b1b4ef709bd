//! Who gets what is missing to 100 percent.

use resources::{
    Object,
    serving::{Revision, Service, TrafficTarget},
};

use super::{LATEST, Share};

/// Shares that add up to 100, or none.
pub(super) struct Complete {
    pub(super) shares: Vec<Share>,
    /// What was missing went to a revision by its name, which had its share as the latest one before.
    pub(super) pinned: Option<Share>,
}

/// The shares, made to add up to 100 where that can be done in one way only.
pub(super) fn complete(
    mut shares: Vec<Share>,
    service: &Service,
    revisions: &[Revision],
    makes_revision: bool,
) -> Result<Complete, String> {
    let sum: i64 = shares.iter().map(|share| share.percent).sum();
    if sum > 100 {
        return Err(format!("given traffic percents sum to {sum}, want <=100"));
    }
    if sum == 100 || shares.is_empty() {
        return Ok(Complete { shares, pinned: None });
    }
    let rest = 100 - sum;
    let left_out = left_out(&shares, service, revisions, makes_revision).map_err(|reason| {
        format!(
            "unable to allocate the remaining traffic: {rest}%. Reason: {reason}; say with --traffic which targets get it"
        )
    })?;
    let (reference, was_latest) = match left_out {
        LeftOut::Latest => (LATEST, false),
        LeftOut::Revision { name, was_latest } => (name, was_latest),
    };
    let share = Share { reference: reference.to_owned(), percent: rest };
    // Where the command line names the latest one, a later one still gets a share.
    let follows = shares.iter().any(|share| share.reference == LATEST);
    let pinned = (was_latest && !follows).then(|| share.clone());
    shares.push(share);
    Ok(Complete { shares, pinned })
}

/// Who gets what is missing.
enum LeftOut<'a> {
    /// Whatever revision is the latest one.
    Latest,
    /// This one. `was_latest`: it has its share as the latest one so far.
    Revision { name: &'a str, was_latest: bool },
}

/// The one target of the split in force that the command line does not name. As upstream, the latest revision is left
/// out by its name where the command makes none.
fn left_out<'a>(
    shares: &[Share],
    service: &'a Service,
    revisions: &[Revision],
    makes_revision: bool,
) -> Result<LeftOut<'a>, &'static str> {
    let in_force = &service.status.traffic;
    let names = |reference: &str| shares.iter().any(|share| share.reference == reference);
    // A command that changes the template adds a target of its own: the revision that is yet to come.
    let expected = if makes_revision { in_force.len() } else { in_force.len().saturating_sub(1) };
    if shares.len() != expected {
        return Err("incorrect number of revisions specified. Only 1 revision should be missing");
    }
    if makes_revision && !names(LATEST) {
        return Ok(LeftOut::Latest);
    }
    let latest = service.status.latest_ready_revision_name.as_deref();
    let named = |target: &'a TrafficTarget| Some((target.revision_name.as_deref()?, target));
    in_force
        .iter()
        .filter_map(named)
        .take_while(|(name, _)| revisions.iter().any(|revision| revision.name() == *name))
        .find(|(name, target)| {
            let as_latest = !makes_revision && names(LATEST) && latest == Some(*name);
            !names(name) && !target.tag.as_deref().is_some_and(names) && !as_latest
        })
        .map(|(name, target)| LeftOut::Revision { name, was_latest: target.latest_revision == Some(true) })
        .ok_or("cannot determine the missing revision")
}
