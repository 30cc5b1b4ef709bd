//! kubectl, each of its commands as a tutorial types it, and every form of what it prints.

use std::{
    io::Write,
    path::Path,
    process::{Output, Stdio},
};

use crate::rig::{Ebb, need_kubectl, text};

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "dev.local/hello:1"}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}}
data: {color: blue}
"#;

const MAUVE: &str = "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, labels: {app: web}}, data: {color: mauve}}\n";

/// What becomes of a command.
enum Told {
    /// It prints this and no more.
    Is(&'static str),
    /// It prints all of these.
    Has(&'static [&'static str]),
    /// It prints all of these, and its status says that there is something.
    Differs(&'static [&'static str]),
    /// It fails, and says this.
    Fails(&'static str),
}

use Told::{Differs, Fails, Has, Is};

/// A command, what it reads, and what becomes of it.
type Case = (&'static str, &'static str, Told);

/// What is only looked at.
const READ: &[Case] = &[
    ("rollout status deploy/web --timeout=60s", "", Has(&["deployment \"web\" successfully rolled out"])),
    (
        "get deploy web",
        "",
        Has(&["NAME   READY   UP-TO-DATE   AVAILABLE   AGE\n", "web    2/2     2            2 "]),
    ),
    ("get deploy web -o wide", "", Has(&["CONTAINERS   IMAGES", "main         dev.local/hello:1   app=web"])),
    ("get deploy web --no-headers", "", Has(&["web   2/2   2     2 "])),
    ("get deploy web -o name", "", Is("deployment.apps/web\n")),
    (
        "get deploy web -o json",
        "",
        Has(&["\"apiVersion\": \"apps/v1\",\n    \"kind\": \"Deployment\"", "\"replicas\": 2"]),
    ),
    ("get deploy web -o yaml", "", Has(&["apiVersion: apps/v1\nkind: Deployment\n", "  replicas: 2\n"])),
    (
        "get deploy web -o yaml --show-managed-fields",
        "",
        Has(&["managedFields:", "manager: kubectl-client-side-apply"]),
    ),
    ("get deploy web -o jsonpath={.spec.replicas}", "", Is("2")),
    ("get deploy web -o jsonpath-as-json={.spec.replicas}", "", Is("[\n    2\n]\n")),
    ("get deploy web -o go-template={{.metadata.name}}={{.spec.replicas}}", "", Is("web=2")),
    ("get deploy -o custom-columns=N:.metadata.name,R:.spec.replicas", "", Is("N     R\nweb   2\n")),
    (
        "get pods -l app=web -o jsonpath={.items[0].status.containerStatuses[0].imageID}",
        "",
        Has(&["dev.local/hello@sha256:"]),
    ),
    (
        "wait pods -l app=web --for=condition=PodReadyToStartContainers --timeout=10s",
        "",
        Has(&["condition met"]),
    ),
    ("get pods -l app=web --show-labels", "", Has(&["LABELS\n", "app=web,pod-template-hash="])),
    ("get deploy -L app", "", Has(&["AGE   APP\n", "web\n"])),
    ("get pods -l app=web --field-selector status.phase=Failed -o name", "", Is("")),
    ("get pods -l app!=web,!other -o name", "", Is("")),
    ("get cm -A --field-selector metadata.name=settings -o name", "", Is("configmap/settings\n")),
    (
        "get cm -n knative-serving --chunk-size=2 --sort-by=.metadata.name -o name",
        "",
        Has(&["configmap/config-autoscaler\nconfigmap/config-certmanager\nconfigmap/config-defaults\n"]),
    ),
    ("get cm -A --sort-by={.metadata.name} --no-headers", "", Has(&["knative-serving   config-autoscaler"])),
    ("get deploy/web cm/settings -o name", "", Is("deployment.apps/web\nconfigmap/settings\n")),
    ("get deploy,cm -l app=web -o name", "", Is("deployment.apps/web\nconfigmap/settings\n")),
    ("get all -l app=web -o name", "", Has(&["pod/web-", "deployment.apps/web\n", "replicaset.apps/web-"])),
    ("get -f - -o name", WEB, Is("deployment.apps/web\nconfigmap/settings\n")),
    ("get --raw /api/v1/namespaces/default/configmaps/settings", "", Has(&["\"data\":{\"color\":\"blue\"}"])),
    ("get --raw /readyz", "", Is("ok")),
    ("get deploy nosuch", "", Fails("Error from server (NotFound): deployments.apps \"nosuch\" not found")),
    ("get deploy nosuch --ignore-not-found", "", Is("")),
    ("get nosuch", "", Fails("error: the server doesn't have a resource type \"nosuch\"")),
    (
        "describe deploy web",
        "",
        Has(&[
            "Selector:               app=web\n",
            "2 desired | 2 updated | 2 total | 2 available | 0 unavailable",
            "deployment.kubernetes.io/revision: 1",
            "NewReplicaSet:   web-",
        ]),
    ),
    (
        "describe pod -l app=web",
        "",
        Has(&["Status:           Running\n", "Controlled By:  ReplicaSet/web-", "Started container main"]),
    ),
    ("describe cm settings", "", Has(&["color:\n----\nblue\n"])),
    ("describe node", "", Has(&["Name:               ebb\n", "Allocatable:\n", "Ready "])),
    ("describe ns default", "", Has(&["Status:       Active\n"])),
    (
        "explain deployment.spec.strategy --recursive",
        "",
        Has(&["FIELD: strategy <DeploymentStrategy>", "    maxSurge\t<IntOrString>\n"]),
    ),
    (
        "explain ksvc.spec.template.spec.containerConcurrency",
        "",
        Has(&["FIELD: containerConcurrency <integer>"]),
    ),
    (
        "api-resources --verbs=list,watch --namespaced -o name",
        "",
        Has(&["configmaps\n", "deployments.apps\n", "services.serving.knative.dev\n"]),
    ),
    (
        "api-resources -o wide --api-group=serving.knative.dev",
        "",
        Has(&["VERBS", "ksvc", "serving.knative.dev/v1", "all,knative,serving\n"]),
    ),
    ("api-versions", "", Has(&["apps/v1\n", "serving.knative.dev/v1\n", "v1\n"])),
    ("auth can-i create deployments", "", Is("yes\n")),
    ("auth can-i delete pods --as=nobody", "", Differs(&["no\n"])),
    ("auth can-i --list", "", Has(&["*.*", "[*]"])),
    ("auth whoami -o jsonpath={.status.userInfo.username}", "", Is("ebb-admin")),
    ("logs deploy/web --tail=1", "", Has(&["hello: listening on"])),
    ("logs -l app=web --prefix --since=1h --timestamps", "", Has(&["[pod/web-", "/main] 20"])),
    ("events --for deploy/nosuch", "", Is("")),
    ("events -A --types=Normal", "", Has(&["Started container main"])),
    ("top pods", "", Fails("Metrics API not available")),
    ("cluster-info", "", Has(&["Kubernetes control plane"])),
    ("version", "", Has(&["Server Version: v1.34"])),
];

