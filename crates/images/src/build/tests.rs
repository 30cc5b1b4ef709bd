use std::fs;

use super::{FileSystem, ImageBuilder};
use crate::{ImageConfig, Layers, Port, Store, StoreConfig, load};

fn sample() -> ImageBuilder {
    let files = FileSystem::new()
        .file("/bin/hello", 0o755, "#!/bin/true")
        .and_then(|files| files.directory("/tmp", 0o1777))
        .and_then(|files| files.symlink("/hello", "bin/hello"))
        .and_then(|files| files.file("/data/mine", 0o600, "x"))
        .and_then(|files| files.owned("/data/mine", 65532, 65532));
    ImageBuilder {
        files: files.unwrap(),
        config: ImageConfig {
            entrypoint: vec!["/bin/hello".into()],
            cmd: vec!["-v".into()],
            env: vec![("PATH".into(), "/bin".into()), ("EMPTY".into(), String::new())],
            working_dir: "/data".into(),
            user: "65532:65532".into(),
            exposed_ports: vec![Port { number: 8080, protocol: "tcp".into() }],
            stop_signal: Some("SIGINT".into()),
            labels: [("a".to_owned(), "b".to_owned())].into(),
        },
    }
}

#[test]
fn equal_input_is_an_equal_image_by_every_way() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig { layers: Layers::Flat, ..StoreConfig::new(dir.path()) };
    let store = Store::open(config).unwrap();
    let reference = "dev.local/hello:v1".parse().unwrap();
    let image = sample().store(&store, &reference).unwrap();
    assert_eq!(image.config, sample().config);
    // The build's own stability is a promise: a change here gives every built image a new digest.
    assert_eq!(sample().store(&store, &reference).unwrap().digest, image.digest);

    let mut archive = Vec::new();
    assert_eq!(sample().write_archive(&reference, &mut archive).unwrap(), image.digest);
    assert_eq!(load(&store, archive.as_slice(), None).unwrap(), [(reference, image.digest.clone())]);

    let root = dir.path().join("root");
    store.flatten(&image, &root).unwrap();
    assert_eq!(fs::read_to_string(root.join("hello")).unwrap(), "#!/bin/true");
    assert_eq!(fs::read_to_string(root.join("data/mine")).unwrap(), "x");
}

#[test]
fn impossible_trees_are_refused() {
    let file = || FileSystem::new().file("/a", 0o644, "x").unwrap();
    let cases = [
        (file().file("/a/b", 0o644, "x"), "is below something that is not a directory"),
        (file().file("../b", 0o644, "x"), "has `..` in it"),
        (file().directory("/", 0o755), "is the root itself"),
        (file().owned("/b", 1, 1), "was not added"),
    ];
    for (result, expect) in cases {
        let error = result.expect_err(expect).to_string();
        assert!(error.contains(expect), "{error}");
    }
}
