//! What somebody may do.

use objects::{Cause, Error};
use resources::{
    Object,
    meta::ObjectMeta,
    reviews::{
        LocalSubjectAccessReview, NonResourceAttributes, NonResourceRule, ResourceAttributes, ResourceRule,
        SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview, SubjectAccessReviewSpec,
        SubjectAccessReviewStatus, SubjectRulesReviewStatus,
    },
};
use serde_json::{Value, json};

use super::super::call::Call;
use crate::{
    authentication::User,
    authorization::{Asked, Attributes},
    status::Failure,
};

/// Whether the caller may.
pub(super) async fn own(
    call: &Call,
    review: &SelfSubjectAccessReview,
) -> Result<SelfSubjectAccessReview, Failure> {
    let spec = &review.spec;
    let mut faults = Faults::default();
    faults.check_one(spec.resource_attributes.as_ref(), spec.non_resource_attributes.as_ref());
    faults.check_empty(&review.metadata, "must be empty");
    faults.refuse::<SelfSubjectAccessReview>()?;
    let asked = attributes(spec.resource_attributes.as_ref(), spec.non_resource_attributes.as_ref());
    let status = Some(decide(call, &call.user, &asked).await?);
    Ok(SelfSubjectAccessReview { status, ..review.clone() })
}

/// Whether a user may.
pub(super) async fn of_user(
    call: &Call,
    review: &SubjectAccessReview,
) -> Result<SubjectAccessReview, Failure> {
    let mut faults = Faults::default();
    faults.check_spec(&review.spec);
    faults.check_empty(&review.metadata, "must be empty");
    faults.refuse::<SubjectAccessReview>()?;
    let status = Some(of_spec(call, &review.spec).await?);
    Ok(SubjectAccessReview { status, ..review.clone() })
}

/// Whether a user may, in one namespace.
pub(super) async fn local(
    call: &Call,
    review: &LocalSubjectAccessReview,
) -> Result<LocalSubjectAccessReview, Failure> {
    let mut faults = Faults::default();
    faults.check_spec(&review.spec);
    let metadata = ObjectMeta { namespace: None, ..review.metadata.clone() };
    faults.check_empty(&metadata, "must be empty except for namespace");
    let wanted = review.metadata.namespace.as_deref().unwrap_or_default();
    if let Some(asked) = &review.spec.resource_attributes {
        let given = asked.namespace.as_deref().unwrap_or_default();
        if given != wanted {
            let why = "must match metadata.namespace";
            faults.add("spec.resourceAttributes.namespace", json!(given), why);
        }
    }
    if let Some(asked) = &review.spec.non_resource_attributes {
        faults.add("spec.nonResourceAttributes", json!(asked), "disallowed on this kind of request");
    }
    faults.refuse::<LocalSubjectAccessReview>()?;
    let status = Some(of_spec(call, &review.spec).await?);
    Ok(LocalSubjectAccessReview { status, ..review.clone() })
}

/// All that the caller may, in one namespace.
pub(super) async fn rules(
    call: &Call,
    review: &SelfSubjectRulesReview,
) -> Result<SelfSubjectRulesReview, Failure> {
    let namespace = review.spec.namespace.as_deref().unwrap_or_default();
    if namespace.is_empty() {
        return Err(Failure::bad_request("no namespace on request"));
    }
    let policies = &call.shared.policies;
    policies.catch_up().await?;
    let (rules, evaluation_error) = policies.rules_of(&call.user, namespace);
    let mut status = SubjectRulesReviewStatus { evaluation_error, ..SubjectRulesReviewStatus::default() };
    for rule in rules {
        let verbs = rule.verbs;
        if rule.resources.as_ref().is_some_and(|resources| !resources.is_empty()) {
            status.resource_rules.push(ResourceRule {
                api_groups: rule.api_groups,
                resource_names: rule.resource_names,
                resources: rule.resources,
                verbs: verbs.clone(),
            });
        }
        if rule.non_resource_urls.as_ref().is_some_and(|urls| !urls.is_empty()) {
            let rule = NonResourceRule { non_resource_urls: rule.non_resource_urls, verbs };
            status.non_resource_rules.push(rule);
        }
    }
    Ok(SelfSubjectRulesReview { status: Some(status), ..SelfSubjectRulesReview::default() })
}

async fn of_spec(call: &Call, spec: &SubjectAccessReviewSpec) -> Result<SubjectAccessReviewStatus, Failure> {
    let user = User {
        name: spec.user.clone().unwrap_or_default(),
        uid: spec.uid.clone().unwrap_or_default(),
        groups: spec.groups.clone().unwrap_or_default(),
        extra: spec.extra.clone().unwrap_or_default(),
    };
    let asked = attributes(spec.resource_attributes.as_ref(), spec.non_resource_attributes.as_ref());
    decide(call, &user, &asked).await
}

async fn decide(call: &Call, user: &User, asked: &Attributes) -> Result<SubjectAccessReviewStatus, Failure> {
    let decision = call.shared.policies.authorize(user, asked).await?;
    Ok(SubjectAccessReviewStatus {
        allowed: decision.allowed,
        reason: Some(decision.reason).filter(|reason| !reason.is_empty()),
        ..SubjectAccessReviewStatus::default()
    })
}

fn attributes(resource: Option<&ResourceAttributes>, other: Option<&NonResourceAttributes>) -> Attributes {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    match (resource, other) {
        (Some(asked), _) => Attributes {
            verb: text(&asked.verb),
            asked: Asked::Resource {
                group: text(&asked.group),
                resource: text(&asked.resource),
                subresource: text(&asked.subresource),
                namespace: text(&asked.namespace),
                name: text(&asked.name),
            },
        },
        (None, Some(asked)) => Attributes { verb: text(&asked.verb), asked: Asked::Path(text(&asked.path)) },
        (None, None) => Attributes::default(),
    }
}

/// What is wrong with a question.
#[derive(Default)]
struct Faults(Vec<Cause>);

impl Faults {
    fn add(&mut self, field: &str, value: Value, why: &str) {
        let message = format!("Invalid value: {value}: {why}");
        self.0.push(Cause { field: field.into(), reason: "FieldValueInvalid".into(), message });
    }

    fn check_spec(&mut self, spec: &SubjectAccessReviewSpec) {
        self.check_one(spec.resource_attributes.as_ref(), spec.non_resource_attributes.as_ref());
        let user = spec.user.as_deref().unwrap_or_default();
        if user.is_empty() && spec.groups.as_ref().is_none_or(Vec::is_empty) {
            self.add("spec.user", json!(user), "at least one of user or group must be specified");
        }
    }

    fn check_one(&mut self, resource: Option<&ResourceAttributes>, other: Option<&NonResourceAttributes>) {
        match (resource, other) {
            (Some(_), Some(other)) => {
                let why = "cannot be specified in combination with resourceAttributes";
                self.add("spec.nonResourceAttributes", json!(other), why);
            }
            (None, None) => {
                let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
                self.add("spec.resourceAttributes", Value::Null, why);
            }
            _ => {}
        }
    }

    fn check_empty(&mut self, metadata: &ObjectMeta, why: &str) {
        let metadata = ObjectMeta { managed_fields: None, ..metadata.clone() };
        if metadata != ObjectMeta::default() {
            self.add("metadata", json!(metadata), why);
        }
    }

    fn refuse<K: Object>(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Error::Invalid { kind: K::kind(), name: String::new(), causes: self.0 }.into())
    }
}
