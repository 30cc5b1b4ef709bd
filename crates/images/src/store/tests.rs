use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{Layers, Store, StoreConfig};
use crate::skipped::without_root;
use crate::{Error, FileSystem, Image, ImageBuilder, ImageConfig, Reference};

fn open(dir: &Path, layers: Layers) -> Store {
    Store::open(StoreConfig { layers, ..StoreConfig::new(dir) }).unwrap()
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn put(store: &Store, name: &str, content: &str) -> Arc<Image> {
    let files = FileSystem::new().file("/content", 0o644, content).unwrap();
    ImageBuilder { files, config: ImageConfig::default() }.store(store, &reference(name)).unwrap()
}

fn names(store: &Store) -> Vec<String> {
    store.list().iter().map(|line| line.reference.to_string()).collect()
}

fn files(dir: &Path) -> usize {
    ["blobs/sha256", "layers", "tmp"].iter().map(|sub| fs::read_dir(dir.join(sub)).unwrap().count()).sum()
}

#[test]
fn images_are_found_by_tag_and_by_digest_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Layers::Flat);
    let image = put(&store, "gcr.io/p/app:v1", "one");
    let by_digest = reference("gcr.io/p/app").at(image.digest.clone());
    drop(store);
    let store = open(dir.path(), Layers::Flat);
    for (name, found) in [
        ("gcr.io/p/app:v1", true),
        (by_digest.to_string().as_str(), true),
        ("gcr.io/p/app", false),
        ("gcr.io/p/other:v1", false),
    ] {
        assert_eq!(store.get(&reference(name)).is_some(), found, "{name}");
    }
    let line = &store.list()[0];
    assert_eq!((line.reference.to_string().as_str(), &line.digest), ("gcr.io/p/app:v1", &image.digest));
    assert_eq!(line.size, image.size);
}

#[test]
fn a_tag_that_moves_leaves_its_content_by_digest() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Layers::Flat);
    let one = put(&store, "a:v1", "one");
    let two = put(&store, "a:v1", "two");
    let old = format!("docker.io/library/a@{}", one.digest);
    assert_eq!(store.get(&reference("a:v1")).unwrap().digest, two.digest);
    assert!(names(&store).contains(&old), "{:?}", names(&store));
    // Back again: the old content has its name, and the other is the nameless one.
    put(&store, "a:v1", "one");
    assert!(names(&store).contains(&format!("docker.io/library/a@{}", two.digest)));
    assert!(!names(&store).contains(&old));
    store.remove(&reference(&format!("a@{}", two.digest))).unwrap();
    assert_eq!(names(&store), ["docker.io/library/a:v1"]);
}

#[test]
fn removed_content_goes_when_nothing_uses_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Layers::Flat);
    put(&store, "a:v1", "same");
    put(&store, "b:v1", "same");
    put(&store, "c:v1", "other");
    assert_eq!(files(dir.path()), 6, "manifest, config and layer of two images");
    store.remove(&reference("a:v1")).unwrap();
    assert_eq!(files(dir.path()), 6, "b still has it");
    let lease = store.lease(&reference("b:v1")).unwrap();
    store.remove(&reference("b:v1")).unwrap();
    assert_eq!(files(dir.path()), 6, "the lease holds it");
    assert!(store.get(&reference("b:v1")).is_none());
    store.flatten(&lease, &dir.path().join("root")).unwrap();
    drop(lease);
    store.collect().unwrap();
    assert_eq!(files(dir.path()), 3);
    let error = store.remove(&reference("b:v1")).unwrap_err();
    assert_eq!(error.to_string(), "image docker.io/library/b:v1 is not in the store");
}

#[test]
fn layers_are_unpacked_once_and_again_when_missing() {
    if without_root("layers_are_unpacked_once_and_again_when_missing") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let flat = open(dir.path(), Layers::Flat);
    assert!(put(&flat, "a:v1", "one").layers.is_empty());
    drop(flat);
    let store = open(dir.path(), Layers::Overlay);
    let image = store.get(&reference("a:v1")).unwrap();
    let [layer] = image.layers.as_slice() else { panic!("{:?}", image.layers) };
    assert_eq!(fs::read_to_string(layer.join("content")).unwrap(), "one");
    assert_eq!(put(&store, "b:v1", "one").layers, image.layers);
}

#[test]
fn a_crash_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    put(&open(dir.path(), Layers::Flat), "a:v1", "one");
    let whole = files(dir.path());
    for junk in ["tmp/ingest-x", "layers/half", "blobs/sha256/unlisted"] {
        fs::write(dir.path().join(junk), "junk").unwrap();
    }
    let store = open(dir.path(), Layers::Flat);
    store.collect().unwrap();
    assert_eq!((files(dir.path()), names(&store).len()), (whole, 1));
}

#[test]
fn what_was_in_use_when_the_last_process_ended_is_there_for_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Layers::Flat);
    let image = put(&store, "a:v1", "one");
    let lease = store.lease(&reference("a:v1")).unwrap();
    store.remove(&reference("a:v1")).unwrap();
    assert!(store.is_leased(&image.digest));
    // As a crash.
    std::mem::forget((lease, store));
    fs::remove_file(dir.path().join("lock")).unwrap();

    let store = open(dir.path(), Layers::Flat);
    assert!(names(&store).is_empty());
    let lease = store.lease_content(&image.digest).unwrap();
    store.collect().unwrap();
    store.flatten(&lease, &dir.path().join("root")).unwrap();
    drop(lease);
    store.collect().unwrap();
    assert!(!store.is_leased(&image.digest));
    assert_eq!(files(dir.path()), 0);
    let gone = store.lease_content(&image.digest).unwrap_err().to_string();
    assert!(gone.contains(&image.digest.to_string()), "{gone}");
}

#[test]
fn a_damaged_image_is_left_out_and_the_rest_serves() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Layers::Flat);
    let damaged = put(&store, "a:v1", "one");
    put(&store, "b:v1", "two");
    drop(store);
    fs::write(dir.path().join("blobs/sha256").join(damaged.digest.hex()), "{}").unwrap();
    assert_eq!(names(&open(dir.path(), Layers::Flat)), ["docker.io/library/b:v1"]);
}

#[test]
fn stores_that_cannot_be_used_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Layers::Flat);
    let second = Store::open(StoreConfig::new(dir.path())).err().unwrap();
    assert!(matches!(second, Error::StoreInUse(_)), "{second}");
    drop(store);
    fs::write(dir.path().join("refs.json"), r#"{"formatVersion": 9, "images": []}"#).unwrap();
    let newer = Store::open(StoreConfig::new(dir.path())).err().unwrap();
    assert!(newer.to_string().ends_with("has format version 9, this program knows 1"), "{newer}");
}

#[tokio::test]
async fn who_waits_for_an_image_is_woken() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Layers::Flat);
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.wait_for(&reference("a:v1")).await.digest.clone() }
    });
    let mut changes = store.changes();
    put(&store, "b:v1", "other");
    changes.changed().await.unwrap();
    assert!(!waiting.is_finished());
    let image = put(&store, "a:v1", "one");
    assert_eq!(waiting.await.unwrap(), image.digest);
}
