//! Node.

use std::collections::BTreeSet;

use super::{address, check_one_of, invalid_each};
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::{Node, Taint},
    names::dns,
};

impl Rules for Node {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        // Who knows one range only means the first of all.
        if let Some(spec) = &mut self.spec
            && let Some(first) = spec.pod_cidr.clone().filter(|first| !first.is_empty())
            && spec.pod_cidrs.as_ref().is_none_or(Vec::is_empty)
        {
            spec.pod_cidrs = Some(vec![first]);
        }
        if let Some(status) = &mut self.status
            && status.allocatable.is_none()
        {
            status.allocatable.clone_from(&status.capacity);
        }
    }

    fn validate(&self, _: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, false);
        let spec = self.spec.as_ref();
        // Upstream looks for them there, and says so.
        let path = Path::root("metadata");
        let taints = spec.and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
        check_taints(taints, &path.child("taints"), &mut errors);
        let path = Path::root("spec");
        let ranges = spec.and_then(|spec| spec.pod_cidrs.as_deref()).unwrap_or_default();
        for (index, range) in ranges.iter().enumerate() {
            address::check_range(range, &path.child("podCIDRs").index(index), &mut errors);
        }
        invalid(errors)
    }
}

fn check_taints(taints: &[Taint], path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let mut known = BTreeSet::new();
    for (index, taint) in taints.iter().enumerate() {
        let path = path.index(index);
        invalid_each(dns::qualified_name(&taint.key), &taint.key, &path.child("key"), errors);
        let value = taint.value.as_deref().unwrap_or_default();
        invalid_each(dns::label_value(value), value, &path.child("value"), errors);
        let (effects, at) = (["NoSchedule", "PreferNoSchedule", "NoExecute"], path.child("effect"));
        match taint.effect.as_str() {
            "" => errors.push(FieldError::required(&at, "")),
            effect => check_one_of(Some(effect), &effects, &at, errors),
        }
        if !known.insert((&taint.effect, &taint.key)) {
            let why = "taints must be unique by key and effect pair";
            errors.push(FieldError { detail: why.to_owned(), ..FieldError::duplicate(&path, taint) });
        }
    }
}
