//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Measure a release build against its floors and peers
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", after_help = crate::measure::help())]
pub(crate) struct Arguments {
    /// What to measure [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Fewer rounds and shorter waits: for a look, not for a claim
    #[arg(long)]
    pub(crate) quick: bool,
    /// Also write the results here
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Decides the idle gaps between starts
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The program to measure
    #[arg(long, value_name = "FILE", env = "EBB_BINARY")]
    pub(crate) ebb: PathBuf,
}
