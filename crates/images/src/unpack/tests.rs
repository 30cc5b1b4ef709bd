//! Layers as tables: what is in the tars, and the tree that a container must see. Each case is applied
//! flat, and, where the machine allows, as overlay directories under a real overlayfs.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tar::{Builder, EntryType, Header};

use super::{Style, apply};
use crate::skipped::{skipped, without_root};
use crate::{Digest, Error, Limits};

enum E {
    Dir(&'static str, u32),
    File(&'static str, &'static str),
    Sym(&'static str, &'static str),
    Hard(&'static str, &'static str),
    Other(&'static str, EntryType),
}

use E::*;

fn tar(entries: &[E]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let (path, kind, mode, data, target) = match entry {
            Dir(path, mode) => (path, EntryType::Directory, *mode, "", ""),
            File(path, data) => (path, EntryType::Regular, 0o644, *data, ""),
            Sym(path, target) => (path, EntryType::Symlink, 0o777, "", *target),
            Hard(path, target) => (path, EntryType::Link, 0o644, "", *target),
            Other(path, kind) => (path, *kind, 0o644, "", ""),
        };
        let mut header = Header::new_ustar();
        // Written byte by byte: the builder would refuse the hostile ones.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_000_000);
        header.set_size(data.len() as u64);
        header.set_cksum();
        builder.append(&header, data.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn unpack_bytes(bytes: &[u8], root: &Path, style: Style, limits: &Limits) -> Result<(), Error> {
    let mut blob = tempfile::NamedTempFile::new().unwrap();
    blob.write_all(bytes).unwrap();
    apply(blob.path(), &Digest::of(bytes), root, style, limits)
}

fn unpack(entries: &[E], root: &Path, style: Style) -> Result<(), Error> {
    unpack_bytes(&tar(entries), root, style, &Limits::default())
}

/// One line per name: path, then what it is.
fn tree(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut directories = vec![PathBuf::new()];
    while let Some(dir) = directories.pop() {
        for entry in fs::read_dir(root.join(&dir)).unwrap() {
            let path = dir.join(entry.unwrap().file_name());
            let full = root.join(&path);
            let meta = fs::symlink_metadata(&full).unwrap();
            let what = if meta.is_dir() {
                directories.push(path.clone());
                format!("dir {:o}", meta.mode() & 0o7777)
            } else if meta.is_symlink() {
                format!("-> {}", fs::read_link(&full).unwrap().display())
            } else if meta.file_type().is_fifo() {
                "fifo".to_owned()
            } else {
                format!("{:?} x{}", fs::read_to_string(&full).unwrap(), meta.nlink())
            };
            lines.push(format!("{} {what}", path.display()));
        }
    }
    lines.sort();
    lines
}

struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

fn overlay_tree(layers: &[Vec<E>], dir: &Path) -> Result<Option<Vec<String>>, Error> {
    let mut lower = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let root = dir.join(number.to_string());
        fs::create_dir(&root).unwrap();
        unpack(layer, &root, Style::Overlay)?;
        lower.insert(0, root.display().to_string());
    }
    // overlayfs without an upper directory wants two lower ones.
    let empty = dir.join("empty");
    fs::create_dir(&empty).unwrap();
    lower.push(empty.display().to_string());
    let merged = dir.join("merged");
    fs::create_dir(&merged).unwrap();
    let options = std::ffi::CString::new(format!("lowerdir={}", lower.join(":"))).unwrap();
    match mount("overlay", &merged, "overlay", MountFlags::RDONLY, options.as_c_str()) {
        Ok(()) => {}
        Err(e) => {
            skipped("layers_stack (overlay)", &format!("mounting overlayfs: {e}"));
            return Ok(None);
        }
    }
    let mounted = Mounted(merged);
    Ok(Some(tree(&mounted.0)))
}

fn check(name: &str, layers: Vec<Vec<E>>, expect: &[&str]) {
    let flat = tempfile::tempdir().unwrap();
    for layer in &layers {
        unpack(layer, flat.path(), Style::Flat).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    assert_eq!(tree(flat.path()), expect, "{name}: flat");
    if without_root("layers_stack (overlay)") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let overlay = overlay_tree(&layers, dir.path()).unwrap_or_else(|e| panic!("{name}: {e}"));
    if let Some(overlay) = overlay {
        assert_eq!(overlay, expect, "{name}: overlay");
    }
}

#[test]
fn layers_stack() {
    check(
        "kinds and modes",
        vec![vec![
            Dir("./", 0o755),
            Dir("tmp/", 0o1777),
            File("tmp/a", "A"),
            Hard("b", "tmp/a"),
            Sym("c", "/etc/passwd"),
            Sym("up", "../../../x"),
            Other("pipe", EntryType::Fifo),
            Other("dev", EntryType::Char),
            Other("disk", EntryType::Block),
            File("no/parent/here", "x"),
        ]],
        &[
            "b \"A\" x2",
            "c -> /etc/passwd",
            "no dir 755",
            "no/parent dir 755",
            "no/parent/here \"x\" x1",
            "pipe fifo",
            "tmp dir 1777",
            "tmp/a \"A\" x2",
            "up -> ../../../x",
        ],
    );
    check(
        "a name is removed",
        vec![
            vec![
                Dir("d", 0o755),
                File("d/a", "1"),
                File("d/b", "1"),
                Dir("d/sub", 0o755),
                File("d/sub/x", "1"),
            ],
            vec![Dir("d", 0o700), File("d/.wh.a", ""), File("d/.wh.sub", ""), File("d/.wh.none", "")],
        ],
        &["d dir 700", "d/b \"1\" x1"],
    );
    check(
        "a directory is opaque",
        vec![
            vec![Dir("d", 0o755), File("d/a", "1"), Dir("d/s", 0o755), File("d/s/a", "1")],
            vec![
                Dir("d", 0o755),
                Dir("d/s", 0o755),
                File("d/s/new", "2"),
                File("d/.wh..wh..opq", ""),
                File("d/new", "2"),
            ],
        ],
        // As flat: `d/s` is brought again, so it stays, without what was below.
        &["d dir 755", "d/new \"2\" x1", "d/s dir 755", "d/s/new \"2\" x1"],
    );
    check(
        "a whiteout of what the same layer brings",
        vec![
            vec![Dir("d", 0o755), File("d/old", "1"), File("f", "1")],
            vec![File(".wh.d", ""), Dir("d", 0o755), File("d/new", "2"), File("f", "2"), File(".wh.f", "")],
        ],
        &["d dir 755", "d/new \"2\" x1", "f \"2\" x1"],
    );
    check(
        "a whiteout after the directory it makes new",
        vec![
            vec![Dir("d", 0o755), File("d/old", "1")],
            vec![Dir("d", 0o755), File("d/new", "2"), File(".wh.d", "")],
        ],
        &["d dir 755", "d/new \"2\" x1"],
    );
    check(
        "a whiteout, and a directory only implied",
        vec![vec![Dir("d", 0o755), File("d/old", "1")], vec![File(".wh.d", ""), File("d/new", "2")]],
        &["d dir 755", "d/new \"2\" x1"],
    );
    check(
        "kinds replace each other",
        vec![
            vec![Dir("a", 0o755), File("a/x", "1"), File("b", "1"), Sym("c", "a")],
            vec![File("a", "2"), Dir("b", 0o755), Dir("c", 0o755), File("c/y", "2")],
        ],
        &["a \"2\" x1", "b dir 755", "c dir 755", "c/y \"2\" x1"],
    );
    check(
        "the last of one name wins",
        vec![vec![File("a", "1"), File("./a", "2"), Dir("d", 0o700), File("d/x", "1"), File("d", "3")]],
        &["a \"2\" x1", "d \"3\" x1"],
    );
    check(
        "aufs' own names mean nothing",
        vec![vec![File(".wh..wh.plnk", ""), File("a", "1")]],
        &["a \"1\" x1"],
    );
}

#[test]
fn links_stay_inside() {
    let outside = tempfile::tempdir().unwrap();
    let link: &'static str = Box::leak(outside.path().display().to_string().into_boxed_str());
    for style in [Style::Flat, Style::Overlay] {
        let root = tempfile::tempdir().unwrap();
        // The path of the link does not exist inside: the entry is refused, not written outside.
        let error = unpack(&[Sym("l", link), File("l/escaped", "x")], root.path(), style).unwrap_err();
        assert!(error.to_string().contains("\"l\" is not a directory"), "{error}");
        let root = tempfile::tempdir().unwrap();
        unpack(&[Dir("in", 0o755), Sym("l", "/../in"), File("l/x", "x")], root.path(), style).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("in/x")).unwrap(), "x");
        // Replacing a link does not write through it.
        fs::write(outside.path().join("f"), "kept").unwrap();
        let target: &'static str = Box::leak(format!("{link}/f").into_boxed_str());
        unpack(&[Sym("t", target), File("t", "new")], root.path(), style).unwrap();
        assert_eq!(fs::read_to_string(outside.path().join("f")).unwrap(), "kept");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    }
}

#[test]
fn hostile_entries_are_named() {
    let cases = [
        (vec![File("../x", "x")], "entry \"../x\": leads out of the root"),
        (vec![File("a/../../x", "x")], "leads out of the root"),
        (
            vec![Hard("a", "../../etc/passwd")],
            "a hard link to \"../../etc/passwd\", which the layer does not",
        ),
        (vec![Hard("a", "/nothing")], "a hard link to \"/nothing\""),
        (vec![File("a", "x"), Hard("a", "a")], "a hard link to itself"),
        (vec![Hard("a", "")], "a link without a target"),
        (vec![File("a", "x"), File("a/b", "x")], "\"a\" is not a directory"),
        (vec![Sym("a", "a"), File("a/b", "x")], "\"a\" is a link to itself"),
        (vec![File(".wh.", "")], "a whiteout of nothing"),
        (vec![File(".wh...", "")], "a whiteout of nothing"),
        (vec![Other("a", EntryType::new(b'Z'))], "is not supported"),
    ];
    for (entries, expect) in cases {
        for style in [Style::Flat, Style::Overlay] {
            let root = tempfile::tempdir().unwrap();
            let error = unpack(&entries, root.path(), style).expect_err(expect).to_string();
            assert!(error.starts_with("layer sha256:") && error.contains(expect), "{error}");
        }
    }
}

#[test]
fn limits_have_names() {
    let small = Limits {
        layer_bytes_max: 64 << 10,
        layer_entries_max: 3,
        tar_header_bytes_max: 8 << 10,
        ..Limits::default()
    };
    let gzip = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    let huge: &'static str = Box::leak("0".repeat(1 << 20).into_boxed_str());
    let mut long_name = Builder::new(Vec::new());
    long_name.append_data(&mut Header::new_gnu(), "n/".repeat(10_000), &b""[..]).unwrap();
    let cases = [
        (tar(&[File("huge", huge)]), "layer_bytes_max = 65536"),
        (gzip(&tar(&[File("huge", huge)])), "layer_bytes_max = 65536"),
        (tar(&[Dir("a", 0), Dir("b", 0), Dir("c", 0), Dir("d", 0)]), "layer_entries_max = 3"),
        (long_name.into_inner().unwrap(), "tar_header_bytes_max = 8192"),
    ];
    for (bytes, expect) in cases {
        let root = tempfile::tempdir().unwrap();
        let error = unpack_bytes(&bytes, root.path(), Style::Flat, &small).expect_err(expect).to_string();
        assert!(error.contains(expect), "{error}");
    }
}

#[test]
fn blank_header_fields_are_zero() {
    let mut builder = Builder::new(Vec::new());
    let mut header = Header::new_ustar();
    header.set_size(1);
    builder.append_data(&mut header, "blank", &b"x"[..]).unwrap();
    let root = tempfile::tempdir().unwrap();
    unpack_bytes(&builder.into_inner().unwrap(), root.path(), Style::Flat, &Limits::default()).unwrap();
    assert_eq!(fs::metadata(root.path().join("blank")).unwrap().mode() & 0o7777, 0);
}

#[test]
fn content_is_checked() {
    let good = tar(&[File("a", "content")]);
    let mut blob = tempfile::NamedTempFile::new().unwrap();
    blob.write_all(&good).unwrap();
    let root = tempfile::tempdir().unwrap();
    let other = Digest::of(b"other");
    let error = apply(blob.path(), &other, root.path(), Style::Flat, &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("the content's digest is sha256:"), "{error}");
    let cases: [(&[u8], &str); 3] = [
        (&good[..515], "entry \"a\": ends"),
        (b"not a tar at all, but longer than nothing", "not a readable tar"),
        (&[0x1f, 0x8b, 8, 0, 0, 0, 0], "not a readable tar"),
    ];
    for (bytes, expect) in cases {
        let root = tempfile::tempdir().unwrap();
        let error = unpack_bytes(bytes, root.path(), Style::Flat, &Limits::default()).expect_err(expect);
        assert!(error.to_string().contains(expect), "{error}");
    }
}

#[test]
fn owners_times_and_set_id_bits_are_kept_for_root() {
    if without_root("owners_times_and_set_id_bits_are_kept_for_root") {
        return;
    }
    let mut builder = Builder::new(Vec::new());
    let extensions =
        [("SCHILY.xattr.user.colour", &b"blue"[..]), ("SCHILY.xattr.trusted.overlay.redirect", &b"/etc"[..])];
    builder.append_pax_extensions(extensions).unwrap();
    let mut header = Header::new_ustar();
    header.set_mode(0o4755);
    header.set_uid(1234);
    header.set_gid(5678);
    header.set_mtime(1_000_000);
    header.set_size(1);
    builder.append_data(&mut header, "suid", &b"x"[..]).unwrap();
    let root = tempfile::tempdir().unwrap();
    let bytes = builder.into_inner().unwrap();
    unpack_bytes(&bytes, root.path(), Style::Overlay, &Limits::default()).unwrap();
    let path = root.path().join("suid");
    let meta = fs::metadata(&path).unwrap();
    assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777, meta.mtime()), (1234, 5678, 0o4755, 1_000_000));
    let mut value = [0; 8];
    let n = rustix::fs::getxattr(&path, "user.colour", &mut value[..]).unwrap();
    assert_eq!(&value[..n], b"blue");
    assert!(rustix::fs::getxattr(&path, "trusted.overlay.redirect", &mut value[..]).is_err());
}

