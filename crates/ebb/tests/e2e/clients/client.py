"""The Python client as its users have it: `client.py calls` uses each part of it once, `client.py watch` follows.

Each is given a platform by $KUBECONFIG. A call that does not answer as Kubernetes would ends the program.
"""

import json
import sys
import time

import urllib3
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError

NAMESPACE = "default"
# How often it is tried again while nobody answers, and how long it is waited each time.
ATTEMPTS_MAX = 600
PAUSE = 0.05


def refused(call, code, reason):
    """What a call that must be refused is told."""
    try:
        call()
    except ApiException as error:
        status = json.loads(error.body)
        assert (error.status, status["code"], status["reason"]) == (code, code, reason), error
        assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure"), status
        return status
    raise AssertionError(f"not refused with {code} {reason}")


def config_map(name, **data):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"from": "python"}), data=data)


def deployment(name):
    container = client.V1Container(
        name="main", image="dev.local/none:1", env=[client.V1EnvVar(name="A", value="a")],
        resources=client.V1ResourceRequirements(limits={"cpu": "100m"}),
    )
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels={"app": name}), spec=client.V1PodSpec(containers=[container])
    )
    spec = client.V1DeploymentSpec(
        replicas=0, selector=client.V1LabelSelector(match_labels={"app": name}), template=template
    )
    return client.V1Deployment(metadata=client.V1ObjectMeta(name=name), spec=spec)


def typed():
    core, apps = client.CoreV1Api(), client.AppsV1Api()
    for number in range(5):
        core.create_namespaced_config_map(NAMESPACE, config_map(f"m{number}", number=str(number)))
    listed = core.list_namespaced_config_map(NAMESPACE, label_selector="from=python")
    assert [item.metadata.name for item in listed.items] == [f"m{number}" for number in range(5)]
    assert listed.metadata.resource_version
    # Page by page.
    names, more = [], None
    while more != "":
        page = core.list_namespaced_config_map(NAMESPACE, label_selector="from=python", limit=2, _continue=more)
        names += [item.metadata.name for item in page.items]
        more = page.metadata._continue or ""
    assert names == [f"m{number}" for number in range(5)], names
    found = core.list_config_map_for_all_namespaces(field_selector="metadata.name=m3")
    assert [item.metadata.name for item in found.items] == ["m3"]

    read = core.read_namespaced_config_map("m0", NAMESPACE)
    read.data["more"] = "x"
    replaced = core.replace_namespaced_config_map("m0", NAMESPACE, read)
    assert replaced.data == {"number": "0", "more": "x"}
    status = refused(lambda: core.replace_namespaced_config_map("m0", NAMESPACE, read), 409, "Conflict")
    assert "the object has been modified" in status["message"], status

    made = apps.create_namespaced_deployment(NAMESPACE, deployment("typed"))
    assert made.spec.strategy.rolling_update.max_surge == "25%" and made.spec.template.spec.restart_policy == "Always"
    scale = apps.read_namespaced_deployment_scale("typed", NAMESPACE)
    # What is 0 is left out, as Kubernetes has it.
    assert (scale.spec.replicas, scale.status.selector) == (None, "app=typed"), scale
    deleted = core.delete_namespaced_config_map("m4", NAMESPACE)
    assert (deleted["status"], deleted["details"]["name"]) == ("Success", "m4"), deleted


def patches():
    """Each type of patch, by what the client sends for it."""
    core, apps = client.CoreV1Api(), client.AppsV1Api()
    # A list is a JSON patch.
    changed = core.patch_namespaced_config_map("m1", NAMESPACE, [{"op": "replace", "path": "/data/number", "value": "9"}])
    assert changed.data == {"number": "9"}
    # A map is a strategic merge: the list of containers is merged by name.
    strategic = {"spec": {"template": {"spec": {"containers": [{"name": "main", "env": [{"name": "B", "value": "b"}]}]}}}}
    changed = apps.patch_namespaced_deployment("typed", NAMESPACE, strategic)
    container = changed.spec.template.spec.containers[0]
    assert container.image == "dev.local/none:1", container
    assert sorted(variable.name for variable in container.env) == ["A", "B"], container.env
    kinds = dynamic.DynamicClient(client.ApiClient())
    maps = kinds.resources.get(api_version="v1", kind="ConfigMap")
    merge = "application/merge-patch+json"
    changed = maps.patch(name="m1", namespace=NAMESPACE, body={"data": {"number": None, "n": "1"}}, content_type=merge)
    assert changed.to_dict()["data"] == {"n": "1"}
    failed = [{"op": "test", "path": "/data/n", "value": "2"}]
    refused(lambda: core.patch_namespaced_config_map("m1", NAMESPACE, failed), 422, "Invalid")
    changed = apps.patch_namespaced_deployment_scale("typed", NAMESPACE, {"spec": {"replicas": 2}})
    assert changed.spec.replicas == 2
    apps.patch_namespaced_deployment_scale("typed", NAMESPACE, {"spec": {"replicas": 0}})


def server_side_apply():
    kinds = dynamic.DynamicClient(client.ApiClient())
    maps = kinds.resources.get(api_version="v1", kind="ConfigMap")

    def apply(manager, value, force=False):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": value}}
        return maps.server_side_apply(
            name="applied", namespace=NAMESPACE, body=body, field_manager=manager, force_conflicts=force
        )

    applied = apply("one", "1").to_dict()
    managers = [(entry["manager"], entry["operation"]) for entry in applied["metadata"]["managedFields"]]
    assert managers == [("one", "Apply")], managers
    try:
        apply("two", "2")
        raise AssertionError("no conflict")
    except ConflictError as error:
        causes = json.loads(error.body)["details"]["causes"]
        assert (causes[0]["reason"], causes[0]["field"]) == ("FieldManagerConflict", ".data.a"), causes
        assert 'conflict with "one"' in causes[0]["message"], causes
    assert apply("two", "2", force=True).to_dict()["data"] == {"a": "2"}


