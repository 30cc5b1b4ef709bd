//! `config-observability`: logs, metrics, traces.

use std::{collections::BTreeMap, time::Duration};

use super::data::{ConfigError, Data, Value};

/// How metrics leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricsProtocol {
    /// Not at all.
    #[default]
    None,
    /// They are asked for.
    Prometheus,
    /// OTLP over HTTP.
    HttpProtobuf,
    /// OTLP over gRPC.
    Grpc,
}

/// How traces leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TracingProtocol {
    /// Not at all.
    #[default]
    None,
    /// OTLP over HTTP.
    HttpProtobuf,
    /// OTLP over gRPC.
    Grpc,
    /// As text on standard output.
    Stdout,
}

/// Where metrics go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// `metrics-protocol`.
    pub protocol: MetricsProtocol,
    /// `metrics-endpoint`: a URL for OTLP, host:port to listen on for Prometheus.
    pub endpoint: String,
    /// `metrics-export-interval`; 0 is OpenTelemetry's own 60 s.
    pub export_interval: Duration,
}

/// The values of `config-observability`; [`Observability::default`] is the empty ConfigMap.
#[derive(Clone, Debug, PartialEq)]
pub struct Observability {
    /// `logging.enable-var-log-collection`.
    pub enable_var_log_collection: bool,
    /// `logging.revision-url-template`: `${REVISION_UID}` is replaced; `status.logUrl`.
    pub revision_url_template: String,
    /// `logging.request-log-template`: a Go template, one line per request.
    pub request_log_template: String,
    /// `logging.enable-request-log`.
    pub enable_request_log: bool,
    /// `logging.enable-probe-request-log`.
    pub enable_probe_request_log: bool,
    /// `metrics-…`: the platform's own.
    pub metrics: Metrics,
    /// `request-metrics-…`: the queue proxies'.
    pub request_metrics: Metrics,
    /// `runtime-profiling`.
    pub runtime_profiling: bool,
    /// `runtime-export-interval`.
    pub runtime_export_interval: Duration,
    /// `tracing-protocol`.
    pub tracing_protocol: TracingProtocol,
    /// `tracing-endpoint`.
    pub tracing_endpoint: String,
    /// `tracing-sampling-rate`, 0 to 1.
    pub tracing_sampling_rate: f64,
}

/// The fields are upstream's, so that what reads the log upstream reads ours.
const REQUEST_LOG_TEMPLATE: &str = concat!(
    r#"{"httpRequest": {"requestMethod": "{{.Request.Method}}", "requestUrl": "{{js .Request.RequestURI}}", "#,
    r#""requestSize": "{{.Request.ContentLength}}", "status": {{.Response.Code}}, "responseSize": "{{.Response.Size}}", "#,
    r#""userAgent": "{{js .Request.UserAgent}}", "remoteIp": "{{js .Request.RemoteAddr}}", "serverIp": "{{.Revision.PodIP}}", "#,
    r#""referer": "{{js .Request.Referer}}", "latency": "{{.Response.Latency}}s", "protocol": "{{.Request.Proto}}"}, "#,
    r#""traceId": "{{.TraceID}}"}"#
);

impl Default for Observability {
    fn default() -> Self {
        Self {
            enable_var_log_collection: false,
            revision_url_template: String::new(),
            request_log_template: REQUEST_LOG_TEMPLATE.to_owned(),
            enable_request_log: false,
            enable_probe_request_log: false,
            metrics: Metrics::default(),
            request_metrics: Metrics::default(),
            runtime_profiling: false,
            runtime_export_interval: Duration::from_secs(15),
            tracing_protocol: TracingProtocol::default(),
            tracing_endpoint: String::new(),
            tracing_sampling_rate: 0.0,
        }
    }
}

impl Value for MetricsProtocol {
    const EXPECTED: &'static str = "\"none\", \"prometheus\", \"http/protobuf\" or \"grpc\"";
    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "prometheus" => Some(Self::Prometheus),
            "http/protobuf" => Some(Self::HttpProtobuf),
            "grpc" => Some(Self::Grpc),
            _ => None,
        }
    }
}

