//! The audit log, by what a server with one writes.

use std::path::Path;

use apiserver::{ApiServer, Options};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::rig::Rig;

async fn start(log: &Path) -> Rig {
    let options = Options { audit_log: Some(log.to_owned()), ..Options::new("") };
    Rig::of(ApiServer::in_memory(options).await.unwrap()).await
}

/// The events of the log, once there are so many.
async fn events(log: &Path, count: usize) -> (String, Vec<Value>) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let text = std::fs::read_to_string(log).unwrap();
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if lines.len() >= count {
            return (text, lines);
        }
        assert!(Instant::now() < deadline, "{count} events are expected: {text}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn every_request_has_its_line_and_no_line_has_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("audit.log");
    let rig = start(&log).await;
    let path = "/api/v1/namespaces/default/secrets";
    let secret = json!({"metadata": {"name": "s"}, "stringData": {"password": "correct-horse"}});
    rig.post(path, &secret).await;
    let patch = json!({"data": "correct-horse"}).to_string();
    let merge = [("content-type", "application/merge-patch+json")];
    let misfit = rig.call("PATCH", &format!("{path}/s"), &merge, &patch).await;
    assert_eq!(misfit.code, 422);
    assert!(misfit.text.contains("correct-horse"), "the answer quotes what was sent");
    let refused = rig.call_as_stranger(path).await;
    assert!(matches!(refused.code, 401 | 403));
    rig.watch(&format!("{path}?watch=true"), &[]).await;

    let (text, events) = events(&log, 4).await;
    let told = |event: &Value| {
        let text = |pointer: &str| event.pointer(pointer).cloned().unwrap_or_default();
        [text("/verb"), text("/responseStatus/code"), text("/stage"), text("/objectRef/name")]
    };
    let told: Vec<_> = events.iter().map(told).collect();
    assert_eq!(
        told,
        [
            [json!("create"), json!(201), json!("ResponseComplete"), json!(null)],
            [json!("patch"), json!(422), json!("ResponseComplete"), json!("s")],
            [json!("list"), json!(refused.code), json!("ResponseComplete"), json!(null)],
            [json!("watch"), json!(200), json!("ResponseStarted"), json!(null)],
        ]
    );
    assert!(events[0]["user"]["groups"].to_string().contains("system:masters"), "{text}");
    assert_eq!(events[2]["user"]["username"], "system:anonymous");
    for hidden in ["correct-horse", "Y29ycmVjdC1ob3JzZQ"] {
        assert!(!text.contains(hidden), "{text}");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&log).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn requests_go_on_when_the_disk_is_full() {
    let rig = start(Path::new("/dev/full")).await;
    for number in 0..20 {
        let map = json!({"metadata": {"name": format!("m{number}")}});
        rig.post("/api/v1/namespaces/default/configmaps", &map).await;
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_opened_is_told_at_the_start() {
    let options = Options { audit_log: Some("/nonexistent/audit.log".into()), ..Options::new("") };
    let error = ApiServer::in_memory(options).await.err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("cannot open /nonexistent/audit.log"));
}
