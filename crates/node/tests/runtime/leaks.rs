//! What a thousand starts leave: nothing.

use std::{fs, path::Path};

use node::runtime::Runtime;

use crate::fixture::{Image, Node, eventually};

const STARTS: usize = 1_000;
/// So many equal counts in a row, some milliseconds apart, mean that pools are full and removals are done.
const SETTLED: usize = 100;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    daemon_descriptors: usize,
    keeper_descriptors: usize,
    keeper_children: usize,
    mounts: usize,
    cgroups: usize,
    directories: usize,
}

pub(crate) async fn a_thousand_starts(image: &Image) {
    let Some(node) = Node::start("a_thousand_starts").await else { return };
    let keeper = keeper_of_this_process();
    // Pools are full, and what is made once is made.
    for _ in 0..10 {
        node.run(image, "exit 0", |_| ()).await;
    }
    let run_dir = node.dir.path().join("run");
    let root = node::runtime::ContainerOptions::new(&run_dir).cgroup_root;
    let count = || count(&run_dir, keeper);
    let before = settled(count).await;
    for number in 0..STARTS {
        let fails = number % 10 == 0;
        if fails {
            let sandbox = node.sandbox("failing").await;
            let (mut spec, _) = image.spec("failing", "failing", "");
            spec.argv[0] = "/absent".to_owned();
            node.runtime.start_container(spec).await.unwrap_err();
            node.runtime.remove_sandbox(&sandbox).await.unwrap();
        } else {
            assert_eq!(node.run(image, "exit 9", |_| ()).await.0.code, 9);
        }
    }
    assert_eq!(settled(count).await, before);
    node.end().await;
    assert!(!run_dir.join("containers").exists());
    assert_eq!(cgroups(&root), 0);
}

/// What there is of a runtime in this directory.
pub(crate) fn count(run_dir: &Path, keeper: i32) -> Counts {
    let root = node::runtime::ContainerOptions::new(run_dir).cgroup_root;
    Counts {
        daemon_descriptors: entries("/proc/self/fd"),
        keeper_descriptors: entries(&format!("/proc/{keeper}/fd")),
        keeper_children: children(keeper),
        mounts: fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count(),
        cgroups: cgroups(&root),
        directories: entries(run_dir.join("containers").to_str().unwrap()),
    }
}

/// What `count` says once it has said so for a while.
pub(crate) async fn settled(count: impl Fn() -> Counts) -> Counts {
    let (mut last, mut equal) = (count(), 0);
    eventually("the counts are settled", || {
        let now = count();
        equal = if now == last { equal + 1 } else { 0 };
        last = now;
        equal == SETTLED
    })
    .await;
    last
}

pub(crate) fn keeper_of_this_process() -> i32 {
    let me = std::process::id();
    let children = fs::read_to_string(format!("/proc/{me}/task/{me}/children")).unwrap();
    let mut of_all = children.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let children = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        of_all.extend(children.split_whitespace().map(str::to_owned));
    }
    let is_keeper = |pid: &&String| {
        fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains("\0keeper"))
    };
    of_all.iter().find(is_keeper).expect("the runtime has started a keeper").parse().unwrap()
}

fn children(pid: i32) -> usize {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children.split_whitespace().count()
}

fn entries(directory: &str) -> usize {
    fs::read_dir(directory).map_or(0, Iterator::count)
}

/// The groups below a root, in all hierarchies.
pub(crate) fn cgroups(root: &str) -> usize {
    let hierarchies = fs::read_dir("/sys/fs/cgroup").unwrap().map(|entry| entry.unwrap().path());
    let direct = std::iter::once(std::path::PathBuf::from("/sys/fs/cgroup"));
    let roots = hierarchies.chain(direct).map(|hierarchy| hierarchy.join(root)).filter(|root| root.exists());
    roots
        .map(|root| {
            1 + fs::read_dir(root).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
        })
        .sum()
}
