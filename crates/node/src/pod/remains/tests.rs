use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_removal_is_tried_until_it_succeeds_and_each_reason_told_once() {
    let began = Instant::now();
    let outcomes = ["busy", "busy", "a process hangs", "a process hangs", "busy", ""];
    let (at, stop, mut told) = (Cell::new(0), CancellationToken::new(), Vec::new());
    let attempt = || {
        let outcome = outcomes[at.replace(at.get() + 1)];
        async move { if outcome.is_empty() { Ok(()) } else { Err(outcome.to_owned()) } }
    };
    assert!(until_gone(attempt, &stop, |why| told.push(why.to_owned())).await);
    assert_eq!(told, ["busy", "a process hangs", "busy"]);
    assert_eq!(began.elapsed(), Duration::from_millis(500 + 1000 + 2000 + 4000 + 8000));

    let never = || async { Err("busy".to_owned()) };
    let stopping = async {
        sleep(Duration::from_secs(3600)).await;
        stop.cancel();
    };
    let (gone, ()) = tokio::join!(until_gone(never, &stop, |_| ()), stopping);
    assert!(!gone, "it ends with the node");
}

#[tokio::test]
async fn one_directory_that_stays_keeps_no_other() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    fs::create_dir_all(path("full/of/dirs")).unwrap();
    // No directory, so it cannot be removed as one.
    fs::write(path("file"), "").unwrap();
    let dirs = vec![path("file"), path("none"), path("full")];
    let error = remove_dirs(&Removals::default(), dirs).await.unwrap_err();
    assert!(error.contains(path("file").to_str().unwrap()), "{error}");
    assert!(!path("full").exists());
}

#[test]
fn what_nobody_knows_is_found() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["known/v", "unknown/v"] {
        fs::create_dir_all(dir.path().join(name)).unwrap();
    }
    assert_eq!(unknown(dir.path(), |uid| uid == "known"), [dir.path().join("unknown")]);
    assert_eq!(unknown(&dir.path().join("none"), |_| false), Vec::<PathBuf>::new());
}