#[test]
fn what_a_layer_implies_is_bounded_too() {
    let limits = Limits { layer_entries_max: 5, ..Limits::default() };
    for (path, fits) in [("a/b/c/d/e", true), ("a/b/c/d/e/f", false)] {
        let root = tempfile::tempdir().unwrap();
        let unpacked = unpack_bytes(&tar(&[File(path, "")]), root.path(), Style::Flat, &limits);
        assert_eq!(unpacked.is_ok(), fits, "{path}: {unpacked:?}");
        if let Err(error) = unpacked {
            assert!(error.to_string().ends_with("is larger than layer_entries_max = 5"), "{error}");
        }
    }
}

/// No path is long, but each begins where the one before has ended.
#[test]
fn links_do_not_lead_deeper_than_a_path_may() {
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let below = ["d"; 40].join("/");
    let mut entries = vec![Dir(leak(below.clone()), 0o755)];
    for link in 0..10 {
        let above = if link == 0 { below.clone() } else { format!("l{}/{below}", link - 1) };
        entries.push(Sym(leak(format!("l{link}")), leak(above)));
        entries.push(Dir(leak(format!("l{link}/{below}")), 0o755));
    }
    for (links, fits) in [(4, true), (10, false)] {
        let root = tempfile::tempdir().unwrap();
        let unpacked = unpack(&entries[..=2 * links], root.path(), Style::Flat);
        assert_eq!(unpacked.is_ok(), fits, "{links}: {unpacked:?}");
        if let Err(error) = unpacked {
            assert!(error.to_string().ends_with("lies more than 255 directories deep"), "{error}");
        }
    }
}
