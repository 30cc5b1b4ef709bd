//! What the program is told to do before it serves, one step for each argument: how a test looks out of a container.
//!
//! | argument | result |
//! |---|---|
//! | `env=NAME` | a variable |
//! | `cwd`, `user` | the working directory; uid, gid and other groups |
//! | `cat=PATH`, `mode=PATH`, `list=PATH` | a file's text; its mode in octal, uid and gid; a directory's names |
//! | `say=TEXT` | the text |
//! | `write=PATH:TEXT`, `fill=PATH:BYTES` | none: the file is written |
//! | `wait=PATH`, `sleep=MS` | none: it waits until the file is there, or so long |
//! | `copy` | none: what it reads it writes, and then ends |
//! | `complain=TEXT` | none: the text goes to standard error |
//! | `need=PATH` | none: it ends with 1 unless the file is there |
//! | `stubborn` | none: from then on SIGTERM is taken for no reason to end |
//! | `exit=CODE` | none: it ends |
//!
//! Each prints a line: the argument, ` -> `, and the result with its line ends escaped, or `error: ` and why.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread::sleep,
    time::Duration,
};

const WAIT: Duration = Duration::from_millis(5);
const FILL_BYTES: usize = 64 << 10;

/// Set by `stubborn`.
pub(crate) static STUBBORN: AtomicBool = AtomicBool::new(false);

/// Takes a step and says what came of it.
pub(crate) fn take(step: &str) {
    let result = match result(step) {
        Ok(result) => result.escape_debug().to_string(),
        Err(error) => format!("error: {error}"),
    };
    println!("{}", format!("{step} -> {result}").trim_end());
}

fn result(step: &str) -> io::Result<String> {
    let (verb, value) = step.split_once('=').unwrap_or((step, ""));
    let done = String::new;
    let pair = || value.split_once(':').ok_or(io::ErrorKind::InvalidInput);
    let number = |text: &str| text.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    Ok(match verb {
        "env" => std::env::var(value).map_err(io::Error::other)?,
        "cwd" => std::env::current_dir()?.display().to_string(),
        "user" => user()?,
        "cat" => fs::read_to_string(value)?,
        "mode" => {
            let found = fs::metadata(value)?;
            format!("{:o} {}:{}", found.mode() & 0o7777, found.uid(), found.gid())
        }
        "list" => {
            let entries = fs::read_dir(value)?.collect::<io::Result<Vec<_>>>()?;
            let mut names: Vec<_> =
                entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names.join(" ")
        }
        "write" => {
            let (path, text) = pair()?;
            fs::write(path, text).map(|()| done())?
        }
        "fill" => {
            let (path, bytes) = pair()?;
            fill(Path::new(path), number(bytes)?).map(|()| done())?
        }
        "wait" => {
            while !Path::new(value).exists() {
                sleep(WAIT);
            }
            done()
        }
        "sleep" => {
            sleep(Duration::from_millis(number(value)?));
            done()
        }
        "say" => value.to_owned(),
        "copy" => {
            io::copy(&mut io::stdin().lock(), &mut io::stdout().lock())?;
            std::process::exit(0)
        }
        "complain" => {
            eprintln!("{value}");
            done()
        }
        "need" => {
            if !Path::new(value).exists() {
                println!("{step} is not there");
                std::process::exit(1)
            }
            done()
        }
        "stubborn" => {
            STUBBORN.store(true, SeqCst);
            done()
        }
        "exit" => {
            println!("{step} ->");
            std::process::exit(i32::try_from(number(value)?).unwrap_or(1))
        }
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "no such step")),
    })
}

/// The numbers that the kernel knows this process by: effective user and group, and the other groups.
fn user() -> io::Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let effective = |name: &str| line(name).split_whitespace().nth(1).unwrap_or_default().to_owned();
    let groups: Vec<_> = line("Groups:").split_whitespace().collect();
    Ok(format!("{} {} {}", effective("Uid:"), effective("Gid:"), groups.join(",")).trim_end().to_owned())
}

fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    let mut left = bytes;
    let block = [b'x'; FILL_BYTES];
    while left > 0 {
        let now = left.min(FILL_BYTES as u64);
        io::Write::write_all(&mut file, &block[..now as usize])?;
        left -= now;
    }
    Ok(())
}
