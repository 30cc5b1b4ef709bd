//! Kinds that users define, by who uses them for real, kubectl; and across a restart.

use apiserver::{ApiServer, Limits, Options};
use serde_json::{Value, json};

use crate::{kubectl::Kubectl, rig::Rig};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const CRON_TABS: &str = "/apis/stable.example.com/v1/namespaces/default/crontabs";

const DEFINITION: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, pattern: '^(\d+|\*)(\s+(\d+|\*)){4}$', description: When it runs.}
              replicas: {type: integer, minimum: 1, maximum: 10, default: 1}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items: {type: object, required: [name], properties: {name: {type: string}, port: {type: integer}}}
          status: {type: object, properties: {replicas: {type: integer}}}
"#;

const CRON_TAB: &str = r#"
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: nightly}
spec: {cronSpec: "0 3 * * *", ports: [{name: a, port: 1}]}
"#;

#[tokio::test]
async fn kubectl_uses_a_kind_that_a_user_defines() {
    let rig = Rig::start().await;
    let Some(kubectl) = Kubectl::new(&rig, "kubectl_uses_a_kind_that_a_user_defines").await else { return };
    kubectl.ok("apply -f -", DEFINITION).await;
    kubectl.ok("wait --for=condition=Established crd/crontabs.stable.example.com --timeout=5s", "").await;
    assert!(kubectl.ok("apply -f -", DEFINITION).await.contains("unchanged"));
    assert!(kubectl.ok("api-resources --api-group stable.example.com", "").await.contains("crontabs"));

    assert!(kubectl.ok("apply -f -", CRON_TAB).await.contains("crontab.stable.example.com/nightly created"));
    assert!(kubectl.ok("apply -f -", CRON_TAB).await.contains("unchanged"));
    for name in ["ct", "crontab", "crontabs.stable.example.com", "all"] {
        let listed = kubectl.ok(&format!("get {name} -o name"), "").await;
        assert!(listed.contains("crontab.stable.example.com/nightly"), "{name}: {listed}");
    }
    let table = kubectl.ok("get ct", "").await;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows, [vec!["NAME", "SPEC", "REPLICAS"], vec!["nightly", "0", "3", "*", "*", "*", "1"]]);
    let explained = kubectl.ok("explain ct.spec.cronSpec", "").await;
    assert!(
        explained.contains("FIELD: cronSpec <string>") && explained.contains("When it runs."),
        "{explained}"
    );
    assert!(kubectl.ok("explain ct.metadata.labels", "").await.contains("<map[string]string>"));

    let faults = [
        (CRON_TAB.replace("0 3", "at three"), "spec.cronSpec in body should match"),
        (CRON_TAB.replace("cronSpec", "cron"), "strict decoding error: unknown field \"spec.cron\""),
        (CRON_TAB.replace("port: 1", "port: one"), "must be of type integer: \"string\""),
        (CRON_TAB.replace("}]", "}, {name: a}]"), "spec.ports[1]: Duplicate value"),
    ];
    for (manifest, expect) in faults {
        let output = kubectl.run("apply -f -", &manifest).await;
        assert!(!output.ok && output.stderr.contains(expect), "{expect}: {}", output.stderr);
    }
    let too_many = kubectl.run(r#"patch ct nightly --type merge -p {"spec":{"replicas":11}}"#, "").await;
    assert!(too_many.stderr.contains("should be less than or equal to 10"), "{}", too_many.stderr);

    kubectl.ok(r#"patch ct nightly --type merge -p {"spec":{"replicas":3}}"#, "").await;
    kubectl.ok("scale ct nightly --replicas 5", "").await;
    kubectl
        .ok(r#"patch ct nightly --subresource status --type merge -p {"status":{"replicas":4}}"#, "")
        .await;
    kubectl.ok("label ct nightly team=a", "").await;
    let parts = "get ct -l team=a -o jsonpath={.items[0].spec.replicas}/{.items[0].status.replicas}/{.items[0].metadata.generation}";
    assert_eq!(kubectl.ok(parts, "").await, "5/4/3");
    kubectl.ok("wait --for=jsonpath={.status.replicas}=4 ct/nightly --timeout=5s", "").await;

    let other =
        CRON_TAB.replace("{name: a, port: 1}", "{name: b, port: 2}").replace("cronSpec: \"0 3 * * *\", ", "");
    kubectl.ok("apply --server-side --field-manager other -f -", &other).await;
    let ports = kubectl.ok("get ct nightly -o jsonpath={.spec.ports[*].name}", "").await;
    assert_eq!(ports, "a b");
    let taken = CRON_TAB.replace("port: 1", "port: 9");
    let conflict = kubectl.run("apply --server-side --field-manager third -f -", &taken).await;
    assert!(conflict.stderr.contains(".spec.ports[name=\"a\"].port"), "{}", conflict.stderr);

    kubectl.ok("delete crd crontabs.stable.example.com --timeout=10s", "").await;
    assert_eq!(rig.call("GET", CRON_TABS, &[], "").await.code, 404);
    kubectl.ok("apply -f -", DEFINITION).await;
    assert_eq!(kubectl.ok("get ct -A -o name", "").await, "", "what was there before is gone");
}

fn cron_tab(fields: Value) -> Value {
    let mut object = json!({"apiVersion": "stable.example.com/v1", "kind": "CronTab"});
    json_patch::merge(&mut object, &fields);
    object
}

fn crd(plural: &str, kind: &str, names: Value, versions: Value) -> Value {
    let mut crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.stable.example.com")},
        "spec": {
            "group": "stable.example.com", "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind}, "versions": versions,
        },
    });
    json_patch::merge(&mut crd["spec"]["names"], &names);
    crd
}

