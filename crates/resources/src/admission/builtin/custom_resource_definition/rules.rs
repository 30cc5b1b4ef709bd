//! Rules of a schema: whether they make sense, and what they can cost (upstream: apiextensions-apiserver,
//! `ValidateCustomResourceDefinitionOpenAPISchema`).

use cel::Declared;

use super::extensions::{Step, at, parts};
use crate::{
    admission::{FieldError, FieldErrorKind, path::Path},
    custom::{
        Patterns,
        rules::{Compiled, compile, declare, normalize},
        types::{JSONSchemaProps, ValidationRule},
    },
};

const VALIDATIONS: &str = "x-kubernetes-validations";
/// What one rule may be estimated to cost (upstream: `StaticEstimatedCostLimit`).
const RULE_COST_MAX: u64 = 10_000_000;
/// Likewise all rules of a version together (upstream: `StaticEstimatedCRDCostLimit`).
const COST_MAX: u64 = 100_000_000;
/// How many of the most expensive rules are named.
const NAMED_MAX: usize = 4;
/// The reasons that a rule may give.
const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Looks at the form of a schema's own rules.
pub(super) fn check_form(schema: &JSONSchemaProps, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let path = path.child(VALIDATIONS);
    for (at, rule) in schema.x_kubernetes_validations.iter().flatten().enumerate() {
        form_of(rule, schema, &path.index(at), errors);
    }
}

fn form_of(rule: &ValidationRule, schema: &JSONSchemaProps, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let breaks = |text: &str| text.contains(['\n', '\r']);
    let (message, field) = (text(&rule.message), text(&rule.field_path));
    let said = message.trim();
    if rule.rule.trim().is_empty() {
        errors.push(FieldError::required(&path.child("rule"), "rule is not specified"));
    } else if !message.is_empty() && said.is_empty() {
        errors.push(FieldError::invalid(&path.child("message"), &message, "must be non-empty if specified"));
    } else if breaks(said) {
        errors.push(FieldError::invalid(&path.child("message"), &message, "must not contain line breaks"));
    } else if breaks(rule.rule.trim()) && said.is_empty() {
        let why = "message must be specified if rule contains line breaks";
        errors.push(FieldError::required(&path.child("message"), why));
    }
    let expression = text(&rule.message_expression);
    if !expression.is_empty() && expression.trim().is_empty() {
        let why = "messageExpression must be non-empty if specified";
        errors.push(FieldError::required(&path.child("messageExpression"), why));
    }
    if let Some(reason) = rule.reason.as_deref().filter(|reason| !REASONS.contains(reason)) {
        errors.push(FieldError::not_supported(&path.child("reason"), reason, &REASONS));
    }
    if !field.is_empty() {
        let at = path.child("fieldPath");
        if field.trim().is_empty() {
            errors.push(FieldError::invalid(&at, &field, "must be non-empty if specified"));
        }
        if breaks(&field) {
            errors.push(FieldError::invalid(&at, &field, "must not contain line breaks"));
        }
        if normalize(&field, schema).is_err() {
            errors.push(FieldError::invalid(&at, &field, "must be a valid path"));
        }
    }
}

/// Where a schema stands among those above it.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// How often it can be in an object; `None` where nobody bounds that.
    times: Option<u64>,
    /// The list above whose items cannot be told from those before.
    uncorrelated: Option<&'a str>,
    /// What is declared of it, where that is known from above.
    declared: Option<&'a Declared>,
}

/// What the rules of a version can cost, and whose that is.
#[derive(Default)]
struct Total {
    cost: u64,
    expensive: Vec<(u64, String)>,
}

/// Compiles all rules of a version. `unchanged`: whether it had them before, so that its costs were accepted; `patterns`:
/// those of the definition so far.
pub(super) fn check(
    schema: &JSONSchemaProps,
    path: &Path<'_>,
    unchanged: bool,
    patterns: &mut Patterns,
    errors: &mut Vec<FieldError>,
) {
    let mut total = Total::default();
    let declared = declare(schema, "selfType", true);
    let place = Place { times: Some(1), uncorrelated: None, declared: declared.as_ref() };
    look(schema, path, place, unchanged, patterns, &mut total, errors);
    if total.cost > COST_MAX {
        total.expensive.sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
        for (_, field) in total.expensive.into_iter().take(NAMED_MAX) {
            let why =
                "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
            errors.push(FieldError { field, ..FieldError::forbidden(path, why) });
        }
        let name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
        errors.push(FieldError::forbidden(path, too_expensive(name, total.cost, COST_MAX)));
    }
}