/// What is changed, one after the other.
const WRITTEN: &[Case] = &[
    ("label deploy web tier=front", "", Is("deployment.apps/web labeled\n")),
    ("label deploy web tier=back", "", Fails("'tier' already has a value (front), and --overwrite is false")),
    ("label deploy web tier-", "", Is("deployment.apps/web unlabeled\n")),
    ("annotate deploy web kubernetes.io/change-cause=first", "", Is("deployment.apps/web annotated\n")),
    (
        "patch deploy web -p {\"spec\":{\"minReadySeconds\":0,\"revisionHistoryLimit\":5}}",
        "",
        Is("deployment.apps/web patched\n"),
    ),
    (
        "patch deploy web -p {\"spec\":{\"revisionHistoryLimit\":5}}",
        "",
        Is("deployment.apps/web patched (no change)\n"),
    ),
    (
        "patch deploy web --type=merge -p {\"spec\":{\"revisionHistoryLimit\":6}}",
        "",
        Is("deployment.apps/web patched\n"),
    ),
    (
        "patch deploy web --type=json -p [{\"op\":\"remove\",\"path\":\"/spec/nosuch\"}]",
        "",
        Fails("The request is invalid"),
    ),
    (
        "patch deploy web --subresource=scale --type=merge -p {\"spec\":{\"replicas\":1}}",
        "",
        Is("scale.autoscaling/web patched\n"),
    ),
    ("get deploy web -o jsonpath={.spec.revisionHistoryLimit}/{.spec.replicas}", "", Is("6/1")),
    ("scale deploy web --replicas=2", "", Is("deployment.apps/web scaled\n")),
    (
        "wait deploy/web --for=jsonpath={.status.readyReplicas}=2 --timeout=60s",
        "",
        Is("deployment.apps/web condition met\n"),
    ),
    (
        "wait deploy/web --for=condition=Available --timeout=60s",
        "",
        Is("deployment.apps/web condition met\n"),
    ),
    (
        "wait deploy/web --for=condition=Available=False --timeout=1s",
        "",
        Fails("timed out waiting for the condition on deployments/web"),
    ),
    ("set image deploy/web *=dev.local/hello:1", "", Is("")),
    ("set env deploy/web TARGET=two", "", Is("deployment.apps/web env updated\n")),
    (
        "annotate deploy web kubernetes.io/change-cause=second --overwrite",
        "",
        Is("deployment.apps/web annotated\n"),
    ),
    ("rollout status deploy/web --timeout=60s", "", Has(&["successfully rolled out"])),
    (
        "rollout history deploy/web",
        "",
        Is("deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         first\n2         second\n\n"),
    ),
    ("rollout history deploy/web --revision=2", "", Has(&["with revision #2", "TARGET:\ttwo"])),
    ("rollout history deploy/web --revision=7", "", Fails("unable to find the specified revision")),
    ("rollout undo deploy/web", "", Is("deployment.apps/web rolled back\n")),
    ("rollout status deploy/web --timeout=60s", "", Has(&["successfully rolled out"])),
    ("get deploy web -o jsonpath={.spec.template.spec.containers[0].env}", "", Is("")),
    ("rollout undo deploy/web --to-revision=2", "", Is("deployment.apps/web rolled back\n")),
    ("rollout status deploy/web --timeout=60s", "", Has(&["successfully rolled out"])),
    ("get deploy web -o jsonpath={.spec.template.spec.containers[0].env[0].value}", "", Is("two")),
    ("rollout pause deploy/web", "", Is("deployment.apps/web paused\n")),
    ("rollout restart deploy/web", "", Fails("can't restart paused deployment")),
    ("rollout resume deploy/web", "", Is("deployment.apps/web resumed\n")),
    ("rollout restart deploy/web", "", Is("deployment.apps/web restarted\n")),
    ("rollout status deploy/web --timeout=60s", "", Has(&["successfully rolled out"])),
    ("get pods -l app=web -o jsonpath={.items[0].spec.containers[0].env[0].value}", "", Is("two")),
    (
        "set resources deploy/web --limits=cpu=500m --dry-run=server -o jsonpath={.spec.template.spec.containers[0].resources.limits.cpu}",
        "",
        Is("500m"),
    ),
    ("diff -f -", WEB, Is("")),
    ("edit cm settings", "", Is("configmap/settings edited\n")),
    ("get cm settings -o jsonpath={.data.color}", "", Is("green")),
    ("diff -f -", WEB, Differs(&["-  color: green\n+  color: blue\n"])),
    ("apply -f -", WEB, Has(&["deployment.apps/web ", "configmap/settings configured\n"])),
    ("apply -f -", WEB, Is("deployment.apps/web unchanged\nconfigmap/settings unchanged\n")),
    (
        "apply -f - --server-side",
        WEB,
        Is("deployment.apps/web serverside-applied\nconfigmap/settings serverside-applied\n"),
    ),
    (
        "apply -f - --server-side --field-manager=other",
        MAUVE,
        Fails("conflict with \"kubectl\": .data.color"),
    ),
    (
        "apply -f - --server-side --field-manager=other --force-conflicts",
        MAUVE,
        Is("configmap/settings serverside-applied\n"),
    ),
    ("apply view-last-applied cm settings", "", Has(&["color: blue\n"])),
    ("replace -f -", MAUVE, Is("configmap/settings replaced\n")),
    (
        "replace --force -f -",
        WEB,
        Has(&[
            "deployment.apps \"web\" deleted",
            "deployment.apps/web replaced\n",
            "configmap/settings replaced\n",
        ]),
    ),
    ("wait deploy/web --for=create --timeout=10s", "", Is("deployment.apps/web condition met\n")),
    ("create cm extra --from-literal=a=b --save-config", "", Is("configmap/extra created\n")),
    ("label cm extra app=web", "", Is("configmap/extra labeled\n")),
    (
        "apply -f - --prune -l app=web --prune-allowlist=core/v1/ConfigMap --prune-allowlist=apps/v1/Deployment",
        WEB,
        Has(&["configmap/extra pruned\n"]),
    ),
    (
        "create -f - -o name",
        "---\n{apiVersion: v1, kind: ConfigMap, metadata: {generateName: made-}}",
        Has(&["configmap/made-"]),
    ),
    (
        "create -f -",
        MAUVE,
        Fails(
            "Error from server (AlreadyExists): error when creating \"STDIN\": configmaps \"settings\" already exists",
        ),
    ),
    ("delete deploy web --cascade=orphan", "", Has(&["deployment.apps \"web\" deleted"])),
    ("get rs -l app=web -o jsonpath={.items[*].spec.replicas}", "", Is("2")),
    ("delete rs,cm -l app=web", "", Has(&["replicaset.apps \"web-", "configmap \"settings\" deleted"])),
    ("wait pod -l app=web --for=delete --timeout=60s", "", Has(&[])),
    ("get all,cm -l app=web -o name", "", Is("")),
    ("delete cm settings", "", Fails("Error from server (NotFound): configmaps \"settings\" not found")),
    ("delete cm settings --ignore-not-found", "", Is("")),
];

