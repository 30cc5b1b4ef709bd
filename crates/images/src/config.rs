//! What an image says of how to run it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::manifest::Platform;
use crate::{Digest, Error, Result};

/// The run configuration of an image. Every field is the image's own; a pod's container overrides them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// The program and its first arguments; empty: the first of `cmd` is the program.
    pub entrypoint: Vec<String>,
    /// The arguments behind those of the entrypoint.
    pub cmd: Vec<String>,
    /// In the image's order; a name may repeat, the last one counts.
    pub env: Vec<(String, String)>,
    /// Empty: `/`.
    pub working_dir: String,
    /// `user[:group]` by name or number as written; empty: root.
    pub user: String,
    /// Where it says that it listens, which opens and closes nothing.
    pub exposed_ports: Vec<Port>,
    /// As written, by name or number (`SIGINT`, `2`); `None`: SIGTERM.
    pub stop_signal: Option<String>,
    /// What its makers noted of it.
    pub labels: BTreeMap<String, String>,
}

/// A port that an image says it listens on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// The config document, as stored.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ConfigFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<String>,
    #[serde(default)]
    pub(crate) architecture: String,
    #[serde(default)]
    pub(crate) os: String,
    #[serde(default)]
    config: Option<RunConfig>,
    pub(crate) rootfs: RootFs,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct RootFs {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) diff_ids: Vec<Digest>,
}

/// Docker writes null for each of these; absent, null and empty mean the same.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RunConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposed_ports: Option<BTreeMap<String, Empty>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entrypoint: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cmd: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_signal: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Empty {}

impl ConfigFile {
    pub(crate) fn parse(bytes: &[u8], digest: &Digest) -> Result<ConfigFile> {
        serde_json::from_slice(bytes)
            .map_err(|e| Error::Content { what: format!("config {digest}"), reason: e.to_string() })
    }

    /// The document for `config` over these layers. No time is written, so equal input is equal bytes.
    pub(crate) fn new(config: &ImageConfig, platform: &Platform, diff_ids: Vec<Digest>) -> ConfigFile {
        let list = |v: &[String]| (!v.is_empty()).then(|| v.to_vec());
        let text = |s: &str| (!s.is_empty()).then(|| s.to_owned());
        let env: Vec<String> = config.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let ports: BTreeMap<String, Empty> =
            config.exposed_ports.iter().map(|p| (format!("{}/{}", p.number, p.protocol), Empty {})).collect();
        ConfigFile {
            created: None,
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            config: Some(RunConfig {
                user: text(&config.user),
                exposed_ports: (!ports.is_empty()).then_some(ports),
                env: list(&env),
                entrypoint: list(&config.entrypoint),
                cmd: list(&config.cmd),
                working_dir: text(&config.working_dir),
                labels: (!config.labels.is_empty()).then(|| config.labels.clone()),
                stop_signal: config.stop_signal.clone(),
            }),
            rootfs: RootFs { kind: "layers".to_owned(), diff_ids },
        }
    }

    /// Architecture and os may be missing in images made from scratch by hand: they run anywhere.
    pub(crate) fn platform(&self) -> Option<Platform> {
        (!self.architecture.is_empty() && !self.os.is_empty()).then(|| Platform {
            architecture: self.architecture.clone(),
            os: self.os.clone(),
            variant: None,
        })
    }

    /// A port that is not one is left out, as ports are only documentation; a variable without `=` has
    /// an empty value.
    pub(crate) fn image_config(self) -> ImageConfig {
        let run = self.config.unwrap_or_default();
        let ports = run.exposed_ports.unwrap_or_default();
        let pair = |text: String| match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (text, String::new()),
        };
        ImageConfig {
            entrypoint: run.entrypoint.unwrap_or_default(),
            cmd: run.cmd.unwrap_or_default(),
            env: run.env.unwrap_or_default().into_iter().map(pair).collect(),
            working_dir: run.working_dir.unwrap_or_default(),
            user: run.user.unwrap_or_default(),
            exposed_ports: ports.keys().filter_map(|text| parse_port(text)).collect(),
            stop_signal: run.stop_signal.filter(|s| !s.is_empty()),
            labels: run.labels.unwrap_or_default(),
        }
    }
}

fn parse_port(text: &str) -> Option<Port> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let number = number.parse().ok()?;
    matches!(protocol, "tcp" | "udp" | "sctp").then(|| Port { number, protocol: protocol.to_owned() })
}
