//! What differs between two plain answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{plain::Plain, script::Call};

/// Characters of a value that are shown; a longer one ends with a digest of the whole.
const SHOWN_MAX: usize = 240;

/// How many elements may be there on one side only before they are told together.
const APART_MAX: usize = 6;

/// Fields that an array's elements are known by.
const KEYS: [&str; 4] = ["name", "resource", "subresource", "version"];

/// A place in the answers to some calls of a script at which the servers differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Difference {
    pub(crate) script: String,
    /// The labels of the calls, in order.
    pub(crate) calls: String,
    /// `code`, `header NAME`, or a path in the body.
    pub(crate) place: String,
    pub(crate) theirs: String,
    pub(crate) ours: String,
}

/// Where, theirs and ours.
type Found = (String, String, String);

/// The differences in the answers to a script's calls.
pub(crate) fn of_script<'a>(
    script: &str,
    answers: impl Iterator<Item = (&'a Call, (&'a Plain, &'a Plain))>,
) -> Vec<Difference> {
    let mut all: BTreeMap<Found, Vec<&str>> = BTreeMap::new();
    for (call, (theirs, ours)) in answers {
        for found in of_answers(theirs, ours) {
            all.entry(found).or_default().push(&call.label);
        }
    }
    let difference = |((place, theirs, ours), calls): (Found, Vec<&str>)| Difference {
        script: script.to_owned(),
        calls: calls.join(" "),
        place,
        theirs,
        ours,
    };
    all.into_iter().map(difference).collect()
}

fn of_answers(theirs: &Plain, ours: &Plain) -> BTreeSet<Found> {
    let mut found = BTreeSet::new();
    if theirs.code != ours.code {
        // The rest follows from it.
        found.insert(("code".into(), outcome(theirs), outcome(ours)));
        return found;
    }
    let names: BTreeSet<&String> = theirs.headers.keys().chain(ours.headers.keys()).collect();
    for name in names {
        let [theirs, ours] = [theirs, ours].map(|answer| answer.headers.get(name));
        if theirs != ours {
            let shown =
                |value: Option<&String>| short(value.map(|value| Value::from(value.as_str())).as_ref());
            found.insert((format!("header {name}"), shown(theirs), shown(ours)));
        }
    }
    of_values("", Some(&theirs.body), Some(&ours.body), &mut found);
    found
}

/// A status code, and what goes with it when it tells of a failure.
fn outcome(answer: &Plain) -> String {
    match answer.body["message"].as_str() {
        Some(message) if answer.code >= 400 => format!("{} {}", answer.code, short(Some(&message.into()))),
        _ => answer.code.to_string(),
    }
}

fn of_values(place: &str, theirs: Option<&Value>, ours: Option<&Value>, found: &mut BTreeSet<Found>) {
    match (theirs, ours) {
        (theirs, ours) if theirs == ours => {}
        (Some(Value::Object(theirs)), Some(Value::Object(ours))) => {
            let part = |name: &str| format!("{place}.{name}");
            of_named(place, part, &theirs.iter().collect(), &ours.iter().collect(), found);
        }
        (Some(Value::Array(theirs)), Some(Value::Array(ours))) => of_arrays(place, theirs, ours, found),
        (theirs, ours) => {
            found.insert((place.to_owned(), short(theirs), short(ours)));
        }
    }
}

fn of_arrays(place: &str, theirs: &[Value], ours: &[Value], found: &mut BTreeSet<Found>) {
    let keyed = KEYS.iter().find_map(|key| Some((names(theirs, key)?, names(ours, key)?)));
    if let Some((their_names, our_names)) = keyed {
        let part = |name: &str| format!("{place}[{name}]");
        of_named(
            place,
            part,
            &their_names.iter().zip(theirs).collect(),
            &our_names.iter().zip(ours).collect(),
            found,
        );
        let common = |names: &[String], other: &[String]| -> Vec<String> {
            names.iter().filter(|name| other.contains(name)).cloned().collect()
        };
        let [theirs, ours] = [common(&their_names, &our_names), common(&our_names, &their_names)];
        if theirs != ours {
            found.insert((
                format!("{place} (order)"),
                short(Some(&theirs.into())),
                short(Some(&ours.into())),
            ));
        }
    } else if theirs.iter().chain(ours).all(Value::is_string) {
        found.insert((place.to_owned(), short(Some(&theirs.into())), short(Some(&ours.into()))));
    } else {
        for at in 0..theirs.len().max(ours.len()) {
            of_values(&format!("{place}[{at}]"), theirs.get(at), ours.get(at), found);
        }
    }
}

/// Differences of parts that have names; those of which there are many on one side only are one difference.
fn of_named(
    place: &str,
    part: impl Fn(&str) -> String,
    theirs: &BTreeMap<&String, &Value>,
    ours: &BTreeMap<&String, &Value>,
    found: &mut BTreeSet<Found>,
) {
    let alone = |these: &BTreeMap<&String, &Value>, those: &BTreeMap<&String, &Value>| -> Vec<String> {
        let names = these.keys().filter(|name| !those.contains_key(*name));
        names.map(|name| (*name).clone()).collect()
    };
    let (only_theirs, only_ours) = (alone(theirs, ours), alone(ours, theirs));
    let many = only_theirs.len().max(only_ours.len()) > APART_MAX;
    if many {
        let told = |names: Vec<String>| short(Some(&names.into()));
        found.insert((format!("{place} (on one side only)"), told(only_theirs), told(only_ours)));
    }
    for name in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        let (theirs, ours) = (theirs.get(name), ours.get(name));
        if !many || theirs.is_some() && ours.is_some() {
            of_values(&part(name), theirs.copied(), ours.copied(), found);
        }
    }
}

/// What each element is known by, if all have that and none shares it.
fn names(values: &[Value], key: &str) -> Option<Vec<String>> {
    let name = |value: &Value| {
        let name = value.get(key).or_else(|| value.get("metadata")?.get(key))?;
        name.as_str().map(str::to_owned)
    };
    let names: Vec<String> = values.iter().map(name).collect::<Option<_>>()?;
    let different: BTreeSet<&String> = names.iter().collect();
    (different.len() == names.len()).then_some(names)
}

fn short(value: Option<&Value>) -> String {
    let Some(value) = value else { return "–".into() };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_MAX) {
        None => text,
        Some((end, _)) => {
            let digest = Sha256::digest(&text);
            format!("{}… ({:02x}{:02x}{:02x})", &text[..end], digest[0], digest[1], digest[2])
        }
    }
}
