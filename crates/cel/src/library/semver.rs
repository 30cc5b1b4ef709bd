//! Versions, `1.2.3-rc.1` (upstream: apiserver, `library/semverlib.go`).

use std::cmp::Ordering;

use crate::{
    budget::Budget,
    eval::{Answer, Failure},
    value::{Own, Value},
};

/// A version.
#[derive(Clone, Debug)]
pub struct Version {
    numbers: [u64; 3],
    /// The parts before the release.
    before: Vec<String>,
}

impl Version {
    /// Reads a version. `lenient`: with a `v` before it, leading zeros, and without all numbers.
    fn read(text: &str, lenient: bool) -> Option<Self> {
        let text = if lenient { text.trim_start_matches('v') } else { text };
        let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
        let (core, before) = text.split_once('-').map_or((text, None), |(core, before)| (core, Some(before)));
        let mut parts: Vec<&str> = core.split('.').collect();
        if lenient {
            parts.resize(parts.len().max(3), "0");
        }
        let [major, minor, patch] = parts[..] else { return None };
        let number = |part: &str| {
            let part = if lenient { part.trim_start_matches('0') } else { part };
            let part = if part.is_empty() && lenient { "0" } else { part };
            let plain = part.bytes().all(|byte| byte.is_ascii_digit());
            let bare = part.len() == 1 || !part.starts_with('0');
            part.parse::<u64>().ok().filter(|_| plain && bare)
        };
        let is_part = |part: &&str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let fine =
            |parts: Option<&str>| parts.is_none_or(|parts| parts.split('.').all(|part| is_part(&part)));
        if !fine(build) || !fine(before) {
            return None;
        }
        let before = before.map_or_else(Vec::new, |before| before.split('.').map(str::to_owned).collect());
        Some(Self { numbers: [number(major)?, number(minor)?, number(patch)?], before })
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = |one: &String, other: &String| match (one.parse::<u64>(), other.parse::<u64>()) {
            (Ok(one), Ok(other)) => one.cmp(&other),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => one.cmp(other),
        };
        let before = || match (self.before.is_empty(), other.before.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let mut found = self.before.iter().zip(&other.before).map(|(one, other)| parts(one, other));
                let found = found.find(|order| order.is_ne());
                found.unwrap_or_else(|| self.before.len().cmp(&other.before.len()))
            }
        };
        self.numbers.cmp(&other.numbers).then_with(before)
    }
}

fn parsed(args: &[Value<'_>]) -> Result<Option<Version>, Failure> {
    let text = args.first().and_then(Value::text).ok_or_else(Failure::no_overload)?;
    let lenient = matches!(args.get(1), Some(Value::Bool(true)));
    Ok(Version::read(text, lenient))
}

fn number<'v>(args: &[Value<'v>], at: usize) -> Answer<'v> {
    match args {
        [Value::Own(own)] => match &**own {
            Own::Semver(version) => Ok(Value::Int(i64::try_from(version.numbers[at]).unwrap_or(i64::MAX))),
            _ => Err(Failure::no_overload()),
        },
        _ => Err(Failure::no_overload()),
    }
}

pub(crate) fn semver<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    let version = parsed(args)?.ok_or_else(|| Failure::error("no valid semantic version"))?;
    Ok(Value::own(Own::Semver(version)))
}

pub(crate) fn is_semver<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    Ok(Value::Bool(parsed(args)?.is_some()))
}

pub(crate) fn major<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    number(args, 0)
}

pub(crate) fn minor<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    number(args, 1)
}

pub(crate) fn patch<'v>(_: &mut Budget, args: &[Value<'v>]) -> Answer<'v> {
    number(args, 2)
}
