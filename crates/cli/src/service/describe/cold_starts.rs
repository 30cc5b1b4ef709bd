//! The last starts from zero, in parts: only an Ebb keeps them.

use jiff::Timestamp;
use resources::meta::Time;
use serde::Deserialize;

use crate::{
    api::Session,
    error::Error,
    print::{Attributes, Indent, short_age},
};

const PATH: &str = "/ebb/v1/coldstarts";
/// How many are shown, the newest first.
const SHOWN_MAX: usize = 5;

/// What an Ebb tells of how a service's containers start and run.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ColdStarts {
    /// The last starts, the newest first.
    pub(super) items: Vec<ColdStart>,
    /// Containers are plain processes, which see the files of the machine and not those of their images.
    #[serde(default)]
    pub(super) plain_processes: bool,
}

/// One start: the first request's wait, in parts, where they are known. All times in milliseconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ColdStart {
    revision: String,
    /// When the request came.
    time: Timestamp,
    total_ms: f64,
    queue_ms: f64,
    schedule_ms: Option<f64>,
    sandbox_ms: Option<f64>,
    start_ms: Option<f64>,
    connect_ms: f64,
}

/// The service's last starts; none where the API is not an Ebb's.
pub(super) async fn fetch(service: &str, session: &Session) -> Result<ColdStarts, Error> {
    let path = format!("{PATH}?namespace={}&service={service}", session.namespace);
    match session.request::<ColdStarts>(http::Method::GET, &path).await {
        Ok(mut starts) => {
            starts.items.sort_by_key(|start| std::cmp::Reverse(start.time));
            starts.items.truncate(SHOWN_MAX);
            Ok(starts)
        }
        // Other API servers do not know the path, and some forbid what they do not know.
        Err(Error::Api(status)) if matches!(status.code, 403 | 404) => Ok(ColdStarts::default()),
        Err(error) => Err(error),
    }
}

/// What the table's columns are of each other.
const COLUMNS: &str = "TOTAL is QUEUE and CONNECT; in QUEUE are SCHEDULE, SANDBOX and START";

/// Writes nothing when there are none.
pub(super) fn write_cold_starts(to: &mut Attributes, starts: &[ColdStart], now: Timestamp) {
    if starts.is_empty() {
        return;
    }
    to.blank();
    to.add("Cold starts", COLUMNS);
    to.end_section();
    let nested = Indent::default().nested();
    to.cells(&nested, &["AGE", "REVISION", "TOTAL", "QUEUE", "SCHEDULE", "SANDBOX", "START", "CONNECT"]);
    for start in starts {
        let parts = [
            Some(start.total_ms),
            Some(start.queue_ms),
            start.schedule_ms,
            start.sandbox_ms,
            start.start_ms,
            Some(start.connect_ms),
        ];
        let parts = parts.map(|part| part.map_or_else(|| "-".to_owned(), |part| format!("{part:.1}ms")));
        let age = short_age(Some(&Time(start.time)), now);
        let cells: Vec<&str> = [age.as_str(), start.revision.as_str()]
            .into_iter()
            .chain(parts.iter().map(String::as_str))
            .collect();
        to.cells(&nested, &cells);
    }
    to.end_section();
}

#[cfg(test)]
impl ColdStart {
    /// A start with these parts: total, queue, schedule, sandbox, start, connect.
    pub(super) fn of(revision: &str, time: &str, parts: [f64; 6]) -> Self {
        let [total_ms, queue_ms, schedule_ms, sandbox_ms, start_ms, connect_ms] = parts;
        let time = time.parse().unwrap();
        Self {
            revision: revision.into(),
            time,
            total_ms,
            queue_ms,
            schedule_ms: Some(schedule_ms),
            sandbox_ms: Some(sandbox_ms),
            start_ms: Some(start_ms),
            connect_ms,
        }
    }
}
