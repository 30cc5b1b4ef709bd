//! `config-leader-election`: how the replicas of a control role agree on one.

use std::{collections::BTreeMap, time::Duration};

use super::data::{ConfigError, Data};

/// The values of `config-leader-election`; [`LeaderElection::default`] is the empty ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderElection {
    /// `lease-duration`: after this long without renewal others may take over.
    pub lease_duration: Duration,
    /// `renew-deadline`: after this long without renewal the leader gives up.
    pub renew_deadline: Duration,
    /// `retry-period`: between attempts.
    pub retry_period: Duration,
    /// `buckets`: into how many parts the work is cut, 1 to 10.
    pub buckets: i32,
}

impl Default for LeaderElection {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            lease_duration: seconds(60),
            renew_deadline: seconds(40),
            retry_period: seconds(10),
            buckets: 1,
        }
    }
}

impl LeaderElection {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-leader-election";

    /// Reads and checks the ConfigMap's data.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let data = Data::new(Self::NAME, data);
        let mut config = Self::default();
        data.read("lease-duration", &mut config.lease_duration)?;
        data.read("renew-deadline", &mut config.renew_deadline)?;
        data.read("retry-period", &mut config.retry_period)?;
        data.read("buckets", &mut config.buckets)?;
        let buckets = config.buckets;
        data.check((1..=10).contains(&buckets), "buckets", || {
            format!("must be from 1 to 10, was {buckets}")
        })?;
        Ok(config)
    }
}
