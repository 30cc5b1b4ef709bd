//! One script of HTTP calls: for each verb and class of error, what the answer must be.

use serde_json::Value;

use crate::rig::Rig;

/// A call and what its answer must be.
struct Step {
    call: &'static str,
    content_type: &'static str,
    body: &'static str,
    code: u16,
    /// JSON pointers into the answer, and the JSON that must be there; `null` for nothing at all.
    parts: &'static [(&'static str, &'static str)],
}

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const MERGE: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

const fn step(
    call: &'static str,
    content_type: &'static str,
    body: &'static str,
    code: u16,
    parts: &'static [(&'static str, &'static str)],
) -> Step {
    Step { call, content_type, body, code, parts }
}

const fn get(call: &'static str, code: u16, parts: &'static [(&'static str, &'static str)]) -> Step {
    step(call, "", "", code, parts)
}

async fn run(steps: &[Step]) {
    let rig = Rig::start().await;
    for Step { call, content_type, body, code, parts } in steps {
        let (method, path) = call.split_once(' ').expect("a call is a method and a path");
        let headers: &[_] = if content_type.is_empty() { &[] } else { &[("content-type", *content_type)] };
        let answer = rig.call(method, path, headers, body).await;
        assert_eq!(answer.code, *code, "{call} {body}: {}", answer.text);
        for (pointer, expect) in *parts {
            let expect: Value =
                serde_json::from_str(expect).unwrap_or_else(|_| panic!("{expect} is not JSON"));
            let found = answer.json.pointer(pointer).cloned().unwrap_or_default();
            assert_eq!(found, expect, "{call} {body}: {pointer} of {}", answer.text);
        }
        if *code >= 400 {
            assert_eq!(answer.json["kind"], "Status", "{call}: {}", answer.text);
            assert_eq!(answer.json["code"], *code, "{call}: {}", answer.text);
        }
    }
}

