//! Root file systems and volumes.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use node::runtime::{BindMount, OWN_FILES_BYTES_MAX, OwnFile, Runtime, RuntimeError, Step, TmpfsMount};

use crate::confinement::device_access;
use crate::fixture::{Image, Node, bind, skip};

pub(crate) async fn layers_and_volumes(image: &Image) {
    let Some(node) = Node::start("layers_and_volumes").await else { return };
    let host = |name: &str| node.dir.path().join(name);
    for name in ["upper/etc", "data", "config"] {
        fs::create_dir_all(host(name)).unwrap();
    }
    fs::write(host("upper/etc/passwd"), "upper\n").unwrap();
    fs::write(host("config/key"), "value\n").unwrap();
    fs::write(host("hosts"), "127.0.0.1 localhost\n").unwrap();
    let args = "cat /etc/passwd cat /config/deep/key cat /etc/hosts write /config/deep/key write /data/new \
                write /scratch/new write /etc/new write /made";
    let run = async |readonly_rootfs| {
        let change = |spec: &mut node::runtime::ContainerSpec| {
            spec.rootfs.push(host("upper"));
            spec.readonly_rootfs = readonly_rootfs;
            spec.mounts = vec![
                bind(host("data"), "/data", false),
                bind(host("config"), "/config/deep", true),
                bind(host("hosts"), "/etc/hosts", false),
            ];
            spec.tmpfs = vec![TmpfsMount { target: "/scratch".into(), size: Some(1 << 20) }];
        };
        node.run(image, args, change).await.1
    };
    let shown = "upper\nvalue\n127.0.0.1 localhost\n/config/deep/key: Read-only file system\n/data/new: ok\n\
                 /scratch/new: ok\n";
    assert_eq!(run(false).await, format!("{shown}/etc/new: ok\n/made: ok\n"));
    let refused = "/etc/new: Read-only file system\n/made: Read-only file system\n";
    assert_eq!(run(true).await, format!("{shown}{refused}"));
    // Volumes are the host's, layers stay as they were.
    assert!(host("data/new").exists());
    assert!(!image.layer().join("made").exists() && !image.layer().join("config").exists());
    node.end().await;
}

pub(crate) async fn links_cannot_lead_out(image: &Image) {
    let Some(node) = Node::start("links_cannot_lead_out").await else { return };
    let outside = node.dir.path().join("outside");
    let layer = node.dir.path().join("evil");
    for directory in [&outside, &layer] {
        fs::create_dir(directory).unwrap();
    }
    symlink(&outside, layer.join("absolute")).unwrap();
    symlink("../../../../../../../../".to_owned() + outside.to_str().unwrap(), layer.join("relative"))
        .unwrap();
    symlink("/absolute/..", layer.join("job")).unwrap();
    let (exit, _) = node
        .run(image, "exit 0", |spec| {
            spec.rootfs.push(layer.clone());
            // What the links name does not exist inside, so the first two are made there.
            fs::create_dir_all(layer.join(outside.strip_prefix("/").unwrap())).unwrap();
            spec.mounts = vec![
                bind(image.layer(), "/absolute/volume", false),
                bind(image.layer().join("etc/passwd"), "/relative/file", false),
            ];
            spec.cwd = "/job/made".to_owned();
        })
        .await;
    assert_eq!(exit.code, 0);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "something was made outside");
    node.end().await;
}

pub(crate) async fn sub_paths(image: &Image) {
    let Some(node) = Node::start("sub_paths").await else { return };
    let volume = node.dir.path().join("volume");
    fs::create_dir_all(volume.join("there/deep")).unwrap();
    fs::write(volume.join("there/deep/file"), "shown\n").unwrap();
    fs::set_permissions(&volume, fs::Permissions::from_mode(0o770)).unwrap();
    let args = "cat /deep/file cat /file cat /all/there/deep/file write /made/new write /read-only/new";
    let (_, output) = node
        .run(image, args, |spec| {
            spec.mounts = vec![
                below(&volume, "there/deep", "/deep"),
                below(&volume, "there/deep/file", "/file"),
                below(&volume, ".", "/all"),
                below(&volume, "absent/./made", "/made"),
                BindMount { read_only: true, ..below(&volume, "there", "/read-only") },
            ];
        })
        .await;
    let expected = "shown\nshown\nshown\n/made/new: ok\n/read-only/new: Read-only file system\n";
    assert_eq!(output, expected);
    assert!(volume.join("absent/made/new").exists());
    // What is made is as open as the volume is.
    assert_eq!(fs::metadata(volume.join("absent/made")).unwrap().mode() & 0o7777, 0o770);
    node.end().await;
}

