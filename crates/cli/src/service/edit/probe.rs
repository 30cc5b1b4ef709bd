//! `--probe-liveness`, `--probe-readiness` and their options.

use resources::{
    builtin::{Container, ExecAction, HTTPGetAction, Probe, TCPSocketAction},
    meta::IntOrString,
};

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct ProbeArgs {
    /// Liveness probe: http:HOST:PORT:PATH, https:HOST:PORT:PATH, tcp:HOST:PORT or exec:COMMAND,ARGUMENT
    #[arg(long, value_name = "PROBE")]
    probe_liveness: Option<String>,
    /// Options of the liveness probe: InitialDelaySeconds, TimeoutSeconds, PeriodSeconds, SuccessThreshold,
    /// FailureThreshold
    #[arg(long, value_name = "NAME=NUMBER")]
    probe_liveness_opts: Option<String>,
    /// Readiness probe, written as a liveness probe is
    #[arg(long, value_name = "PROBE")]
    probe_readiness: Option<String>,
    /// Options of the readiness probe, as those of a liveness probe
    #[arg(long, value_name = "NAME=NUMBER")]
    probe_readiness_opts: Option<String>,
}

impl ProbeArgs {
    pub(super) fn apply(&self, container: &mut Container) -> Result<(), String> {
        change(
            &mut container.liveness_probe,
            self.probe_liveness.as_deref(),
            self.probe_liveness_opts.as_deref(),
        )?;
        change(
            &mut container.readiness_probe,
            self.probe_readiness.as_deref(),
            self.probe_readiness_opts.as_deref(),
        )
    }
}

fn change(probe: &mut Option<Probe>, handler: Option<&str>, options: Option<&str>) -> Result<(), String> {
    if let Some(handler) = handler {
        set_handler(probe.get_or_insert_default(), handler)?;
    }
    if let Some(options) = options {
        set_options(probe.get_or_insert_default(), options)?;
    }
    Ok(())
}

fn set_handler(probe: &mut Probe, text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (mut http_get, mut tcp_socket, mut exec) = (None, None, None);
    match parts.as_slice() {
        [""] => return Err("no probe parameters detected".into()),
        [_, _, _, _, _, ..] => {
            return Err("too many probe parameters provided, please check the format".into());
        }
        [scheme @ ("http" | "https"), host, port, path] => {
            http_get = Some(HTTPGetAction {
                scheme: (*scheme == "https").then(|| "HTTPS".to_owned()),
                host: non_empty(host),
                port: self::port(port),
                path: non_empty(path),
                ..HTTPGetAction::default()
            });
        }
        ["http" | "https", ..] => {
            return Err("unexpected probe format, please use 'http:host:port:path'".into());
        }
        ["tcp", host, port] => {
            tcp_socket = Some(TCPSocketAction { host: non_empty(host), port: self::port(port) });
        }
        ["tcp", ..] => return Err("unexpected probe format, please use 'tcp:host:port'".into()),
        ["exec", ""] => return Err("at least one command parameter is required for Exec probe".into()),
        ["exec", command] => {
            exec = Some(ExecAction { command: Some(command.split(',').map(str::to_owned).collect()) });
        }
        ["exec", ..] => {
            return Err(
                "unexpected probe format, please use 'exec:<exec_command>[,<exec_command>,...]'".into()
            );
        }
        [kind, ..] => {
            return Err(format!("unsupported probe type '{kind}'; supported types: http, https, exec, tcp"));
        }
        [] => unreachable!("splitting gives at least one part"),
    }
    *probe = Probe { http_get, tcp_socket, exec, grpc: None, ..probe.clone() };
    Ok(())
}

fn set_options(probe: &mut Probe, text: &str) -> Result<(), String> {
    for option in text.split(',') {
        let (name, value) = option.split_once('=').ok_or_else(|| {
            format!(
                "Argument requires a value that contains the \"=\" character as delimiter; got {option:?}"
            )
        })?;
        let value =
            value.trim().parse().map_err(|_| format!("not a numeric value for parameter '{name}'"))?;
        let place = match name.trim().to_ascii_lowercase().as_str() {
            "initialdelayseconds" => &mut probe.initial_delay_seconds,
            "timeoutseconds" => &mut probe.timeout_seconds,
            "periodseconds" => &mut probe.period_seconds,
            "successthreshold" => &mut probe.success_threshold,
            "failurethreshold" => &mut probe.failure_threshold,
            _ => return Err(format!("not a valid probe parameter name '{name}'")),
        };
        *place = Some(value);
    }
    Ok(())
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A number, a port's name, or 0: the port the app listens on.
fn port(text: &str) -> IntOrString {
    match text.parse() {
        Ok(number) => IntOrString::Int(number),
        Err(_) if text.is_empty() => IntOrString::Int(0),
        Err(_) => IntOrString::String(text.to_owned()),
    }
}
