//! Secrets in the data directory of a platform that uses them: nowhere to be read.

use std::{fs, path::Path};

use crate::rig::{Ebb, need_kubectl, need_root};

/// What must not be found; in the ConfigMap is what would be.
const SECRET: &str = "correct-horse-battery-staple";
const MANIFEST: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {token: correct-horse-battery-staple}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {open: anybody-may-read-this-configuration}
---
apiVersion: v1
kind: Pod
metadata: {name: user}
spec:
  volumes: [{name: keys, secret: {secretName: keys}}]
  containers:
    - name: main
      image: dev.local/hello:1
      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}]
      volumeMounts: [{name: keys, mountPath: /keys}]
"#;

/// How many files below a directory have this text.
fn with(dir: &Path, text: &str) -> usize {
    let parts = fs::read_dir(dir).unwrap().flatten();
    parts
        .map(|part| match part.file_type().unwrap() {
            kind if kind.is_dir() => with(&part.path(), text),
            kind if kind.is_file() => {
                let bytes = fs::read(part.path()).unwrap_or_default();
                usize::from(bytes.windows(text.len()).any(|window| window == text.as_bytes()))
            }
            _ => 0,
        })
        .sum()
}

#[test]
fn no_secret_is_readable_in_the_data_directory_of_who_uses_it() {
    let name = "no_secret_is_readable_in_the_data_directory_of_who_uses_it";
    if !need_kubectl(name) || !need_root(name) {
        return;
    }
    let mut ebb = Ebb::with_runtime("container");
    ebb.apply(MANIFEST);
    ebb.in_phase("user", "Running");
    for when in ["while it runs", "when it has stopped"] {
        // As it is, and as Secrets have it, but for the last digits.
        for form in [SECRET, "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBs"] {
            assert_eq!(with(ebb.dir(), form), 0, "{form} {when}");
        }
        assert!(with(ebb.dir(), "anybody-may-read-this-configuration") > 0, "the search finds what is there");
        if when == "while it runs" {
            assert!(ebb.stop(), "it ends well");
        }
    }
}
