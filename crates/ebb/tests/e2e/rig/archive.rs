//! The sample app as an image archive.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

use images::{FileSystem, ImageBuilder, ImageConfig};
use serde_json::{Value, json};

const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hello"));

/// Writes an OCI archive of the sample under this name.
pub(crate) fn hello(path: &Path, name: &str) {
    hello_with(path, name, "");
}

/// The same with a note in it, which makes it another image.
pub(crate) fn hello_with(path: &Path, name: &str, note: &str) {
    let files = FileSystem::new().file("/hello", 0o755, PROGRAM).unwrap();
    let files = if note.is_empty() { files } else { files.file("/note", 0o644, note).unwrap() };
    let config = ImageConfig {
        entrypoint: vec!["/hello".into()],
        env: vec![("VERSION".into(), name.rsplit(':').next().unwrap().into())],
        ..ImageConfig::default()
    };
    let archive = ImageBuilder { files, config };
    archive.write_archive(&name.parse().unwrap(), File::create(path).unwrap()).unwrap();
}

/// Writes the sample as `docker save` does: under this name, or under none.
pub(crate) fn docker_save(path: &Path, name: Option<&str>) {
    let dir = tempfile::tempdir().unwrap();
    let tar = |arguments: &[&str], archive: &Path| {
        let mut command = Command::new("tar");
        command
            .current_dir(&dir)
            .args(arguments)
            .arg(archive)
            .args(["."].iter().filter(|_| arguments == ["-cf"]));
        assert!(command.status().unwrap().success(), "tar {arguments:?}");
    };
    let oci = tempfile::NamedTempFile::new().unwrap();
    hello(oci.path(), name.unwrap_or("dev.local/nameless:1"));
    tar(&["-xf"], oci.path());
    let blob = |descriptor: &Value| {
        dir.path()
            .join("blobs/sha256")
            .join(descriptor["digest"].as_str().unwrap().trim_start_matches("sha256:"))
    };
    let document = |path: &Path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let index = document(&dir.path().join("index.json"));
    let manifest = document(&blob(&index["manifests"][0]));
    fs::rename(blob(&manifest["config"]), dir.path().join("config.json")).unwrap();
    let layers: Vec<_> = manifest["layers"].as_array().unwrap().iter().enumerate().collect();
    for (number, layer) in &layers {
        fs::create_dir(dir.path().join(number.to_string())).unwrap();
        fs::rename(blob(layer), dir.path().join(format!("{number}/layer.tar"))).unwrap();
    }
    for left in ["index.json", "oci-layout"] {
        fs::remove_file(dir.path().join(left)).unwrap();
    }
    fs::remove_dir_all(dir.path().join("blobs")).unwrap();
    let layers: Vec<_> = layers.iter().map(|(number, _)| format!("{number}/layer.tar")).collect();
    let saved = json!([{ "Config": "config.json", "RepoTags": name.map(|name| [name]), "Layers": layers }]);
    fs::write(dir.path().join("manifest.json"), saved.to_string()).unwrap();
    tar(&["-cf"], path);
}
