use clap::Parser;
#[derive(clap::Parser)]
#[command(name = "ebb")]
struct P {
    #[command(flatten)]
    global: cli::Global,
    #[command(subcommand)]
    command: cli::Command,
}
#[tokio::main]
async fn main() -> std::process::ExitCode {
    let p = P::parse();
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    #[allow(clippy::disallowed_methods)]
    let mut c = cli::Console {
        out: &mut out,
        err: &mut err,
        clock: jiff::Timestamp::now,
        random: || 4,
        environment: cli::Environment::of_process(),
    };
    cli::run(p.command, p.global, &mut c).await
}
