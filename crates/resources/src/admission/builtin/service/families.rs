//! Addresses of a Service and their families: what goes together, and what this server has, which is IPv4.

use std::{collections::BTreeSet, net::IpAddr};

use super::{EXTERNAL_NAME, HEADLESS, ROOT, cluster_ips, is_headless, kind};
use crate::{
    admission::{FieldError, builtin::address, path::Path},
    builtin::ServiceSpec,
};

const V4: &str = "IPv4";
const V6: &str = "IPv6";
const SINGLE: &str = "SingleStack";
const REQUIRE_DUAL: &str = "RequireDualStack";
const FAMILIES_MAX: usize = 2;

/// The family that an address is of.
fn family(ip: &str) -> &'static str {
    if matches!(ip.parse(), Ok(IpAddr::V6(_))) { V6 } else { V4 }
}

fn families(spec: &ServiceSpec) -> &[String] {
    spec.ip_families.as_deref().unwrap_or_default()
}

/// One that neither selects pods nor has an address can lead anywhere.
fn leads_anywhere(spec: &ServiceSpec) -> bool {
    spec.cluster_ip.as_deref() == Some(HEADLESS) && spec.selector.as_ref().is_none_or(|all| all.is_empty())
}

/// Fills in the policy and the families (upstream: `initIPFamilyFields`).
pub(super) fn complete(spec: &mut ServiceSpec, old: Option<&ServiceSpec>) {
    if kind(spec) == EXTERNAL_NAME {
        return;
    }
    if spec.ip_family_policy.is_none() {
        let kept = old.and_then(|old| old.ip_family_policy.clone());
        let first = || if leads_anywhere(spec) { REQUIRE_DUAL } else { SINGLE }.to_owned();
        spec.ip_family_policy = Some(kept.unwrap_or_else(first));
    }
    let is_single = spec.ip_family_policy.as_deref() == Some(SINGLE);
    if old.is_some_and(|old| old.ip_families == spec.ip_families) && is_single {
        spec.ip_families.iter_mut().for_each(|families| families.truncate(1));
    }
    let addresses = cluster_ips(spec);
    if addresses.iter().skip(families(spec).len()).any(|ip| family(ip) == V6) {
        // There are none of it, which validation says.
        return;
    }
    let mut all = families(spec).to_vec();
    if addresses.first().is_some_and(|first| first != HEADLESS) {
        all.extend(addresses.iter().skip(all.len()).map(|ip| family(ip).to_owned()));
    }
    if all.is_empty() {
        all.push(V4.to_owned());
    }
    if leads_anywhere(spec) && !is_single && all.len() == 1 {
        let other = if all[0] == V4 { V6 } else { V4 };
        all.push(other.to_owned());
    }
    spec.ip_families = Some(all);
}

/// What does not go together (upstream: `ValidateServiceClusterIPsRelatedFields`).
pub(super) fn related(spec: &ServiceSpec) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if kind(spec) == EXTERNAL_NAME {
        return errors;
    }
    let (at, all) = (ROOT.child("clusterIPs"), cluster_ips(spec));
    match (spec.cluster_ip.as_deref().unwrap_or_default(), all.first()) {
        ("", Some(_)) => {
            errors.push(FieldError::invalid(&at, all, "must be empty when `clusterIP` is not specified"));
        }
        ("", None) => {}
        (_, None) => errors.push(FieldError::required(&at, "")),
        (first, Some(found)) if found != first => {
            errors.push(FieldError::invalid(&at, all, "first value must match `clusterIP`"));
        }
        _ => {}
    }
    check_families(spec, &mut errors);
    if !check_addresses(all, &at, &mut errors) {
        return errors;
    }
    if let [one, other, ..] = all
        && (family(one) == family(other) || all.len() > FAMILIES_MAX)
    {
        errors.push(FieldError::invalid(&at, all, "may specify no more than one IP for each IP family"));
    }
    if !is_headless(spec) {
        for (index, (ip, wanted)) in all.iter().zip(families(spec)).enumerate() {
            if family(ip) != wanted && [V4, V6].contains(&wanted.as_str()) {
                let why = format!("expected an {wanted} value as indicated by `ipFamilies[{index}]`");
                errors.push(FieldError::invalid(&at.index(index), ip, why));
            }
        }
    }
    errors
}