/// Containers of a pod share its volumes: one must not choose, by a link, what of the host another one is shown.
pub(crate) async fn sub_paths_follow_no_links(image: &Image) {
    let Some(node) = Node::start("sub_paths_follow_no_links").await else { return };
    let (volume, outside) = (node.dir.path().join("volume"), node.dir.path().join("outside"));
    for directory in [&volume, &outside] {
        fs::create_dir(directory).unwrap();
    }
    fs::write(volume.join("plain"), "").unwrap();
    let args = format!("link /v/root / link /v/up .. link /v/outside {}", outside.display());
    let (_, output) = node.run(image, &args, |spec| spec.mounts = vec![bind(&volume, "/v", false)]).await;
    assert_eq!(output, "/v/root: ok\n/v/up: ok\n/v/outside: ok\n");
    node.sandbox("s").await;
    let cases = [
        ("root", libc::ELOOP),
        ("root/etc", libc::ELOOP),
        ("outside", libc::ELOOP),
        ("outside/made", libc::ELOOP),
        ("up/outside", libc::ELOOP),
        ("..", libc::EXDEV),
        ("absent/../../outside/made", libc::EXDEV),
        ("/etc", libc::EXDEV),
        ("plain/made", libc::ENOTDIR),
    ];
    for (sub_path, errno) in cases {
        let (mut spec, _) = image.spec("s", "c", "list /x");
        spec.mounts = vec![below(&volume, "", "/x")];
        spec.mounts[0].sub_path = sub_path.into();
        match node.runtime.start_container(spec).await.unwrap_err() {
            RuntimeError::Start { failure, .. } => {
                assert_eq!((failure.step, failure.errno), (Step::Mount, errno), "{sub_path}");
            }
            other => panic!("{sub_path}: {other}"),
        }
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "something was made outside");
    node.end().await;
}

fn below(volume: &Path, sub_path: &str, target: &str) -> BindMount {
    BindMount { sub_path: sub_path.into(), ..bind(volume, target, false) }
}

