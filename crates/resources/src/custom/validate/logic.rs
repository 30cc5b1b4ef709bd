//! Schemas made of schemas: `allOf`, `anyOf`, `oneOf`, `not`.

use serde_json::Value;

use super::{Outcome, of_value};
use crate::{
    admission::FieldErrorKind,
    custom::schema::{Checks, Schema},
};

/// Looks at the alternatives of a value.
pub(super) fn of_alternatives(path: &str, value: &Value, checks: &Checks) -> Outcome {
    let mut outcome = Outcome::default();
    let fail = |outcome: &mut Outcome, why: String| {
        outcome.wrong("", FieldErrorKind::Invalid, "", format!("{path:?} must {why}"));
    };
    if !checks.any_of.is_empty() {
        let (valid, best) = try_all(path, value, &checks.any_of);
        if valid == 0 {
            fail(&mut outcome, "validate at least one schema (anyOf)".into());
            outcome.merge(best);
        }
    }
    if !checks.one_of.is_empty() {
        let (valid, best) = try_all(path, value, &checks.one_of);
        match valid {
            0 => {
                fail(&mut outcome, "validate one and only one schema (oneOf). Found none valid".into());
                outcome.merge(best);
            }
            1 => {}
            many => fail(
                &mut outcome,
                format!("validate one and only one schema (oneOf). Found {many} valid alternatives"),
            ),
        }
    }
    let mut valid = 0;
    for schema in &checks.all_of {
        let found = of_value(path, value, schema);
        valid += usize::from(found.errors.is_empty());
        outcome.merge(found);
    }
    if valid < checks.all_of.len() {
        let none = if valid == 0 { ". None validated" } else { "" };
        fail(&mut outcome, format!("validate all the schemas (allOf){none}"));
    }
    if let Some(schema) = &checks.not
        && of_value(path, value, schema).errors.is_empty()
    {
        fail(&mut outcome, "not validate the schema (not)".into());
    }
    outcome
}

/// How many schemas a value fits; where it fits none, what is wrong with it for the one that it fits best.
fn try_all(path: &str, value: &Value, schemas: &[Schema]) -> (usize, Outcome) {
    let mut valid = 0;
    let mut best: Option<Outcome> = None;
    for schema in schemas {
        let found = of_value(path, value, schema);
        if found.errors.is_empty() {
            valid += 1;
        } else if best.as_ref().is_none_or(|best| found.matches > best.matches) {
            best = Some(found);
        }
    }
    (valid, best.unwrap_or_default())
}
