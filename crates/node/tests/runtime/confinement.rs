//! What a container cannot do.

use std::collections::HashMap;

use node::runtime::{Capabilities, Resources, Runtime, Seccomp, TmpfsMount, User};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::fixture::{Image, Node, bind};

pub(crate) async fn limits_are_written(image: &Image) {
    let Some(node) = Node::start("limits_are_written").await else { return };
    node.sandbox("s").await;
    let (mut spec, _) = image.spec("s", "c", "sleep");
    spec.resources = Resources {
        cpu_request_millis: Some(500),
        cpu_limit_millis: Some(250),
        memory_limit: Some(64 << 20),
        pids_limit: Some(20),
    };
    let started = node.runtime.start_container(spec).await.unwrap();
    let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", started.pid)).unwrap();
    let hybrid = [
        ("cpu", "cpu.shares", "512"),
        ("cpu", "cpu.cfs_quota_us", "25000"),
        ("memory", "memory.limit_in_bytes", "67108864"),
        ("pids", "pids.max", "21"),
    ];
    let unified = [
        ("", "cpu.weight", "20"),
        ("", "cpu.max", "25000 100000"),
        ("", "memory.max", "67108864"),
        ("", "pids.max", "21"),
    ];
    let is_hybrid = groups.contains(":memory:/ebb-");
    for (controller, file, expected) in if is_hybrid { hybrid } else { unified } {
        let line = groups.lines().find(|line| line.split(':').nth(1) == Some(controller)).unwrap();
        let path = format!("/sys/fs/cgroup/{controller}{}/{file}", line.splitn(3, ':').nth(2).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap().trim(), expected, "{path}");
    }
    if is_hybrid {
        for controller in ["cpuacct", "freezer"] {
            assert!(groups.contains(&format!(":{controller}:/ebb-")), "{groups}");
        }
    }
    let stats = node.runtime.stats(&"c".into()).unwrap();
    assert!(stats.memory > 0 && stats.working_set <= stats.memory && !stats.cpu.is_zero(), "{stats:?}");
    node.end().await;
}

pub(crate) async fn privileges(image: &Image) {
    let Some(node) = Node::start("privileges").await else { return };
    let root = User::default();
    let user = User { uid: Some(1000), ..User::default() };
    let net_admin = Capabilities::with(&["NET_ADMIN"], &["ALL"]).unwrap();
    let default = Capabilities::default();
    // 0xa80425fb, as OCI engines have it, without bit 27, MKNOD: no device cgroup keeps a device node that a container
    // makes from being the host's disk.
    let usual = "a00425fb";
    let cases = [
        (&root, default, true, Seccomp::RuntimeDefault, usual, usual, "1", "2"),
        (&root, default, false, Seccomp::RuntimeDefault, usual, usual, "0", "2"),
        (&root, default, false, Seccomp::Unconfined, usual, usual, "0", "0"),
        (&root, net_admin, true, Seccomp::RuntimeDefault, "1000", "1000", "1", "2"),
        (&user, default, true, Seccomp::RuntimeDefault, "0", usual, "1", "2"),
        (&user, default, false, Seccomp::RuntimeDefault, "0", usual, "0", "2"),
    ];
    for (user, capabilities, no_new_privileges, seccomp, effective, bounding, nnp, mode) in cases {
        let (_, output) = node
            .run(image, "cat /proc/self/status", |spec| {
                (spec.user, spec.capabilities) = (user.clone(), capabilities);
                (spec.no_new_privileges, spec.seccomp) = (no_new_privileges, seccomp);
            })
            .await;
        let status: HashMap<&str, &str> = output
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key, value.trim()))
            .collect();
        let number = |key: &str| status[key].trim_start_matches('0').to_owned();
        let expected = |bits: &str| bits.trim_start_matches('0').to_owned();
        assert_eq!(number("CapEff"), expected(effective));
        assert_eq!(number("CapPrm"), expected(effective));
        assert_eq!(number("CapBnd"), expected(bounding));
        assert_eq!((number("CapInh"), number("CapAmb")), (String::new(), String::new()));
        assert_eq!((status["NoNewPrivs"], status["Seccomp"]), (nnp, mode));
        assert_eq!(
            (number("SigIgn"), number("SigBlk"), status["Umask"]),
            (String::new(), String::new(), "0022")
        );
    }
    node.end().await;
}

