//! Who gets what is missing to 100 percent.

use resources::{
    Object,
    serving::{Revision, Service},
};

use super::{LATEST, Share};

/// The shares, made to add up to 100 where that can be done in one way only.
pub(super) fn complete(
    mut shares: Vec<Share>,
    service: &Service,
    revisions: &[Revision],
    makes_revision: bool,
) -> Result<Vec<Share>, String> {
    let sum: i64 = shares.iter().map(|share| share.percent).sum();
    if sum > 100 {
        return Err(format!("given traffic percents sum to {sum}, want <=100"));
    }
    if sum == 100 || shares.is_empty() {
        return Ok(shares);
    }
    let reference = left_out(&shares, service, revisions, makes_revision).map_err(|reason| {
        format!("unable to allocate the remaining traffic: {}%. Reason: {reason}", 100 - sum)
    })?;
    shares.push(Share { reference, percent: 100 - sum });
    Ok(shares)
}

/// The one target of the split in force that the command line does not name.
fn left_out(
    shares: &[Share],
    service: &Service,
    revisions: &[Revision],
    makes_revision: bool,
) -> Result<String, &'static str> {
    let in_force = &service.status.traffic;
    let names = |reference: &str| shares.iter().any(|share| share.reference == reference);
    // A command that changes the template adds a target of its own: the revision that is yet to come.
    let expected = if makes_revision { in_force.len() } else { in_force.len().saturating_sub(1) };
    if shares.len() != expected {
        return Err("incorrect number of revisions specified. Only 1 revision should be missing");
    }
    if makes_revision && !names(LATEST) {
        return Ok(LATEST.to_owned());
    }
    let latest = service.status.latest_ready_revision_name.as_deref();
    in_force
        .iter()
        .filter_map(|target| Some((target.revision_name.as_deref()?, target.tag.as_deref())))
        .take_while(|(name, _)| revisions.iter().any(|revision| revision.name() == *name))
        .find(|(name, tag)| {
            let as_latest = !makes_revision && names(LATEST) && latest == Some(*name);
            !names(name) && !tag.is_some_and(names) && !as_latest
        })
        .map(|(name, _)| name.to_owned())
        .ok_or("cannot determine the missing revision")
}
