//! One object is a register that changes only if it has the version that a writer knows. Is there an order of its
//! operations that explains what was heard, and in which none comes before one that had ended when it was called? (Wing and
//! Gong, with what was tried remembered.)

use std::collections::HashSet;

use super::recorded::{Call, Heard, History, Operation, Seen};

/// What is in the register, and the greatest version it has had.
type State = (Option<Seen>, u64);

/// Looks at each object by itself, which is enough (Herlihy and Wing: linearizability is local).
pub(crate) fn check(history: &History) -> Result<(), String> {
    (0..history.objects).try_for_each(|object| {
        let of = of_object(history, object);
        let clients = 1 + of.iter().map(|operation| operation.client).max().unwrap_or(0);
        let mut queues: Vec<Vec<&Operation>> = vec![Vec::new(); clients];
        of.iter().for_each(|operation| queues[operation.client].push(operation));
        let mut search = Search { queues, tried: HashSet::new(), furthest: 0 };
        let begin = vec![0; clients];
        if search.explains(&begin, (None, 0), 0) {
            return Ok(());
        }
        let near: Vec<_> = of.iter().skip(search.furthest.saturating_sub(3)).take(8).collect();
        Err(format!(
            "object {object}: nothing explains what was heard; {} of {} do, near {near:#?}",
            search.furthest,
            of.len()
        ))
    })
}

/// The operations on an object; a list reads all of them.
fn of_object(history: &History, object: usize) -> Vec<Operation> {
    let of = |operation: &Operation| match &operation.heard {
        Heard::List(_, found) => {
            let heard = found.get(&object).map_or(Heard::NotFound, |seen| Heard::Object(*seen));
            Some(Operation { object, call: Call::Get, heard, ..operation.clone() })
        }
        _ => (operation.object == object).then(|| operation.clone()),
    };
    let mut of: Vec<Operation> = history.operations.iter().filter_map(of).collect();
    of.sort_by_key(|operation| operation.called_at);
    of
}

struct Search<'a> {
    /// What each client has done, one after the other.
    queues: Vec<Vec<&'a Operation>>,
    tried: HashSet<(Vec<usize>, State)>,
    /// So many were explained at most.
    furthest: usize,
}

impl Search<'_> {
    /// Whether the rest can be explained, from so many of each client's on.
    fn explains(&mut self, done: &[usize], state: State, count: usize) -> bool {
        self.furthest = self.furthest.max(count);
        if !self.tried.insert((done.to_vec(), state)) {
            return false;
        }
        let next: Vec<Option<&Operation>> =
            self.queues.iter().zip(done).map(|(queue, at)| queue.get(*at).copied()).collect();
        let Some(first_end) = next.iter().flatten().map(|operation| operation.heard_at).min() else {
            return true;
        };
        for (client, operation) in next.iter().enumerate() {
            let Some(operation) = operation.filter(|operation| operation.called_at <= first_end) else {
                continue;
            };
            if let Some(state) = step(state, operation) {
                let mut done = done.to_vec();
                done[client] += 1;
                if self.explains(&done, state, count + 1) {
                    return true;
                }
            }
        }
        false
    }
}

/// The register after an operation; `None` if that would not have been heard.
fn step((present, greatest): State, operation: &Operation) -> Option<State> {
    let unchanged = Some((present, greatest));
    let has = |expected: u64| present.is_some_and(|(version, _)| version == expected);
    let written = |(version, value): Seen, wanted: u64| {
        (version > greatest && value == wanted).then_some((Some((version, value)), version))
    };
    match (&operation.call, &operation.heard) {
        (Call::Get, Heard::Object(seen)) => unchanged.filter(|_| present == Some(*seen)),
        (Call::Create { value }, Heard::Object(seen)) if present.is_none() => written(*seen, *value),
        (Call::Create { .. }, Heard::Conflict) => unchanged.filter(|_| present.is_some()),
        (Call::Update { expected, value }, Heard::Object(seen)) if has(*expected) => written(*seen, *value),
        (Call::Update { expected, .. } | Call::Delete { expected: Some(expected) }, Heard::Conflict) => {
            unchanged.filter(|_| present.is_some() && !has(*expected))
        }
        (Call::Delete { expected }, Heard::Deleted) => {
            (present.is_some() && expected.is_none_or(has)).then_some((None, greatest))
        }
        (Call::Get | Call::Update { .. } | Call::Delete { .. }, Heard::NotFound) => {
            unchanged.filter(|_| present.is_none())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(client: usize, (called_at, heard_at): (u64, u64), call: Call, heard: Heard) -> Operation {
        Operation { client, object: 0, call, heard, called_at, heard_at }
    }

    fn check_all(operations: &[Operation]) -> bool {
        check(&History { objects: 1, operations: operations.to_vec(), watched: Vec::new() }).is_ok()
    }

    #[test]
    fn an_order_is_found_where_there_is_one_and_only_there() {
        let create = operation(0, (0, 3), Call::Create { value: 7 }, Heard::Object((1, 7)));
        let read = |client, times, seen| operation(client, times, Call::Get, seen);
        let (made, nothing) = (Heard::Object((1, 7)), Heard::NotFound);
        let update =
            |client, times, heard| operation(client, times, Call::Update { expected: 1, value: 8 }, heard);
        let delete = operation(0, (4, 7), Call::Delete { expected: None }, Heard::Deleted);
        type Case<'a> = (&'a str, Vec<Operation>, bool);
        let cases: [Case<'_>; 10] = [
            ("a read meanwhile sees it", vec![create.clone(), read(1, (1, 2), made.clone())], true),
            ("or not yet", vec![create.clone(), read(1, (1, 2), nothing.clone())], true),
            ("but after it it does", vec![create.clone(), read(1, (4, 5), nothing.clone())], false),
            (
                "who has seen it does not see it go",
                vec![create.clone(), read(1, (1, 2), made.clone()), read(2, (3, 4), nothing.clone())],
                false,
            ),
            ("a read of another's", vec![create.clone(), read(1, (1, 2), Heard::Object((1, 8)))], false),
            (
                "one of two wins",
                vec![
                    create.clone(),
                    update(1, (4, 7), Heard::Object((2, 8))),
                    update(2, (5, 6), Heard::Conflict),
                ],
                true,
            ),
            (
                "never both",
                vec![
                    create.clone(),
                    update(1, (4, 7), Heard::Object((2, 8))),
                    update(2, (5, 6), Heard::Object((3, 8))),
                ],
                false,
            ),
            ("nor neither", vec![create.clone(), update(1, (4, 7), Heard::Conflict)], false),
            (
                "a version that goes back",
                vec![create.clone(), update(1, (4, 7), Heard::Object((1, 8)))],
                false,
            ),
            ("what is gone is gone", vec![create.clone(), delete, read(1, (8, 9), made)], false),
        ];
        for (what, operations, is_right) in cases {
            assert_eq!(check_all(&operations), is_right, "{what}");
        }
    }
}