/// A program that a container's root makes setuid is root for whoever executes it: no user of the host may.
pub(crate) async fn closed_to_users_of_the_host(image: &Image) {
    let Some(node) = Node::start_with("closed_to_users_of_the_host", |options| {
        // Made more open by somebody else, it is closed again.
        fs::create_dir(&options.run_dir).unwrap();
        fs::set_permissions(&options.run_dir, fs::Permissions::from_mode(0o777)).unwrap();
    })
    .await
    else {
        return;
    };
    // Only the run directory stands between other users and the program.
    fs::set_permissions(node.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    node.sandbox("s").await;
    let (spec, output) = image.spec("s", "c", "setuid /probe");
    node.runtime.start_container(spec).await.unwrap();
    assert_eq!(node.runtime.wait(&"c".into()).await.unwrap().code, 0);
    assert_eq!(output.read().await, "/probe: ok\n");

    let run_dir = node.dir.path().join("run");
    let containers = run_dir.join("containers");
    let slots: Vec<_> = fs::read_dir(&containers).unwrap().map(|entry| entry.unwrap().path()).collect();
    for directory in slots.iter().chain([&run_dir, &containers]) {
        let mode = fs::metadata(directory).unwrap().mode() & 0o7777;
        assert_eq!(mode, 0o700, "{} is {mode:o}", directory.display());
    }
    let program = slots.iter().map(|slot| slot.join("upper/probe")).find(|path| path.exists()).unwrap();
    assert_eq!(fs::metadata(&program).unwrap().mode() & 0o7777, 0o6755);
    let executed = Command::new(&program).uid(65_534).gid(65_534).status();
    assert_eq!(executed.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    node.end().await;
}

pub(crate) async fn small_files_are_a_containers_own(image: &Image) {
    let Some(node) = Node::start("small_files_are_a_containers_own").await else { return };
    let change = |spec: &mut node::runtime::ContainerSpec| {
        spec.files = vec![own("/etc/hosts", "127.0.0.1 localhost\n"), own("/new/deep/file", "second\n")];
        spec.readonly_rootfs = true;
    };
    let args = "cat /etc/hosts cat /new/deep/file put /etc/hosts changed cat /etc/hosts";
    let shown = "127.0.0.1 localhost\nsecond\n";
    for _ in 0..2 {
        // What one has changed, no other one sees.
        assert_eq!(node.run(image, args, change).await.1, format!("{shown}changed"));
    }
    // All of them together hold no more than they may, whatever else the machine has room for.
    let (_, output) = node
        .run(image, "fill /etc/hosts fill /why fill /new/deep/file", |spec| {
            change(spec);
            spec.message_path = Some("/why".into());
        })
        .await;
    let written = output.lines().map(|line| line.strip_prefix("No space left on device after ").unwrap());
    let written: u64 = written.map(|bytes| bytes.parse::<u64>().unwrap()).sum();
    assert!((OWN_FILES_BYTES_MAX / 2..=OWN_FILES_BYTES_MAX).contains(&written), "{written}");
    node.end().await;
}

fn own(target: &str, content: &str) -> OwnFile {
    OwnFile { target: target.into(), content: content.to_owned() }
}

pub(crate) async fn messages_outlive_the_program(image: &Image) {
    let Some(node) = Node::start("messages_outlive_the_program").await else { return };
    node.sandbox("s").await;
    for (path, user) in [("/dev/termination-log", 0), ("/var/log/why", 1000)] {
        let (mut spec, _) = image.spec("s", "c", &format!("put {path} because exit 3"));
        (spec.message_path, spec.user.uid, spec.readonly_rootfs) = (Some(path.into()), Some(user), true);
        node.runtime.start_container(spec).await.unwrap();
        assert_eq!(node.runtime.wait(&"c".into()).await.unwrap().code, 3);
        let message = |at_most| node.runtime.message(&"c".into(), at_most);
        assert_eq!((message(100).unwrap(), message(2).unwrap()), (b"because".to_vec(), b"be".to_vec()));
        node.runtime.remove_container(&"c".into()).await.unwrap();
        assert!(matches!(message(100), Err(RuntimeError::NotFound { .. })));
    }
    node.end().await;
}

/// A journal may be busy just then, and an image that is one program lacks all that is mounted on.
pub(crate) async fn a_start_makes_nothing_on_disk(image: &Image) {
    let Some(node) = Node::start("a_start_makes_nothing_on_disk").await else { return };
    let bare = node.dir.path().join("bare");
    fs::create_dir(&bare).unwrap();
    fs::copy(image.layer().join("probe"), bare.join("probe")).unwrap();
    node.sandbox("s").await;
    let (mut spec, _) = image.spec("s", "c", "sleep");
    spec.rootfs = vec![bare];
    spec.files = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"].map(|path| own(path, path)).to_vec();
    spec.message_path = Some("/dev/termination-log".into());
    node.runtime.start_container(spec).await.unwrap();
    let slots = fs::read_dir(node.dir.path().join("run/containers")).unwrap();
    // One that is just being made for the pool has none yet.
    let uppers = slots.map(|slot| slot.unwrap().path().join("upper")).filter(|upper| upper.exists());
    let uppers: Vec<_> = uppers.collect();
    assert!(!uppers.is_empty());
    for upper in uppers {
        let made: Vec<_> = fs::read_dir(&upper).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(made.is_empty(), "{}: {made:?}", upper.display());
    }
    node.end().await;
}

pub(crate) async fn many_layers(image: &Image) {
    let Some(node) = Node::start("many_layers").await else { return };
    // As many as an image may have, with a path that mount options would have to escape.
    let layers: Vec<_> =
        (0..127).map(|number| node.dir.path().join(format!("a layer: one, two\\{number:060}"))).collect();
    for (number, layer) in layers.iter().enumerate() {
        fs::create_dir(layer).unwrap();
        fs::write(layer.join("top"), format!("{number}\n")).unwrap();
    }
    let (_, output) = node
        .run(image, "cat /top", |spec| {
            spec.rootfs.extend(layers);
            spec.rootfs.remove(1);
        })
        .await;
    assert_eq!(output, "126\n");
    node.end().await;
}

/// An overlay cannot be the upper layer of another one.
pub(crate) async fn copies_where_overlays_do_not_work(image: &Image) {
    const TEST: &str = "copies_where_overlays_do_not_work";
    if !rustix::process::geteuid().is_root() {
        return skip(TEST, "mounting needs root");
    }
    let dir = tempfile::tempdir().unwrap();
    let part = |name: &str| dir.path().join(name);
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir(part(name)).unwrap();
    }
    let options =
        ["lower", "upper", "work"].map(|name| format!("{name}dir={}", part(name).display())).join(",");
    let mounted =
        Command::new("mount").args(["-t", "overlay", "-o", &options, "none"]).arg(part("merged")).status();
    if !mounted.is_ok_and(|status| status.success()) {
        return skip(TEST, "overlayfs cannot be mounted here");
    }
    let run_dir = part("merged").join("run");
    let node = Node::start_with(TEST, |options| options.run_dir = run_dir.clone()).await;
    if let Some(node) = node {
        let (exit, output) = node.run(image, "write /etc/new cat /etc/group", |_| ()).await;
        assert_eq!((exit.code, output.as_str()), (0, "/etc/new: ok\nstaff:x:50:app\napp:x:1001:\n"));
        assert!(!image.layer().join("etc/new").exists());
        device_access(&node, image).await;
        node.end().await;
    }
    let unmounted = Command::new("umount").arg(part("merged")).status().unwrap();
    assert!(unmounted.success());
}
