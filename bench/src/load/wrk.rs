//! wrk, one thread.

use std::{net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, bail, ensure};

use super::Served;

pub(super) fn serve(
    program: &Path,
    to: SocketAddr,
    host: &str,
    connections: usize,
    long: Duration,
) -> Result<Served> {
    let mut command = Command::new(program);
    command.args(["-t1", "--latency", &format!("-c{connections}"), &format!("-d{}s", long.as_secs())]);
    command.args(["-H", &format!("Host: {host}"), &format!("http://{to}/")]);
    let output = command.output().with_context(|| format!("running {}", program.display()))?;
    ensure!(output.status.success(), "wrk: {}", String::from_utf8_lossy(&output.stderr).trim());
    parse(&String::from_utf8_lossy(&output.stdout))
}

fn parse(text: &str) -> Result<Served> {
    let (mut per_second, mut p50, mut p99) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if line.starts_with("Non-2xx") || line.starts_with("Socket errors") {
            bail!("wrk: {line}");
        }
        let number = |text: &str| text.trim().parse::<f64>().with_context(|| format!("wrk: {line}"));
        if let Some(rest) = line.strip_prefix("Requests/sec:") {
            per_second = Some(number(rest)?);
        } else if let Some(rest) = line.strip_prefix("50%") {
            p50 = Some(microseconds(rest.trim())?);
        } else if let Some(rest) = line.strip_prefix("99%") {
            p99 = Some(microseconds(rest.trim())?);
        }
    }
    let told = || format!("wrk tells not all that it should: {text}");
    Ok(Served {
        per_second: per_second.with_context(told)?,
        p50: p50.with_context(told)?,
        p99: p99.with_context(told)?,
    })
}

/// `812.00us`, `1.23ms`, `2.00s`.
fn microseconds(text: &str) -> Result<f64> {
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6)];
    let found = units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)));
    let (number, scale) = found.with_context(|| format!("wrk: {text:?} is no time"))?;
    Ok(number.parse::<f64>().with_context(|| format!("wrk: {text:?} is no time"))? * scale)
}

#[cfg(test)]
mod tests {
    use super::{Served, parse};

    #[test]
    fn what_wrk_tells() {
        let good = "  Latency Distribution\n     50%  812.00us\n     75%    1.01ms\n     99%    2.50ms\n  10 requests in 1.00s, \
                    1.0KB read\nRequests/sec:  52345.67\nTransfer/sec:  1.0MB\n";
        assert_eq!(parse(good).unwrap(), Served { per_second: 52345.67, p50: 812.0, p99: 2500.0 });
        for bad in [
            "",
            "Requests/sec: 1\n",
            "  Non-2xx or 3xx responses: 5\nRequests/sec: 1\n",
            "  Socket errors: connect 0, read 3\nRequests/sec: 1\n",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