fn look(
    schema: &JSONSchemaProps,
    path: &Path<'_>,
    place: Place<'_>,
    unchanged: bool,
    patterns: &mut Patterns,
    total: &mut Total,
    errors: &mut Vec<FieldError>,
) {
    let bound = |max: Option<i64>| max.and_then(|max| u64::try_from(max).ok());
    let own_path = path.to_string();
    for (step, child) in parts(schema) {
        let (factor, uncorrelated) = match step {
            Step::Field("items") if schema.x_kubernetes_list_type.as_deref() == Some("map") => {
                (bound(schema.max_items), place.uncorrelated)
            }
            Step::Field("items") => (bound(schema.max_items), Some(own_path.as_str())),
            Step::Field(_) => (bound(schema.max_properties), place.uncorrelated),
            _ => (Some(1), place.uncorrelated),
        };
        let root = child.x_kubernetes_embedded_resource == Some(true);
        let known = place.declared.and_then(|declared| match step {
            Step::Key(_, name) => declared.field(&cel::escape(name)?),
            _ => declared.items(),
        });
        // What nothing can name has rules of its own all the same.
        let own = if known.is_none() { declare(child, "selfType", root) } else { None };
        let below = Place {
            times: place.times.zip(factor).map(|(times, factor)| times.saturating_mul(factor)),
            uncorrelated,
            declared: known.or(own.as_ref()),
        };
        at(path, step, |path| look(child, path, below, unchanged, patterns, total, errors));
    }
    let path = path.child(VALIDATIONS);
    let Some(declared) = place.declared else {
        // Rules that see nothing would never be run.
        if schema.x_kubernetes_validations.as_ref().is_some_and(|rules| !rules.is_empty()) {
            let why = "unable to convert structural schema to CEL declarations; give it a type";
            errors.push(FieldError::forbidden(&path, why));
        }
        return;
    };
    for (at, rule) in schema.x_kubernetes_validations.iter().flatten().enumerate() {
        let compiled = compile(rule, schema, declared, patterns);
        of_rule(rule, &compiled, declared, &path.index(at), place, unchanged, total, errors);
    }
}

#[allow(clippy::too_many_arguments, reason = "one rule, and everything that it is held against")]
fn of_rule(
    rule: &ValidationRule,
    compiled: &Compiled,
    declared: &Declared,
    path: &Path<'_>,
    place: Place<'_>,
    unchanged: bool,
    total: &mut Total,
    errors: &mut Vec<FieldError>,
) {
    let (at_rule, at_message) = (path.child("rule"), path.child("messageExpression"));
    match &compiled.program {
        Err(why) => errors.push(of_whole(&at_rule, rule, why)),
        Ok(program) => {
            let fits = crate::custom::BODY_BYTES_MAX / (declared.min_bytes() + 1);
            let cost = program.cost_max(declared).saturating_mul(place.times.unwrap_or(fits));
            if !unchanged && cost > RULE_COST_MAX {
                let why = too_expensive("estimated rule cost", cost, RULE_COST_MAX);
                errors.push(FieldError::forbidden(&at_rule, why));
            }
            total.add(cost, &at_rule);
        }
    }
    match &compiled.message {
        None => {}
        Some(Err(why)) => errors.push(of_whole(&at_message, rule, why)),
        Some(Ok(program)) => {
            let cost = program.cost_max(declared);
            if !unchanged && cost > RULE_COST_MAX {
                let why = too_expensive("estimated messageExpression cost", cost, RULE_COST_MAX);
                errors.push(FieldError::forbidden(&at_message, why));
            }
            total.add(cost, &at_message);
        }
    }
    match (compiled.uses_old, place.uncorrelated, rule.optional_old_self) {
        (true, Some(list), _) => {
            let why =
                format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {list}");
            errors.push(FieldError::invalid(&at_rule, &rule.rule, why));
        }
        (false, _, Some(optional)) => {
            let why = "may not be set if oldSelf is not used in rule";
            errors.push(FieldError::invalid(&path.child("optionalOldSelf"), optional, why));
        }
        _ => {}
    }
}

/// An error that shows all of a rule, as upstream writes one of its own values.
fn of_whole(path: &Path<'_>, rule: &ValidationRule, why: &str) -> FieldError {
    let text = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    };
    let or_nothing = |value: &Option<String>| text(value.as_deref().unwrap_or_default());
    let shown = format!(
        r#"{{"Rule":{},"Message":{},"MessageExpression":{},"Reason":{},"FieldPath":{},"OptionalOldSelf":{}}}"#,
        text(&rule.rule),
        or_nothing(&rule.message),
        or_nothing(&rule.message_expression),
        rule.reason.as_deref().map_or("null".into(), text),
        or_nothing(&rule.field_path),
        rule.optional_old_self.map_or("null".into(), |optional| optional.to_string()),
    );
    let (kind, field) = (FieldErrorKind::Invalid, path.to_string());
    FieldError { field, kind, bad_value: None, detail: format!("{shown}: {why}") }
}

impl Total {
    fn add(&mut self, cost: u64, path: &Path<'_>) {
        self.cost = self.cost.saturating_add(cost);
        if cost >= COST_MAX / 100 {
            self.expensive.push((cost, path.to_string()));
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a factor for people")]
fn too_expensive(name: &str, cost: u64, max: u64) -> String {
    let factor = cost as f64 / max as f64;
    let factor = if factor > 100.0 {
        "more than 100x".to_owned()
    } else if factor < 1.5 {
        format!("{factor:.6}x")
    } else {
        format!("{factor:.1}x")
    };
    format!(
        "{name} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )
}
