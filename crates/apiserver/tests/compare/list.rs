//! The list of differences that are known: `differences.txt`.
//!
//! A heading is a reason; below it, one difference a line: script, calls, place, theirs, ours.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

use crate::differ::Difference;

const COLUMN: &str = " │ ";

/// The heading of what nobody has looked at yet.
const UNSORTED: &str = "unsorted";

const OPENING: &str = "\
What ours answers otherwise than kube-apiserver 1.34, each heading a reason. The columns: script, calls, place, theirs,
ours; what is not there is –. After a change: EBB_COMPARE=write cargo test -p apiserver --test compare
";

/// The known differences, by their reasons.
#[derive(Default)]
pub(crate) struct List {
    reasons: BTreeMap<String, BTreeSet<Difference>>,
}

impl List {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut list = Self::default();
        let mut reason = UNSORTED.to_owned();
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                reason = heading.to_owned();
            } else if let Some(difference) = parse(line) {
                list.reasons.entry(reason.clone()).or_default().insert(difference);
            }
        }
        list
    }

    /// Takes what was found for what is known; each keeps its reason.
    pub(crate) fn renew(&mut self, found: &BTreeSet<Difference>) {
        let mut reasons: BTreeMap<String, BTreeSet<Difference>> = BTreeMap::new();
        for difference in found {
            let reason = self.reason(difference).unwrap_or(UNSORTED).to_owned();
            reasons.entry(reason).or_default().insert(difference.clone());
        }
        self.reasons = reasons;
    }

    /// The reason of a difference: its own, that of one at the same place, that of the same one in another script.
    fn reason(&self, found: &Difference) -> Option<&str> {
        let likeness: [fn(&Difference) -> Vec<&str>; 3] = [
            |one| vec![&one.script, &one.place, &one.theirs, &one.ours],
            |one| vec![&one.script, &one.place],
            |one| vec![&one.place, &one.theirs, &one.ours],
        ];
        likeness.iter().find_map(|like| {
            let mut reasons = self.reasons.iter();
            let known = reasons.find(|(_, known)| known.iter().any(|one| like(one) == like(found)));
            known.map(|(reason, _)| reason.as_str()).filter(|reason| *reason != UNSORTED)
        })
    }

    pub(crate) fn write(&self, path: &Path) {
        let mut text = OPENING.to_owned();
        for (reason, differences) in &self.reasons {
            _ = write!(text, "\n## {reason}\n");
            for Difference { script, calls, place, theirs, ours } in differences {
                _ = writeln!(
                    text,
                    "{}",
                    [script, calls, place, theirs, ours].map(String::as_str).join(COLUMN)
                );
            }
        }
        fs::write(path, text).unwrap();
    }

    /// What is found and not known, known and not found, or without a reason; `None` when all is well.
    pub(crate) fn report(&self, found: &BTreeSet<Difference>) -> Option<String> {
        let known: BTreeSet<Difference> = self.reasons.values().flatten().cloned().collect();
        let nothing = BTreeSet::new();
        let unsorted: BTreeSet<Difference> =
            self.reasons.get(UNSORTED).unwrap_or(&nothing).intersection(found).cloned().collect();
        let parts = [
            ("not in differences.txt", found - &known),
            ("in differences.txt and seen no more: take out with EBB_COMPARE=write", &known - found),
            ("in differences.txt without a reason", unsorted),
        ];
        let mut report = String::new();
        for (what, differences) in parts.iter().filter(|(_, differences)| !differences.is_empty()) {
            _ = writeln!(report, "{} {what}:", differences.len());
            for Difference { script, calls, place, theirs, ours } in differences {
                _ = writeln!(report, "  {script}, {calls}: {place}\n    theirs {theirs}\n    ours   {ours}");
            }
        }
        (!report.is_empty()).then_some(report)
    }
}

fn parse(line: &str) -> Option<Difference> {
    let columns: Vec<String> = line.split(COLUMN).map(str::to_owned).collect();
    let [script, calls, place, theirs, ours] = columns.try_into().ok()?;
    Some(Difference { script, calls, place, theirs, ours })
}
