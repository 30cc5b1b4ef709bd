//! Schemas made of schemas: `allOf`, `anyOf`, `oneOf`, `not`.

use serde_json::Value;

use super::{Change, Outcome, of_value};
use crate::{
    Path,
    admission::FieldErrorKind,
    custom::schema::{Checks, Schema},
};

/// Looks at the alternatives of a value.
pub(super) fn of_alternatives<'a>(
    path: &Path<'_>,
    value: &Value,
    checks: &Checks,
    change: Option<Change<'a>>,
) -> Outcome<'a> {
    let mut outcome = Outcome::new(change);
    let fail = |outcome: &mut Outcome<'a>, why: String| {
        let why = format!("{:?} must {why}", path.to_string());
        outcome.of_kind(&Path::WHOLE, FieldErrorKind::Invalid, "", why);
    };
    if !checks.any_of.is_empty() {
        let (valid, best) = try_all(path, value, &checks.any_of, change);
        if valid == 0 {
            fail(&mut outcome, "validate at least one schema (anyOf)".into());
            outcome.merge(best);
        }
    }
    if !checks.one_of.is_empty() {
        let (valid, best) = try_all(path, value, &checks.one_of, change);
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
        let found = of_value(path, value, schema, change);
        valid += usize::from(!found.is_wrong);
        outcome.merge(found);
    }
    if valid < checks.all_of.len() {
        let none = if valid == 0 { ". None validated" } else { "" };
        fail(&mut outcome, format!("validate all the schemas (allOf){none}"));
    }
    if let Some(schema) = &checks.not
        && !of_value(path, value, schema, change).is_wrong
    {
        fail(&mut outcome, "not validate the schema (not)".into());
    }
    outcome
}

/// How many schemas a value fits; where it fits none, what is wrong with it for the one that it fits best.
fn try_all<'a>(
    path: &Path<'_>,
    value: &Value,
    schemas: &[Schema],
    change: Option<Change<'a>>,
) -> (usize, Outcome<'a>) {
    let mut valid = 0;
    let mut best: Option<Outcome<'a>> = None;
    for schema in schemas {
        let found = of_value(path, value, schema, change);
        if !found.is_wrong {
            valid += 1;
        } else if best.as_ref().is_none_or(|best| found.matches > best.matches) {
            best = Some(found);
        }
    }
    (valid, best.unwrap_or_else(|| Outcome::new(change)))
}
