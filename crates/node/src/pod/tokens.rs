//! Tokens of ServiceAccounts in pods: which a pod's volumes show, and when each is to be replaced (upstream: kubernetes,
//! kubelet token manager).

use std::{collections::BTreeMap, fmt, time::Duration};

use resources::builtin::{Pod, ServiceAccountTokenProjection, Volume};
use tokio::time::Instant;

use super::values::Missing;

/// How long a token holds if nobody says.
const DEFAULT_SECONDS: i64 = 3600;
/// The longest that a token is shown, however long it holds.
const SHOWN_MAX: Duration = Duration::from_secs(24 * 3600);

/// Gives out tokens. The API server does.
pub trait Tokens: Send + Sync + 'static {
    /// A token of the pod's ServiceAccount that holds for so many seconds and as long as the pod is there; for the API
    /// itself where no audience is named.
    fn issue(&self, pod: &Pod, audience: Option<&str>, seconds: i64) -> objects::Result<String>;
}

/// A token that a volume asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    audience: Option<String>,
    seconds: i64,
}

impl Asked {
    pub(super) fn of(source: &ServiceAccountTokenProjection) -> Self {
        Self {
            audience: source.audience.clone().filter(|audience| !audience.is_empty()),
            seconds: source.expiration_seconds.unwrap_or(DEFAULT_SECONDS),
        }
    }

    /// Those of a pod's volumes.
    pub(super) fn by<'a>(volumes: impl Iterator<Item = &'a Volume>) -> Vec<Self> {
        let projected = volumes.filter_map(|volume| volume.projected.as_ref());
        let sources = projected.flat_map(|projected| projected.sources.iter().flatten());
        sources.filter_map(|source| source.service_account_token.as_ref()).map(Self::of).collect()
    }
}

/// A token that was given out. Says nothing of itself.
#[derive(Clone, PartialEq, Eq)]
struct Issued {
    token: String,
    /// From then on another one is to be shown: a fifth of its time is left, or it is a day old.
    replaced_at: Instant,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("replaced_at", &self.replaced_at).finish_non_exhaustive()
    }
}

/// The tokens that a pod is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PodTokens {
    issued: BTreeMap<Asked, Issued>,
    /// Why one is not there.
    refused: Option<String>,
}

impl PodTokens {
    /// The tokens that are asked for: those of before that are good yet, and new ones.
    pub(super) fn renewed(&self, tokens: &dyn Tokens, pod: &Pod, asked: Vec<Asked>, now: Instant) -> Self {
        let mut renewed = Self::default();
        for asked in asked {
            let kept = self.issued.get(&asked).filter(|issued| now < issued.replaced_at).cloned();
            let issued = match kept {
                Some(issued) => issued,
                None => match tokens.issue(pod, asked.audience.as_deref(), asked.seconds) {
                    Ok(token) => Issued { token, replaced_at: now + shown_for(asked.seconds) },
                    Err(error) => {
                        renewed.refused = Some(error.to_string());
                        continue;
                    }
                },
            };
            renewed.issued.insert(asked, issued);
        }
        renewed
    }

    /// One of them.
    pub(super) fn get(&self, asked: &Asked) -> Result<&str, Missing> {
        self.issued.get(asked).map(|issued| issued.token.as_str()).ok_or_else(|| {
            Missing(format!("failed to fetch token: {}", self.refused.as_deref().unwrap_or("there is none")))
        })
    }

    /// Waits until one of them is to be replaced; for ever where there are none.
    pub(super) async fn old(&self) {
        match self.issued.values().map(|issued| issued.replaced_at).min() {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

fn shown_for(seconds: i64) -> Duration {
    let holds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    (holds * 4 / 5).min(SHOWN_MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use futures::FutureExt;

    use super::*;

    /// Numbers what it gives out.
    struct Numbers(AtomicU32);

    impl Tokens for Numbers {
        fn issue(&self, _: &Pod, audience: Option<&str>, seconds: i64) -> objects::Result<String> {
            let number = self.0.fetch_add(1, SeqCst);
            match audience {
                Some("nobody") => Err(objects::Error::BadRequest("no such audience".to_owned())),
                audience => Ok(format!("{number} {audience:?} {seconds}")),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_replaced_before_it_ends_and_no_sooner() {
        let (tokens, pod) = (Numbers(AtomicU32::new(0)), Pod::default());
        let asked =
            |audience: Option<&str>, seconds| Asked { audience: audience.map(str::to_owned), seconds };
        let (short, long) = (asked(None, 600), asked(Some("vault"), 1_000_000));
        let both = || vec![short.clone(), long.clone()];
        let first = PodTokens::default().renewed(&tokens, &pod, both(), Instant::now());
        assert_eq!(first.get(&short).unwrap(), "0 None 600");
        assert_eq!(first.get(&long).unwrap(), "1 Some(\"vault\") 1000000");
        tokio::time::advance(Duration::from_secs(479)).await;
        assert!(first.old().now_or_never().is_none());
        assert_eq!(first.renewed(&tokens, &pod, both(), Instant::now()), first);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(first.old().now_or_never().is_some(), "a fifth of its time is left");
        let second = first.renewed(&tokens, &pod, both(), Instant::now());
        assert_eq!(second.get(&short).unwrap(), "2 None 600");
        assert_eq!(second.get(&long).unwrap(), first.get(&long).unwrap());
        tokio::time::advance(SHOWN_MAX).await;
        let third = second.renewed(&tokens, &pod, vec![long.clone()], Instant::now());
        assert_eq!(third.get(&long).unwrap(), "3 Some(\"vault\") 1000000", "a day is long enough");

        let nobody = asked(Some("nobody"), 600);
        let refused = third.renewed(&tokens, &pod, vec![nobody.clone()], Instant::now());
        assert_eq!(refused.get(&nobody).unwrap_err().to_string(), "failed to fetch token: no such audience");
        assert!(PodTokens::default().old().now_or_never().is_none());
        assert!(!format!("{third:?}").contains("vault\") 1000000"), "a token is nothing to print");
    }
}
