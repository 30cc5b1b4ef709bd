//! Chance, seeded and without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// Random numbers for splits and load spreading: seeded, so that tests repeat, and without a lock.
///
/// SplitMix64: the state is a counter, so drawing is one atomic addition and a mix.
#[derive(Debug)]
pub struct Dice {
    counter: AtomicU64,
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    /// Dice that always fall the same for the same `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self { counter: AtomicU64::new(seed) }
    }

    /// A number below `sides`, which must not be 0.
    pub(crate) fn roll(&self, sides: u32) -> u32 {
        let mut mixed = self.counter.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The upper half, scaled: unbiased enough for shares of hundredths, and no division.
        (((mixed >> 32) * u64::from(sides)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_and_repeatable() {
        let dice = Dice::seeded(7);
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            counts[dice.roll(10) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        let first: Vec<_> = {
            (0..5)
                .map({
                    let dice = Dice::seeded(7);
                    move |_| dice.roll(100)
                })
                .collect()
        };
        let again: Vec<_> = {
            (0..5)
                .map({
                    let dice = Dice::seeded(7);
                    move |_| dice.roll(100)
                })
                .collect()
        };
        assert_eq!(first, again);
    }
}
