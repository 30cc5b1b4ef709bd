//! A command in a container, asked how it ended.

use std::time::Duration;

use tokio::{io::AsyncReadExt, pin, time::timeout};

use super::{Fault, Outcome};
use crate::{
    exec::{ExecCommand, ExecStream, in_container},
    runtime::{ContainerId, Runtime, RuntimeError, Step},
};

/// How much of what it writes is told (upstream: kubernetes, exec probe, `maxReadLength`); the rest is read and dropped.
const TOLD_BYTES_MAX: usize = 10 << 10;
/// How long the last of its output may take once it has ended: what it has started may hold its streams.
const LAST_WORDS_MAX: Duration = Duration::from_millis(100);

/// Fine when it ends with 0; else what it wrote. It is killed when this is dropped.
pub(super) async fn ends_well(runtime: &dyn Runtime, container: &ContainerId, argv: &[String]) -> Outcome {
    let command = ExecCommand { argv: argv.to_vec(), stdout: true, stderr: true, ..ExecCommand::default() };
    let exec = in_container(runtime, container, command).await.map_err(fault)?;
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let exit = {
        let both = async { tokio::join!(read(exec.stdout, &mut output), read(exec.stderr, &mut errors)) };
        pin!(both);
        tokio::select! {
            _ = &mut both => exec.program.wait().await,
            exit = exec.program.wait() => {
                let _ = timeout(LAST_WORDS_MAX, &mut both).await;
                exit
            }
        }
    };
    if exit.map_err(fault)?.code == 0 {
        return Ok(());
    }
    output.append(&mut errors);
    output.truncate(TOLD_BYTES_MAX);
    Err(Fault::Refused(String::from_utf8_lossy(&output).into_owned()))
}

/// A command that is not there is the pod's; all else is the node's own trouble.
fn fault(error: RuntimeError) -> Fault {
    let is_the_pods = matches!(
        &error,
        RuntimeError::Exec { failure } if matches!(failure.step, Step::Exec | Step::WorkingDirectory)
    );
    if is_the_pods { Fault::Refused(error.to_string()) } else { Fault::NotAsked(error.to_string()) }
}

async fn read(stream: Option<ExecStream>, into: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        let room = TOLD_BYTES_MAX - into.len();
        into.extend_from_slice(&chunk[..read.min(room)]);
    }
}