fn run(ebb: &Ebb, arguments: &str, input: &str) -> Output {
    let kubectl = std::env::var_os("EBB_KUBECTL").unwrap_or_else(|| "kubectl".into());
    let mut command = ebb.command(Path::new(&kubectl));
    command.args(arguments.split(' ')).env("EDITOR", "sed -i s/blue/green/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that does not read may have ended.
    _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn check(ebb: &Ebb, cases: &[Case]) {
    let mut wrong = Vec::new();
    for (arguments, input, told) in cases {
        let output = run(ebb, arguments, input);
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        let right = match told {
            Is(expect) => output.status.success() && out == *expect,
            Has(parts) => output.status.success() && parts.iter().all(|part| out.contains(part)),
            Differs(parts) => output.status.code() == Some(1) && parts.iter().all(|part| out.contains(part)),
            Fails(expect) => !output.status.success() && error.contains(expect),
        };
        if !right {
            wrong.push(format!("kubectl {arguments}: {}\n{out}{error}", output.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_command_of_kubectl_does_what_it_says() {
    if !need_kubectl("each_command_of_kubectl_does_what_it_says") {
        return;
    }
    let ebb = Ebb::up();
    ebb.apply(WEB);
    check(&ebb, READ);
    check(&ebb, WRITTEN);
}
