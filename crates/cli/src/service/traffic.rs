//! `--tag`, `--untag` and `--traffic`: new traffic targets from old ones.
//!
//! Upstream: client, `pkg/traffic`. Tags are taken away, then given, then percentages are set: those on the command
//! line are the whole split, except that what is missing to 100 goes to the one target that was left out: to the revision
//! that it leads to, by name, as upstream does it.

mod remainder;
mod targets;

use resources::{
    Object,
    serving::{Revision, Service, TrafficTarget},
};

use self::{
    remainder::{Complete, complete},
    targets::Targets,
};

/// Stands for whatever revision is the latest ready one.
pub(super) const LATEST: &str = "@latest";

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Wish {
    /// Set a tag: REVISION=TAG, where REVISION may be `@latest`
    #[arg(long = "tag", value_name = "REVISION=TAG", value_delimiter = ',')]
    pub(super) tags: Vec<String>,
    /// Take a tag away, by its name
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    pub(super) untag: Vec<String>,
    /// Split the traffic: REVISION=PERCENT, where REVISION may be a tag or `@latest`
    #[arg(long, value_name = "REVISION=PERCENT", value_delimiter = ',')]
    pub(super) traffic: Vec<String>,
}

/// A target named on the command line, and its share.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Share {
    /// A revision, a tag or [`LATEST`].
    reference: String,
    percent: i64,
}

/// The targets that come of a wish.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) targets: Vec<TrafficTarget>,
    /// What the latest revision had went to this one by its name.
    pinned: Option<Share>,
}

impl Split {
    /// What the user may not have meant.
    pub(super) fn warning(&self) -> Option<String> {
        let Share { reference, percent } = self.pinned.as_ref()?;
        Some(format!(
            "the remaining {percent}% go to revision {reference} by its name, not to {LATEST}: a later revision gets none of \
             them; add {LATEST}={percent} to --traffic if it should"
        ))
    }
}

/// The targets a service shall have. `revisions` are the service's; `makes_revision` says that the same command also
/// changes the template, so that there will be one more.
pub(super) fn compute(
    service: &Service,
    wish: &Wish,
    revisions: &[Revision],
    makes_revision: bool,
) -> Result<Split, String> {
    let tags = wish.tags.iter().map(|tag| pair(tag)).collect::<Result<Vec<_>, _>>()?;
    if tags.iter().filter(|(revision, _)| revision == LATEST).count() > 1 {
        return Err(repeated(LATEST, "--tag"));
    }
    let shares = shares(&wish.traffic)?;
    let named = tags.iter().map(|(revision, _)| revision).chain(shares.iter().map(|share| &share.reference));
    for reference in named {
        refuse_unknown(reference, service, &wish.untag, &tags, revisions)?;
    }
    let Complete { shares, pinned } = complete(shares, service, revisions, makes_revision)?;

    let mut targets = Targets::new(service.spec.traffic.clone());
    let unknown: Vec<&str> =
        wish.untag.iter().map(String::as_str).filter(|tag| !targets.untag(tag)).collect();
    if !unknown.is_empty() {
        let (tags, name) = (unknown.join(", "), service.name());
        return Err(format!("tag(s) {tags} not present for any revisions of service {name}"));
    }
    for (revision, tag) in &tags {
        if revision == LATEST { targets.tag_latest(tag)? } else { targets.tag(revision, tag)? }
    }
    if !shares.is_empty() {
        targets.reset();
        shares.iter().for_each(|share| targets.set(share));
    }
    Ok(Split { targets: targets.finish(), pinned })
}

/// A reference is `@latest`, a tag that stays or is given, a revision, or the name of the one that the same command makes.
fn refuse_unknown(
    reference: &str,
    service: &Service,
    untag: &[String],
    tags: &[(String, String)],
    revisions: &[Revision],
) -> Result<(), String> {
    let old_tags = service.spec.traffic.iter().filter_map(|target| target.tag.as_deref());
    let old_tags = old_tags.filter(|tag| !untag.iter().any(|taken| taken == tag));
    let known = reference == LATEST
        || old_tags.chain(tags.iter().map(|(_, tag)| tag.as_str())).any(|tag| tag == reference)
        || revisions.iter().any(|revision| revision.name() == reference)
        || service.spec.template.metadata.name.as_deref() == Some(reference);
    if known {
        return Ok(());
    }
    let name = service.name();
    Err(format!(
        "service {name} has no revision or tag '{reference}'; `ebb revision list -s {name}` shows what it has"
    ))
}

fn shares(traffic: &[String]) -> Result<Vec<Share>, String> {
    let mut shares: Vec<Share> = Vec::new();
    for text in traffic {
        let (reference, percent) = pair(text)?;
        if shares.iter().any(|share| share.reference == reference) {
            return Err(repeated(&reference, "--traffic"));
        }
        let digits = percent.strip_suffix('%').unwrap_or(&percent);
        let percent: i64 = digits.parse().map_err(|_| {
            format!("error converting given {digits} to integer value for traffic distribution")
        })?;
        if !(0..=100).contains(&percent) {
            return Err(format!("invalid value for traffic percent {percent}, expected 0 <= percent <= 100"));
        }
        shares.push(Share { reference, percent });
    }
    Ok(shares)
}

/// `left=right`; without an equal sign it is about the latest revision.
fn pair(text: &str) -> Result<(String, String), String> {
    let parts: Vec<&str> = text.split('=').collect();
    match parts.as_slice() {
        [right] if !right.is_empty() => Ok((LATEST.to_owned(), (*right).to_owned())),
        [left, right] if !left.is_empty() && !right.is_empty() => {
            Ok(((*left).to_owned(), (*right).to_owned()))
        }
        _ => Err(format!("expecting the value format in value1=value2, given {text}")),
    }
}

fn repeated(reference: &str, flag: &str) -> String {
    let name = match reference {
        LATEST => format!("identifier {LATEST}"),
        other => format!("revision reference {other}"),
    };
    format!("repetition of {name} is not allowed, use only once with {flag} flag")
}

/// The share of the traffic that a revision has, and its tags.
pub(crate) fn of_revision<'a>(revision: &str, service: &'a Service) -> (i64, Vec<&'a str>) {
    let targets =
        || service.status.traffic.iter().filter(|target| target.revision_name.as_deref() == Some(revision));
    let percent = targets().filter_map(|target| target.percent).sum();
    (percent, targets().filter_map(|target| target.tag.as_deref()).filter(|tag| !tag.is_empty()).collect())
}

#[cfg(test)]
mod tests;
