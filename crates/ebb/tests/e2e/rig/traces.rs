//! What a platform has on its machine outside its data directory, seen from outside.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::{Setup, text};

/// What there was of a platform while it ran. Held until it is looked for again: so no number is given to another.
pub(crate) struct Traces {
    setup: Setup,
    places: Vec<String>,
    /// Its control groups, in every hierarchy.
    pub(crate) cgroups: BTreeSet<PathBuf>,
    /// Where it keeps what lasts only while it runs.
    pub(crate) run_dirs: BTreeSet<PathBuf>,
    pub(crate) mounts: BTreeSet<String>,
    /// The daemon, its keeper, and what they started: number and start time, which no other process has.
    pub(crate) processes: BTreeSet<(i32, String)>,
    /// The network namespaces that they are in or hold, but for the machine's own: open, with their links.
    pub(crate) namespaces: Vec<(File, PathBuf)>,
    /// The sockets that they listen on.
    pub(crate) sockets: BTreeSet<(String, String)>,
}

impl Traces {
    /// Looks for what there is of the platform that this process runs on this data directory.
    pub(crate) fn of(daemon: u32, dir: &Path, setup: &Setup) -> Self {
        let dir = dir.canonicalize().unwrap();
        let id = format!("{:08x}", resources::names::fnv32(dir.as_os_str().as_encoded_bytes()));
        let cgroups = cgroups(&format!("ebb-{id}"));
        let run_dirs = ["/run/ebb", "/dev/shm/ebb"].map(|parent| Path::new(parent).join(&id));
        let places: Vec<_> = [&dir, &run_dirs[0], &run_dirs[1]].map(|path| path.display().to_string()).into();
        let pids = family(i32::try_from(daemon).unwrap(), &cgroups);
        Self {
            run_dirs: run_dirs.into_iter().filter(|dir| dir.exists()).collect(),
            mounts: mounts(&places),
            processes: pids.iter().filter_map(|pid| Some((*pid, started(*pid)?))).collect(),
            namespaces: namespaces(&pids),
            sockets: listened_on(setup, &pids),
            cgroups,
            places,
            setup: setup.clone(),
        }
    }

    /// Nothing of it may be there any more.
    pub(crate) fn assert_gone(&self, after: &str) {
        let left = self.left();
        assert!(left.is_empty(), "left behind: {left:#?} after {after}");
    }

    /// What of it is still there.
    pub(crate) fn left(&self) -> Vec<String> {
        let there = |paths: &BTreeSet<PathBuf>| {
            paths.iter().filter(|path| path.exists()).map(|path| path.display().to_string()).collect()
        };
        let ours = |pid: &i32| *pid != own() && parent(*pid) != Some(own());
        let everybody: BTreeSet<_> = processes().filter(ours).collect();
        let entered = |(_, link): &&(File, PathBuf)| {
            let is = |path: PathBuf| fs::read_link(path).is_ok_and(|found| found == *link);
            everybody.iter().any(|pid| is(format!("/proc/{pid}/ns/net").into()))
                || held(&everybody, "net:[").iter().any(|(_, found)| found == link)
        };
        let processes = self.processes.iter().filter(|(pid, began)| started(*pid).as_ref() == Some(began));
        let sockets = listening(&self.setup);
        let parts: [Vec<String>; 6] = [
            there(&self.cgroups),
            there(&self.run_dirs),
            mounts(&self.places).into_iter().collect(),
            processes.map(|(pid, _)| format!("process {pid}: {}", command_line(*pid))).collect(),
            self.namespaces
                .iter()
                .filter(entered)
                .map(|(_, link)| format!("namespace {}", link.display()))
                .collect(),
            self.sockets.intersection(&sockets).map(|(name, _)| format!("socket {name}")).collect(),
        ];
        parts.concat()
    }
}

/// The control groups of this name and all below them.
fn cgroups(name: &str) -> BTreeSet<PathBuf> {
    let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let hierarchies = mountinfo.lines().filter(|line| line.contains(" - cgroup"));
    let mut to_see: Vec<_> =
        hierarchies.map(|line| Path::new(line.split(' ').nth(4).unwrap()).join(name)).collect();
    let mut found = BTreeSet::new();
    while let Some(group) = to_see.pop() {
        let Ok(entries) = fs::read_dir(&group) else { continue };
        to_see.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()));
        found.insert(group);
    }
    found
}