fn check_families(spec: &ServiceSpec, errors: &mut Vec<FieldError>) {
    let at = ROOT.child("ipFamilies");
    let mut known = BTreeSet::new();
    for (index, family) in families(spec).iter().enumerate() {
        let at = at.index(index);
        if ![V4, V6].contains(&family.as_str()) {
            errors.push(FieldError::not_supported(&at, family, &[V4, V6]));
        }
        if !known.insert(family) {
            errors.push(FieldError::duplicate(&at, family));
        }
    }
    let policies = ["PreferDualStack", REQUIRE_DUAL, SINGLE];
    let policy = spec.ip_family_policy.as_deref();
    super::check_one_of(policy, &policies, &ROOT.child("ipFamilyPolicy"), errors);
}

/// Whether all addresses are such, or the only one says that there is none.
fn check_addresses(all: &[String], at: &Path<'_>, errors: &mut Vec<FieldError>) -> bool {
    let mut right = true;
    for (index, ip) in all.iter().enumerate() {
        if index == 0 && ip == HEADLESS {
            if all.len() > 1 {
                right = false;
                errors.push(FieldError::invalid(at, all, "'None' must be the first and only value"));
            }
            continue;
        }
        right &= address::check(ip, &at.index(index), errors);
    }
    if all.len() > FAMILIES_MAX {
        errors.push(FieldError::invalid(at, all, "may only hold up to 2 values"));
    }
    right
}

/// What is asked for and not there, or given up in the wrong way.
pub(super) fn not_configured(spec: &ServiceSpec, old: Option<&ServiceSpec>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if kind(spec) == EXTERNAL_NAME {
        return errors;
    }
    let policy = spec.ip_family_policy.as_deref().unwrap_or_default();
    let at = ROOT.child("ipFamilyPolicy");
    let has_fewer = |old: &[String], new: &[String]| {
        old.len() == FAMILIES_MAX && new.len() == 1 && old.first() == new.first()
    };
    if let Some(old) = old.filter(|_| policy != SINGLE) {
        if has_fewer(cluster_ips(old), cluster_ips(spec)) {
            let why = "must be 'SingleStack' to release the secondary cluster IP";
            errors.push(FieldError::invalid(&at, policy, why));
        }
        if has_fewer(families(old), families(spec)) {
            let why = "must be 'SingleStack' to release the secondary IP family";
            errors.push(FieldError::invalid(&at, policy, why));
        }
    }
    let several = [("cluster IPs", cluster_ips(spec).len()), ("IP families", families(spec).len())];
    for (what, _) in several.into_iter().filter(|(_, count)| policy == SINGLE && *count == FAMILIES_MAX) {
        let why =
            format!("must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified");
        errors.push(FieldError::invalid(&at, policy, why));
    }
    for (index, ip) in cluster_ips(spec).iter().enumerate().skip(families(spec).len()) {
        if family(ip) == V6 {
            let at = ROOT.child("clusterIPs");
            let why = format!("{V6} is not configured on this cluster");
            errors.push(FieldError::invalid(&at.index(index), cluster_ips(spec), why));
        }
    }
    if !errors.is_empty() || leads_anywhere(spec) {
        return errors;
    }
    if policy == REQUIRE_DUAL {
        let why = "this cluster is not configured for dual-stack services";
        errors.push(FieldError::invalid(&at, policy, why));
    }
    for (index, family) in families(spec).iter().enumerate().filter(|(_, family)| *family != V4) {
        let at = ROOT.child("ipFamilies");
        errors.push(FieldError::invalid(&at.index(index), family, "not configured on this cluster"));
    }
    errors
}

/// The first address and its family stay until the Service has no use for them (upstream:
/// `validateUpgradeDowngradeClusterIPs` and its sibling).
pub(super) fn check_update(spec: &ServiceSpec, old: &ServiceSpec, errors: &mut Vec<FieldError>) {
    if [kind(spec), kind(old)].contains(&EXTERNAL_NAME) || is_headless(spec) && is_headless(old) {
        return;
    }
    let (before, after) = (cluster_ips(old), cluster_ips(spec));
    let at = ROOT.child("clusterIPs");
    if before.first().is_some_and(|_| after.is_empty()) {
        errors.push(FieldError::invalid(&at.index(0), after, "primary clusterIP can not be unset"));
    }
    let compared = if before.len() == after.len() { before.len() } else { before.len().min(1) };
    for (index, (before, now)) in before.iter().zip(after).enumerate().take(compared) {
        if before != now {
            errors.push(FieldError::invalid(&at.index(index), after, "may not change once set"));
        }
    }
    let at = ROOT.child("ipFamilies");
    let changed = families(old).first().zip(families(spec).first()).is_some_and(|(old, new)| old != new);
    if is_headless(spec) == is_headless(old) && changed {
        errors.push(FieldError::invalid(&at.index(0), families(spec), "may not change once set"));
    }
}
