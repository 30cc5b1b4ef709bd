//! What is wrong with something: the first complaints, and how many more there are.

/// How many complaints about one object are kept (upstream: sigs.k8s.io/json, `maxStrictErrors`). Further ones are counted:
/// a body of a few megabytes can have hundreds of thousands of faults, and nobody reads them.
pub const COMPLAINTS_MAX: usize = 100;

/// What is wrong with something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaints<T> {
    kept: Vec<T>,
    left_out: usize,
}

impl<T> Default for Complaints<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), left_out: 0 }
    }
}

impl<T> Complaints<T> {
    /// Adds a complaint, which is made only if it is kept.
    pub fn add(&mut self, complaint: impl FnOnce() -> T) {
        if self.kept.len() < COMPLAINTS_MAX {
            self.kept.push(complaint());
        } else {
            self.left_out += 1;
        }
    }

    /// Adds all of another's.
    pub fn append(&mut self, other: Self) {
        let room = COMPLAINTS_MAX - self.kept.len();
        self.left_out += other.left_out + other.kept.len().saturating_sub(room);
        self.kept.extend(other.kept.into_iter().take(room));
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many complaints there are beside those that are kept.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The complaints that are kept, in the order in which they came.
    pub fn into_kept(self) -> Vec<T> {
        self.kept
    }
}

impl<T> Extend<T> for Complaints<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, complaints: I) {
        complaints.into_iter().for_each(|complaint| self.add(|| complaint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_kept_and_the_rest_are_counted() {
        let mut all = Complaints::default();
        let mut made = 0;
        for number in 0..COMPLAINTS_MAX + 20 {
            all.add(|| {
                made += 1;
                number
            });
        }
        let mut few = Complaints::default();
        few.extend([7]);
        few.append(all);
        assert_eq!((made, few.left_out()), (COMPLAINTS_MAX, 21));
        let kept = few.into_kept();
        assert_eq!((kept.len(), kept[0], kept[1]), (COMPLAINTS_MAX, 7, 0));
    }
}