/// The mounts that are at, or of, one of these places.
fn mounts(places: &[String]) -> BTreeSet<String> {
    let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let of_ours = |line: &&str| places.iter().any(|place| line.contains(place));
    mountinfo.lines().filter(of_ours).map(str::to_owned).collect()
}

/// A process, all that descend from it, and those in these control groups.
fn family(first: i32, cgroups: &BTreeSet<PathBuf>) -> BTreeSet<i32> {
    let lists = cgroups.iter().filter_map(|group| fs::read_to_string(group.join("cgroup.procs")).ok());
    let mut family: BTreeSet<i32> =
        lists.flat_map(|list| list.lines().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect();
    family.insert(first);
    loop {
        let before = family.len();
        family.extend(
            processes()
                .filter(|pid| parent(*pid).is_some_and(|parent| family.contains(&parent)))
                .collect::<Vec<_>>(),
        );
        if family.len() == before {
            return family;
        }
    }
}

/// The network namespaces that these processes are in or hold.
fn namespaces(pids: &BTreeSet<i32>) -> Vec<(File, PathBuf)> {
    let first = pids.iter().filter_map(|pid| fs::read_link(format!("/proc/{pid}/ns/net")).ok());
    let hosts = [fs::read_link("/proc/self/ns/net").ok(), first.into_iter().next()];
    let entered = pids.iter().filter_map(|pid| {
        let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
        fs::read_link(&path).ok().map(|link| (path, link))
    });
    let mut seen = BTreeSet::new();
    let foreign =
        |(_, link): &(PathBuf, PathBuf)| !hosts.contains(&Some(link.clone())) && seen.insert(link.clone());
    let found = entered.chain(held(pids, "net:[")).filter(foreign);
    found.filter_map(|(path, link)| Some((File::open(path).ok()?, link))).collect()
}

/// The descriptors of these processes that lead to something of this kind: where they are, and their links.
fn held(pids: &BTreeSet<i32>, kind: &str) -> BTreeSet<(PathBuf, PathBuf)> {
    let descriptors = pids.iter().flat_map(|pid| {
        fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten().map(|entry| entry.path())
    });
    descriptors
        .filter_map(|path| fs::read_link(&path).ok().map(|link| (path, link)))
        .filter(|(_, link)| link.to_string_lossy().starts_with(kind))
        .collect()
}

/// The sockets that these processes listen on.
fn listened_on(setup: &Setup, pids: &BTreeSet<i32>) -> BTreeSet<(String, String)> {
    let links: BTreeSet<_> = held(pids, "socket:[").into_iter().map(|(_, link)| link).collect();
    let theirs = |(_, number): &(String, String)| links.contains(Path::new(&format!("socket:[{number}]")));
    listening(setup).into_iter().filter(theirs).collect()
}

/// The sockets on the machine that somebody listens on: where, and their numbers, which are never given again.
fn listening(setup: &Setup) -> BTreeSet<(String, String)> {
    let table = |name: &str| {
        let output = setup.command("cat").arg(format!("/proc/self/net/{name}")).output().unwrap();
        text(&output.stdout)
    };
    let socket = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (name, number) = match *fields.get(3)? {
            // A state of TCP, and flags of a Unix socket (Linux: Documentation/networking/proc_net_tcp, unix(7)).
            "0A" => (1, 9),
            "00010000" => (7, 6),
            _ => return None,
        };
        Some((fields.get(name).copied().unwrap_or_default().to_owned(), fields.get(number)?.to_string()))
    };
    ["tcp", "tcp6", "unix"]
        .iter()
        .flat_map(|name| table(name).lines().filter_map(socket).collect::<Vec<_>>())
        .collect()
}

pub(crate) fn processes() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The fields of `/proc/PID/stat` after the name; none for one that has ended and waits to be reaped.
fn stat(pid: i32) -> Option<Vec<String>> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<_> = line.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect();
    (!["Z", "X"].contains(&fields[0].as_str())).then_some(fields)
}

fn parent(pid: i32) -> Option<i32> {
    stat(pid)?[1].parse().ok()
}

fn started(pid: i32) -> Option<String> {
    stat(pid).map(|mut fields| fields.swap_remove(19))
}

fn own() -> i32 {
    i32::try_from(std::process::id()).unwrap()
}

fn command_line(pid: i32) -> String {
    text(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).replace('\0', " ")
}
