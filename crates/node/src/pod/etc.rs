//! The files that every container of a pod finds in its `/etc`. Pure (upstream: kubernetes, kubelet `managedHostsFile`).

use std::{net::Ipv4Addr, path::PathBuf};

use resources::builtin::Pod;

use crate::runtime::OwnFile;

/// The pod's name and address, and where names are looked up.
pub(super) fn files(pod: &Pod, hostname: &str, address: Ipv4Addr, resolv_conf: &str) -> Vec<OwnFile> {
    let file = |name: &str, content| OwnFile { target: PathBuf::from("/etc").join(name), content };
    vec![
        file("hosts", hosts(pod, hostname, address)),
        file("hostname", format!("{hostname}\n")),
        file("resolv.conf", resolv_conf.to_owned()),
    ]
}

fn hosts(pod: &Pod, hostname: &str, address: Ipv4Addr) -> String {
    let mut hosts =
        format!("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{address}\t{hostname}\n");
    for alias in pod.spec.iter().flat_map(|spec| spec.host_aliases.iter().flatten()) {
        let names = alias.hostnames.as_deref().unwrap_or_default().join("\t");
        hosts.push_str(&format!("{}\t{names}\n", alias.ip));
    }
    hosts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_knows_itself_and_its_aliases() {
        let alias = json!({ "ip": "10.1.2.3", "hostnames": ["db", "db.local"] });
        let pod = json!({ "spec": { "containers": [], "hostAliases": [alias] } });
        let pod: Pod = serde_json::from_value(pod).unwrap();
        let files = files(&pod, "web-0", Ipv4Addr::new(10, 88, 0, 7), "options ndots:5\n");
        let files: Vec<_> =
            files.iter().map(|file| (file.target.to_str().unwrap(), file.content.as_str())).collect();
        let hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.88.0.7\tweb-0\n\
                     10.1.2.3\tdb\tdb.local\n";
        let expected =
            [("/etc/hosts", hosts), ("/etc/hostname", "web-0\n"), ("/etc/resolv.conf", "options ndots:5\n")];
        assert_eq!(files, expected);
    }
}
