use super::*;

const ROOT: &str = "1 0 254:0 / / rw,relatime - ext4 /dev/vda rw\n";
const V2: &str = "30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const V2_BESIDE: &str = "30 1 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
const V1: &str = "31 1 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
                  32 1 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                  33 1 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
                  34 1 0:30 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n\
                  35 1 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n";
const V1_MEMORY: &str = "32 1 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

#[test]
fn layouts() {
    let hybrid = Layout::Hybrid(vec![
        ("cpu", "/sys/fs/cgroup/cpu,cpuacct".into()),
        ("cpuacct", "/sys/fs/cgroup/cpu,cpuacct".into()),
        ("memory", "/sys/fs/cgroup/memory".into()),
        ("pids", "/sys/fs/cgroup/pids".into()),
        ("freezer", "/sys/fs/cgroup/freezer".into()),
    ]);
    let cases: [(&[&str], &str, Result<Layout, &str>); 6] = [
        (&[ROOT, V2], "cpuset cpu io memory pids", Ok(Layout::Unified("/sys/fs/cgroup".into()))),
        (&[ROOT, V1, V2_BESIDE], "hugetlb", Ok(hybrid)),
        (&[ROOT, V1], "", Err("version 1 alone")),
        (&[ROOT], "", Err("no cgroup file system")),
        (&[ROOT, V2], "cpu pids", Err("memory are not available in /sys/fs/cgroup")),
        (&[ROOT, V1_MEMORY, V2_BESIDE], "", Err("nor cpu, cpuacct, pids, freezer in version 1")),
    ];
    for (mounts, controllers, expected) in cases {
        match (layout(&mounts.concat(), |_| controllers.to_owned()), expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected),
            (Err(got), Err(part)) => assert!(got.contains(part), "{got:?} lacks {part:?}"),
            (got, expected) => panic!("{got:?} instead of {expected:?}"),
        }
    }
}
