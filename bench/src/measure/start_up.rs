//! How long a user waits for an empty platform.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use rustls_pki_types::CertificateDer;

use super::ms;
use crate::{
    bench::Bench,
    budget::Budget,
    floor::{TlsListener, first_ok, from_pem},
    platform::{Daemon, RuntimeKind},
    row::Row,
    sample::free_address,
    samples::Samples,
};

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let runtime = bench.runtime();
    let mut pace = bench.pace();
    let (mut ebb, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds(20, 5) {
        pace.gap()?;
        floor.push(listener()?);
        pace.gap()?;
        ebb.push(platform(bench, runtime)?);
    }
    let samples = |times: Vec<Duration>| times.into_iter().map(ms).collect::<Samples>();
    let (ebb, floor) = (samples(ebb), samples(floor));
    let row = |percent| {
        let row = Row::percentile("exec → /readyz", "ms", &ebb, percent);
        row.against("make a certificate, answer over TLS", floor.percentile(percent))
    };
    Ok(vec![row(50).budget(Budget::AtMost(300.0)), row(100)])
}

fn platform(bench: &Bench, runtime: RuntimeKind) -> Result<Duration> {
    let (api, http) = (free_address()?, free_address()?);
    let began = Instant::now();
    let daemon = Daemon::spawn(&bench.ebb, runtime, api, http)?;
    let kubeconfig = daemon.kubeconfig();
    let ready = first_ok(api, "/readyz", || {
        fs::read_to_string(&kubeconfig).ok().as_deref().map_or(Ok(None), authority)
    });
    ready.with_context(|| daemon.story())?;
    Ok(began.elapsed())
}

fn listener() -> Result<Duration> {
    let address = free_address()?;
    let began = Instant::now();
    let listener = TlsListener::spawn(address)?;
    let path = listener.certificate();
    first_ok(address, "/", || fs::read(&path).ok().map(|pem| from_pem(&pem)).transpose())?;
    Ok(began.elapsed())
}

/// Who a kubeconfig says is to be trusted; `None` while it is not there.
fn authority(kubeconfig: &str) -> Result<Option<CertificateDer<'static>>> {
    let data = kubeconfig.lines().find_map(|line| {
        let (key, value) = line.trim().trim_start_matches("- ").split_once(':')?;
        (key.trim_matches('"') == "certificate-authority-data").then(|| value.trim().trim_matches(['"', ',']))
    });
    let Some(data) = data else { return Ok(None) };
    let pem = BASE64_STANDARD.decode(data).context("decoding the kubeconfig's authority")?;
    from_pem(&pem).map(Some)
}
