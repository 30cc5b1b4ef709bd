use std::io;

use super::*;

#[test]
fn errors_are_told_in_the_words_of_the_spec() {
    let mount = |source: &str, target: &str| BindMount {
        source: source.into(),
        sub_path: PathBuf::new(),
        target: target.into(),
        read_only: false,
    };
    let shown = Shown::of(
        &["/data/images/l1".into()],
        &[OwnFile { target: "/etc/hosts".into(), content: String::new() }],
        &[mount("/run/ebb/1/pods/UID/volumes/v", "/in"), mount("/data/volumes/UID/w", "/out")],
    );
    let start = |step, subject: &str, errno| RuntimeError::Start {
        container: "UID-main-0".to_owned(),
        failure: StartFailure { step, subject: subject.to_owned(), errno },
    };
    for (error, expect) in [
        (start(Step::Exec, "/none", libc::ENOENT), "exec /none: no such file or directory"),
        (
            start(Step::Exec, "/data/images/l1/bin/x", libc::EACCES),
            "exec /bin/x: Permission denied (os error 13)",
        ),
        (
            start(Step::Mount, "/run/ebb/1/pods/UID/volumes/v/sub", libc::ELOOP),
            "mounting /in/sub: Too many levels of symbolic links (os error 40)",
        ),
        (start(Step::Mount, "/out", libc::ENOTDIR), "mounting /out: Not a directory (os error 20)"),
        (
            start(Step::Mount, "/etc/hosts", libc::ENOTDIR),
            "mounting /etc/hosts: Not a directory (os error 20)",
        ),
        (
            start(Step::Mount, "/data/containers/7/proc", libc::EPERM),
            "mounting: Operation not permitted (os error 1)",
        ),
        (start(Step::Sandbox, "UID", libc::ENOENT), "joining the sandbox: no such file or directory"),
        (start(Step::User, "nobody", libc::ENOENT), "user nobody: no such user or group in the image"),
        (
            RuntimeError::Invalid { container: "UID-main-0".to_owned(), reason: "no command".to_owned() },
            "no command",
        ),
        (
            RuntimeError::Io {
                what: "copying the image of container UID-main-0".to_owned(),
                cause: io::Error::other("disk full"),
            },
            "disk full",
        ),
        (
            RuntimeError::NotFound { kind: "sandbox", id: "UID".to_owned() },
            "its sandbox is not there any more",
        ),
    ] {
        let told = of_container(&error, "main", &shown);
        assert_eq!(told, format!("failed to start container \"main\": {expect}"));
    }
}
