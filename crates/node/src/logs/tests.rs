use std::{
    io::Write,
    sync::atomic::{AtomicI64, Ordering},
};

use futures::StreamExt;

use super::*;

/// Logs whose clock is one second later at each look.
fn logs() -> (tempfile::TempDir, Logs) {
    let dir = tempfile::tempdir().unwrap();
    let second = AtomicI64::new(0);
    let clock: Clock =
        Arc::new(move || Timestamp::from_second(second.fetch_add(1, Ordering::Relaxed)).unwrap());
    let logs = Logs::new(dir.path(), clock, Handle::current());
    (dir, logs)
}

fn id() -> LogId {
    LogId { pod: "uid".into(), container: "app".into(), run: 0 }
}

async fn text(logs: &Logs, options: LogOptions) -> String {
    let chunks: Vec<_> = logs.read(&id(), options).collect().await;
    String::from_utf8(chunks.into_iter().flat_map(Result::unwrap).collect()).unwrap()
}

#[tokio::test]
async fn lines_come_back_as_asked() {
    let (_dir, logs) = logs();
    let (pipes, work) = logs.begin(id()).unwrap();
    let mut stdout = std::fs::File::from(pipes.stdout);
    stdout.write_all(b"zero\none\ntwo\nno end").unwrap();
    drop((stdout, pipes.stderr));
    work.await.unwrap();
    let all = LogOptions::default();
    for (options, expect) in [
        (all.clone(), "zero\none\ntwo\nno end\n"),
        (LogOptions { tail_lines: Some(2), ..all.clone() }, "two\nno end\n"),
        (LogOptions { since: Some(Timestamp::from_second(1).unwrap()), ..all.clone() }, "one\ntwo\nno end\n"),
        (LogOptions { limit_bytes: Some(6), ..all.clone() }, "zero\no"),
        (
            LogOptions { timestamps: true, tail_lines: Some(1), ..all.clone() },
            "1970-01-01T00:00:03.000000000Z no end\n",
        ),
        (LogOptions { follow: true, ..all.clone() }, "zero\none\ntwo\nno end\n"),
    ] {
        assert_eq!(text(&logs, options.clone()).await, expect, "{options:?}");
    }
}

#[tokio::test]
async fn who_reads_a_log_holds_nobody_up() {
    let (_dir, logs) = logs();
    let (pipes, work) = logs.begin(id()).unwrap();
    std::fs::File::from(pipes.stdout).write_all(b"line\n").unwrap();
    drop(pipes.stderr);
    work.await.unwrap();
    let mut read = Box::pin(logs.read(&id(), LogOptions::default()));
    // On this one thread, another task runs only while this one waits.
    let other = tokio::spawn(async {});
    assert_eq!(read.next().await.unwrap().unwrap(), "line\n");
    assert!(other.is_finished());
}

#[tokio::test]
async fn a_follower_sees_what_comes_and_the_end() {
    let (_dir, logs) = logs();
    let (pipes, work) = logs.begin(id()).unwrap();
    let mut stream = Box::pin(logs.read(&id(), LogOptions { follow: true, ..LogOptions::default() }));
    let mut stdout = std::fs::File::from(pipes.stdout);
    for line in ["first\n", "second\n"] {
        stdout.write_all(line.as_bytes()).unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), line);
    }
    drop((stdout, pipes.stderr));
    assert!(stream.next().await.is_none());
    work.await.unwrap();
}

#[tokio::test]
async fn long_lines_and_long_logs_are_bounded() {
    let (_dir, logs) = logs();
    let (pipes, work) = logs.begin(id()).unwrap();
    let writer = tokio::task::spawn_blocking(move || {
        let mut stdout = std::fs::File::from(pipes.stdout);
        stdout.write_all(&vec![b'x'; LINE_BYTES_MAX * 3 + 1]).unwrap();
        stdout.write_all(b"\n").unwrap();
        let line = [vec![b'y'; 1023], vec![b'\n']].concat();
        for _ in 0..3 * FILE_BYTES_MAX / 1024 {
            stdout.write_all(&line).unwrap();
        }
        stdout.write_all(b"the end\n").unwrap();
        drop(pipes.stderr);
    });
    writer.await.unwrap();
    work.await.unwrap();
    let sizes: Vec<_> = (0..FILES_MAX + 1)
        .map(|age| std::fs::metadata(logs.file(&id(), age)).map_or(0, |file| file.len()))
        .collect();
    assert!(sizes[..FILES_MAX].iter().all(|size| *size > 0 && *size <= FILE_BYTES_MAX), "{sizes:?}");
    assert_eq!(sizes[FILES_MAX], 0, "{sizes:?}");
    assert_eq!(logs.tail(&id(), 1, 100), "the end\n");
}

