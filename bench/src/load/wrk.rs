//! wrk, one thread.

use std::{net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, bail, ensure};

pub(super) fn per_second(
    program: &Path,
    to: SocketAddr,
    host: &str,
    connections: usize,
    long: Duration,
) -> Result<f64> {
    let mut command = Command::new(program);
    command.args(["-t1", &format!("-c{connections}"), &format!("-d{}s", long.as_secs())]);
    command.args(["-H", &format!("Host: {host}"), &format!("http://{to}/")]);
    let output = command.output().with_context(|| format!("running {}", program.display()))?;
    ensure!(output.status.success(), "wrk: {}", String::from_utf8_lossy(&output.stderr).trim());
    parse(&String::from_utf8_lossy(&output.stdout))
}

fn parse(text: &str) -> Result<f64> {
    for line in text.lines().map(str::trim) {
        if line.starts_with("Non-2xx") || line.starts_with("Socket errors") {
            bail!("wrk: {line}");
        }
        if let Some(number) = line.strip_prefix("Requests/sec:") {
            return number.trim().parse().with_context(|| format!("wrk: {line}"));
        }
    }
    bail!("wrk tells no requests per second: {text}")
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn what_wrk_tells() {
        let good = "  10 requests in 1.00s, 1.0KB read\nRequests/sec:  52345.67\nTransfer/sec:  1.0MB\n";
        assert_eq!(parse(good).unwrap(), 52345.67);
        for bad in [
            "",
            "  Non-2xx or 3xx responses: 5\nRequests/sec: 1\n",
            "  Socket errors: connect 0, read 3\nRequests/sec: 1\n",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
