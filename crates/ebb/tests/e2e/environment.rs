//! What a container finds: its variables, its user, its files.

use crate::rig::{Ebb, need_kubectl, need_root, steps, until};

const VALUES: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {one: "1", two: "2"}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {token: s3cret}
"#;

const VARIABLES: &[(&str, &str)] = &[
    ("env=PLAIN", "v"),
    ("env=MAP", "1"),
    ("env=SECRET", "s3cret"),
    ("env=OPTIONAL", "error: environment variable not found"),
    ("env=POD", "seen"),
    ("env=NAMESPACE", "default"),
    ("env=UID", "$UID"),
    ("env=IP", "$IP"),
    ("env=NODE", "ebb"),
    ("env=HOST", "127.0.0.1"),
    ("env=ACCOUNT", "default"),
    ("env=TIER", "front"),
    ("env=NOTE", "hi"),
    ("env=CPU", "250"),
    ("env=MEMORY", "32"),
    ("env=JOINED", "v/1/$(NONE)/$(PLAIN)"),
    ("env=P_two", "2"),
    ("env=token", "s3cret"),
    ("env=VERSION", "1"),
    ("env=HOSTNAME", "seen"),
    ("say=$(PLAIN)+$$(PLAIN)+$(NONE)", "v+$(PLAIN)+$(NONE)"),
    ("cwd", "/made/for/it"),
    ("user", "1234 2345 2345,3456,4567"),
    ("cat=/etc/hostname", "seen\\n"),
];

/// The second container: a user of its own, and what else can be seen of the pod.
const OTHERS: &[(&str, &str)] = &[
    ("user", "7 2345 2345,3456,4567"),
    ("cwd", "/"),
    ("write=/file:x", "error: Permission denied (os error 13)"),
    ("cat=/etc/hosts", "$HOSTS"),
];