fn version(name: &str, storage: bool, schema: Value) -> Value {
    json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": schema}})
}

fn anything() -> Value {
    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

#[tokio::test]
async fn definitions_and_their_objects_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = Rig::of(ApiServer::open(Options::new(dir.path())).await.unwrap()).await;
    let one = version("v1", true, json!({"type": "object", "properties": {"a": {"type": "string"}}}));
    first.post(DEFINITIONS, &crd("crontabs", "CronTab", json!({}), json!([one]))).await;
    let created = first
        .post(CRON_TABS, &cron_tab(json!({"metadata": {"name": "a", "labels": {"l": "1"}}, "a": "1"})))
        .await;
    first.server.close().await.unwrap();

    let second = Rig::of(ApiServer::open(Options::new(dir.path())).await.unwrap()).await;
    let listed = second.call("GET", &format!("{CRON_TABS}?labelSelector=l%3D1"), &[], "").await;
    assert_eq!(listed.json["items"], json!([created]), "{}", listed.text);
    // A schema that changes counts for what was there before.
    let two = version("v1", false, json!({"type": "object", "properties": {"b": {"type": "string"}}}));
    let beta = version(
        "v2",
        true,
        json!({"type": "object", "properties": {"b": {"type": "string", "default": "x"}}}),
    );
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let patch = json!({"spec": {"versions": [two, beta]}}).to_string();
    let merge = [("content-type", "application/merge-patch+json")];
    let changed = second.call("PATCH", &path, &merge, &patch).await;
    assert_eq!(changed.json["status"]["storedVersions"], json!(["v1", "v2"]), "{}", changed.text);
    for (version, expect) in [("v1", json!("x")), ("v2", json!("x"))] {
        let path = CRON_TABS.replace("v1", version);
        let object = second.call("GET", &format!("{path}/a"), &[], "").await.json;
        assert_eq!(object["apiVersion"], format!("stable.example.com/{version}"));
        assert_eq!((&object["a"], &object["b"]), (&Value::Null, &expect), "{object}");
    }
}

