//! What was measured several times: its quantiles.

/// Measured values of one thing, in order of size.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Samples {
    sorted: Vec<f64>,
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted }
    }
}

impl Samples {
    pub(crate) fn n(&self) -> usize {
        self.sorted.len()
    }

    /// The smallest value that at least `percent` of the values do not exceed (nearest rank); NaN without values.
    pub(crate) fn percentile(&self, percent: u32) -> f64 {
        let n = self.sorted.len();
        let rank = (n * percent as usize).div_ceil(100).clamp(1, n.max(1));
        self.sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }
}

#[cfg(test)]
mod tests {
    use super::Samples;

    #[test]
    fn nearest_rank() {
        let cases: [(&[f64], u32, f64); 8] = [
            (&[7.0], 50, 7.0),
            (&[7.0], 99, 7.0),
            (&[3.0, 1.0, 2.0], 50, 2.0),
            (&[4.0, 3.0, 2.0, 1.0], 50, 2.0),
            (&[4.0, 3.0, 2.0, 1.0], 75, 3.0),
            (&[4.0, 3.0, 2.0, 1.0], 76, 4.0),
            (&[4.0, 3.0, 2.0, 1.0], 100, 4.0),
            (&[4.0, 3.0, 2.0, 1.0], 0, 1.0),
        ];
        for (values, percent, expect) in cases {
            let samples: Samples = values.iter().copied().collect();
            assert_eq!(samples.percentile(percent), expect, "{values:?} p{percent}");
        }
        assert!(Samples::default().median().is_nan());
    }
}