fn variables() -> String {
    r#"
apiVersion: v1
kind: Pod
metadata: {name: seen, labels: {tier: front}, annotations: {example.com/note: hi}}
spec:
  restartPolicy: Never
  hostAliases: [{ip: 192.0.2.7, hostnames: [alpha, beta]}, {ip: 192.0.2.8, hostnames: [gamma]}]
  securityContext: {runAsUser: 1234, runAsGroup: 2345, fsGroup: 3456, supplementalGroups: [4567]}
  containers:
    - name: main
      image: dev.local/hello:1
      command: [/hello]
      args: VARIABLES
      workingDir: /made/for/it
      resources: {limits: {cpu: 250m, memory: 64Mi}, requests: {memory: 32Mi}}
      envFrom: [{prefix: P_, configMapRef: {name: settings}}, {secretRef: {name: keys}}, {configMapRef: {name: none, optional: true}}]
      env:
        - {name: PLAIN, value: v}
        - {name: MAP, valueFrom: {configMapKeyRef: {name: settings, key: one}}}
        - {name: SECRET, valueFrom: {secretKeyRef: {name: keys, key: token}}}
        - {name: OPTIONAL, valueFrom: {configMapKeyRef: {name: settings, key: none, optional: true}}}
        - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
        - {name: UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
        - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
        - {name: HOST, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
        - {name: ACCOUNT, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
        - {name: TIER, valueFrom: {fieldRef: {fieldPath: "metadata.labels['tier']"}}}
        - {name: NOTE, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['example.com/note']"}}}
        - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
        - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: requests.memory, divisor: 1Mi}}}
        - {name: JOINED, value: "$(PLAIN)/$(MAP)/$(NONE)/$$(PLAIN)"}
    - name: other
      image: dev.local/hello:1
      args: OTHERS
      securityContext: {runAsUser: 7}
"#
    .replace("VARIABLES", &steps(VARIABLES))
    .replace("OTHERS", &steps(OTHERS))
}

#[test]
fn a_container_has_the_variables_the_user_and_the_names_it_was_given() {
    const NAME: &str = "a_container_has_the_variables_the_user_and_the_names_it_was_given";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(VALUES);
    ebb.apply(&variables());
    let pod = ebb.in_phase("seen", "Succeeded");
    let (uid, ip) = (pod["metadata"]["uid"].as_str().unwrap(), pod["status"]["podIP"].as_str().unwrap());
    let hosts = format!(
        "127.0.0.1\\tlocalhost\\n::1\\tlocalhost ip6-localhost ip6-loopback\\n{ip}\\tseen\\n\
         192.0.2.7\\talpha\\tbeta\\n192.0.2.8\\tgamma\\n"
    );
    for (container, checks) in [("main", VARIABLES), ("other", OTHERS)] {
        let known = |(step, expect): &(&'static str, &'static str)| {
            let expect = match *expect {
                "$UID" => uid,
                "$IP" => ip,
                "$HOSTS" => &hosts,
                expect => expect,
            };
            (*step, expect.to_owned())
        };
        let checks: Vec<_> = checks.iter().map(known).collect();
        let checks: Vec<_> = checks.iter().map(|(step, expect)| (*step, expect.as_str())).collect();
        ebb.saw("seen", container, &checks);
    }
    let listed = ebb.kubectl(&["get", "pods", "--field-selector=status.phase=Succeeded", "-o", "name"]);
    assert_eq!(listed.trim(), "pod/seen");
    let others = ebb.kubectl(&["get", "pods", "--field-selector=status.phase!=Succeeded", "-o", "name"]);
    assert_eq!(others, "");
}

const WRITER: &[(&str, &str)] = &[
    ("write=/shared/note:hello", ""),
    ("write=/part/x:part", ""),
    ("write=/memory/note:quick", ""),
    ("write=/shared/done:", ""),
];

const READER: &[(&str, &str)] = &[
    ("wait=/shared/done", ""),
    ("cat=/shared/note", "hello"),
    ("cat=/shared/deep/er/x", "part"),
    ("cat=/memory/note", "quick"),
    ("write=/shared/new:x", "error: Read-only file system (os error 30)"),
    ("list=/whole", "..a ..data one two"),
    ("cat=/whole/one", "1"),
    ("mode=/whole/one", "440 0:0"),
    ("write=/whole/one:x", "error: Read-only file system (os error 30)"),
    ("list=/chosen/sub", "deux"),
    ("cat=/chosen/sub/deux", "2"),
    ("mode=/chosen/sub/deux", "400 0:0"),
    ("cat=/keys/token", "s3cret"),
    ("mode=/keys/token", "400 0:0"),
    ("list=/mixed", "..a ..data a b cpu labels"),
    ("cat=/mixed/a", "1"),
    ("cat=/mixed/b", "s3cret"),
    ("cat=/mixed/cpu", "2"),
    ("cat=/mixed/labels", "tier=\\\"front\\\""),
    ("cat=/down/name", "volumes"),
    ("mode=/down/name", "600 0:0"),
    ("cat=/one", "1"),
    // The node itself reads and writes there, so no container may, whether its mount says so or not.
    ("write=/chosen/new:x", "error: Read-only file system (os error 30)"),
    ("write=/keys/..data/token:x", "error: Read-only file system (os error 30)"),
    ("write=/one:x", "error: Read-only file system (os error 30)"),
    ("list=/absent", "..a ..data"),
];

fn volumes() -> String {
    r#"
apiVersion: v1
kind: Pod
metadata: {name: volumes, labels: {tier: front}}
spec:
  restartPolicy: Never
  volumes:
    - {name: shared, emptyDir: {}}
    - {name: memory, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
    - {name: whole, configMap: {name: settings, defaultMode: 0440}}
    - {name: chosen, configMap: {name: settings, items: [{key: two, path: sub/deux, mode: 0400}]}}
    - {name: keys, secret: {secretName: keys, defaultMode: 0400}}
    - {name: absent, secret: {secretName: none, optional: true}}
    - name: mixed
      projected:
        sources:
          - configMap: {name: settings, items: [{key: one, path: a}]}
          - secret: {name: keys, items: [{key: token, path: b}]}
          - downwardAPI:
              items:
                - {path: labels, fieldRef: {fieldPath: metadata.labels}}
                - {path: cpu, resourceFieldRef: {containerName: reader, resource: limits.cpu}}
    - {name: down, downwardAPI: {defaultMode: 0600, items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}
  containers:
    - name: writer
      image: dev.local/hello:1
      args: WRITER
      volumeMounts:
        - {name: shared, mountPath: /shared}
        - {name: shared, mountPath: /part, subPath: deep/er}
        - {name: memory, mountPath: /memory}
    - name: reader
      image: dev.local/hello:1
      args: READER
      resources: {limits: {cpu: 1500m}}
      volumeMounts:
        - {name: shared, mountPath: /shared, readOnly: true}
        - {name: memory, mountPath: /memory}
        - {name: whole, mountPath: /whole, readOnly: true}
        - {name: chosen, mountPath: /chosen}
        - {name: keys, mountPath: /keys}
        - {name: mixed, mountPath: /mixed}
        - {name: down, mountPath: /down}
        - {name: whole, mountPath: /one, subPath: one}
        - {name: absent, mountPath: /absent}
"#
    .replace("WRITER", &steps(WRITER))
    .replace("READER", &steps(READER))
}

#[test]
fn volumes_have_the_files_and_modes_they_were_given() {
    const NAME: &str = "volumes_have_the_files_and_modes_they_were_given";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(VALUES);
    ebb.apply(&volumes());
    ebb.in_phase("volumes", "Succeeded");
    ebb.saw("volumes", "writer", WRITER);
    ebb.saw("volumes", "reader", READER);
}

/// Before and after a ConfigMap has changed, and after a Secret has.
const FOLLOWER: &[(&str, &str)] = &[
    ("cat=/map/one", "1"),
    ("cat=/map/two", "2"),
    ("wait=/map/three", ""),
    ("cat=/map/one", "first"),
    ("cat=/mixed/sub/a", "first"),
    ("cat=/keys/token", "s3cret"),
    ("wait=/keys/more", ""),
    ("cat=/keys/token", "changed"),
    ("cat=/mixed/b", "changed"),
    ("mode=/keys/token", "400 0:0"),
    ("cat=/part", "1"),
    ("list=/map", "..b ..data one three"),
];

fn follower() -> String {
    r#"
apiVersion: v1
kind: Pod
metadata: {name: follower}
spec:
  restartPolicy: Never
  volumes:
    - name: mixed
      projected:
        sources:
          - configMap: {name: settings, items: [{key: one, path: sub/a}]}
          - secret: {name: keys, items: [{key: token, path: b}]}
    - {name: map, configMap: {name: settings}}
    - {name: keys, secret: {secretName: keys, defaultMode: 0400}}
  containers:
    - name: main
      image: dev.local/hello:1
      args: STEPS
      volumeMounts:
        - {name: map, mountPath: /map}
        - {name: keys, mountPath: /keys}
        - {name: mixed, mountPath: /mixed}
        - {name: map, mountPath: /part, subPath: one}
"#
    .replace("STEPS", &steps(FOLLOWER))
}

#[test]
fn files_of_values_follow_their_objects() {
    const NAME: &str = "files_of_values_follow_their_objects";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let mut ebb = Ebb::with_runtime("container");
    ebb.apply(VALUES);
    ebb.apply(&follower());
    ebb.in_phase("follower", "Running");
    until(|| ebb.log("follower", "main").contains("cat=/map/two").then_some(())).unwrap();
    let map = r#"{"data": {"one": "first", "two": null, "three": "3"}}"#;
    ebb.kubectl(&["patch", "configmap", "settings", "--type=merge", "-p", map]);
    until(|| ebb.log("follower", "main").contains("cat=/keys/token").then_some(())).unwrap();
    // A daemon that goes on with the pod goes on with this.
    ebb.kill();
    ebb.restart();
    let secret = r#"{"stringData": {"token": "changed", "more": ""}}"#;
    ebb.kubectl(&["patch", "secret", "keys", "--type=merge", "-p", secret]);
    ebb.in_phase("follower", "Succeeded");
    ebb.saw("follower", "main", FOLLOWER);
}
