//! What a new Knative object is refused for, apart from its pod and its traffic.

use serde_json::json;

use super::{check_refused, configs, create, create_with, merge, service, service_of, service_with};

#[test]
fn names_and_annotations_of_the_object() {
    check_refused([
        (
            merge(service_with(json!({})), json!({"metadata": {"name": "1app"}})),
            "not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters or '-', start \
             with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', \
             regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.name",
        ),
        (
            merge(service_with(json!({})), json!({"metadata": {"name": "Not_A_Name"}})),
            "metadata.name: Invalid value: \"Not_A_Name\": a lowercase RFC 1123 subdomain must consist of lower case \
             alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
             'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*\
             [a-z0-9])?)*')",
        ),
        (
            merge(
                service_with(json!({})),
                json!({"metadata": {"annotations": {"autoscaling.knative.dev/min-scale": "1"}}}),
            ),
            "invalid key name \"autoscaling.knative.dev/min-scale\": metadata.annotations\nautoscaling annotations must \
             be put under \"spec.template.metadata.annotations\" to work",
        ),
        (
            merge(
                service_with(json!({})),
                json!({"metadata": {"annotations": {"serving.knative.dev/rollout-duration": "1500ms"}}}),
            ),
            "rollout-duration=1500ms is not at second precision: metadata.annotations.serving.knative.dev/rollout-duration",
        ),
        (
            merge(
                service_with(json!({})),
                json!({"metadata": {"annotations": {"serving.knative.dev/rolloutDuration": "-1s"}}}),
            ),
            "rollout-duration=-1s must be positive: metadata.annotations.serving.knative.dev/rolloutDuration",
        ),
    ]);
}

#[test]
fn names_of_revisions() {
    let with_name = |name: &str| {
        service(json!({"template": {"metadata": {"name": name}, "spec": {"containers": [{"image": "app"}]}}}))
    };
    check_refused([
        (
            with_name("other-v1"),
            "invalid value: \"other-v1\" must have prefix \"app-\": spec.template.metadata.name",
        ),
        (
            with_name("app-V1"),
            "invalid value: not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters \
             or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or \
             'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: spec.template.metadata.name",
        ),
        (
            merge(with_name("app-v1"), json!({"metadata": {"name": null, "generateName": "app-"}})),
            "must not set the field(s): spec.template.metadata.name",
        ),
    ]);
}

#[test]
fn annotations_of_the_template() {
    let with = |annotations| {
        service(
            json!({"template": {"metadata": {"annotations": annotations}, "spec": {"containers": [{"image": "app"}]}}}),
        )
    };
    check_refused([
        (
            with(json!({"networking.knative.dev/other": "x"})),
            "invalid key name \"networking.knative.dev/other\": spec.template.metadata.annotations",
        ),
        (
            with(json!({"queue.sidecar.serving.knative.dev/resource-percentage": "0.05"})),
            "expected 0.1 <= 0.05 <= 100: \
             spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/resource-percentage]",
        ),
        (
            with(json!({"queue.sidecar.serving.knative.dev/cpu-resource-request": "much"})),
            "invalid value: much: \
             spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/cpu-resource-request]",
        ),
        (
            with(json!({"serving.knative.dev/progress-deadline": "soon"})),
            "invalid value: soon: spec.template.metadata.annotations.serving.knative.dev/progress-deadline",
        ),
    ]);
    assert!(create(&with(json!({"networking.knative.dev/ingress-class": "x"}))).is_ok());
}

#[test]
fn numbers_of_the_revision() {
    let with = |fields| service_of(merge(json!({"containers": [{"image": "app"}]}), fields));
    check_refused([
        (with(json!({"timeoutSeconds": 601})), "expected 0 <= 601 <= 600: spec.template.spec.timeoutSeconds"),
        (with(json!({"timeoutSeconds": -1})), "expected 0 <= -1 <= 600: spec.template.spec.timeoutSeconds"),
        (
            with(json!({"containerConcurrency": 1001})),
            "expected 0 <= 1001 <= 1000: spec.template.spec.containerConcurrency",
        ),
        (
            with(json!({"containerConcurrency": -1, "timeoutSeconds": 700})),
            "expected 0 <= -1 <= 1000: spec.template.spec.containerConcurrency\n\
             expected 0 <= 700 <= 600: spec.template.spec.timeoutSeconds",
        ),
    ]);
    let strict = configs(&[(
        "config-defaults",
        &[("allow-container-concurrency-zero", "false"), ("container-concurrency", "5")],
    )]);
    assert_eq!(
        create_with(&with(json!({"containerConcurrency": 0})), &strict),
        Err("expected 1 <= 0 <= 1000: spec.template.spec.containerConcurrency".to_owned())
    );
}