impl Value for TracingProtocol {
    const EXPECTED: &'static str = "\"none\", \"http/protobuf\", \"grpc\" or \"stdout\"";
    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "http/protobuf" => Some(Self::HttpProtobuf),
            "grpc" => Some(Self::Grpc),
            "stdout" => Some(Self::Stdout),
            _ => None,
        }
    }
}

struct Profiling(bool);

impl Value for Profiling {
    const EXPECTED: &'static str = "\"enabled\" or \"disabled\"";
    fn read(text: &str) -> Option<Self> {
        match text {
            "enabled" => Some(Self(true)),
            "disabled" | "" => Some(Self(false)),
            _ => None,
        }
    }
}

impl Metrics {
    fn read(data: Data<'_>, prefix: &str) -> Result<Self, ConfigError> {
        let mut metrics = Self::default();
        let [protocol, endpoint, interval] =
            ["protocol", "endpoint", "export-interval"].map(|key| format!("{prefix}metrics-{key}"));
        data.read(&protocol, &mut metrics.protocol)?;
        data.read(&endpoint, &mut metrics.endpoint)?;
        data.read(&interval, &mut metrics.export_interval)?;
        let given = !metrics.endpoint.is_empty();
        match metrics.protocol {
            MetricsProtocol::None => {
                data.check(!given, &endpoint, || format!("must not be set while {protocol} is \"none\""))?;
            }
            MetricsProtocol::HttpProtobuf | MetricsProtocol::Grpc => {
                data.check(given, &endpoint, || format!("must be set for this {protocol}"))?;
            }
            MetricsProtocol::Prometheus => {
                let port = metrics.endpoint.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
                data.check(!given || matches!(port, Some(Ok(_))), &endpoint, || {
                    format!(
                        "{:?} is not host:port, which {protocol} \"prometheus\" listens on",
                        metrics.endpoint
                    )
                })?;
            }
        }
        Ok(metrics)
    }
}

impl Observability {
    /// The ConfigMap's name.
    pub const NAME: &str = "config-observability";

    /// Reads and checks the ConfigMap's data.
    pub fn from_map(data: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let data = Data::new(Self::NAME, data);
        let mut config = Self::default();
        data.read("logging.enable-var-log-collection", &mut config.enable_var_log_collection)?;
        data.read("logging.revision-url-template", &mut config.revision_url_template)?;
        data.read("logging.request-log-template", &mut config.request_log_template)?;
        data.read("logging.enable-request-log", &mut config.enable_request_log)?;
        data.read("logging.enable-probe-request-log", &mut config.enable_probe_request_log)?;
        data.check(
            !config.enable_request_log || !config.request_log_template.is_empty(),
            "logging.request-log-template",
            || "must not be empty while logging.enable-request-log is \"true\"".to_owned(),
        )?;
        config.metrics = Metrics::read(data, "")?;
        config.request_metrics = Metrics::read(data, "request-")?;
        let mut profiling = Profiling(false);
        data.read("runtime-profiling", &mut profiling)?;
        config.runtime_profiling = profiling.0;
        data.read("runtime-export-interval", &mut config.runtime_export_interval)?;
        data.read("tracing-protocol", &mut config.tracing_protocol)?;
        data.read("tracing-endpoint", &mut config.tracing_endpoint)?;
        data.read("tracing-sampling-rate", &mut config.tracing_sampling_rate)?;
        let rate = config.tracing_sampling_rate;
        data.check((0.0..=1.0).contains(&rate), "tracing-sampling-rate", || {
            format!("must be from 0 to 1, was {rate}")
        })?;
        let remote = matches!(config.tracing_protocol, TracingProtocol::HttpProtobuf | TracingProtocol::Grpc);
        data.check(!remote || !config.tracing_endpoint.is_empty(), "tracing-endpoint", || {
            "must be set for this tracing-protocol".to_owned()
        })?;
        Ok(config)
    }
}
