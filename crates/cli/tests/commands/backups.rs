//! Backups are written, and take the place of older ones.

use std::process::ExitCode;

use crate::scripted::{Exchange, ebb};

#[tokio::test]
async fn a_backup_that_cannot_be_written_is_named_as_it_was_given() {
    let outcome = ebb(&["backup", "/absent/ebb.backup"], vec![]).await;
    assert_eq!(
        outcome.err,
        "Error: cannot write /absent/ebb.backup: No such file or directory (os error 2); name a file that you may write, in \
         a directory that exists\n"
    );
}

#[tokio::test]
async fn that_an_older_backup_is_replaced_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ebb.backup");
    let backup = "{\"backup\":2,\"version\":7,\"ebb\":\"0.1.0\",\"taken\":\"2026-11-20T11:00:00Z\"}\n\
                  {\"end\":{\"objects\":0,\"sha256\":\"\"}}\n";
    for replaced in ["", "It takes the place of the one of 2026-11-20T11:00:00Z.\n"] {
        let answer = Exchange { request: "GET /ebb/backup", status: 200, answer: backup.to_owned() };
        let outcome = ebb(&["backup", file.to_str().unwrap()], vec![answer]).await;
        let written = format!("Backup of 0 objects written to {}.\n{replaced}Keys and ", file.display());
        assert!(outcome.out.starts_with(&written), "{}", outcome.out);
        assert_eq!((outcome.status, outcome.err.as_str()), (ExitCode::SUCCESS, ""));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), backup);
    }
}
