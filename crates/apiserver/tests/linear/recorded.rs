//! What clients have done and heard, and when.

use std::collections::BTreeMap;

/// An object as somebody saw it: its version, and what is in it.
pub(crate) type Seen = (u64, u64);

/// What was called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Get,
    Create {
        value: u64,
    },
    /// Only if the version is still this one.
    Update {
        expected: u64,
        value: u64,
    },
    /// Only if the version is still this one, if one is given.
    Delete {
        expected: Option<u64>,
    },
    List,
}

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The object, as it is or was made.
    Object(Seen),
    Deleted,
    NotFound,
    /// It is there already, or has another version.
    Conflict,
    /// All objects, at a version.
    List(u64, BTreeMap<usize, Seen>),
}

/// One operation. Moments are numbers that only grow.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) client: usize,
    /// Of lists it is no object's.
    pub(crate) object: usize,
    pub(crate) call: Call,
    pub(crate) heard: Heard,
    pub(crate) called_at: u64,
    pub(crate) heard_at: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) objects: usize,
    pub(crate) operations: Vec<Operation>,
    /// What a watch has told of all that time: versions, objects and what was in them; `None` of one that went.
    pub(crate) watched: Vec<(u64, usize, Option<u64>)>,
}

/// Wrong histories that differ from a right one in one thing each.
pub(crate) fn mutations(history: &History, mut check: impl FnMut(&'static str, History)) {
    let with = |at: usize, heard: Heard| {
        let mut wrong = history.clone();
        wrong.operations[at].heard = heard;
        wrong
    };
    let find =
        |is: &dyn Fn(&Operation) -> bool| history.operations.iter().position(is).expect("there is one");
    let later = |operation: &Operation| operation.called_at > 2 * history.operations.len() as u64 / 3;

    let read = find(&|o| later(o) && o.call == Call::Get && matches!(o.heard, Heard::Object(_)));
    check("a read of what was never written", with(read, Heard::Object((1, 0))));
    let first = history.watched.iter().find(|(_, object, _)| *object == history.operations[read].object);
    let (version, _, value) = *first.unwrap();
    check("a stale read", with(read, Heard::Object((version, value.unwrap()))));

    let update = |o: &Operation| matches!(o.call, Call::Update { .. });
    let lost = find(&|o| later(o) && update(o) && o.heard == Heard::Conflict);
    let greatest = history.watched.last().unwrap().0;
    let Call::Update { value, .. } = history.operations[lost].call else { unreachable!() };
    check("two who win the same race", with(lost, Heard::Object((greatest + 1, value))));
    let won = find(&|o| later(o) && update(o) && matches!(o.heard, Heard::Object(_)));
    let Heard::Object((_, value)) = history.operations[won].heard else { unreachable!() };
    check("a version that goes back", with(won, Heard::Object((2, value))));

    let list = find(&|o| later(o) && matches!(&o.heard, Heard::List(_, found) if !found.is_empty()));
    let Heard::List(version, found) = history.operations[list].heard.clone() else { unreachable!() };
    let mut less = found.clone();
    less.pop_first();
    check("a list that lacks an object", with(list, Heard::List(version, less)));
    check("a list that says another version", with(list, Heard::List(1, found)));

    let mut gap = history.clone();
    gap.watched.remove(history.watched.len() / 2);
    check("a watch that leaves something out", gap);
}
