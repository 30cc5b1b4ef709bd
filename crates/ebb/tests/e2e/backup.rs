//! `ebb backup` and `ebb restore`: an Ebb that goes on elsewhere.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::rig::{Ebb, condition, need_kubectl, service, until};

#[test]
fn a_platform_goes_on_from_its_backup() {
    if !need_kubectl("a_platform_goes_on_from_its_backup") {
        return;
    }
    let mut first = Ebb::up();
    first.load("dev.local/hello:1");
    first.apply(&service("hello"));
    let url = first.ready("hello");
    assert_eq!(first.call(&url).status, 200);
    let uid = first.object("ksvc", "hello").unwrap()["metadata"]["uid"].clone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ebb.backup");
    let path = file.to_str().unwrap();
    let said = first.ebb_says(&["backup", path]);
    assert!(
        said.contains(path) && said.contains("secrets.key") && said.contains("Images are not in it"),
        "{said}"
    );
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let with_key = folder.path().join("with-key");
    let with_key = with_key.to_str().unwrap();
    for _ in 0..2 {
        first.ebb_says(&["backup", "--with-key", with_key]);
    }
    let refused = first.ebb_fails(&["backup", with_key]);
    assert!(refused.contains("a backup with the key") && refused.contains("--with-key"), "{refused}");
    let streamed = first.ebb_says(&["backup", "-"]);
    assert!(streamed.lines().last().unwrap().starts_with("{\"end\":"), "{streamed}");

    let taken = first.ebb_fails(&["restore", path, "--data-dir", first.dir().to_str().unwrap()]);
    assert!(taken.contains("another `ebb up`"), "{taken}");
    assert!(first.stop());
    let there = first.ebb_fails(&["restore", path, "--data-dir", first.dir().to_str().unwrap()]);
    assert!(there.contains("there is a state already"), "{there}");

    let mut second = Ebb::up();
    assert!(second.stop());
    for part in fs::read_dir(second.dir()).unwrap() {
        let part = part.unwrap().path();
        if part.is_dir() { fs::remove_dir_all(part).unwrap() } else { fs::remove_file(part).unwrap() }
    }
    let without = second.ebb_fails(&["restore", path, "--data-dir", second.dir().to_str().unwrap()]);
    assert!(without.contains("--secrets-key"), "{without}");
    let key = first.dir().join("api/secrets.key");
    let to = ["restore", path, "--data-dir", second.dir().to_str().unwrap()];
    let said = second.ebb_says(&[&to[..], &["--secrets-key", key.to_str().unwrap()]].concat());
    assert!(said.contains("Restored ") && said.contains("ebb up --data-dir"), "{said}");
    second.restart();
    let told = || {
        // What comes after it is which build it is.
        let missing = "  dev.local/hello:1 (revision default/hello-00001 at ";
        second.said().lines().any(|line| line.starts_with(missing)).then_some(())
    };
    assert!(until(told).is_some(), "what came from an archive is named: {}", second.said());
    second.load("dev.local/hello:1");
    let url = second.ready("hello");
    assert_eq!(second.call(&url).status, 200);
    let service = second.object("ksvc", "hello").unwrap();
    assert_eq!(service["metadata"]["uid"], uid);
    assert_eq!(condition(&service, "Ready").unwrap()["status"], "True");
    assert_eq!(second.objects("revision", "").len(), 1, "nothing was made anew");
}
