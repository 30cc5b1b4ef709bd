//! Where the API is, and what is said when nobody is there.

use std::process::ExitCode;

use crate::scripted::{kubeconfig, run};

#[tokio::test]
async fn nobody_there() {
    // A port that was free a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let directory = kubeconfig(&format!("http://{address}"));
    for arguments in [&["service", "list"][..], &["image", "load", "/dev/null"]] {
        let outcome = run(arguments, &directory).await;
        assert_eq!(
            outcome.err,
            format!(
                "Error: no Ebb answers at http://{address}: connection refused; start it with `ebb up`, or name another \
                 API with --kubeconfig\n"
            )
        );
        assert_eq!(outcome.status, ExitCode::from(1));
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_there_who_says_nothing() {
    // Whoever connects waits in its backlog, as after the end of an `ebb up` that another one may follow.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let directory = kubeconfig(&format!("https://{address}"));
    for arguments in [&["service", "list"][..], &["image", "load", "/dev/null"]] {
        let outcome = run(arguments, &directory).await;
        let silent = format!(
            "Error: no Ebb answers at https://{address}: a connection was tried for 10 s and not refused"
        );
        assert!(outcome.err.starts_with(&silent), "{}", outcome.err);
        assert!(outcome.err.contains("is `ebb up` running?"), "{}", outcome.err);
        assert_eq!(outcome.status, ExitCode::from(1));
    }
}

#[tokio::test]
async fn a_kubeconfig_is_printed_and_merged() {
    let directory = kubeconfig("https://prod");
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let written = "apiVersion: v1\nkind: Config\nclusters:\n- name: ebb\n  cluster:\n    server: https://127.0.0.1:6443\n";
    std::fs::write(data.join("kubeconfig"), written).unwrap();
    let data = data.to_str().unwrap();
    assert_eq!(run(&["kubeconfig", "--data-dir", data], &directory).await.out, written);

    let outcome = run(&["kubeconfig", "--merge", "--data-dir", data], &directory).await;
    let target = directory.path().join("kubeconfig");
    assert_eq!(outcome.out, format!("Context 'ebb' merged into {}.\n", target.display()));
    let merged = std::fs::read_to_string(target).unwrap();
    assert!(merged.contains("server: https://127.0.0.1:6443"), "{merged}");
    assert!(!merged.contains("prod"), "{merged}");

    let outcome = run(&["kubeconfig", "--kubeconfig", "/absent"], &directory).await;
    assert!(outcome.err.contains("--merge") && outcome.err.contains("--data-dir"), "{}", outcome.err);
    let outcome = run(&["kubeconfig", "--data-dir", "/absent"], &directory).await;
    assert_eq!(
        outcome.err,
        "Error: found no kubeconfig: looked at /absent/kubeconfig; start Ebb with `ebb up`, or say with --data-dir which \
         directory it has\n"
    );
}
