//! A real kube-apiserver over etcd, where the scripts that start one are beside the project.

use std::{
    env, fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use resources::{Kind, kinds};
use serde_json::{Value, json};

/// The ports that it listens on.
const PORTS: [u16; 3] = [6443, 2379, 2380];

pub(crate) struct Kubernetes {
    scripts: PathBuf,
    folder: PathBuf,
}

impl Kubernetes {
    /// Starts one that is empty; the reason, where that cannot be.
    pub(crate) fn start() -> Result<Self, String> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/kubernetes");
        if !scripts.join("up").is_file() {
            return Err("no scripts that start a Kubernetes beside the project".into());
        }
        if let Some(reason) = hindrance() {
            assert!(
                env::var_os("CI").is_none_or(|ci| ci != "true"),
                "with CI=true this must not be: {reason}"
            );
            return Err(reason);
        }
        let folder = cache().join("kubernetes");
        // Its state; what was built stays.
        _ = fs::remove_dir_all(folder.join("etcd"));
        let kubernetes = Self { scripts, folder };
        kubernetes.script("up", &["control-plane"]);
        Ok(kubernetes)
    }

    pub(crate) fn kubeconfig(&self) -> String {
        fs::read_to_string(self.folder.join("admin.conf")).unwrap()
    }

    /// Has every kind of Knative's served, without schemas.
    pub(crate) fn install_crds(&self) {
        let kinds = kinds::all().iter().filter(|kind| kind.group.ends_with("knative.dev"));
        let list = json!({"apiVersion": "v1", "kind": "List", "items": kinds.map(|kind| crd(kind)).collect::<Vec<_>>()});
        let mut kubectl = Command::new(self.folder.join("bin/kubectl"))
            .args(["create", "--kubeconfig"])
            .arg(self.folder.join("admin.conf"))
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        kubectl.stdin.take().unwrap().write_all(list.to_string().as_bytes()).unwrap();
        assert!(kubectl.wait().unwrap().success());
    }

    fn script(&self, name: &str, arguments: &[&str]) {
        let output = Command::new("bash")
            .arg(self.scripts.join(name))
            .arg(&self.folder)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Kubernetes {
    fn drop(&mut self) {
        self.script("down", &[]);
    }
}

/// What keeps one from being started here.
fn hindrance() -> Option<String> {
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let missing = ["go", "etcd", "openssl"]
        .into_iter()
        .find(|tool| !folders.iter().any(|folder| folder.join(tool).is_file()));
    if let Some(tool) = missing {
        return Some(format!("{tool} is not installed"));
    }
    let taken = PORTS.into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_err());
    taken.map(|port| format!("port {port} is taken"))
}

/// Where things that outlive a clone are kept.
fn cache() -> PathBuf {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("EBB_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("ebb")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/ebb")))
        .expect("EBB_CACHE or HOME is set")
}

fn crd(kind: &Kind) -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let subresources = if kind.subresources.status { json!({"status": {}}) } else { json!({}) };
    let names = json!({"kind": kind.kind, "plural": kind.plural, "singular": kind.singular});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.resource()},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
            "versions": [{
                "name": kind.version, "served": true, "storage": true, "schema": schema, "subresources": subresources,
            }],
        },
    })
}
