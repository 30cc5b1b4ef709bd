//! `ebb`: the one binary. It knows how the parts are joined, and nothing else.

mod args;
mod at_fault;
mod demo;
mod misuse;
mod restore;
mod runtime;
mod sample;
mod supervise;
mod told;
mod up;

use std::{io::IsTerminal, process::ExitCode};

use clap::Parser;

use crate::{
    args::{Arguments, Command, Demo},
    up::InFlight,
};

/// glibc's allocator grows an arena page by page, each with a system call, and gives it back when an object goes: a start
/// from zero spent a fifth of its time there. Without huge pages, whose first touch costs as much as a start's step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The keeper must be alone in its process, so this comes before any thread.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "keeper") {
        node::keeper_main();
    }
    // One TLS provider for the whole process; whoever builds a TLS configuration finds it.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        unreachable!("nothing else installs a TLS provider");
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misuse::report(&error),
    };
    match arguments.command {
        Command::Up(options) => serve(&options.log.clone(), up::run(options)),
        Command::Demo(Demo { image: Some(file), .. }) => ended(sample::write(&file)),
        Command::Demo(options) => {
            serve(&options.log.clone(), async move { demo::run(options).await.map(|()| None) })
        }
        Command::Restore(options) => ended(restore::run(&options)),
        Command::User(command) => runtime::block_on_current(run(command, arguments.global)),
    }
}

/// Runs a long-lived command, and then the requests that it has left in flight.
fn serve(filter: &str, work: impl Future<Output = anyhow::Result<Option<InFlight>>>) -> ExitCode {
    // Connections and containers take several each.
    node::runtime::raise_descriptor_limit();
    let filter = tracing_subscriber::EnvFilter::new(filter);
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
    ended(runtime::block_on_control(work, InFlight::finish))
}

/// How the program ends; what went wrong is told.
fn ended(result: anyhow::Result<()>) -> ExitCode {
    match told::tell(result) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn run(command: cli::Command, global: cli::Global) -> ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let mut console = cli::Console {
        out: &mut out,
        err: &mut err,
        clock: runtime::now,
        random: runtime::random,
        environment: cli::Environment::of_process(),
    };
    cli::run(command, global, &mut console).await
}
