use std::io::Write;

use serde_json::json;

use super::{load, load_async};
use crate::{Digest, FileSystem, ImageBuilder, ImageConfig, Layers, Limits, Reference, Store, StoreConfig};

struct Fixture {
    store: Store,
    dir: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    Fixture { store: Store::open(StoreConfig::new(dir.path())).unwrap(), dir }
}

fn tar(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        crate::build::append(&mut tar, name, content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn built() -> Vec<u8> {
    let files = FileSystem::new().file("/a", 0o644, "x").unwrap();
    let mut archive = Vec::new();
    let builder = ImageBuilder { files, config: ImageConfig::default() };
    builder.write_archive(&"gcr.io/p/app:v1".parse().unwrap(), &mut archive).unwrap();
    archive
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// The parts of a one-layer image, as documents and their digests.
struct Image {
    layer: Vec<u8>,
    config: Vec<u8>,
    manifest: Vec<u8>,
}

fn image(architecture: &str, compress: fn(&[u8]) -> Vec<u8>) -> Image {
    let plain = tar(&[("file", b"content".to_vec())]);
    let layer = compress(&plain);
    let config = json!({
        "architecture": architecture, "os": "linux",
        "config": {"Env": null, "Entrypoint": null, "ExposedPorts": {"80/tcp": {}, "odd": {}}, "Volumes": null},
        "rootfs": {"type": "layers", "diff_ids": [Digest::of(&plain)]},
        "history": [{"created": "1970-01-01T00:00:00Z"}],
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "config": {"mediaType": "x", "digest": Digest::of(&config), "size": config.len()},
        "layers": [{"mediaType": "y", "digest": Digest::of(&layer), "size": layer.len()}],
    });
    Image { layer, config, manifest: manifest.to_string().into_bytes() }
}

fn blob(content: &[u8]) -> (String, Vec<u8>) {
    (format!("blobs/sha256/{}", Digest::of(content).hex()), content.to_vec())
}

fn layout(index: serde_json::Value, blobs: &[&[u8]]) -> Vec<u8> {
    let blobs: Vec<_> = blobs.iter().map(|content| blob(content)).collect();
    let mut entries: Vec<(&str, Vec<u8>)> =
        blobs.iter().map(|(name, content)| (name.as_str(), content.clone())).collect();
    entries.push(("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    entries.push(("index.json", index.to_string().into_bytes()));
    tar(&entries)
}

fn entry(document: &[u8], annotations: serde_json::Value) -> serde_json::Value {
    json!({"digest": Digest::of(document), "size": document.len(), "annotations": annotations})
}

fn loaded(archive: &[u8], name: Option<&str>) -> Result<Vec<String>, String> {
    let fixture = fixture();
    let name = name.map(|name| name.parse::<Reference>().unwrap());
    let loaded = load(&fixture.store, archive, name.as_ref()).map_err(|e| e.to_string());
    let listed: Vec<String> = fixture.store.list().iter().map(|line| line.reference.to_string()).collect();
    if let Ok(loaded) = &loaded {
        let mut loaded: Vec<String> = loaded.iter().map(|(reference, _)| reference.to_string()).collect();
        loaded.sort();
        assert_eq!(loaded, listed);
    } else {
        assert!(listed.is_empty(), "a failed load changed the store: {listed:?}");
        for sub in ["tmp", "layers", "blobs/sha256"] {
            let left = std::fs::read_dir(fixture.dir.path().join(sub)).unwrap().count();
            assert_eq!(left, 0, "a failed load left files in {sub}");
        }
    }
    loaded.map(|_| listed)
}

#[test]
fn archives_of_every_kind_load() {
    let plain = image("amd64", <[u8]>::to_vec);
    let zipped = image("amd64", gzip);
    let zstd = image("", |bytes| zstd::encode_all(bytes, 0).unwrap());
    let named = json!({"org.opencontainers.image.ref.name": "dev.local/app:v1"});
    let docker25 = json!({"io.containerd.image.name": "docker.io/library/app:v2", "org.opencontainers.image.ref.name": "v2"});
    let of = |image: &Image, annotations| {
        let index = json!({"schemaVersion": 2, "manifests": [entry(&image.manifest, annotations)]});
        layout(index, &[&image.layer, &image.config, &image.manifest])
    };
    let other_platform = image("s390x", <[u8]>::to_vec);
    let inner = json!({"schemaVersion": 2, "manifests": [
        {"digest": Digest::of(&other_platform.manifest), "size": 1, "platform": {"os": "linux", "architecture": "s390x"}},
        {"digest": Digest::of(&plain.manifest), "size": plain.manifest.len(),
         "platform": {"os": "linux", "architecture": crate::manifest::Platform::host().architecture}},
    ]});
    let inner = inner.to_string().into_bytes();
    let several_platforms = layout(
        json!({"schemaVersion": 2, "manifests": [entry(&inner, named.clone())]}),
        &[&plain.layer, &plain.config, &plain.manifest, &inner],
    );
    let config_name = format!("{}.json", Digest::of(&plain.config).hex());
    let saved = json!([{"Config": config_name, "RepoTags": ["app:v3", "app:v4"], "Layers": ["0/layer.tar"]}]);
    let docker_save = tar(&[
        ("manifest.json", saved.to_string().into_bytes()),
        (&config_name, plain.config.clone()),
        ("0/layer.tar", plain.layer.clone()),
        ("0/VERSION", b"1.0".to_vec()),
    ]);
    let both =
        json!([{"Config": blob(&plain.config).0, "RepoTags": ["app:v5"], "Layers": [blob(&plain.layer).0]}]);
    let (config, layer, manifest) = (blob(&plain.config), blob(&plain.layer), blob(&plain.manifest));
    let nameless = json!({"schemaVersion": 2, "manifests": [entry(&plain.manifest, json!({}))]});
    let docker_save_with_layout = tar(&[
        ("index.json", nameless.to_string().into_bytes()),
        ("manifest.json", both.to_string().into_bytes()),
        (&config.0, config.1),
        (&layer.0, layer.1),
        (&manifest.0, manifest.1),
    ]);
    let two = layout(
        json!({"schemaVersion": 2, "manifests": [
            entry(&plain.manifest, named.clone()), entry(&zipped.manifest, docker25.clone())]}),
        &[&plain.layer, &plain.config, &plain.manifest, &zipped.layer, &zipped.config, &zipped.manifest],
    );
    type Case<'a> = (&'a str, Vec<u8>, Option<&'a str>, &'a [&'a str]);
    let cases: [Case<'_>; 11] = [
        ("own", built(), None, &["gcr.io/p/app:v1"]),
        ("own, renamed", built(), Some("other:v9"), &["docker.io/library/other:v9"]),
        ("whole archive gzip", gzip(&built()), None, &["gcr.io/p/app:v1"]),
        ("whole archive zstd", zstd::encode_all(&built()[..], 0).unwrap(), None, &["gcr.io/p/app:v1"]),
        ("plain layer, ref.name", of(&plain, named), None, &["dev.local/app:v1"]),
        ("gzip layer, containerd's name", of(&zipped, docker25), None, &["docker.io/library/app:v2"]),
        ("zstd layer, no platform, no name", of(&zstd, json!({})), Some("z:1"), &["docker.io/library/z:1"]),
        ("index of platforms", several_platforms, None, &["dev.local/app:v1"]),
        ("docker save", docker_save, None, &["docker.io/library/app:v3", "docker.io/library/app:v4"]),
        ("docker save with layout", docker_save_with_layout, None, &["docker.io/library/app:v5"]),
        ("two images", two, None, &["dev.local/app:v1", "docker.io/library/app:v2"]),
    ];
    if crate::manifest::Platform::host().architecture != "amd64" {
        crate::skipped::skipped("archives_of_every_kind_load", "its images are for amd64");
        return;
    }
    for (what, archive, name, expect) in cases {
        assert_eq!(loaded(&archive, name).unwrap_or_else(|e| panic!("{what}: {e}")), expect, "{what}");
    }
}

#[test]
fn malformed_archives_name_the_entry_and_change_nothing() {
    let good = image("", <[u8]>::to_vec);
    let name = json!({"org.opencontainers.image.ref.name": "dev.local/app:v1"});
    let index = json!({"schemaVersion": 2, "manifests": [entry(&good.manifest, name.clone())]});
    let foreign = image("s390x", <[u8]>::to_vec);
    let of_foreign = json!({"schemaVersion": 2, "manifests": [entry(&foreign.manifest, name)]});
    let tag_only = json!({"org.opencontainers.image.ref.name": "v1"});
    let tag_only = json!({"schemaVersion": 2, "manifests": [entry(&good.manifest, tag_only)]});
    let twice = json!({"schemaVersion": 2, "manifests": [
        entry(&good.manifest, json!({})), entry(&good.config, json!({}))]});
    let whole: [&[u8]; 3] = [&good.layer, &good.config, &good.manifest];
    let forged = blob(&good.layer).0;
    // The first layer is good and unpacked; the second is not what its diff_id says.
    let half = json!({"rootfs": {"type": "layers", "diff_ids": [Digest::of(&good.layer), Digest::of(b"x")]}});
    let half = half.to_string().into_bytes();
    let layer = json!({"mediaType": "y", "digest": Digest::of(&good.layer), "size": good.layer.len()});
    let half_manifest = json!({"schemaVersion": 2, "layers": [layer, layer],
        "config": {"mediaType": "x", "digest": Digest::of(&half), "size": half.len()}});
    let half_manifest = half_manifest.to_string().into_bytes();
    let of_half = json!({"schemaVersion": 2, "manifests": [entry(&half_manifest, json!({}))]});
    let cases: [(Vec<u8>, Option<&str>, &str); 16] = [
        (Vec::new(), None, "index.json: missing, and so is manifest.json"),
        (
            b"no tar".repeat(200),
            None,
            "image archive: start: not a readable tar: no tar header where one must be",
        ),
        (gzip(b"no tar"), None, "not a readable tar"),
        (built()[..2000].to_vec(), None, "image archive: "),
        (tar(&[("index.json", b"{".to_vec())]), None, "index.json: image content: manifest sha256:"),
        (tar(&[("index.json", b"{\"schemaVersion\":1,\"manifests\":[]}".to_vec())]), None, "schemaVersion 1"),
        (tar(&[("index.json", b"{\"schemaVersion\":2,\"manifests\":[]}".to_vec())]), None, "no images"),
        (layout(index.clone(), &whole[..2]), None, "named by index.json, but missing"),
        (layout(index.clone(), &[&good.config, &good.manifest]), None, ": missing"),
        (
            layout(of_foreign, &[&foreign.layer, &foreign.config, &foreign.manifest]),
            None,
            "image is for linux/s390x",
        ),
        (layout(tag_only, &whole), None, "has no name: give one with --name"),
        (
            layout(twice, &whole),
            Some("a"),
            "2 images, so docker.io/library/a:latest could be the name of any",
        ),
        (
            layout(of_half, &[&good.layer, &half, &half_manifest]),
            Some("a"),
            "the content's digest is sha256:",
        ),
        (tar(&[(&forged, b"forged".to_vec())]), None, "its content has digest sha256:"),
        (tar(&[("manifest.json", b"{}".to_vec())]), None, "image archive: manifest.json: "),
        (
            tar(&[("manifest.json", br#"[{"Config":"c","RepoTags":null,"Layers":[]}]"#.to_vec())]),
            None,
            "image archive: c: named by the archive, but missing",
        ),
    ];
    for (archive, name, expect) in cases {
        let error = loaded(&archive, name).expect_err(expect);
        assert!(error.contains(expect), "{error:?} lacks {expect:?}");
    }
}

#[test]
fn archives_past_a_limit_are_refused_by_its_name() {
    let cases = [
        (Limits { archive_bytes_max: 1000, ..Limits::default() }, "archive_bytes_max = 1000"),
        (Limits { archive_entries_max: 2, ..Limits::default() }, "archive_entries_max = 2"),
        (Limits { document_bytes_max: 10, ..Limits::default() }, "document_bytes_max = 10"),
        (Limits { layers_max: 0, ..Limits::default() }, "layers_max = 0"),
    ];
    for (limits, expect) in cases {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig { layers: Layers::Flat, limits, ..StoreConfig::new(dir.path()) };
        let store = Store::open(config).unwrap();
        let error = load(&store, built().as_slice(), None).expect_err(expect).to_string();
        assert!(error.contains(expect), "{error}");
    }
}

#[tokio::test]
async fn archives_stream_from_asynchronous_readers() {
    let fixture = fixture();
    let archive = std::io::Cursor::new(built());
    let loaded = load_async(&fixture.store, archive, None).await.unwrap();
    assert_eq!(loaded[0].0.to_string(), "gcr.io/p/app:v1");
}