def custom_objects():
    objects = client.CustomObjectsApi()
    services = ("serving.knative.dev", "v1", NAMESPACE, "services")
    body = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "custom"},
        "spec": {"template": {"spec": {"containers": [{"image": "dev.local/none:1"}]}}},
    }
    made = objects.create_namespaced_custom_object(*services, body)
    assert made["spec"]["template"]["spec"]["timeoutSeconds"] == 300, made
    # This client sends a map as a merge patch.
    changed = objects.patch_namespaced_custom_object(*services, "custom", {"metadata": {"labels": {"a": "b"}}})
    assert changed["metadata"]["labels"] == {"a": "b"}, changed
    names = [item["metadata"]["name"] for item in objects.list_namespaced_custom_object(*services)["items"]]
    assert names == ["custom"], names
    bad = {**body, "metadata": {"name": "bad"}, "spec": {"template": {"spec": {"containers": []}}}}
    refused(lambda: objects.create_namespaced_custom_object(*services, bad), 400, "BadRequest")
    objects.delete_namespaced_custom_object(*services, "custom")
    status = refused(lambda: objects.get_namespaced_custom_object(*services, "none"), 404, "NotFound")
    assert status["message"] == 'services.serving.knative.dev "none" not found', status

    widgets = ("example.com", "v1", NAMESPACE, "widgets")
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    objects.create_namespaced_custom_object(*widgets, widget)
    changed = objects.patch_namespaced_custom_object_status(*widgets, "w", {"status": {"made": 1}})
    assert (changed["status"], changed["spec"]) == ({"made": 1}, {"size": 1}), changed
    wrong = {**widget, "metadata": {"name": "x"}, "spec": {"size": "large"}}
    status = refused(lambda: objects.create_namespaced_custom_object(*widgets, wrong), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "spec.size", status


def dynamic_kinds():
    kinds = dynamic.DynamicClient(client.ApiClient())
    services = kinds.resources.get(api_version="serving.knative.dev/v1", kind="Service")
    assert (services.name, services.namespaced) == ("services", True), services
    widgets = kinds.resources.get(api_version="example.com/v1", kind="Widget")
    assert [item.metadata.name for item in widgets.get(namespace=NAMESPACE).items] == ["w"]
    read = widgets.get(name="w", namespace=NAMESPACE)
    read.spec.size = 7
    assert widgets.replace(body=read.to_dict(), namespace=NAMESPACE).spec.size == 7
    widgets.delete(name="w", namespace=NAMESPACE)
    try:
        widgets.get(name="w", namespace=NAMESPACE)
        raise AssertionError("it is there")
    except NotFoundError as error:
        assert json.loads(error.body)["message"] == 'widgets.example.com "w" not found', error.body


def errors():
    core = client.CoreV1Api()
    refused(lambda: core.read_namespaced_config_map("none", NAMESPACE), 404, "NotFound")
    refused(lambda: core.create_namespaced_config_map(NAMESPACE, config_map("m0")), 409, "AlreadyExists")
    status = refused(lambda: core.create_namespaced_config_map(NAMESPACE, config_map("Bad_Name")), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "metadata.name", status
    strict = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "strict"}, "spec": {"siz": 1}}
    create = client.CustomObjectsApi().create_namespaced_custom_object
    widgets = ("example.com", "v1", NAMESPACE, "widgets")
    status = refused(lambda: create(*widgets, strict, field_validation="Strict"), 400, "BadRequest")
    assert 'unknown field "spec.siz"' in status["message"], status
    kept = core.create_namespaced_config_map(NAMESPACE, config_map("dry"), dry_run="All")
    assert kept.metadata.uid
    refused(lambda: core.read_namespaced_config_map("dry", NAMESPACE), 404, "NotFound")


def manifests():
    """What `utils` does with files."""
    api = client.ApiClient()
    kinds = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "filed"}, "stringData": {"a": "b"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "filed"}, "spec": {"ports": [{"port": 80}]}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "filed"}},
    ]
    for manifest in kinds:
        utils.create_from_dict(api, manifest, namespace=NAMESPACE)
    assert client.CoreV1Api().read_namespaced_secret("filed", NAMESPACE).data == {"a": "Yg=="}
    allowed = client.AuthorizationV1Api().create_self_subject_access_review(
        client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(
                resource_attributes=client.V1ResourceAttributes(verb="create", resource="pods")
            )
        )
    )
    assert allowed.status.allowed
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=None))
    token = client.CoreV1Api().create_namespaced_service_account_token("filed", NAMESPACE, request)
    assert token.status.token.count(".") == 2
    assert client.VersionApi().get_code().major == "1"


def follow():
    """Tells what comes until `end` does; goes on after a cut from what was seen last."""
    core = client.CoreV1Api()
    version = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    print("following", flush=True)
    for _ in range(ATTEMPTS_MAX):
        events = watch.Watch()
        try:
            for event in events.stream(core.list_namespaced_config_map, NAMESPACE, resource_version=version):
                metadata = event["object"].metadata
                version = metadata.resource_version
                print(event["type"], metadata.name, flush=True)
                if metadata.name == "end":
                    return
        except (urllib3.exceptions.HTTPError, ConnectionError):
            # It was killed; asking again is all that is to be done.
            time.sleep(PAUSE)
    raise AssertionError("nobody answers any more")


def main():
    config.load_kube_config()
    if sys.argv[1] == "watch":
        follow()
        return
    for part in (typed, patches, server_side_apply, custom_objects, dynamic_kinds, errors, manifests):
        part()
        print(part.__name__, flush=True)


main()
