//! How few and how many instances there may be.

/// How few and how many instances a revision may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The least; 0 lets the revision fall to zero.
    pub min: i32,
    /// The most; 0 is without limit.
    pub max: i32,
}

impl Bounds {
    /// The nearest scale within the bounds. When they contradict each other, `max` wins: it protects the machine.
    pub fn clamp(self, scale: i32) -> i32 {
        let raised = scale.max(self.min);
        if self.max > 0 { raised.min(self.max) } else { raised }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clamp() {
        // (min, max, scale, expect)
        let cases = [(0, 0, 7, 7), (2, 0, 1, 2), (0, 5, 9, 5), (2, 5, 3, 3), (0, 0, -1, 0), (9, 5, 1, 5)];
        for (min, max, scale, expect) in cases {
            assert_eq!(Bounds { min, max }.clamp(scale), expect, "{min}..{max} of {scale}");
        }
    }
}
