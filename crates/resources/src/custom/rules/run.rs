//! Rules, run on an object (upstream: apiextensions-apiserver, `schema/cel/validation.go`).

use std::collections::HashMap;

use cel::{Budget, Failure, Value};
use serde_json::Value as Json;

use super::{
    BUDGET, Compiled, Ruled,
    compile::{OLD_SELF, SELF},
    declare::formats,
};
use crate::{
    Complaints,
    admission::{FieldError, FieldErrorKind},
    custom::list,
};

/// How long a message may be that an expression makes (upstream: apiserver,
/// `MaxEvaluatedMessageExpressionSizeBytes`).
const MESSAGE_BYTES_MAX: usize = 5 << 10;
/// The field of an error that is of no certain one.
const NO_FIELD: &str = "<nil>";

/// What comes of all rules of an object.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is wrong.
    pub errors: Complaints<FieldError>,
    /// What is wrong and was so before.
    pub warnings: Complaints<String>,
}

/// A value and the one it replaces.
type Pair<'a> = (&'a Json, &'a Json);

/// What a value is beside the one before, which decides whether it is held against the writer.
#[derive(Clone, Copy, Default)]
struct Before<'a> {
    own: Option<Pair<'a>>,
    /// The nearest value above that is known beside the one before.
    above: Option<Pair<'a>>,
}

impl<'a> Before<'a> {
    /// Whether what is wrong was so before.
    fn unchanged(self) -> bool {
        self.own.or(self.above).is_some_and(|(new, old)| new == old)
    }

    fn below(self, find: impl Fn(Pair<'a>) -> Option<Pair<'a>>) -> Self {
        match self.own {
            None => self,
            own @ Some(pair) => Self { own: find(pair), above: own },
        }
    }
}

/// The items of a list by the text of their keys, so that finding one takes the same time in the longest.
#[derive(Default)]
struct Known<'r, 'a> {
    keys: &'r [String],
    by_key: HashMap<String, &'a Json>,
}

impl<'a> Known<'_, 'a> {
    /// The item that has the same keys.
    fn same(&self, item: &Json) -> Option<&'a Json> {
        if self.by_key.is_empty() {
            return None;
        }
        self.by_key.get(&list::key(item, self.keys).to_string()).copied()
    }
}

/// What has been found, and what may still be spent; `None`: nothing, so that nothing more is run.
struct Run {
    outcome: Outcome,
    budget: Option<u64>,
}

impl Ruled {
    /// Runs all rules on an object. `old`: what it replaces.
    pub fn run(&self, object: &Json, old: Option<&Json>) -> Outcome {
        self.run_at("", object, old)
    }

    /// Likewise on what is at a path.
    pub(crate) fn run_at(&self, path: &str, value: &Json, old: Option<&Json>) -> Outcome {
        let mut run = Run { outcome: Outcome::default(), budget: Some(BUDGET) };
        let own = old.map(|old| (value, old));
        self.look(path, value, old, Before { own, above: None }, &mut run);
        run.outcome
    }

