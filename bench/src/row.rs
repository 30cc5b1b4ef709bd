//! One line of the results.

use serde_json::{Value, json};

use crate::{budget::Budget, samples::Samples};

/// A figure, what it is held against, and what it must reach.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    value: f64,
    /// How many measurements the figure is made of.
    n: usize,
    reference: Option<Reference>,
    budgets: Vec<Budget>,
}

#[derive(Clone, Debug)]
struct Reference {
    name: &'static str,
    value: f64,
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, value: f64, n: usize) -> Self {
        Self { what: what.into(), unit, value, n, reference: None, budgets: Vec::new() }
    }

    /// A percentile of samples.
    pub(crate) fn percentile(what: &str, unit: &'static str, samples: &Samples, percent: u32) -> Self {
        let name = if percent == 100 { "max".to_owned() } else { format!("p{percent}") };
        Self::new(format!("{what}, {name}"), unit, samples.percentile(percent), samples.n())
    }

    /// Held against the floor or peer of this name.
    pub(crate) fn against(self, name: &'static str, value: f64) -> Self {
        Self { reference: Some(Reference { name, value }), ..self }
    }

    pub(crate) fn budget(mut self, budget: Budget) -> Self {
        self.budgets.push(budget);
        self
    }

    pub(crate) fn ratio(&self) -> Option<f64> {
        self.reference.as_ref().map(|reference| self.value / reference.value)
    }

    /// Whether all budgets are kept; `None` when there is none that can be judged.
    pub(crate) fn met(&self) -> Option<bool> {
        let ratio = self.ratio();
        let judged = self.budgets.iter().filter_map(|budget| budget.met(self.value, ratio));
        judged.reduce(|all, met| all && met)
    }

    /// As the table shows it: what, floor or peer, ebb, ratio, budget, met.
    pub(crate) fn cells(&self) -> [String; 6] {
        let budgets: Vec<_> = self.budgets.iter().map(Budget::to_string).collect();
        [
            format!("{} (n={})", self.what, self.n),
            self.reference.as_ref().map_or_else(String::new, |reference| {
                format!("{} ({})", amount(reference.value, self.unit), reference.name)
            }),
            amount(self.value, self.unit),
            self.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            budgets.join(", "),
            self.met().map_or("", |met| if met { "yes" } else { "NO" }).to_owned(),
        ]
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "what": self.what,
            "unit": self.unit,
            "n": self.n,
            "ebb": self.value,
            "reference": self.reference.as_ref().map(|r| json!({ "name": r.name, "value": r.value })),
            "ratio": self.ratio(),
            "budgets": self.budgets.iter().map(Budget::to_string).collect::<Vec<_>>(),
            "met": self.met(),
        })
    }
}

/// Three digits that count.
fn amount(value: f64, unit: &str) -> String {
    let digits = match value.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        small if small >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        let row = Row::new("zero → first byte, p50", "ms", 2.5, 60).against("alone", 1.25);
        let row = row.budget(Budget::AtMost(3.0)).budget(Budget::RatioAtMost(1.5));
        let expect =
            ["zero → first byte, p50 (n=60)", "1.25 ms (alone)", "2.50 ms", "2.00", "≤ 3, ≤ 1.5×", "NO"];
        assert_eq!(row.cells(), expect);
        assert_eq!(Row::new("plain", "/s", 12345.6, 1).cells()[2..], ["12346 /s", "", "", ""]);
    }
}
