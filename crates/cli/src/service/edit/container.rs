//! Flags for the container itself.

use std::ops::RangeInclusive;

use resources::builtin::{Capabilities, Container, ContainerPort, SeccompProfile, SecurityContext};

#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub(super) struct ContainerArgs {
    /// Image to run
    #[arg(long)]
    pub(super) image: Option<String>,
    /// When to pull the image: Always, Never or IfNotPresent
    #[arg(long, value_name = "POLICY")]
    pull_policy: Option<String>,
    /// Command to run in place of the image's; once per word
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    cmd: Vec<String>,
    /// Argument for the command; once per argument
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    arg: Vec<String>,
    /// Port the app listens on: 8080, also unless set, or h2c:8080 for HTTP/2 and gRPC
    #[arg(short, long, value_name = "[NAME:]PORT", allow_negative_numbers = true)]
    port: Option<String>,
    /// User ID to run as
    #[arg(long, value_name = "UID", allow_negative_numbers = true)]
    user: Option<i64>,
    /// Predefined security context: none or strict
    #[arg(long, value_name = "NAME")]
    security_context: Option<String>,
}

impl ContainerArgs {
    pub(super) fn apply(&self, container: &mut Container) -> Result<(), String> {
        if let Some(image) = &self.image {
            container.image = Some(image.clone());
        }
        if let Some(policy) = &self.pull_policy {
            container.image_pull_policy = Some(pull_policy(policy)?.to_owned());
        }
        if !self.cmd.is_empty() {
            container.command = Some(self.cmd.clone());
        }
        if !self.arg.is_empty() {
            container.args = Some(self.arg.clone());
        }
        if let Some(text) = &self.port {
            container.ports = Some(vec![port(text)?]);
        }
        if let Some(name) = &self.security_context {
            container.security_context = security_context(name)?;
        }
        if let Some(user) = self.user {
            container.security_context.get_or_insert_default().run_as_user = Some(user);
        }
        Ok(())
    }
}

fn pull_policy(text: &str) -> Result<&'static str, String> {
    ["Always", "Never", "IfNotPresent"].into_iter().find(|policy| policy.eq_ignore_ascii_case(text)).ok_or_else(|| {
        format!("invalid --pull-policy {text}. Valid arguments (case insensitive): Always | Never | IfNotPresent")
    })
}

/// The ports that a program can listen on.
const PORTS: RangeInclusive<i32> = 1..=65535;

fn port(text: &str) -> Result<ContainerPort, String> {
    let (name, number) = match text.split_once(':') {
        Some((name, number)) => (Some(name), number),
        None => (None, text),
    };
    let container_port: i32 = number.parse().map_err(|_| {
        format!(
            "the port specification '{text}' is not valid. Please provide in the format 'NAME:PORT', where 'NAME' is \
             optional. Examples: '--port h2c:8080' , '--port 8080'."
        )
    })?;
    if !PORTS.contains(&container_port) {
        return Err(format!(
            "invalid port {container_port} (must be between {} and {})",
            PORTS.start(),
            PORTS.end()
        ));
    }
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(ContainerPort { container_port, name, ..ContainerPort::default() })
}

fn security_context(name: &str) -> Result<Option<SecurityContext>, String> {
    match name.to_ascii_lowercase().as_str() {
        "none" => Ok(None),
        "strict" => Ok(Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            run_as_non_root: Some(true),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), ..Capabilities::default() }),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".into(),
                ..SeccompProfile::default()
            }),
            ..SecurityContext::default()
        })),
        _ => Err(format!("invalid --security-context {name}. Valid arguments: strict | none")),
    }
}
