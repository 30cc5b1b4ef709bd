//! The port of the container that takes the requests, and what is spoken there.

use resources::{
    reserved::{BACKEND_HTTP_PORT, BACKEND_HTTP2_PORT, DEFAULT_USER_PORT, PORT_NAME_H2C},
    serving::RevisionSpec,
};

/// What the app speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    H2c,
}

impl Protocol {
    /// What a Revision's app speaks, which the name of its port says.
    pub(crate) fn of(spec: &RevisionSpec) -> Self {
        let ports = spec.serving_container().and_then(|container| container.ports.as_ref());
        let name = ports.and_then(|ports| ports.first()).and_then(|port| port.name.as_deref());
        if name == Some(PORT_NAME_H2C) { Self::H2c } else { Self::Http1 }
    }

    /// The protocol that a PodAutoscaler or ServerlessService names.
    pub(crate) fn parse(text: &str) -> Self {
        if text == Self::H2c.as_str() { Self::H2c } else { Self::Http1 }
    }

    /// The word for it in PodAutoscalers and ServerlessServices.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::H2c => PORT_NAME_H2C,
        }
    }

    /// What Kubernetes calls a port that speaks it.
    pub(crate) fn port_name(self) -> &'static str {
        match self {
            Self::Http1 => "http",
            Self::H2c => "http2",
        }
    }

    /// The port of a Revision's public and private Service.
    pub(crate) fn service_port(self) -> i32 {
        match self {
            Self::Http1 => 80,
            Self::H2c => 81,
        }
    }

    /// The port of the queue proxy.
    pub(crate) fn queue_port(self) -> i32 {
        match self {
            Self::Http1 => BACKEND_HTTP_PORT,
            Self::H2c => BACKEND_HTTP2_PORT,
        }
    }
}

/// The port that the app listens on.
pub(super) fn user_port(spec: &RevisionSpec) -> i32 {
    let ports = spec.serving_container().and_then(|container| container.ports.as_ref());
    match ports.and_then(|ports| ports.first()).map(|port| port.container_port) {
        None | Some(0) => DEFAULT_USER_PORT,
        Some(port) => port,
    }
}
