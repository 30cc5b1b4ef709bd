//! Linux capabilities that reach beyond a container, whatever else confines it. Pure.
//!
//! A container that shares the machine's user namespace is held by its other namespaces, by its root file system and by
//! its system call filter. These capabilities are checked against the machine as a whole, so each of them is a way
//! around the three. Not among them: `SYS_PTRACE`, since a process is found by its number and the pid namespace has only
//! the container's own; `NET_ADMIN`, which is for the pod's own network; `SYS_NICE`, `SYS_RESOURCE`, `IPC_LOCK` and the
//! like, which take more of the machine but open nothing of it.

/// Name, and what it leads to.
const REACHING: &[(&str, &str)] = &[
    ("AUDIT_CONTROL", "it turns the machine's audit off"),
    ("AUDIT_READ", "it reads the machine's audit log"),
    ("BPF", "it loads programs into the machine's kernel"),
    ("DAC_READ_SEARCH", "it opens any file of the machine by its handle"),
    ("LINUX_IMMUTABLE", "it makes files that cannot be removed with the container"),
    ("MAC_ADMIN", "it changes the machine's access rules"),
    ("MAC_OVERRIDE", "it overrides the machine's access rules"),
    ("MKNOD", "it makes devices, and through them reaches the machine's disks"),
    ("PERFMON", "it looks into the machine's kernel and other programs"),
    ("SYSLOG", "it reads and clears the machine's kernel log"),
    ("SYS_ADMIN", "it mounts file systems and enters other namespaces"),
    ("SYS_BOOT", "it loads another kernel into the machine"),
    ("SYS_MODULE", "it loads modules into the machine's kernel"),
    ("SYS_PACCT", "it records all processes of the machine"),
    ("SYS_RAWIO", "it reaches the machine's memory and disks"),
    ("SYS_TIME", "it sets the machine's clock"),
    ("ALL", "it has capabilities that reach beyond the container; name those that are needed"),
];

/// Why a capability, named as in `securityContext.capabilities.add`, leads out of a container; `None` if it does not.
pub fn reaches_beyond(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
    REACHING.iter().find(|(known, _)| *known == bare).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_kubernetes_and_the_kernel_write_them() {
        for (name, reaches) in [
            ("SYS_ADMIN", true),
            ("CAP_SYS_ADMIN", true),
            ("cap_sys_module", true),
            ("ALL", true),
            ("NET_ADMIN", false),
            ("SYS_PTRACE", false),
            ("NONSENSE", false),
        ] {
            assert_eq!(reaches_beyond(name).is_some(), reaches, "{name}");
        }
    }
}
