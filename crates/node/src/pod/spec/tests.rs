use serde_json::{Value, json};

use super::*;
use crate::pod::volumes::Laid;

fn container(value: Value) -> Container {
    let mut whole = json!({ "name": "app" });
    whole.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

fn image() -> ImageConfig {
    ImageConfig {
        entrypoint: vec!["/app".into()],
        cmd: vec!["serve".into()],
        env: vec![("PATH".into(), "/bin".into()), ("MODE".into(), "image".into())],
        ..ImageConfig::default()
    }
}

fn plan_of(value: Value, variables: &[(&str, &str)]) -> Result<Plan, Missing> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let laid = Laid { path: PathBuf::from("/vol/data"), is_mount: false, is_values: false };
    let volumes = Volumes::from([("data".to_owned(), laid)]);
    plan(&Pod::default(), &container(value), &image(), variables, &volumes)
}

#[test]
fn command_and_args_replace_what_the_image_says() {
    for (value, expect) in [
        (json!({}), vec!["/app", "serve"]),
        (json!({ "args": ["a", "$(MODE)"] }), vec!["/app", "a", "pod"]),
        (json!({ "command": ["/b"] }), vec!["/b"]),
        (json!({ "command": ["/b"], "args": ["a"] }), vec!["/b", "a"]),
    ] {
        assert_eq!(plan_of(value.clone(), &[("MODE", "pod")]).unwrap().argv, expect, "{value}");
    }
}

#[test]
fn limits_become_numbers() {
    let plan = plan_of(
        json!({ "resources": { "requests": { "cpu": "100m" }, "limits": { "cpu": "0.5", "memory": "128Mi" } } }),
        &[],
    );
    let limits = plan.unwrap().resources;
    assert_eq!(
        (limits.cpu_request_millis, limits.cpu_limit_millis, limits.memory_limit),
        (Some(100), Some(500), Some(128 << 20))
    );
}

#[test]
fn what_cannot_be_is_refused_with_a_reason() {
    for (value, expect) in [
        (json!({ "securityContext": { "runAsNonRoot": true } }), "runAsNonRoot"),
        (json!({ "securityContext": { "privileged": true } }), "privileged"),
        (json!({ "securityContext": { "runAsUser": -1 } }), "runAsUser is out of range"),
        (json!({ "securityContext": { "capabilities": { "add": ["NONSENSE"] } } }), "NONSENSE"),
        (
            json!({ "securityContext": { "capabilities": { "add": ["SYS_ADMIN"] } } }),
            "SYS_ADMIN is not given",
        ),
        (json!({ "volumeMounts": [{ "name": "other", "mountPath": "/x" }] }), "\"other\" not found"),
        (json!({ "volumeMounts": [{ "name": "data", "mountPath": "/x", "subPath": "../y" }] }), "leads out"),
    ] {
        let error = plan_of(value.clone(), &[]).unwrap_err().to_string();
        assert!(error.contains(expect), "{value}: {error}");
    }
}