#[test]
fn defaults_come_from_the_configuration() {
    let configs = configs(&[(
        "config-defaults",
        &[
            ("revision-timeout-seconds", "100"),
            ("revision-idle-timeout-seconds", "20"),
            ("revision-response-start-timeout-seconds", "50"),
            ("container-concurrency", "7"),
            ("revision-cpu-request", "400m"),
            ("revision-memory-limit", "200M"),
            ("container-name-template", "c-{{.Name}}"),
            ("enable-service-links", "default"),
        ],
    )]);
    let given = service_with(json!({"resources": {"requests": {"memory": "100M"}}}));
    let spec = &create_with(&given, &configs).unwrap()["spec"]["template"]["spec"];
    assert_eq!(
        *spec,
        json!({
            "timeoutSeconds": 100, "idleTimeoutSeconds": 20, "responseStartTimeoutSeconds": 50,
            "containerConcurrency": 7,
            "containers": [{
                "name": "c-app", "image": "app",
                "readinessProbe": {"successThreshold": 1, "tcpSocket": {"port": 0}},
                "resources": {"requests": {"cpu": "400m", "memory": "100M"}, "limits": {"memory": "200M"}},
            }],
        })
    );
    // A longer timeout than the default brings the default for the response's start with it, as upstream.
    let spec = &create(&service_of(json!({"timeoutSeconds": 600, "containers": [{"image": "app"}]})))
        .unwrap()["spec"];
    assert_eq!(spec["template"]["spec"]["responseStartTimeoutSeconds"], 300);
}

#[test]
fn every_amount_has_a_default_of_its_own() {
    for resource in ["cpu", "memory", "ephemeral-storage"] {
        for (bound, field) in [("request", "requests"), ("limit", "limits")] {
            let key = format!("revision-{resource}-{bound}");
            let configs = configs(&[("config-defaults", &[(key.as_str(), "5M")])]);
            let service = create_with(&service_with(json!({})), &configs).unwrap();
            let resources = &service["spec"]["template"]["spec"]["containers"][0]["resources"];
            assert_eq!(*resources, json!({field: {resource: "5M"}}), "{key}");
        }
    }
}