    fn look<'a>(
        &self,
        path: &str,
        value: &'a Json,
        old: Option<&'a Json>,
        before: Before<'a>,
        run: &mut Run,
    ) {
        if value.is_null() {
            return;
        }
        let old = old.filter(|old| !old.is_null());
        self.run_own(path, value, old, before, run);
        for alternative in &self.all_of {
            let before = Before { own: None, above: before.above };
            if run.budget.is_some() {
                alternative.look(path, value, old, before, run);
            }
        }
        match value {
            Json::Object(fields) => {
                for (name, value) in fields {
                    let (ruled, path) = match (self.properties.get(name), &self.others) {
                        (Some(ruled), _) if path.is_empty() => (ruled, name.clone()),
                        (Some(ruled), _) => (ruled, format!("{path}.{name}")),
                        (None, Some(ruled)) => (&**ruled, format!("{path}[{name}]")),
                        (None, None) => continue,
                    };
                    let old = old.and_then(|old| old.get(name));
                    let before = before.below(|(new, old)| Some((new.get(name)?, old.get(name)?)));
                    if run.budget.is_some() {
                        ruled.look(&path, value, old, before, run);
                    }
                }
            }
            Json::Array(items) => {
                let Some(ruled) = &self.items else { return };
                let known = self.known_items(old);
                let beside = self.known_items(before.own.map(|(_, old)| old));
                for (at, item) in items.iter().enumerate() {
                    let before = before.below(|_| Some((item, beside.same(item)?)));
                    if run.budget.is_some() {
                        ruled.look(&format!("{path}[{at}]"), item, known.same(item), before, run);
                    }
                }
            }
            _ => {}
        }
    }

    /// The items of a list that was there before, by their keys; none where items have no keys.
    fn known_items<'a>(&self, old: Option<&'a Json>) -> Known<'_, 'a> {
        let Some((keys, items)) = self.keys.as_deref().zip(old.and_then(Json::as_array)) else {
            return Known::default();
        };
        let mut by_key = HashMap::with_capacity(items.len());
        for item in items {
            by_key.entry(list::key(item, keys).to_string()).or_insert(item);
        }
        Known { keys, by_key }
    }

    fn run_own(&self, path: &str, value: &Json, old: Option<&Json>, before: Before<'_>, run: &mut Run) {
        for rule in &self.rules {
            let Some(left) = run.budget else { return };
            if left == 0 {
                run.stop(self.invalid(
                    path,
                    "validation failed due to running out of cost budget, no further validation rules will be run",
                ));
                return;
            }
            let optional = rule.rule.optional_old_self == Some(true);
            if rule.uses_old && old.is_none() && !optional {
                continue;
            }
            self.run_rule(rule, path, value, old, before, run);
        }
    }

    fn run_rule(
        &self,
        rule: &Compiled,
        path: &str,
        value: &Json,
        old: Option<&Json>,
        before: Before<'_>,
        run: &mut Run,
    ) {
        let program = match &rule.program {
            Ok(program) => program,
            Err(why) => {
                run.outcome.errors.add(|| self.invalid(path, format!("rule compile error: {why}")));
                return;
            }
        };
        let variables = match self.variables(rule, value, old) {
            Ok(variables) => variables,
            Err(why) => {
                let error = || self.invalid(path, format!("{why} evaluating rule: {}", rule.title()));
                run.outcome.errors.add(error);
                return;
            }
        };
        let mut budget = Budget::new(formats);
        let answer = if rule.rule.optional_old_self == Some(true) {
            let [(_, own), (_, before)] = &variables;
            let before = Value::optional(old.map(|_| before.clone()));
            program.evaluate(&[(SELF, own.clone()), (OLD_SELF, before)], &mut budget)
        } else {
            program.evaluate(&variables, &mut budget)
        };
        if !run.spend(budget.cost()) {
            run.stop(self.invalid(
                path,
                "validation failed due to running out of cost budget, no further validation rules will be run",
            ));
            return;
        }
        let title = rule.title();
        match answer {
            Ok(Value::Bool(true)) => {}
            Ok(_) => self.broken(rule, &variables, path, before, run),
            Err(Failure::Cancelled) => {
                let why = Failure::Cancelled;
                run.stop(self.invalid(
                    path,
                    format!(
                        "'{why}': no further validation rules will be run due to call cost exceeds limit for rule: {title}"
                    ),
                ));
            }
            Err(Failure::Error(why)) if why.starts_with("no such overload") => {
                run.outcome.errors.add(|| {
                    let error = format!(
                        "'{why}': call arguments did not match a supported operator, function or macro signature for rule: {title}"
                    );
                    self.invalid(path, error)
                });
            }
            Err(Failure::Error(why)) => {
                run.outcome.errors.add(|| self.invalid(path, format!("{why} evaluating rule: {title}")));
            }
        }
    }

    fn variables<'v>(
        &'v self,
        rule: &Compiled,
        value: &'v Json,
        old: Option<&'v Json>,
    ) -> Result<[(&'static str, Value<'v>); 2], String> {
        let own = Value::of_json(value, &self.declared)?;
        let old = old.filter(|_| rule.uses_old).map(|old| Value::of_json(old, &self.declared)).transpose()?;
        Ok([(SELF, own), (OLD_SELF, old.unwrap_or(Value::Null))])
    }

    /// A rule says no.
    fn broken<'v>(
        &'v self,
        rule: &'v Compiled,
        variables: &[(&'v str, Value<'v>)],
        path: &str,
        before: Before<'_>,
        run: &mut Run,
    ) {
        let path = match (&rule.field, path) {
            (None, path) => path.to_owned(),
            (Some(field), "") => field.clone(),
            (Some(field), path) if field.starts_with('[') => format!("{path}{field}"),
            (Some(field), path) => format!("{path}.{field}"),
        };
        let mut detail = None;
        if let Some(Ok(message)) = &rule.message {
            let mut budget = Budget::new(formats);
            // Upstream has no optional here, also where the rule has one.
            let answer = message.evaluate(variables, &mut budget);
            let source = rule.rule.message_expression.as_deref().unwrap_or_default();
            let stopped = if !run.spend(budget.cost()) {
                Some("messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run".to_owned())
            } else if matches!(answer, Err(Failure::Cancelled)) {
                Some(format!(
                    "no further validation rules will be run due to call cost exceeds limit for messageExpression: {source:?}"
                ))
            } else {
                None
            };
            if let Some(why) = stopped {
                run.stop(self.invalid(&path, why));
                return;
            }
            let text = answer.ok().and_then(|value| value.text().map(|text| text.trim().to_owned()));
            detail = text
                .filter(|text| !text.is_empty() && text.len() <= MESSAGE_BYTES_MAX && !text.contains('\n'));
        }
        // A rule may be broken by each item of a long list, with a long message: texts are made of those that are kept.
        let error = || self.error(rule, &path, detail);
        if !rule.uses_old && before.unchanged() {
            run.outcome.warnings.add(|| error().to_string());
        } else {
            run.outcome.errors.add(error);
        }
    }

    fn error(&self, rule: &Compiled, path: &str, detail: Option<String>) -> FieldError {
        let detail = detail.unwrap_or_else(|| match rule.rule.message.as_deref() {
            None | Some("") => format!("failed rule: {}", rule.title()),
            Some(message) => message.trim().to_owned(),
        });
        let kind = match rule.rule.reason.as_deref() {
            Some("FieldValueForbidden") => FieldErrorKind::Forbidden,
            Some("FieldValueRequired") => FieldErrorKind::Required,
            Some("FieldValueDuplicate") => FieldErrorKind::Duplicate,
            _ => FieldErrorKind::Invalid,
        };
        let shows = matches!(kind, FieldErrorKind::Invalid | FieldErrorKind::Duplicate);
        // Upstream says no more of what comes twice.
        let detail = if kind == FieldErrorKind::Duplicate { String::new() } else { detail };
        // Upstream shows the type, whatever the value.
        let bad_value = shows.then(|| self.shown());
        FieldError { field: field(path), kind, bad_value, detail }
    }

    fn invalid(&self, path: &str, detail: impl Into<String>) -> FieldError {
        let (field, bad_value) = (field(path), Some(self.shown()));
        FieldError { field, kind: FieldErrorKind::Invalid, bad_value, detail: detail.into() }
    }

    /// What errors show for a value, as JSON.
    fn shown(&self) -> String {
        serde_json::Value::from(self.form.as_str()).to_string()
    }
}

fn field(path: &str) -> String {
    if path.is_empty() { NO_FIELD.into() } else { path.to_owned() }
}

impl Run {
    /// Takes a cost off the budget; whether there was enough.
    fn spend(&mut self, cost: u64) -> bool {
        // What was cut off is told by itself.
        let cost = cost.min(cel::COST_MAX);
        match self.budget.and_then(|left| left.checked_sub(cost)) {
            Some(left) => {
                self.budget = Some(left);
                true
            }
            None => false,
        }
    }

    fn stop(&mut self, error: FieldError) {
        self.outcome.errors.add(|| error);
        self.budget = None;
    }
}
