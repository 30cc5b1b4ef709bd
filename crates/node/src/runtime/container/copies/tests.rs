use super::*;

/// Makes a layer from "path" or "path=content" lines; a trailing slash means a directory.
fn layer(root: &Path, name: &str, entries: &[&str]) -> PathBuf {
    let layer = root.join(name);
    fs::create_dir(&layer).unwrap();
    for entry in entries {
        let (path, content) = entry.split_once('=').unwrap_or((entry, ""));
        let path = layer.join(path);
        if entry.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }
    layer
}

fn tree(root: &Path) -> Vec<String> {
    fn walk(directory: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if path.is_dir() {
                found.push(format!("{name}/"));
                walk(&path, root, found);
            } else {
                found.push(format!("{name}={}", fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(root, root, &mut found);
    found.sort();
    found
}

#[test]
fn upper_layers_win() {
    let root = tempfile::tempdir().unwrap();
    let lower = layer(root.path(), "lower", &["etc/a=1", "etc/b=1", "bin/x=1", "was-file=1", "was-dir/c=1"]);
    let upper = layer(root.path(), "upper", &["etc/b=2", "was-file/new=2", "was-dir=2"]);
    let into = root.path().join("into");
    flatten(&[lower, upper], &into).unwrap();
    let expected =
        ["bin/", "bin/x=1", "etc/", "etc/a=1", "etc/b=2", "was-dir=2", "was-file/", "was-file/new=2"];
    assert_eq!(tree(&into), expected);
}

#[test]
fn whiteouts_and_opaque_directories_hide() {
    if !rustix::process::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "whiteouts need root");
        eprintln!("skipped: whiteouts_and_opaque_directories_hide: making whiteouts needs root");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let lower = layer(root.path(), "lower", &["gone=1", "dir/gone=1", "kept=1"]);
    let upper = layer(root.path(), "upper", &["dir/new=2"]);
    mknodat(CWD, upper.join("gone"), FileType::CharacterDevice, Mode::from_raw_mode(0o600), 0).unwrap();
    lsetxattr(upper.join("dir"), OPAQUE, b"y", XattrFlags::empty()).unwrap();
    let into = root.path().join("into");
    flatten(&[lower, upper], &into).unwrap();
    assert_eq!(tree(&into), ["dir/", "dir/new=2", "kept=1"]);
}

#[test]
fn modes_and_links_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let lower = layer(root.path(), "lower", &["tool=x"]);
    fs::set_permissions(lower.join("tool"), fs::Permissions::from_mode(0o4755)).unwrap();
    symlink("tool", lower.join("link")).unwrap();
    let into = root.path().join("into");
    flatten(&[lower], &into).unwrap();
    assert_eq!(fs::metadata(into.join("tool")).unwrap().mode() & 0o7777, 0o4755);
    assert_eq!(fs::read_link(into.join("link")).unwrap(), Path::new("tool"));
}

#[test]
fn what_nobody_holds_is_removed() {
    let root = tempfile::tempdir().unwrap();
    for name in ["copy-3", "copy-7", "container-9"] {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    assert_eq!(clean(root.path(), &[root.path().join("copy-3")]).unwrap(), 4);
    let mut left: Vec<_> =
        fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["container-9", "copy-3"]);
}