/// Writes one line as a run and returns when it is stored or dropped.
async fn write_run(logs: &Logs, run: u32, line: &[u8]) {
    let (pipes, work) = logs.begin(LogId { run, ..id() }).unwrap();
    let mut stdout = std::fs::File::from(pipes.stdout);
    stdout.write_all(line).unwrap();
    drop((stdout, pipes.stderr));
    work.await.unwrap();
}

#[tokio::test]
async fn the_current_run_and_the_one_before_are_kept() {
    let (_dir, logs) = logs();
    for run in 0..4 {
        write_run(&logs, run, b"line\n").await;
    }
    let kept: Vec<_> = (0..4).filter(|run| logs.file(&LogId { run: *run, ..id() }, 0).exists()).collect();
    assert_eq!(kept, [2, 3]);
}

#[tokio::test]
async fn what_cannot_be_stored_is_dropped_and_no_writer_notices() {
    let (dir, logs) = logs();
    // A file where the pod's directory should be.
    std::fs::create_dir_all(dir.path()).unwrap();
    std::fs::write(dir.path().join("uid"), "").unwrap();
    let (pipes, work) = logs.begin(id()).unwrap();
    let mut stdout = std::fs::File::from(pipes.stdout);
    drop(pipes.stderr);
    let writer = tokio::task::spawn_blocking(move || {
        // Far more than the pipe holds, so it has been emptied when this is done.
        (0..200).try_for_each(|_| stdout.write_all(&[b"x".repeat(4095), b"\n".to_vec()].concat()))?;
        std::io::Result::Ok(stdout)
    });
    let mut stdout = writer.await.unwrap().unwrap();
    std::fs::remove_file(dir.path().join("uid")).unwrap();
    stdout.write_all(b"stored again\n").unwrap();
    drop(stdout);
    work.await.unwrap();
    assert!(text(&logs, LogOptions::default()).await.ends_with("stored again\n"));
}

#[tokio::test]
async fn removed_logs_stay_removed_and_the_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, logs) = logs();
    write_run(&logs, 0, b"line\n").await;
    assert_eq!(std::fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777, 0o700);
    let (pipes, work) = logs.begin(LogId { run: 1, ..id() }).unwrap();
    let left = logs.forget("uid");
    assert_eq!(left, dir.path().join("uid"));
    std::fs::remove_dir_all(left).unwrap();
    let mut stdout = std::fs::File::from(pipes.stdout);
    stdout.write_all(b"late\n").unwrap();
    drop((stdout, pipes.stderr));
    work.await.unwrap();
    assert!(!dir.path().join("uid").exists());
}

#[tokio::test]
async fn a_log_goes_on_where_it_was_handed_over() {
    let (dir, logs) = logs();
    let (pipes, work) = logs.begin(id()).unwrap();
    let mut stdout = std::fs::File::from(pipes.stdout);
    let mut stream = Box::pin(logs.read(&id(), LogOptions { follow: true, ..LogOptions::default() }));
    stdout.write_all(b"one\ntwo ").unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), "one\n");
    logs.hand_over().await;
    work.await.unwrap();
    // Nobody reads; the writer does not notice.
    stdout.write_all(b"three\nfour\n").unwrap();
    let next = Logs::new(dir.path(), Arc::new(|| Timestamp::UNIX_EPOCH), Handle::current());
    let work = next.resume(id(), pipes.readers).unwrap();
    drop((stdout, pipes.stderr));
    work.await.unwrap();
    assert_eq!(text(&next, LogOptions::default()).await, "one\ntwo three\nfour\n");
}

/// A daemon that is killed loses nothing that it has had for a moment: the beginning of a line is stored without its end.
#[tokio::test]
async fn a_line_without_an_end_is_stored_and_goes_on() {
    let (dir, logs) = logs();
    let (pipes, work) = logs.begin(id()).unwrap();
    let mut stdout = std::fs::File::from(pipes.stdout);
    let mut stream = Box::pin(logs.read(&id(), LogOptions { follow: true, ..LogOptions::default() }));
    stdout.write_all(b"one\nname? ").unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), "one\n");
    assert_eq!(stream.next().await.unwrap().unwrap(), "name? ");
    // As after a crash: nobody has told the writer to store anything.
    work.abort();
    let next = Logs::new(dir.path(), Arc::new(|| Timestamp::UNIX_EPOCH), Handle::current());
    let work = next.resume(id(), pipes.readers).unwrap();
    stdout.write_all(b"Ebb\ntwo").unwrap();
    drop((stdout, pipes.stderr));
    work.await.unwrap();
    let all = LogOptions::default();
    for (options, expect) in [
        (all.clone(), "one\nname? Ebb\ntwo\n"),
        (LogOptions { tail_lines: Some(2), ..all.clone() }, "name? Ebb\ntwo\n"),
        (
            LogOptions { tail_lines: Some(2), timestamps: true, ..all },
            "1970-01-01T00:00:01.000000000Z name? Ebb\n1970-01-01T00:00:00.000000000Z two\n",
        ),
    ] {
        assert_eq!(text(&next, options.clone()).await, expect, "{options:?}");
    }
}
