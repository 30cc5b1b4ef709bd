//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Knative in one binary: containers that scale to zero, on one Linux machine.
#[derive(Debug, Parser)]
#[command(name = "ebb", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: cli::Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the platform on this machine and serve until interrupted
    Up(Up),
    /// Show the main job end to end: deploy a sample, call it, watch it fall to zero and wake
    Demo(Demo),
    /// Make a new data directory from a backup, for `ebb up` to begin with
    Restore(Restore),
    #[command(flatten)]
    User(cli::Command),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Up {
    /// The directory for state, images and logs [default: /var/lib/ebb, or ~/.local/share/ebb without root]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The file of the key that Secrets are encrypted with on disk [default: api/secrets.key in DIR, made at the first start]
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets_key: Option<PathBuf>,
    /// Where the Kubernetes API listens: IP:PORT
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:6443", value_parser = address)]
    pub(crate) api: SocketAddr,
    /// Where requests arrive: IP:PORT [default: port 80 if it can be had, else 8080; of 127.0.0.1, or of all addresses with --domain]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) http: Option<SocketAddr>,
    /// The domain of the services' URLs; with one other than `localhost`, other machines can send requests [default: the last
    /// one, at first `localhost`]
    #[arg(long, value_name = "NAME", value_parser = domain)]
    pub(crate) domain: Option<String>,
    /// How containers are run [default: container with root, else process]
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) runtime: Option<RuntimeKind>,
    /// Note every request to the API in this file, as audit events without bodies; it and four older ones have 64 MiB each
    /// at most [default: none]
    #[arg(long, value_name = "FILE")]
    pub(crate) audit_log: Option<PathBuf>,
    /// What is logged to the standard error, as `warn` or `info,node=debug`
    #[arg(long, value_name = "FILTER", default_value = "warn", value_parser = filter, env = "EBB_LOG")]
    pub(crate) log: String,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Restore {
    /// What `ebb backup` wrote; `-` for the standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The directory to make [default: that of `ebb up`]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The file of the key that opens a backup that was taken without --with-key, as api/secrets.key where it was taken
    /// [default: the key in the backup]
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets_key: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Demo {
    /// How containers are run [default: container with root, else process]
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) runtime: Option<RuntimeKind>,
    /// End after the story instead of serving until interrupted
    #[arg(long)]
    pub(crate) exit: bool,
    /// Only write the sample's image to this file, for `ebb image load` on an Ebb of your own; `-` for the standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["runtime", "exit"])]
    pub(crate) image: Option<PathBuf>,
    /// What is logged to the standard error, as `warn` or `info,node=debug`
    #[arg(long, value_name = "FILTER", default_value = "error", value_parser = filter, env = "EBB_LOG")]
    pub(crate) log: String,
}

/// How containers are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuntimeKind {
    /// Isolated, with limits; needs root
    Container,
    /// As plain processes of the calling user
    Process,
}

impl RuntimeKind {
    /// What was asked for, or what the caller's rights allow.
    pub(crate) fn or_default(asked: Option<Self>) -> Self {
        let root = rustix::process::geteuid().is_root();
        asked.unwrap_or(if root { Self::Container } else { Self::Process })
    }
}

/// An address to listen on.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "an IP address and a port are expected, as in 127.0.0.1:8080")
}

/// A domain that hosts can be made of.
fn domain(text: &str) -> Result<String, &'static str> {
    let valid = resources::names::dns::subdomain(text).is_empty();
    valid.then(|| text.to_owned()).ok_or("a DNS name in lower case is expected, as in apps.example.com")
}

/// What is logged; checked here, parsed again where it is used.
fn filter(text: &str) -> Result<String, String> {
    let parsed = tracing_subscriber::EnvFilter::try_new(text);
    parsed
        .map(|_| text.to_owned())
        .map_err(|error| format!("{error}; `warn` or `info,node=debug` are filters"))
}
