//! How long many new services take until all are ready.

use std::time::Instant;

use anyhow::Result;

use crate::{
    api::{self, Scale},
    bench::Bench,
    budget::Budget,
    platform::Platform,
    row::Row,
    samples::Samples,
};

const SERVICES: usize = 50;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let (mut sent, mut ready) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds(5, 2) {
        let platform = Platform::up(bench, bench.runtime())?;
        let names = api::names("new", SERVICES);
        let (created, all) = platform.with_client(async |client| {
            let began = Instant::now();
            let created = async {
                api::deploy(client, &names, Scale::FromZero).await?;
                anyhow::Ok(began.elapsed())
            };
            let all = async {
                api::ready(client, &names).await?;
                anyhow::Ok(began.elapsed())
            };
            futures::future::try_join(created, all).await
        })?;
        sent.push(created.as_secs_f64());
        ready.push(all.as_secs_f64());
    }
    let (sent, ready): (Samples, Samples) = (sent.into_iter().collect(), ready.into_iter().collect());
    Ok(vec![
        Row::percentile(&format!("{SERVICES} services: last Ready"), "s", &ready, 50)
            .budget(Budget::AtMost(0.5)),
        Row::percentile(&format!("{SERVICES} services: last created"), "s", &sent, 50),
    ])
}