#[tokio::test]
async fn a_definition_goes_after_its_objects() {
    let rig = Rig::start().await;
    let definition = crd("crontabs", "CronTab", json!({}), json!([version("v1", true, anything())]));
    rig.post(DEFINITIONS, &definition).await;
    rig.post(CRON_TABS, &cron_tab(json!({"metadata": {"name": "free"}}))).await;
    rig.post(CRON_TABS, &cron_tab(json!({"metadata": {"name": "held", "finalizers": ["example.com/held"]}})))
        .await;
    let mut watch = rig.watch(&format!("{CRON_TABS}?watch=true"), &[]).await;
    let mut definitions = rig.watch(&format!("{DEFINITIONS}?watch=true"), &[]).await;
    for name in ["free", "held"] {
        assert_eq!(watch.next_name().await, ("ADDED".into(), name.into()));
    }
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let deleted = rig.call("DELETE", &path, &[], "").await;
    assert_eq!(deleted.json["metadata"]["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    assert_eq!(watch.next_name().await, ("DELETED".into(), "free".into()));
    assert_eq!(watch.next_name().await, ("MODIFIED".into(), "held".into()));
    let another =
        rig.call("POST", CRON_TABS, &[], &cron_tab(json!({"metadata": {"name": "late"}})).to_string()).await;
    assert_eq!(another.code, 405, "{}", another.text);
    let apply = [("content-type", "application/apply-patch+yaml")];
    let late = cron_tab(json!({"metadata": {"name": "late"}})).to_string();
    for dry_run in ["", "&dryRun=All"] {
        let path = format!("{CRON_TABS}/late?fieldManager=m{dry_run}");
        let applied = rig.call("PATCH", &path, &apply, &late).await;
        assert!(applied.code == 403 && applied.text.contains("is terminating"), "{}", applied.text);
    }
    assert_eq!(rig.call("GET", &path, &[], "").await.code, 200, "it waits for what is held");

    let merge = [("content-type", "application/merge-patch+json")];
    rig.call("PATCH", &format!("{CRON_TABS}/held"), &merge, r#"{"metadata": {"finalizers": null}}"#).await;
    assert_eq!(watch.next_name().await, ("DELETED".into(), "held".into()));
    assert!(watch.next().await.is_none(), "the watch ends with the kind");
    while definitions.next_name().await.0 != "DELETED" {}
    assert_eq!(rig.call("GET", CRON_TABS, &[], "").await.code, 404);
}

#[tokio::test]
async fn names_are_given_to_who_comes_first() {
    let rig = Rig::start().await;
    let one = |plural: &str, kind: &str| {
        crd(plural, kind, json!({"shortNames": ["ct"]}), json!([version("v1", true, anything())]))
    };
    rig.post(DEFINITIONS, &one("crontabs", "CronTab")).await;
    rig.post(DEFINITIONS, &one("others", "CronTab")).await;
    let condition = async |name: &str, type_: &str| {
        let path = format!("{DEFINITIONS}/{name}.stable.example.com");
        let crd = rig.call("GET", &path, &[], "").await.json;
        let conditions = crd["status"]["conditions"].as_array().unwrap().clone();
        let found = conditions.into_iter().find(|condition| condition["type"] == type_).unwrap();
        format!("{} {}", found["status"].as_str().unwrap(), found["reason"].as_str().unwrap())
    };
    assert_eq!(condition("crontabs", "Established").await, "True InitialNamesAccepted");
    assert_eq!(condition("others", "NamesAccepted").await, "False ListKindConflict");
    assert_eq!(condition("others", "Established").await, "False NotAccepted");
    let others = "/apis/stable.example.com/v1/others";
    assert_eq!(rig.call("GET", others, &[], "").await.code, 404);
    // What waited for the names gets them.
    let mut watch = rig.watch(&format!("{DEFINITIONS}?watch=true"), &[]).await;
    rig.call("DELETE", &format!("{DEFINITIONS}/crontabs.stable.example.com"), &[], "").await;
    while watch.next_name().await != ("MODIFIED".into(), "others.stable.example.com".into()) {}
    assert_eq!(condition("others", "Established").await, "True InitialNamesAccepted");
    assert_eq!(rig.call("GET", others, &[], "").await.code, 200);
}

#[tokio::test]
async fn a_definition_of_what_ebb_has_itself_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let open = async || Rig::of(ApiServer::open(Options::new(dir.path())).await.unwrap()).await;
    let rig = open().await;
    let services = "/apis/serving.knative.dev/v1/namespaces/default/services";
    let service =
        json!({"metadata": {"name": "s"}, "spec": {"template": {"spec": {"containers": [{"image": "i"}]}}}});
    rig.post(services, &service).await;
    let mut definition = crd("services", "Service", json!({}), json!([version("v1", true, anything())]));
    definition["metadata"]["name"] = "services.serving.knative.dev".into();
    definition["spec"]["group"] = "serving.knative.dev".into();
    let path = format!("{DEFINITIONS}/services.serving.knative.dev");
    let apply = [("content-type", "application/apply-patch+yaml")];
    let given = definition.to_string();
    let applied = rig.call("PATCH", &format!("{path}?fieldManager=somebody"), &apply, &given).await;
    assert_eq!(applied.code, 200, "Ebb's own is nobody's: {}", applied.text);
    assert_eq!(applied.json["metadata"]["annotations"]["ebb.internal/provided"], "true");
    assert_eq!(applied.json["spec"]["versions"], definition["spec"]["versions"]);
    let conditions = rig.call("GET", &path, &[], "").await.json["status"]["conditions"].to_string();
    assert!(conditions.contains("Established"), "{conditions}");
    let bad = rig.call("POST", services, &[], r#"{"metadata": {"name": "t"}, "spec": {}}"#).await;
    assert_eq!(bad.code, 400, "Ebb's own rules stay: {}", bad.text);
    rig.server.close().await.unwrap();

    // Its objects stay whatever becomes of it, also where it waits for somebody while it goes.
    let rig = open().await;
    let mut definitions = rig.watch(&format!("{DEFINITIONS}?watch=true"), &[]).await;
    definitions.next_name().await;
    // The last by name of what is swept: when it has gone, whatever was going to be swept before has been.
    let last = "zoos.stable.example.com";
    rig.post(DEFINITIONS, &crd("zoos", "Zoo", json!({}), json!([version("v1", true, anything())]))).await;
    for foreground in [true, false] {
        let policy = if foreground { "Foreground" } else { "Background" };
        let deleted = rig.call("DELETE", &format!("{path}?propagationPolicy={policy}"), &[], "").await;
        assert_eq!(deleted.code, 200, "{}", deleted.text);
        if foreground {
            assert_eq!(deleted.json["metadata"]["finalizers"], json!(["foregroundDeletion"]));
            rig.call("DELETE", &format!("{DEFINITIONS}/{last}"), &[], "").await;
            while definitions.next_name().await != ("DELETED".into(), last.into()) {}
            let merge = [("content-type", "application/merge-patch+json")];
            rig.call("PATCH", &path, &merge, r#"{"metadata": {"finalizers": null}}"#).await;
        }
        assert_eq!(rig.call("GET", &path, &[], "").await.code, 404);
        assert_eq!(rig.call("GET", &format!("{services}/s"), &[], "").await.code, 200, "{policy}");
        let created = rig.post(DEFINITIONS, &definition).await;
        assert_eq!(created["metadata"]["annotations"], json!({"ebb.internal/provided": "true"}));
    }
    rig.call("DELETE", &path, &[], "").await;
    rig.server.close().await.unwrap();

    // The next start has its own again.
    let rig = open().await;
    assert_eq!(rig.call("GET", &format!("{services}/s"), &[], "").await.code, 200);
    let again = rig.call("GET", &path, &[], "").await;
    assert_eq!((again.code, &again.json["spec"]["names"]["shortNames"]), (200, &json!(["kservice", "ksvc"])));
    let version = again.json["metadata"]["resourceVersion"].clone();
    rig.server.close().await.unwrap();
    let rig = open().await;
    let known = rig.call("GET", &path, &[], "").await.json;
    assert_eq!(known["metadata"]["resourceVersion"], version, "what is there is not written again");
}

#[tokio::test]
async fn what_is_not_acted_upon_is_told() {
    let rig = Rig::start().await;
    let versions = json!([version("v1", true, anything()), version("v2", false, anything())]);
    let mut definition = crd("crontabs", "CronTab", json!({}), versions);
    definition["spec"]["conversion"] = json!({
        "strategy": "Webhook",
        "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://a.example.com/"}},
    });
    let answer = rig.call("POST", DEFINITIONS, &[], &definition.to_string()).await;
    assert_eq!(answer.code, 201, "{}", answer.text);
    let warnings: Vec<_> = answer.headers.get_all("warning").iter().map(|it| it.to_str().unwrap()).collect();
    for expect in ["conversion webhooks are not called", "serve the version that is stored and no other"] {
        assert!(warnings.iter().any(|warning| warning.contains(expect)), "{expect}: {warnings:?}");
    }
    assert_eq!(answer.json["spec"]["conversion"]["strategy"], "Webhook", "it is kept");
    // And is not called: its address leads nowhere.
    rig.post(CRON_TABS, &cron_tab(json!({"metadata": {"name": "a"}, "spec": {"a": 1}}))).await;
    let other = rig.call("GET", &format!("{}/a", CRON_TABS.replace("v1", "v2")), &[], "").await;
    assert_eq!((other.code, &other.json["spec"]), (200, &json!({"a": 1})), "{}", other.text);
    assert_eq!(other.json["apiVersion"], "stable.example.com/v2");
}

#[tokio::test]
async fn definitions_are_bounded() {
    let rig = Rig::with_limits(Limits { definitions_max: 1, ..Limits::default() }).await;
    let one =
        |plural: &str, kind: &str| crd(plural, kind, json!({}), json!([version("v1", true, anything())]));
    rig.post(DEFINITIONS, &one("crontabs", "CronTab")).await;
    let second = rig.call("POST", DEFINITIONS, &[], &one("others", "Other").to_string()).await;
    assert_eq!(second.code, 403, "{}", second.text);
    assert!(second.text.contains("was reached"), "{}", second.text);
}

#[tokio::test]
async fn a_watch_sees_objects_of_a_users_kind_in_its_own_version() {
    let rig = Rig::start().await;
    let versions = json!([version("v1", true, anything()), version("v2", false, anything())]);
    rig.post(DEFINITIONS, &crd("crontabs", "CronTab", json!({}), versions)).await;
    let path = format!("{}?watch=true", CRON_TABS.replace("v1", "v2"));
    let mut watch = rig.watch(&path, &[]).await;
    rig.post(CRON_TABS, &cron_tab(json!({"metadata": {"name": "a"}, "spec": {"a": 1}}))).await;
    let event = watch.next().await.unwrap();
    assert_eq!(event["object"]["apiVersion"], "stable.example.com/v2", "{event}");
    assert_eq!(event["object"]["spec"], json!({"a": 1}), "{event}");
}

#[tokio::test]
async fn objects_are_selected_by_fields_whenever_a_definition_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let open = async || Rig::of(ApiServer::open(Options::new(dir.path())).await.unwrap()).await;
    let schema = |size: Value| {
        let spec = json!({"type": "object", "properties": {"color": {"type": "string"}, "size": size}});
        json!({"type": "object", "properties": {"spec": spec}})
    };
    let versions = |v1: Value, v2: Value, size: Value| {
        let mut both = [version("v1", true, schema(size.clone())), version("v2", false, schema(size))];
        (both[0]["selectableFields"], both[1]["selectableFields"]) = (v1, v2);
        json!({"spec": {"versions": both}})
    };
    let by = |fields: &[&str]| fields.iter().map(|field| json!({"jsonPath": field})).collect::<Value>();
    let definition = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let merge = [("content-type", "application/merge-patch+json")];
    let rig = open().await;
    let text = json!({"type": "string"});
    let mut crd = crd("crontabs", "CronTab", json!({}), json!([]));
    json_patch::merge(&mut crd, &versions(json!(null), by(&[".spec.color"]), text.clone()));
    rig.post(DEFINITIONS, &crd).await;
    for (name, spec) in [
        ("a", json!({"color": "red"})),
        ("b", json!({"color": "blue", "size": "s"})),
        ("c", json!({"color": "red", "size": "l"})),
    ] {
        rig.post(CRON_TABS, &cron_tab(json!({"metadata": {"name": name}, "spec": spec}))).await;
    }
    rig.server.close().await.unwrap();

    let rig = open().await;
    let selected = async |version: &str, selector: &str| {
        let selector = selector.replace('=', "%3D").replace('!', "%21");
        let path = format!("{}?fieldSelector={selector}", CRON_TABS.replace("v1", version));
        let list = rig.call("GET", &path, &[], "").await;
        let items =
            list.json["items"].as_array().unwrap_or_else(|| panic!("{selector}: {}", list.text)).clone();
        let names = items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    // The version that is listed first, and that objects are kept in, does not name it.
    assert_eq!(selected("v2", "spec.color=red").await, "a c");
    let before = rig.call("GET", CRON_TABS, &[], "").await.json["metadata"]["resourceVersion"].clone();
    let changed = versions(by(&[".spec.size", ".spec.color"]), by(&[".spec.color"]), text.clone());
    assert_eq!(rig.call("PATCH", &definition, &merge, &changed.to_string()).await.code, 200);
    rig.call("PATCH", &format!("{CRON_TABS}/b"), &merge, r#"{"spec": {"size": "m"}}"#).await;
    for (selector, expect) in [
        ("spec.size=l", "c"),
        ("spec.size=m", "b"),
        ("spec.size!=l", "a b"),
        ("spec.color=red,spec.size=l", "c"),
        ("metadata.name=c,spec.color=red", "c"),
    ] {
        assert_eq!(selected("v1", selector).await, expect, "{selector}");
    }
    // What could not be selected by the field then is not passed over in silence.
    let past =
        format!("{CRON_TABS}?fieldSelector=spec.size%3Dm&resourceVersion={}", before.as_str().unwrap());
    let exact = rig.call("GET", &format!("{past}&resourceVersionMatch=Exact"), &[], "").await;
    assert_eq!(exact.code, 410, "{}", exact.text);
    let mut watch = rig.watch(&format!("{past}&watch=true"), &[]).await;
    assert_eq!(watch.next().await.unwrap()["object"]["code"], 410);
    // A default counts for what was there before it.
    let small = versions(by(&[".spec.size"]), json!(null), json!({"type": "string", "default": "s"}));
    assert_eq!(rig.call("PATCH", &definition, &merge, &small.to_string()).await.code, 200);
    assert_eq!(selected("v1", "spec.size=s").await, "a");

    let mut watch = rig.watch(&format!("{CRON_TABS}?watch=true&fieldSelector=spec.size%3Ds"), &[]).await;
    assert_eq!(watch.next_name().await, ("ADDED".into(), "a".into()));
    for (name, size, expect) in [("c", "s", "ADDED"), ("a", "l", "DELETED"), ("c", "m", "DELETED")] {
        let patch = json!({"spec": {"size": size}}).to_string();
        rig.call("PATCH", &format!("{}/{name}", CRON_TABS.replace("v1", "v2")), &merge, &patch).await;
        assert_eq!(watch.next_name().await, (expect.into(), name.into()));
    }
}

#[tokio::test]
async fn each_version_sees_its_own_whoever_writes() {
    let rig = Rig::start().await;
    let versions = json!([version("v1", true, anything()), version("v2", false, anything())]);
    rig.post(DEFINITIONS, &crd("crontabs", "CronTab", json!({}), versions)).await;
    let path = |version: &str| CRON_TABS.replace("v1", version);
    for name in ["a", "b", "c"] {
        rig.post(CRON_TABS, &cron_tab(json!({"metadata": {"name": name, "labels": {"l": "1"}}}))).await;
    }
    let versions = ["v1", "v2"];
    let (mut pages, mut watches) = (Vec::new(), Vec::new());
    for version in versions {
        let page = rig.call("GET", &format!("{}?limit=1", path(version)), &[], "").await.json;
        pages.push(page["metadata"]["continue"].as_str().unwrap().to_owned());
        let mut watch = rig.watch(&format!("{}?watch=true&labelSelector=l", path(version)), &[]).await;
        for name in ["a", "b", "c"] {
            assert_eq!(watch.next_name().await, ("ADDED".into(), name.into()));
        }
        watches.push(watch);
    }
    let merge = [("content-type", "application/merge-patch+json")];
    let no_label = r#"{"metadata": {"labels": null}}"#;
    // Each of the other version than what is stored, or not.
    for (name, version) in [("b", "v2"), ("c", "v1")] {
        let answer = rig.call("PATCH", &format!("{}/{name}", path(version)), &merge, no_label).await;
        assert_eq!(answer.json["apiVersion"], format!("stable.example.com/{version}"), "{}", answer.text);
    }
    assert_eq!(rig.call("DELETE", &format!("{}/b", path("v2")), &[], "").await.code, 200);
    for ((version, token), mut watch) in versions.into_iter().zip(pages).zip(watches) {
        let expect = format!("stable.example.com/{version}");
        let rest = rig.call("GET", &format!("{}?continue={token}", path(version)), &[], "").await;
        for (item, name) in rest.json["items"].as_array().unwrap().iter().zip(["b", "c"]) {
            let labels = json!({"l": "1"});
            assert_eq!((&item["metadata"]["name"], &item["metadata"]["labels"]), (&json!(name), &labels));
            assert_eq!(item["apiVersion"], expect, "{name} in a list by {version}: {}", rest.text);
        }
        for name in ["b", "c"] {
            let event = watch.next().await.unwrap();
            assert_eq!(
                (&event["type"], &event["object"]["metadata"]["name"]),
                (&json!("DELETED"), &json!(name))
            );
            assert_eq!(event["object"]["apiVersion"], expect, "a watch by {version}: {event}");
        }
    }
}
