//! JSON patch (RFC 6902), which may copy: a few operations could make an object of any size.

use std::fmt::Display;

use json_patch::{AddOperation, Patch, PatchOperation, jsonptr::Pointer, patch_unsafe};
use serde_json::Value;

use super::PatchError;
use crate::{
    limits::Limits,
    rest::{nested, nodes, too_deep},
};

/// How deep an object may become on the way. It is looked at whenever the operations could have made it so, so this is
/// far more than the finished object may have, and far less than the stack has room for.
const NESTED_ON_THE_WAY_MAX: usize = 1000;

/// Applies the operations in their order. What they have made by then of an object that is refused is of no use.
pub(super) fn apply(object: &mut Value, patch: &Patch, limits: &Limits) -> Result<(), PatchError> {
    let mut copied_bytes = 0;
    let mut steps = Steps { taken: 0, max: limits.json_patch_steps_max };
    // No less than the depth of the object.
    let mut depth = nested(object);
    for (number, operation) in patch.iter().enumerate() {
        steps.of(operation, object)?;
        if finds_nothing(object, operation) {
            continue;
        }
        let tokens = |pointer: &Pointer| pointer.count();
        depth = match operation {
            PatchOperation::Add(add) => depth.max(tokens(&add.path) + nested(&add.value)),
            PatchOperation::Replace(replace) => depth.max(tokens(&replace.path) + nested(&replace.value)),
            PatchOperation::Move(it) => depth + tokens(&it.path).saturating_sub(tokens(&it.from)),
            PatchOperation::Copy(it) => {
                copied_bytes += object.pointer(it.from.as_str()).map_or(0, json_len);
                check_copied(copied_bytes, limits.json_patch_copied_bytes_max)?;
                depth + tokens(&it.path).saturating_sub(tokens(&it.from))
            }
            PatchOperation::Remove(_) | PatchOperation::Test(_) => depth,
        };
        let other = as_upstream(object, operation);
        let operation = other.as_ref().unwrap_or(operation);
        patch_unsafe(object, std::slice::from_ref(operation)).map_err(|mut error| {
            error.operation = number;
            does_not_fit(error)
        })?;
        if depth > NESTED_ON_THE_WAY_MAX {
            steps.take(nodes(object))?;
            depth = nested(object);
            check_depth(depth, NESTED_ON_THE_WAY_MAX)?;
        }
    }
    check_depth(nested(object), limits.depth_max)
}

/// How much work a patch has been, and may be.
struct Steps {
    taken: usize,
    max: usize,
}

impl Steps {
    fn take(&mut self, steps: usize) -> Result<(), PatchError> {
        self.taken = self.taken.saturating_add(steps);
        if self.taken <= self.max {
            return Ok(());
        }
        Err(does_not_fit("its operations are too much work for one patch: send it in several".to_owned()))
    }

    /// Counts what an operation is about to do: it goes along its paths, looks through the values that it copies or
    /// compares, and moves the items of a list behind the one that it puts in or takes out.
    fn of(&mut self, operation: &PatchOperation, object: &Value) -> Result<(), PatchError> {
        let mut along = |path: &Pointer| self.take(1 + path.count());
        match operation {
            PatchOperation::Add(add) => {
                along(&add.path)?;
                self.take(nodes(&add.value) + items_beside(&add.path, object))
            }
            PatchOperation::Replace(replace) => {
                along(&replace.path)?;
                self.take(nodes(&replace.value))
            }
            PatchOperation::Test(test) => {
                along(&test.path)?;
                self.take(nodes(&test.value))
            }
            PatchOperation::Remove(remove) => {
                along(&remove.path)?;
                self.take(items_beside(&remove.path, object))
            }
            PatchOperation::Move(it) => {
                along(&it.from)?;
                along(&it.path)?;
                self.take(items_beside(&it.from, object) + items_beside(&it.path, object))
            }
            PatchOperation::Copy(it) => {
                along(&it.from)?;
                along(&it.path)?;
                let copied = object.pointer(it.from.as_str()).map_or(0, nodes);
                self.take(copied + items_beside(&it.path, object))
            }
        }
    }
}

/// How many items the list has that a path leads into.
fn items_beside(path: &Pointer, object: &Value) -> usize {
    let list = path.parent().and_then(|parent| object.pointer(parent.as_str()));
    list.and_then(Value::as_array).map_or(0, Vec::len)
}

/// Whether it is a test that there is nothing, and there is nothing: null is what a field is that is not there, which
/// kube-rs asks before it adds a finalizer (upstream: evanphx/json-patch, `Patch.test`).
fn finds_nothing(object: &Value, operation: &PatchOperation) -> bool {
    let PatchOperation::Test(test) = operation else { return false };
    let path = test.path.as_str();
    let Some((parent, _)) = path.rsplit_once('/') else { return false };
    test.value.is_null()
        && object.pointer(path).is_none()
        && object.pointer(parent).is_some_and(Value::is_object)
}

/// Upstream: kube-apiserver, `JSONPatchMaxCopyBytes`.
fn check_copied(bytes: usize, max: usize) -> Result<(), PatchError> {
    if bytes <= max {
        return Ok(());
    }
    Err(does_not_fit(format!(
        "its copies add {bytes} bytes and may add {max}: send larger values as what they are, in another patch"
    )))
}

fn check_depth(depth: usize, max: usize) -> Result<(), PatchError> {
    if depth <= max { Ok(()) } else { Err(does_not_fit(too_deep(max))) }
}

/// What clients know a patch by that does not fit.
pub(super) const REJECTED: &str = "the server rejected our request due to an error in our request";

fn does_not_fit(why: impl Display) -> PatchError {
    PatchError::DoesNotFit(format!("{REJECTED}: {why}"))
}

/// Upstream, a field of an object can be replaced that is not there.
fn as_upstream(object: &Value, operation: &PatchOperation) -> Option<PatchOperation> {
    let PatchOperation::Replace(replace) = operation else { return None };
    let (parent, _) = replace.path.as_str().rsplit_once('/')?;
    let is_missing = object.pointer(replace.path.as_str()).is_none();
    let parent = object.pointer(parent).filter(|parent| is_missing && parent.is_object());
    let (path, value) = parent.map(|_| (replace.path.clone(), replace.value.clone()))?;
    Some(PatchOperation::Add(AddOperation { path, value }))
}

/// How long a value is as JSON.
fn json_len(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Neither a tree nor a count fails.
    _ = serde_json::to_writer(&mut count, value);
    count.0
}

#[cfg(test)]
mod tests;
