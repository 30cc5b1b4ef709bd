use super::*;

const TABLE: &str = "# Architecture\n\n| crate | what it is | may use |\n|---|---|:--|\n\
    | `crates/controllers` | reconcilers | resources, autoscaler, objects |\n\
    | `crates/objects` | the client | resources, kube |\n| `crates/node` | the kubelet | images |\n\
    | `crates/cli` | commands | resources, kube |\n| `crates/storage` | a journal | – |\n\
    | `crates/resources` | types | – |\n| `crates/ebb` | all of it | all |\n\
    | `samples/hello` | a program of a user | – |\n\nText.\n\n| `crates/stranger` | of no table | all |\n";

fn check_one(folder: &str, name: &str, dependency: &str, ours: bool, dev: bool) -> usize {
    let dependency = Dependency { name: dependency.into(), ours, dev };
    let package = Package {
        id: name.into(),
        name: name.into(),
        version: "0.1.0".into(),
        folder: folder.into(),
        has_doctests: false,
        dependencies: vec![dependency],
    };
    check(&[package], &Tree::of(&[(DOCUMENT, TABLE)])).len()
}

#[test]
fn edges_are_those_of_the_table() {
    let check = |name: &str, dependency: &str, dev: bool, expect: usize| {
        let found = check_one(&format!("crates/{name}"), name, dependency, true, dev);
        assert_eq!(found, expect, "{name} → {dependency}");
    };
    check("controllers", "objects", false, 0);
    check("controllers", "apiserver", false, 1);
    check("controllers", "apiserver", true, 0);
    check("objects", "apiserver", false, 1);
    check("objects", "apiserver", true, 0);
    check("node", "images", false, 0);
    check("cli", "images", false, 1);
    check("storage", "resources", true, 1);
    check("ebb", "node", false, 0);
    check("stranger", "node", false, 1);
}

#[test]
fn some_dependencies_stay_where_they_belong() {
    let check = |name: &str, dependency: &str, dev: bool, expect: usize| {
        let found = check_one(&format!("crates/{name}"), name, dependency, false, dev);
        assert_eq!(found, expect, "{name} → {dependency}");
    };
    check("objects", "kube", false, 0);
    check("controllers", "kube", true, 1);
    check("ebb", "kube", false, 1);
    check("ebb", "kube", true, 0);
    check("resources", "tokio", false, 1);
    check("resources", "tokio", true, 0);
    check("resources", "serde", false, 0);
}

#[test]
fn samples_are_free_of_us() {
    assert_eq!(check_one("samples/hello", "hello", "hyper", false, false), 0);
    assert_eq!(check_one("samples/hello", "hello", "resources", true, false), 1);
}
