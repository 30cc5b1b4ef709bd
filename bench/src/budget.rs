//! What a figure must reach.

use std::fmt;

/// A bound on a figure, or on its ratio to the reference of the same run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Budget {
    AtMost(f64),
    RatioAtMost(f64),
    RatioAtLeast(f64),
}

impl Budget {
    /// Whether it is kept; `None` when there is nothing to hold it against.
    pub(crate) fn met(self, value: f64, ratio: Option<f64>) -> Option<bool> {
        let (value, within): (_, fn(f64, f64) -> bool) = match self {
            Self::AtMost(_) => (Some(value), |value, bound| value <= bound),
            Self::RatioAtMost(_) => (ratio, |value, bound| value <= bound),
            Self::RatioAtLeast(_) => (ratio, |value, bound| value >= bound),
        };
        value.filter(|value| value.is_finite()).map(|value| within(value, self.bound()))
    }

    fn bound(self) -> f64 {
        let (Self::AtMost(bound) | Self::RatioAtMost(bound) | Self::RatioAtLeast(bound)) = self;
        bound
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
            Self::RatioAtMost(bound) => write!(f, "≤ {bound}×"),
            Self::RatioAtLeast(bound) => write!(f, "≥ {bound}×"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn bounds_hold_the_figure_or_its_ratio() {
        let cases = [
            (Budget::AtMost(3.0), 3.0, None, Some(true)),
            (Budget::AtMost(3.0), 3.1, Some(1.0), Some(false)),
            (Budget::RatioAtMost(2.0), 9.0, Some(1.9), Some(true)),
            (Budget::RatioAtLeast(0.6), 9.0, Some(0.5), Some(false)),
            (Budget::RatioAtLeast(0.6), 9.0, None, None),
            (Budget::AtMost(3.0), f64::NAN, None, None),
        ];
        for (budget, value, ratio, expect) in cases {
            assert_eq!(budget.met(value, ratio), expect, "{budget} of {value}, {ratio:?}");
        }
    }
}
