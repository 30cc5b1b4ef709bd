//! Who has the address that is wanted, where that is another Ebb: it may be one that its user has forgotten.
//!
//! `/proc` has the sockets that listen, and which processes have them open. Those of other users are seen by root alone.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use node::runtime::KeeperOptions;

use crate::up::DataDir;

/// The kernel's tables of sockets; those that listen come first in each.
const TABLES: [&str; 2] = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
/// How many sockets of each are looked at.
const SOCKETS_MAX: usize = 4096;
/// How a table says that a socket listens.
const LISTENS: &str = "0A";
/// How many processes are looked at.
const PROCESSES_MAX: usize = 1 << 16;
/// How many open files of each; what it listens on it opens early.
const FILES_MAX: usize = 1024;
/// How a daemon starts its keeper; see `node::runtime::KeeperCommand`.
const KEEPER: &[u8] = b"/proc/self/exe\0keeper\0";

/// The Ebb that keeps others from listening at this address, to be said after "by".
pub(super) fn of(address: SocketAddr) -> Option<String> {
    let sockets: Vec<PathBuf> = TABLES.into_iter().flat_map(|table| listening(table, address)).collect();
    if sockets.is_empty() {
        return None;
    }
    let mut keeper = None;
    for pid in processes() {
        let files = open_files(pid);
        if !files.iter().any(|file| sockets.contains(file)) {
            continue;
        }
        // Both of its addresses are one.
        if pid == std::process::id() {
            return None;
        }
        if let Some(dir) = files.iter().find_map(|file| DataDir::held_by(pid, file)) {
            // Somebody else may have chosen the name.
            let dir = dir.to_string_lossy();
            let dir = dir.escape_debug();
            return Some(format!("another `ebb up` (process {pid}, data directory {dir})"));
        }
        if fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|command| command == KEEPER) {
            keeper = Some(pid);
        }
    }
    keeper.map(|pid| {
        format!(
            "the keeper of an `ebb up` with another data directory (process {pid}), which ends within {:?}",
            KeeperOptions::GRACE
        )
    })
}

/// The sockets of a table that listen at this address, as they are among a process' open files.
fn listening(table: &str, address: SocketAddr) -> Vec<PathBuf> {
    let Ok(table) = File::open(table) else { return Vec::new() };
    let lines = BufReader::new(table).lines().map_while(Result::ok).take(SOCKETS_MAX);
    lines.filter_map(|line| listens(&line, address)).collect()
}

fn listens(line: &str, address: SocketAddr) -> Option<PathBuf> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (ip, port) = fields.get(1)?.rsplit_once(':')?;
    let is_any = |ip: &str| ip.bytes().all(|digit| digit == b'0');
    let wanted = words(address.ip());
    // The one that is for any IPv6 address is for any IPv4 address, too, unless it was told not to be.
    let overlaps = address.ip().is_unspecified() || is_any(ip) || ip == wanted;
    let is_it = overlaps
        && fields.get(3) == Some(&LISTENS)
        && u16::from_str_radix(port, 16).is_ok_and(|port| port == address.port());
    let inode = fields.get(9).filter(|_| is_it)?;
    Some(format!("socket:[{inode}]").into())
}

/// An address as the tables have it: words of four bytes, each as this machine has numbers.
fn words(ip: IpAddr) -> String {
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = octets.chunks_exact(4).map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
    words.map(|word| format!("{word:08X}")).collect()
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).take(PROCESSES_MAX)
}

fn open_files(pid: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    entries.take(FILES_MAX).filter_map(|entry| fs::read_link(entry.path()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_socket_that_listens_is_found_among_the_open_files() {
        for ip in ["127.0.0.1", "::1"] {
            // Not every machine has the second.
            let Ok(listener) = TcpListener::bind((ip, 0)) else { continue };
            let address = listener.local_addr().unwrap();
            let found: Vec<_> = TABLES.into_iter().flat_map(|table| listening(table, address)).collect();
            let open = open_files(std::process::id());
            assert!(found.len() == 1 && open.contains(&found[0]), "{found:?} of {open:?}");
            assert_eq!(of(address), None, "it is this process itself");
        }
    }

    #[test]
    fn only_what_listens_at_the_address_counts() {
        let number = words(IpAddr::from([127, 0, 0, 1]));
        let line = |ip: &str, state: &str| {
            let rest = "00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0";
            listens(
                &format!("   7: {ip}:192B 00000000:0000 {state} {rest}"),
                "127.0.0.1:6443".parse().unwrap(),
            )
        };
        let found = Some(PathBuf::from("socket:[4711]"));
        assert_eq!((line(&number, "0A"), line("00000000", "0A")), (found.clone(), found));
        assert_eq!((line(&number, "01"), line("FFFFFFFF", "0A")), (None, None));
        let other = format!("   7: {number}:192C 00000000:0000 0A 0 0 0 0 0 4711");
        assert_eq!(listens(&other, "127.0.0.1:6443".parse().unwrap()), None);
        assert_eq!(listens("  sl  local_address rem_address", "127.0.0.1:6443".parse().unwrap()), None);
    }
}
