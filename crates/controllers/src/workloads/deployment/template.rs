//! Which ReplicaSet belongs to which template: a hash in a label.

use std::collections::BTreeMap;

use resources::{
    Object,
    builtin::{Deployment, DeploymentSpec, PodTemplateSpec, ReplicaSet},
    labels::POD_TEMPLATE_HASH,
    meta::LabelSelector,
    names::fnv64,
};

/// A short name for a Deployment's template, the same for the same template.
pub(super) fn hash(deployment: &Deployment) -> String {
    let template = deployment.spec.as_ref().map(|spec| &spec.template);
    let json = serde_json::to_vec(&template).unwrap_or_default();
    // Like upstream, without vowels and look-alikes, so that no word comes out.
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut rest = fnv64(&json);
    let mut text = String::new();
    for _ in 0..8 {
        text.push(char::from(ALPHABET[(rest % ALPHABET.len() as u64) as usize]));
        rest /= ALPHABET.len() as u64;
    }
    text
}

/// The hash that a ReplicaSet was made for.
pub(super) fn hash_of(set: &ReplicaSet) -> Option<&str> {
    set.label(POD_TEMPLATE_HASH)
}

/// The template and its selector with the hash in their labels.
pub(super) fn stamped(spec: &DeploymentSpec, hash: &str) -> (PodTemplateSpec, LabelSelector) {
    let mut template = spec.template.clone();
    let mut selector = spec.selector.clone();
    let stamp = |labels: &mut Option<BTreeMap<String, String>>| {
        labels.get_or_insert_default().insert(POD_TEMPLATE_HASH.to_owned(), hash.to_owned());
    };
    stamp(&mut template.metadata.get_or_insert_default().labels);
    stamp(&mut selector.match_labels);
    (template, selector)
}