#[test]
fn init_containers_have_names_of_their_own() {
    let configs = configs(&[
        ("config-defaults", &[("init-container-name-template", "first-of-{{.Name}}")]),
        ("config-features", &[("kubernetes.podspec-init-containers", "enabled")]),
    ]);
    let names = |init: serde_json::Value| {
        let service = service_of(json!({"containers": [{"image": "app"}], "initContainers": init}));
        let service = create_with(&service, &configs).unwrap();
        let pod = &service["spec"]["template"]["spec"];
        assert_eq!(pod["containers"][0]["name"], "user-container");
        let named = pod["initContainers"].as_array().unwrap().iter();
        named.map(|container| container["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(json!([{"image": "a"}])), ["first-of-app"]);
    assert_eq!(names(json!([{"image": "a"}, {"image": "b"}])), ["first-of-app-0", "first-of-app-1"]);
}

#[test]
fn the_limit_of_container_concurrency_is_configured() {
    let service =
        |limit: i64| service_of(json!({"containers": [{"image": "app"}], "containerConcurrency": limit}));
    for (max, taken, refused) in [("5", 5, 6), ("2000", 2000, 2001)] {
        let configs = configs(&[("config-defaults", &[("container-concurrency-max-limit", max)])]);
        assert!(create_with(&service(taken), &configs).is_ok(), "{max}");
        let error = create_with(&service(refused), &configs).unwrap_err();
        let expect = format!("expected 0 <= {refused} <= {max}: spec.template.spec.containerConcurrency");
        assert_eq!(error, expect);
    }
}

#[test]
fn a_gradual_rollout_is_told_to_be_none() {
    let told = |kind: &str, duration: &str| {
        let mut object = service_with(json!({}));
        object["kind"] = json!(kind);
        object["metadata"]["annotations"] = json!({"serving.knative.dev/rollout-duration": duration});
        let warnings = super::super::warnings(&*super::decode(&object), &Default::default());
        warnings.into_iter().filter(|warning| warning.contains("rollout-duration")).collect::<Vec<_>>()
    };
    for kind in ["Service", "Route"] {
        let expect = "metadata.annotations.serving.knative.dev/rollout-duration=60s has no effect in this release of \
                      Ebb: traffic moves to a new Revision at once";
        assert_eq!(told(kind, "60s"), [expect], "{kind}");
        assert!(told(kind, "0s").is_empty(), "{kind}");
    }
}

#[test]
fn what_is_for_callers_inside_is_told_to_have_none() {
    let told = |kind: &str, visibility: &str| {
        let mut object = service_with(json!({}));
        object["kind"] = json!(kind);
        object["metadata"]["labels"] = json!({"networking.knative.dev/visibility": visibility});
        let warnings = super::super::warnings(&*super::decode(&object), &Default::default());
        warnings.into_iter().filter(|warning| warning.contains("visibility")).count()
    };
    for kind in ["Service", "Route"] {
        assert_eq!((told(kind, "cluster-local"), told(kind, "")), (1, 0), "{kind}");
    }
}

#[test]
fn several_containers_are_numbered() {
    let given = service_of(json!({"containers": [
        {"image": "a", "ports": [{"containerPort": 8080}]}, {"image": "b", "name": "user-container-1"}, {"image": "c"},
    ]}));
    let object = create(&given).unwrap();
    let containers = object["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    let names: Vec<_> = containers.iter().map(|container| container["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["user-container-0", "user-container-1", "user-container-2"]);
    let probed: Vec<_> = containers.iter().map(|container| container["readinessProbe"].is_object()).collect();
    assert_eq!(probed, [true, false, false]);
}

#[test]
fn secure_pod_defaults() {
    let secure = super::features(&[("secure-pod-defaults", "enabled")]);
    let given = service_with(json!({"ports": [{"containerPort": 80}]}));
    let object = create_with(&given, &secure).unwrap();
    assert_eq!(
        object["spec"]["template"]["spec"]["containers"][0]["securityContext"],
        json!({
            "allowPrivilegeEscalation": false, "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"},
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        })
    );
    let root = super::features(&[("secure-pod-defaults", "AllowRootBounded")]);
    let object = create_with(&given, &root).unwrap();
    assert_eq!(
        object["spec"]["template"]["spec"]["containers"][0]["securityContext"]["runAsNonRoot"],
        json!(null)
    );
}

#[test]
fn warnings_of_what_is_unwise() {
    let object = super::decode(&service_with(json!({})));
    let warnings = super::super::warnings(&*object, &Default::default());
    assert_eq!(
        warnings,
        ["Kubernetes default value is insecure, Knative may default this to secure in a future release: \
          spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation, \
          spec.template.spec.containers[0].securityContext.capabilities, \
          spec.template.spec.containers[0].securityContext.runAsNonRoot, \
          spec.template.spec.containers[0].securityContext.seccompProfile"]
    );
    let secured = super::features(&[("secure-pod-defaults", "enabled")]);
    assert!(super::super::warnings(&*object, &secured).is_empty());
}

#[test]
fn owner_labels_name_owners() {
    let configuration = json!({
        "apiVersion": "serving.knative.dev/v1", "kind": "Configuration",
        "metadata": {"name": "app", "namespace": "default", "labels": {"serving.knative.dev/service": "app"}},
        "spec": {"template": {"spec": {"containers": [{"image": "app"}]}}},
    });
    check_refused([(configuration.clone(), "missing field(s): metadata.labels.serving.knative.dev/service")]);
    let owner = json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "app", "uid": "1", "controller": true});
    let owned = merge(configuration, json!({"metadata": {"ownerReferences": [owner]}}));
    // What is owned has its owner's annotations, none of its own.
    assert_eq!(create(&owned).unwrap()["metadata"]["annotations"], json!(null));
}
