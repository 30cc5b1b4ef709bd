//! A short name for what a Deployment was made from.
//!
//! In a cluster the API server and others fill in fields of a Deployment, so comparing it with what is wanted would find
//! differences for ever. Its hash stands in a label instead (upstream: serving, `deployment-hash`, FNV-32a in base 36).

use resources::{builtin::Deployment, names::fnv32};

const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The hash of a Deployment's spec, labels and annotations. Its replicas do not count: they are the autoscaler's.
pub(super) fn hash(deployment: &Deployment) -> String {
    let mut spec = deployment.spec.clone();
    if let Some(spec) = &mut spec {
        spec.replicas = None;
    }
    let parts = (&spec, &deployment.metadata.labels, &deployment.metadata.annotations);
    // API types have string keys and no failing serializer.
    let json = serde_json::to_vec(&parts).expect("a Deployment serializes");
    base36(fnv32(&json))
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[(number % 36) as usize]));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}
