//! Those who write at the same time, over TLS and in process, to the same few objects.

use apiserver::ApiServer;
use objects::{DeleteOptions, WriteTarget};
use resources::{Kind, Object, ObjectKey, builtin::Deployment};
use serde_json::{Value, json};

use super::history::{History, Promise, kinds};
use crate::{
    disk::Chance,
    https::{self, Answer, Connection, Https},
};

/// Objects of each kind.
const NAMES: usize = 4;

fn body(kind: &Kind, name: &str, chance: &mut Chance) -> Value {
    // Few different ones: writes that change nothing are among them.
    let payload = "x".repeat([0, 10, 300, 900][chance.below(4)]);
    let pod = json!({"containers": [{"name": "c", "image": "i"}]});
    let mut object = json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "metadata": {"name": name, "namespace": "default", "annotations": {"payload": payload}},
    });
    match kind.kind {
        "Pod" => object["spec"] = pod,
        "Deployment" => {
            object["spec"] = json!({
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod},
            });
        }
        "Secret" => object["data"] = json!({"k": "czNjcmV0"}),
        _ => object["data"] = json!({"k": chance.below(3).to_string()}),
    }
    object
}

fn status(kind: &Kind, chance: &mut Chance) -> Option<Value> {
    match kind.kind {
        "Pod" => Some(json!({"message": format!("m{}", chance.below(5))})),
        "Deployment" => Some(json!({"observedGeneration": chance.below(5)})),
        _ => None,
    }
}

fn collection(kind: &Kind) -> String {
    let root = if kind.group.is_empty() { "/api" } else { "/apis" };
    format!("{root}/{}/namespaces/default/{}", kind.api_version(), kind.plural)
}

/// Writes over TLS, one request after another, and notes what was acknowledged.
pub(super) async fn over_tls(home: Https, history: &History, mut chance: Chance, writes: usize) {
    let mut connection = home.connect().await;
    for _ in 0..writes {
        let kind = kinds()[chance.below(4)];
        let name = format!("o{}", chance.below(NAMES));
        one_over_tls(&mut connection, history, &mut chance, kind, &name).await;
    }
}

async fn one_over_tls(
    connection: &mut Connection,
    history: &History,
    chance: &mut Chance,
    kind: &Kind,
    name: &str,
) {
    let (all, one) = (collection(kind), format!("{}/{name}", collection(kind)));
    let body = body(kind, name, chance);
    let merge = [("content-type", "application/merge-patch+json")];
    let (method, path, headers, body) = match chance.below(7) {
        0 | 1 => ("POST", all, &[][..], body),
        2 => {
            let mut present = call(connection, "GET", &one, &[], "").await;
            if present.code != 200 {
                return;
            }
            present.json["metadata"]["annotations"]["payload"] =
                body["metadata"]["annotations"]["payload"].clone();
            ("PUT", one, &[][..], present.json)
        }
        3 => {
            let patch = json!({"metadata": {"annotations": body["metadata"]["annotations"].clone()}});
            ("PATCH", one, &merge[..], patch)
        }
        4 => match status(kind, chance) {
            Some(status) => ("PATCH", format!("{one}/status"), &merge[..], json!({ "status": status })),
            None => {
                // What nobody has looked at since the start comes from the disk.
                call(connection, "GET", "/api/v1/namespaces/knative-serving/configmaps", &[], "").await;
                return;
            }
        },
        5 => ("DELETE", format!("{one}?gracePeriodSeconds=0"), &[][..], Value::Null),
        _ => ("DELETE", one, &[][..], Value::Null),
    };
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let answer = call(connection, method, &path, headers, &text).await;
    if !(200..300).contains(&answer.code) {
        assert!([404, 409, 500].contains(&answer.code), "{method} {path}: {}", answer.text);
        return;
    }
    let metadata = &answer.json["metadata"];
    match (answer.json["kind"].as_str(), metadata["resourceVersion"].as_str()) {
        (Some("Status"), _) => {
            let uid = answer.json["details"]["uid"].as_str().expect("a delete says what is gone");
            history.promise(Promise::Gone(uid.to_owned()));
        }
        (_, Some(_)) if method == "DELETE" => {
            history.promise(Promise::Gone(metadata["uid"].as_str().unwrap().to_owned()));
        }
        (_, Some(version)) => history.promise(Promise::Version(version.parse().unwrap())),
        (_, None) => panic!("{method} {path}: {}", answer.text),
    }
}

async fn call(
    connection: &mut Connection,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    https::answer(connection.send(method, path, headers, body).await).await
}

/// Writes in process. Only what cannot be derived again is promised.
pub(super) async fn in_process(server: ApiServer, history: &History, mut chance: Chance, writes: usize) {
    let client = server.client();
    let backend = client.backend();
    for _ in 0..writes {
        let kind = kinds()[chance.below(4)];
        let key = ObjectKey::new("default", format!("o{}", chance.below(NAMES)));
        let object = kind.decode_value(body(kind, &key.name, &mut chance)).unwrap();
        let mut waits = !kind.derived;
        let written = match chance.below(5) {
            0 | 1 => backend.create(object).await,
            2 => {
                // Of a Deployment only the whole is waited for, and this may be its scale alone.
                waits &= kind != Deployment::kind();
                backend.update(WriteTarget::Object, object).await
            }
            3 => match (backend.get(kind, &key).await, status(kind, &mut chance)) {
                (Ok(present), Some(status)) => {
                    waits = false;
                    let mut present = present.to_value();
                    present["status"] = status;
                    backend.update(WriteTarget::Status, kind.decode_value(present).unwrap()).await
                }
                _ => continue,
            },
            _ => {
                // It does not say which one it was, so there is nothing to be held to.
                _ = backend.delete(kind, &key, &DeleteOptions::default()).await;
                continue;
            }
        };
        if let (Ok(written), true) = (written, waits) {
            let version = written.metadata().resource_version.as_deref().unwrap().parse().unwrap();
            history.promise(Promise::Version(version));
        }
        tokio::task::yield_now().await;
    }
}