pub(crate) async fn refused_calls(image: &Image) {
    let Some(node) = Node::start("refused_calls").await else { return };
    let (_, output) = node.run(image, "mount unshare vsock clone3 stopping write /new", |_| ()).await;
    let expected = "mount: Operation not permitted\n\
                    unshare: Operation not permitted\n\
                    vsock: Operation not permitted\n\
                    clone3: Function not implemented\n\
                    kill init: ok\n\
                    /new: ok\n";
    assert_eq!(output, expected);
    node.end().await;
}

/// No container can make a device node, or open one that others have put into its image or its volumes.
pub(crate) async fn devices(image: &Image) {
    let Some(node) = Node::start("devices").await else { return };
    device_access(&node, image).await;
    node.end().await;
}

/// Tries devices in a container of a node, which may be one that copies images.
pub(crate) async fn device_access(node: &Node, image: &Image) {
    let host = tempfile::tempdir().unwrap();
    let place = |name: &str| host.path().join(name);
    for name in ["layer", "volume"] {
        std::fs::create_dir(place(name)).unwrap();
        // What /dev/zero is, so that opening it harms nobody.
        let (node, kind) = (place(name).join(format!("{name}-zero")), FileType::CharacterDevice);
        mknodat(CWD, &node, kind, Mode::from_raw_mode(0o666), makedev(1, 5)).unwrap();
        assert!(std::fs::File::open(&node).is_ok(), "{} is not a device to anybody", node.display());
    }
    let args = "mknod /made mknod /volume/made mknod /dev/made mknod /scratch/made fifo /fifo write /layer-zero \
                write /volume/volume-zero write /single write /dev/zero write /dev/null remove /etc/group";
    let expected = |made: &str, root: &str| {
        format!(
            "/made: {made}\n\
             /volume/made: Operation not permitted\n\
             /dev/made: Operation not permitted\n\
             /scratch/made: Operation not permitted\n\
             /fifo: {root}\n\
             /layer-zero: Permission denied\n\
             /volume/volume-zero: Permission denied\n\
             /single: Permission denied\n\
             /dev/zero: ok\n\
             /dev/null: ok\n\
             /etc/group: {root}\n"
        )
    };
    const REFUSED: &str = "Operation not permitted";
    const READ_ONLY: &str = "Read-only file system";
    for (readonly_rootfs, made, root) in [(false, REFUSED, "ok"), (true, READ_ONLY, READ_ONLY)] {
        for seccomp in [Seccomp::RuntimeDefault, Seccomp::Unconfined] {
            let (_, output) = node
                .run(image, args, |spec| {
                    (spec.readonly_rootfs, spec.seccomp) = (readonly_rootfs, seccomp);
                    spec.rootfs.push(place("layer"));
                    spec.mounts = vec![
                        bind(place("volume"), "/volume", false),
                        bind(place("volume/volume-zero"), "/single", false),
                    ];
                    spec.tmpfs = vec![TmpfsMount { target: "/scratch".into(), size: None }];
                })
                .await;
            assert_eq!(output, expected(made, root), "read-only root: {readonly_rootfs}, {seccomp:?}");
        }
    }
}

pub(crate) async fn kernel_paths(image: &Image) {
    let Some(node) = Node::start("kernel_paths").await else { return };
    let (_, output) = node
        .run(
            image,
            "write /proc/sys/kernel/hostname write /proc/irq/default_smp_affinity write /sys/kernel/uevent_helper \
             list /sys/firmware list /proc/acpi cat /proc/keys cat /proc/timer_list write /dev/null write /dev/full \
             cat /proc/1/environ cat /proc/1/mem list /proc/1/root",
            |_| (),
        )
        .await;
    let expected = "/proc/sys/kernel/hostname: Read-only file system\n\
                    /proc/irq/default_smp_affinity: Read-only file system\n\
                    /sys/kernel/uevent_helper: Read-only file system\n\
                    /dev/null: ok\n\
                    /dev/full: ok\n\
                    /proc/1/environ: Permission denied\n\
                    /proc/1/mem: Permission denied\n\
                    /proc/1/root: Permission denied\n";
    assert_eq!(output, expected);
    node.end().await;
}

/// A container that was given SYS_PTRACE could take its init over: it must find nothing there.
pub(crate) async fn init_is_confined(image: &Image) {
    let Some(node) = Node::start("init_is_confined").await else { return };
    let (_, output) = node.run(image, "cat /proc/1/status", |_| ()).await;
    for expected in
        ["CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]
    {
        assert!(output.contains(expected), "{output}");
    }
    node.end().await;
}
