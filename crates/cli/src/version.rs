//! `ebb version`.

use serde_json::json;

use crate::{console::Console, error::Error, output::yaml};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Given by whoever builds a release: `cargo xtask dist`.
const BUILD_DATE: Option<&str> = option_env!("EBB_BUILD_DATE");
/// Likewise.
const GIT_REVISION: Option<&str> = option_env!("EBB_GIT_REVISION");
const UNKNOWN: &str = "unknown";
/// The APIs, and the release of Knative whose behaviour they have.
const SERVING_APIS: &[&str] = &["serving.knative.dev/v1 (knative-serving v1.23.0)"];

/// What the command takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Output format [default: text for people]
    #[arg(short, long, value_name = "FORMAT", ignore_case = true)]
    output: Option<Format>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Json,
    Yaml,
}

pub(crate) fn run(args: &Args, console: &mut Console<'_>) -> Result<(), Error> {
    let machine = json!({
        "Version": VERSION,
        "BuildDate": BUILD_DATE.unwrap_or(UNKNOWN),
        "GitRevision": GIT_REVISION.unwrap_or(UNKNOWN),
        "SupportedAPIs": { "serving": SERVING_APIS },
    });
    let text = match args.output {
        Some(Format::Json) => format!("{machine:#}\n"),
        Some(Format::Yaml) => yaml(&machine)?,
        None => {
            let apis: String = SERVING_APIS.iter().map(|api| format!("  - {api}\n")).collect();
            let known = [("Build Date:   ", BUILD_DATE), ("Git Revision: ", GIT_REVISION)];
            let built: String =
                known.into_iter().filter_map(|(label, value)| Some(format!("{label}{}\n", value?))).collect();
            format!("Version:      {VERSION}\n{built}Supported APIs:\n* Serving\n{apis}")
        }
    };
    Ok(console.out.write_all(text.as_bytes())?)
}
