//! Runs measurements, and tells their results as tables and as JSON.

mod table;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    bench::Bench,
    machine::{self, Watch},
    measure::Measurement,
    row::Row,
};

/// Everything that was measured so far.
pub(crate) struct Report {
    quick: bool,
    machine: String,
    sections: Vec<Value>,
    judged: Vec<bool>,
    failed: Vec<&'static str>,
}

impl Report {
    pub(crate) fn new(quick: bool) -> Self {
        let machine = machine::description();
        println!("{machine}{}", if quick { "; quick: for a look, not for a claim" } else { "" });
        Self { quick, machine, sections: Vec::new(), judged: Vec::new(), failed: Vec::new() }
    }

    /// Runs one measurement and prints its table. One that fails is told and does not keep the others from running;
    /// an error is for what keeps them too.
    pub(crate) fn measure(&mut self, measurement: &Measurement, bench: &Bench) -> Result<()> {
        println!("\n{}: {}", measurement.name, measurement.about);
        let watch = Watch::start()?;
        let rows = (measurement.run)(bench);
        let seen = watch.stop()?;
        println!("({})", seen.line());
        let (rows, error) = match rows {
            Ok(rows) => (rows, None),
            Err(error) => {
                println!("not measured: {error:#}");
                self.failed.push(measurement.name);
                (Vec::new(), Some(format!("{error:#}")))
            }
        };
        print!("{}", table::render(rows.iter().map(Row::cells)));
        self.judged.extend(rows.iter().filter_map(Row::met));
        self.sections.push(json!({
            "name": measurement.name,
            "machine": seen.json(),
            "rows": rows.iter().map(Row::json).collect::<Vec<_>>(),
            "error": error,
        }));
        Ok(())
    }

    /// Prints the last line.
    pub(crate) fn summary(&self) {
        let met = self.judged.iter().filter(|met| **met).count();
        let failed = if self.failed.is_empty() {
            String::new()
        } else {
            format!("; not measured: {}", self.failed.join(", "))
        };
        println!("\n{met} of {} budgets met{failed}", self.judged.len());
    }

    pub(crate) fn write_json(&self, path: &Path) -> Result<()> {
        let report = json!({ "machine": self.machine, "quick": self.quick, "measurements": self.sections });
        let text = serde_json::to_string_pretty(&report)?;
        fs::write(path, text + "\n").with_context(|| format!("writing {}", path.display()))
    }

    /// Whether everything that was asked for was measured.
    pub(crate) fn is_whole(&self) -> bool {
        self.failed.is_empty()
    }
}