const CMS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test]
async fn create_answers_as_kubernetes() {
    run(&[
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"metadata":{"name":"a"},"data":{"k":"v"}}"#, 201, &[
            ("/apiVersion", r#""v1""#), ("/kind", r#""ConfigMap""#), ("/metadata/namespace", r#""default""#), ("/data/k", r#""v""#),
            ("/metadata/generation", "null"),
        ]),
        step("POST /api/v1/namespaces/default/configmaps", YAML, "metadata:\n  name: yaml\ndata:\n  k: v\n", 201, &[("/metadata/name", r#""yaml""#)]),
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"metadata":{"name":"a"}}"#, 409, &[
            ("/reason", r#""AlreadyExists""#), ("/message", r#""configmaps \"a\" already exists""#), ("/details", r#"{"name":"a","kind":"configmaps"}"#),
        ]),
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"metadata":{}}"#, 422, &[
            ("/reason", r#""Invalid""#), ("/details/causes/0/field", r#""metadata.name""#), ("/details/causes/0/reason", r#""FieldValueRequired""#),
            ("/message", r#""ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required""#),
        ]),
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"metadata":{"name":"Not_A_Name"}}"#, 422, &[("/details/causes/0/reason", r#""FieldValueInvalid""#)]),
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"metadata":{"name":"b","resourceVersion":"1"}}"#, 400, &[
            ("/message", r#""resourceVersion should not be set on objects to be created""#),
        ]),
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"metadata":{"name":"b","namespace":"other"}}"#, 400, &[
            ("/message", r#""the namespace of the provided object does not match the namespace sent on the request""#),
        ]),
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"apiVersion":"v2","kind":"ConfigMap","metadata":{"name":"b"}}"#, 400, &[
            ("/message", r#""the API version in the data (v2) does not match the expected API version (v1)""#),
        ]),
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"b"}}"#, 400, &[("/reason", r#""BadRequest""#)]),
        step("POST /api/v1/namespaces/none/configmaps", JSON, r#"{"metadata":{"name":"b"}}"#, 404, &[
            ("/message", r#""namespaces \"none\" not found""#), ("/reason", r#""NotFound""#),
        ]),
        step("POST /api/v1/namespaces/default/configmaps", JSON, "{", 400, &[("/reason", r#""BadRequest""#)]),
        step("POST /api/v1/namespaces/default/configmaps", "text/plain", "x", 415, &[("/reason", r#""UnsupportedMediaType""#)]),
        step("POST /api/v1/namespaces/default/configmaps?dryRun=All", JSON, r#"{"metadata":{"name":"dry"}}"#, 201, &[("/metadata/name", r#""dry""#)]),
        step("POST /api/v1/namespaces/default/configmaps?dryRun=Some", JSON, r#"{"metadata":{"name":"dry"}}"#, 422, &[]),
        get("GET /api/v1/namespaces/default/configmaps/dry", 404, &[
            ("/message", r#""configmaps \"dry\" not found""#), ("/details", r#"{"name":"dry","kind":"configmaps"}"#),
        ]),
        step("POST /api/v1/configmaps", JSON, r#"{"metadata":{"name":"b"}}"#, 405, &[("/reason", r#""MethodNotAllowed""#)]),
        step("POST /apis/apps/v1/namespaces/default/deployments", JSON, r#"{"metadata":{"name":"d"},"spec":{"replicas":-1}}"#, 422, &[
            ("/details/group", r#""apps""#), ("/details/kind", r#""Deployment""#), ("/details/causes/0/field", r#""spec.replicas""#),
        ]),
        step("POST /apis/serving.knative.dev/v1/namespaces/default/services", JSON,
            r#"{"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"s"},"spec":{"template":{"spec":{"containers":[]}}}}"#, 400, &[
            ("/message", r#""admission webhook \"validation.webhook.serving.knative.dev\" denied the request: validation failed: missing field(s): spec.template.spec.containers""#),
        ]),
    ])
    .await;
}

#[tokio::test]
async fn unknown_and_repeated_fields_are_errors_warnings_or_nothing() {
    let rig = Rig::start().await;
    let body =
        |name: &str| format!(r#"{{"metadata":{{"name":"{name}"}},"dta":{{}},"data":{{"k":"1","k":"2"}}}}"#);
    let strict = rig.call("POST", &format!("{CMS}?fieldValidation=Strict"), &[], &body("a")).await;
    assert_eq!(strict.code, 400);
    let message = r#"ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta", duplicate field "data.k""#;
    assert_eq!(strict.json["message"], message);
    for (query, warnings) in [("", 2), ("?fieldValidation=Warn", 2), ("?fieldValidation=Ignore", 0)] {
        let name = format!("x{}", query.len());
        let answer = rig.call("POST", &format!("{CMS}{query}"), &[], &body(&name)).await;
        assert_eq!(answer.code, 201, "{}", answer.text);
        assert_eq!(answer.headers.get_all("warning").iter().count(), warnings, "{query}");
        assert_eq!(answer.json["data"]["k"], "2");
    }
    assert_eq!(rig.call("POST", &format!("{CMS}?fieldValidation=Maybe"), &[], &body("b")).await.code, 422);
}

#[tokio::test]
async fn update_and_patch_answer_as_kubernetes() {
    run(&[
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"metadata":{"name":"a","labels":{"l":"1"}},"data":{"k":"v"}}"#, 201, &[]),
        step("PUT /api/v1/namespaces/default/configmaps/a", JSON, r#"{"metadata":{"name":"a"},"data":{"k":"w"}}"#, 200, &[("/data/k", r#""w""#), ("/metadata/labels", "null")]),
        step("PUT /api/v1/namespaces/default/configmaps/a", JSON, r#"{"metadata":{"name":"a","resourceVersion":"1"}}"#, 409, &[
            ("/reason", r#""Conflict""#),
            ("/message", r#""Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again""#),
        ]),
        step("PUT /api/v1/namespaces/default/configmaps/a", JSON, r#"{"metadata":{"name":"a","uid":"x"}}"#, 409, &[("/reason", r#""Conflict""#)]),
        step("PUT /api/v1/namespaces/default/configmaps/a", JSON, r#"{"metadata":{"name":"b"}}"#, 400, &[
            ("/message", r#""the name of the object (b) does not match the name on the URL (a)""#),
        ]),
        step("PUT /api/v1/namespaces/default/configmaps/none", JSON, r#"{"metadata":{"name":"none"}}"#, 404, &[]),
        step("PATCH /api/v1/namespaces/default/configmaps/a", MERGE, r#"{"data":{"k":null,"n":"1"}}"#, 200, &[("/data", r#"{"n":"1"}"#)]),
        step("PATCH /api/v1/namespaces/default/configmaps/a", JSON_PATCH, r#"[{"op":"add","path":"/data/m","value":"2"}]"#, 200, &[("/data", r#"{"m":"2","n":"1"}"#)]),
        step("PATCH /api/v1/namespaces/default/configmaps/a", JSON_PATCH, r#"[{"op":"test","path":"/data/m","value":"9"}]"#, 422, &[("/reason", r#""Invalid""#)]),
        step("PATCH /api/v1/namespaces/default/configmaps/a", JSON_PATCH, r#"{"op":"add"}"#, 400, &[]),
        step("PATCH /api/v1/namespaces/default/configmaps/a", STRATEGIC, r#"{"metadata":{"finalizers":["e.io/f"]}}"#, 200, &[("/metadata/finalizers", r#"["e.io/f"]"#)]),
        step("PATCH /api/v1/namespaces/default/configmaps/a", STRATEGIC, r#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["e.io/f"]}}"#, 200, &[("/metadata/finalizers", "null")]),
        step("PATCH /api/v1/namespaces/default/configmaps/a?fieldValidation=Strict", MERGE, r#"{"dta":{}}"#, 422, &[]),
        step("PATCH /api/v1/namespaces/default/configmaps/a", MERGE, r#"{"metadata":{"resourceVersion":"1"}}"#, 409, &[]),
        step("PATCH /api/v1/namespaces/default/configmaps/a", MERGE, r#"{"metadata":{"name":"b"}}"#, 400, &[]),
        step("PATCH /api/v1/namespaces/default/configmaps/none", MERGE, "{}", 404, &[]),
        step("PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=me", APPLY, "{}", 400, &[("/message", r#""invalid object type: /, Kind=""#)]),
        step("PATCH /api/v1/namespaces/default/configmaps/a", JSON, "{}", 415, &[]),
        step("PATCH /apis/serving.knative.dev/v1/namespaces/default/services/a", STRATEGIC, "{}", 415, &[]),
        step("PATCH /api/v1/namespaces/default/configmaps", MERGE, "{}", 405, &[]),
    ])
    .await;
}

const POD: &str =
    r#"{"metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}}"#;

#[tokio::test]
async fn delete_answers_as_kubernetes() {
    run(&[
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"metadata":{"name":"a"}}"#, 201, &[]),
        step("DELETE /api/v1/namespaces/default/configmaps/a", JSON, r#"{"preconditions":{"uid":"x"}}"#, 409, &[("/reason", r#""Conflict""#)]),
        get("DELETE /api/v1/namespaces/default/configmaps/a?dryRun=All", 200, &[("/status", r#""Success""#)]),
        get("DELETE /api/v1/namespaces/default/configmaps/a", 200, &[
            ("/kind", r#""Status""#), ("/status", r#""Success""#), ("/details/name", r#""a""#), ("/details/kind", r#""configmaps""#),
        ]),
        get("DELETE /api/v1/namespaces/default/configmaps/a", 404, &[]),
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"metadata":{"name":"f","finalizers":["e.io/f"]}}"#, 201, &[]),
        get("DELETE /api/v1/namespaces/default/configmaps/f", 200, &[("/kind", r#""ConfigMap""#), ("/metadata/deletionGracePeriodSeconds", "0")]),
        step("PATCH /api/v1/namespaces/default/configmaps/f", MERGE, r#"{"metadata":{"finalizers":["e.io/f","e.io/g"]}}"#, 422, &[("/details/causes/0/field", r#""metadata.finalizers""#)]),
        step("PATCH /api/v1/namespaces/default/configmaps/f", MERGE, r#"{"metadata":{"finalizers":null}}"#, 200, &[]),
        get("GET /api/v1/namespaces/default/configmaps/f", 404, &[]),
        // The collector's finalizers.
        step("POST /api/v1/namespaces/default/configmaps", JSON, r#"{"metadata":{"name":"o"}}"#, 201, &[]),
        get("DELETE /api/v1/namespaces/default/configmaps/o?propagationPolicy=Foreground", 200, &[("/metadata/finalizers", r#"["foregroundDeletion"]"#)]),
        get("DELETE /api/v1/namespaces/default/configmaps/o?propagationPolicy=Orphan", 200, &[("/metadata/finalizers", r#"["orphan"]"#)]),
        get("DELETE /api/v1/namespaces/default/configmaps/o?propagationPolicy=Background", 200, &[("/kind", r#""Status""#)]),
        get("DELETE /api/v1/namespaces/default/configmaps/o?propagationPolicy=Never", 422, &[]),
        // A pod on a node goes when the node says so.
        step("POST /api/v1/namespaces/default/pods", JSON, POD, 201, &[("/status/phase", r#""Pending""#)]),
        get("DELETE /api/v1/namespaces/default/pods/p?gracePeriodSeconds=20", 200, &[("/kind", r#""Pod""#), ("/metadata/deletionGracePeriodSeconds", "20")]),
        get("DELETE /api/v1/namespaces/default/pods/p?gracePeriodSeconds=25", 200, &[("/metadata/deletionGracePeriodSeconds", "20")]),
        get("DELETE /api/v1/namespaces/default/pods/p?gracePeriodSeconds=5", 200, &[("/metadata/deletionGracePeriodSeconds", "5")]),
        get("DELETE /api/v1/namespaces/default/pods/p?gracePeriodSeconds=0", 200, &[("/kind", r#""Pod""#)]),
        get("GET /api/v1/namespaces/default/pods/p", 404, &[]),
        // Many at once.
        step("POST /api/v1/namespaces/default/secrets", JSON, r#"{"metadata":{"name":"x","labels":{"l":"1"}}}"#, 201, &[]),
        step("POST /api/v1/namespaces/default/secrets", JSON, r#"{"metadata":{"name":"y","labels":{"l":"2"}}}"#, 201, &[]),
        get("DELETE /api/v1/namespaces/default/secrets?labelSelector=l%3D1", 200, &[("/kind", r#""SecretList""#), ("/items/0/metadata/name", r#""x""#), ("/items/1", "null")]),
        get("GET /api/v1/namespaces/default/secrets", 200, &[("/items/0/metadata/name", r#""y""#), ("/items/1", "null")]),
        // A namespace stays until it is empty, and takes nothing new.
        step("POST /api/v1/namespaces", JSON, r#"{"metadata":{"name":"n"}}"#, 201, &[("/status/phase", r#""Active""#), ("/spec/finalizers", r#"["kubernetes"]"#)]),
        get("DELETE /api/v1/namespaces/n", 200, &[("/status/phase", r#""Terminating""#)]),
        step("POST /api/v1/namespaces/n/configmaps", JSON, r#"{"metadata":{"name":"late"}}"#, 403, &[
            ("/reason", r#""Forbidden""#),
            ("/message", r#""configmaps \"late\" is forbidden: unable to create new content in namespace n because it is being terminated""#),
        ]),
        step("PUT /api/v1/namespaces/n/finalize", JSON, r#"{"metadata":{"name":"n"},"spec":{"finalizers":[]}}"#, 200, &[]),
        get("GET /api/v1/namespaces/n", 404, &[]),
    ])
    .await;
}

const DEPLOYMENT: &str = r#"{"metadata":{"name":"d"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"d"}},"template":{"metadata":{"labels":{"app":"d"}},"spec":{"containers":[{"name":"c","image":"i"}]}}},"status":{"replicas":9}}"#;

#[tokio::test]
async fn spec_status_and_scale_are_written_apart() {
    run(&[
        step(
            "POST /apis/apps/v1/namespaces/default/deployments",
            JSON,
            DEPLOYMENT,
            201,
            &[
                ("/metadata/generation", "1"),
                ("/status/replicas", "null"),
                ("/spec/progressDeadlineSeconds", "600"),
            ],
        ),
        step(
            "PATCH /apis/apps/v1/namespaces/default/deployments/d/status",
            MERGE,
            r#"{"status":{"replicas":2},"spec":{"replicas":7}}"#,
            200,
            &[("/status/replicas", "2"), ("/spec/replicas", "2"), ("/metadata/generation", "1")],
        ),
        step(
            "PATCH /apis/apps/v1/namespaces/default/deployments/d",
            MERGE,
            r#"{"status":{"replicas":7},"metadata":{"labels":{"l":"1"}}}"#,
            200,
            &[("/status/replicas", "2"), ("/metadata/generation", "1"), ("/metadata/labels/l", r#""1""#)],
        ),
        get(
            "GET /apis/apps/v1/namespaces/default/deployments/d/scale",
            200,
            &[
                ("/kind", r#""Scale""#),
                ("/apiVersion", r#""autoscaling/v1""#),
                ("/spec/replicas", "2"),
                ("/status", r#"{"replicas":2,"selector":"app=d"}"#),
            ],
        ),
        step(
            "PATCH /apis/apps/v1/namespaces/default/deployments/d/scale",
            MERGE,
            r#"{"spec":{"replicas":5}}"#,
            200,
            &[("/spec/replicas", "5")],
        ),
        get(
            "GET /apis/apps/v1/namespaces/default/deployments/d",
            200,
            &[("/spec/replicas", "5"), ("/metadata/generation", "2")],
        ),
        step(
            "PUT /apis/apps/v1/namespaces/default/deployments/d/scale",
            JSON,
            r#"{"metadata":{"name":"d"},"spec":{"replicas":0}}"#,
            200,
            &[("/spec", "{}")],
        ),
        step(
            "PUT /apis/apps/v1/namespaces/default/deployments/d/scale",
            JSON,
            r#"{"metadata":{"name":"d","resourceVersion":"1"},"spec":{"replicas":1}}"#,
            409,
            &[],
        ),
        step(
            "PATCH /apis/apps/v1/namespaces/default/deployments/d/scale",
            MERGE,
            r#"{"spec":{"replicas":-1}}"#,
            422,
            &[],
        ),
        get("DELETE /apis/apps/v1/namespaces/default/deployments/d/scale", 405, &[]),
        get("GET /api/v1/namespaces/default/configmaps/a/status", 404, &[]),
        get("GET /apis/apps/v1/namespaces/default/deployments/d/other", 404, &[]),
        step(
            "PUT /apis/serving.knative.dev/v1/namespaces/default/routes/r",
            JSON,
            r#"{"apiVersion":"serving.knative.dev/v1","kind":"Route","metadata":{"name":"r"},"spec":{}}"#,
            404,
            &[("/reason", r#""NotFound""#)],
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_there_is_can_be_discovered() {
    run(&[
        get("GET /version", 200, &[("/major", r#""1""#), ("/minor", r#""34""#)]),
        get("GET /api", 200, &[("/versions", r#"["v1"]"#)]),
        get("GET /apis", 200, &[("/kind", r#""APIGroupList""#)]),
        get("GET /apis/apps", 200, &[("/preferredVersion/groupVersion", r#""apps/v1""#)]),
        get("GET /apis/apps/v1", 200, &[("/groupVersion", r#""apps/v1""#), ("/resources/1/name", r#""deployments""#), ("/resources/2/kind", r#""Scale""#)]),
        get("GET /apis/apps/v2", 404, &[]),
        get("GET /openapi/v3", 200, &[]),
        get("GET /openapi/v3/apis/apps/v1", 200, &[
            ("/paths/~1apis~1apps~1v1~1namespaces~1{namespace}~1deployments~1{name}/patch/x-kubernetes-group-version-kind", r#"{"group":"apps","version":"v1","kind":"Deployment"}"#),
        ]),
        get("GET /api/v1/nopes", 404, &[]),
        get("GET /api/v1/configmaps/a", 404, &[]),
        get("GET /api/v1/namespaces?limit=x", 400, &[]),
        get("GET /api/v1/namespaces?labelSelector=a%20b", 400, &[]),
        get("GET /api/v1/namespaces?fieldSelector=spec.x%3D1", 400, &[]),
        get("GET /api/v1/namespaces?fieldSelector=metadata.name%3Ddefault", 200, &[("/items/0/metadata/name", r#""default""#), ("/items/1", "null")]),
        get("GET /api/v1/namespaces?resourceVersion=99999", 504, &[("/details/causes/0/reason", r#""ResourceVersionTooLarge""#)]),
        get("GET /api/v1/namespaces?continue=nonsense", 400, &[]),
    ])
    .await;
}

#[tokio::test]
async fn a_path_that_leads_nowhere_has_no_status() {
    let rig = Rig::start().await;
    for path in ["/nope", "/apis/nope", "/apis/nope/v1/things"] {
        let answer = rig.call("GET", path, &[], "").await;
        assert_eq!((answer.code, answer.text.as_str()), (404, "404 page not found\n"), "{path}");
    }
}

#[tokio::test]
async fn both_forms_of_aggregated_discovery_are_served() {
    let rig = Rig::start().await;
    for version in ["v2", "v2beta1"] {
        let accept = format!(
            "application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList,application/json"
        );
        let answer = rig.call("GET", "/apis", &[("accept", &accept)], "").await;
        assert_eq!(answer.json["kind"], "APIGroupDiscoveryList");
        assert_eq!(answer.json["apiVersion"], format!("apidiscovery.k8s.io/{version}"));
        assert_eq!(answer.json["items"][0]["metadata"]["name"], "apps");
        assert_eq!(
            answer.json["items"][0]["versions"][0]["resources"][1]["subresources"][0]["subresource"],
            "scale"
        );
    }
    let none =
        rig.call("GET", "/api/v1/namespaces", &[("accept", "application/vnd.kubernetes.protobuf")], "").await;
    assert_eq!(none.code, 406);
}

#[tokio::test]
async fn tables_have_the_columns_of_the_kind() {
    let rig = Rig::start().await;
    rig.post(CMS, &serde_json::json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await;
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")];
    let list = rig.call("GET", CMS, &accept, "").await.json;
    assert_eq!(list["kind"], "Table");
    let names: Vec<_> =
        list["columnDefinitions"].as_array().unwrap().iter().map(|column| &column["name"]).collect();
    assert_eq!(names, ["Name", "Data", "Age"]);
    assert_eq!(list["rows"][0]["cells"][0], "a");
    assert_eq!(list["rows"][0]["cells"][1], 1);
    assert_eq!(list["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let one = rig.call("GET", &format!("{CMS}/a?includeObject=Object"), &accept, "").await.json;
    assert_eq!(one["rows"][0]["object"]["data"]["k"], "v");
    let bare = rig.call("GET", &format!("{CMS}/a?includeObject=None"), &accept, "").await.json;
    assert_eq!(bare["rows"][0]["object"], Value::Null);
}

#[tokio::test]
async fn strangers_see_health_and_version_only() {
    let rig = Rig::start().await;
    let cases = [
        ("/healthz", 200),
        ("/livez", 200),
        ("/readyz", 200),
        ("/version", 200),
        ("/api", 403),
        ("/api/v1/namespaces", 403),
        ("/nope", 403),
    ];
    for (path, code) in cases {
        assert_eq!(rig.call_as_stranger(path).await.code, code, "{path}");
    }
    rig.server.health().fail("gateway", apiserver::Scope::Ready, "not yet");
    assert_eq!(rig.call_as_stranger("/livez").await.code, 200);
    let ready = rig.call_as_stranger("/readyz").await;
    assert_eq!(
        (ready.code, ready.text.as_str()),
        (500, "[+]ping ok\n[-]gateway failed: reason withheld\n[+]storage ok\nreadyz check failed\n")
    );
    let as_other = [("impersonate-user", "alice")];
    let ready = rig.call("GET", "/readyz?verbose", &as_other, "").await;
    assert_eq!((ready.code, ready.text.contains("not yet")), (500, false), "{}", ready.text);
    let ready = rig.call("GET", "/readyz", &[], "").await;
    assert_eq!((ready.code, ready.text.contains("[-]gateway failed: not yet")), (500, true));
    assert_eq!(rig.call_as_stranger("/readyz?exclude=gateway").await.code, 200);
    rig.server.health().pass("gateway", apiserver::Scope::Ready);
    assert_eq!(rig.call_as_stranger("/readyz").await.code, 200);
}

#[tokio::test]
async fn bodies_are_bounded_in_length_and_depth() {
    let rig = Rig::start().await;
    rig.post(CMS, &serde_json::json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await;
    let before = rig.call("GET", CMS, &[], "").await.json;
    let long = format!(r#"{{"metadata":{{"name":"a"}},"data":{{"k":"{}"}}}}"#, "x".repeat(4 << 20));
    let deep =
        format!(r#"{{"metadata":{{"name":"a"}},"x":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let deep_yaml = format!("metadata: {{name: a}}\nx: {}1{}\n", "[".repeat(150), "]".repeat(150));
    let operations = format!("[{}]", vec![r#"{"op":"test","path":"","value":1}"#; 10_001].join(","));
    let one = format!("{CMS}/a");
    let too_long = (413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
    let too_deep = (400, "BadRequest", "exceeded max depth: objects and arrays may be nested 100 deep");
    let too_many = (413, "RequestEntityTooLarge", "10001");
    for (method, path, content_type, body, (code, reason, said)) in [
        ("POST", CMS, JSON, &long, too_long),
        ("PUT", &one, JSON, &long, too_long),
        ("PATCH", &one, MERGE, &long, too_long),
        ("DELETE", &one, JSON, &long, too_long),
        ("POST", CMS, JSON, &deep, too_deep),
        ("POST", CMS, YAML, &deep_yaml, too_deep),
        ("PUT", &one, JSON, &deep, too_deep),
        ("PATCH", &one, MERGE, &deep, too_deep),
        ("PATCH", &one, STRATEGIC, &deep, too_deep),
        ("DELETE", &one, JSON, &deep, too_deep),
        ("PATCH", &one, JSON_PATCH, &operations, too_many),
    ] {
        let answer = rig.call(method, path, &[("content-type", content_type)], body).await;
        let status = &answer.json;
        assert_eq!(
            (answer.code, &status["kind"], &status["reason"]),
            (code, &"Status".into(), &reason.into())
        );
        let message = status["message"].as_str().unwrap();
        assert!(message.contains(said) && message.len() < 1000, "{method} {content_type}: {message}");
        assert_eq!(rig.call("GET", CMS, &[], "").await.json, before, "{method} {content_type}");
    }
}
