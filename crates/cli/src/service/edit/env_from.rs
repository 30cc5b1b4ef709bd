//! `--env-from`: all variables of a ConfigMap or a Secret.

use resources::builtin::{ConfigMapEnvSource, Container, EnvFromSource, SecretEnvSource};

use super::source::Source;

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct EnvFromArgs {
    /// Environment variables from cm:CONFIGMAP or secret:SECRET; a `-` at the end takes them away
    #[arg(long, value_name = "SOURCE")]
    env_from: Vec<String>,
}

impl EnvFromArgs {
    pub(super) fn apply(&self, container: &mut Container) -> Result<(), String> {
        let mut unset = Vec::new();
        for text in &self.env_from {
            match text.strip_suffix('-') {
                Some("") => return Err("\"-\" is not a valid value for \"--env-from\"".into()),
                Some(text) => unset.push(Source::parse(text)?),
                None => {
                    let source = Source::parse(text)?;
                    let sources = container.env_from.get_or_insert_default();
                    if !sources.iter().any(|there| is(there, &source)) {
                        sources.push(env_from(&source)?);
                    }
                }
            }
        }
        if let Some(sources) = &mut container.env_from {
            sources.retain(|there| !unset.iter().any(|source| is(there, source)));
        }
        container.env_from.take_if(|sources| sources.is_empty());
        Ok(())
    }
}

fn is(there: &EnvFromSource, source: &Source) -> bool {
    match source {
        Source::ConfigMap(name) => there.config_map_ref.as_ref().is_some_and(|there| there.name == *name),
        Source::Secret(name) => there.secret_ref.as_ref().is_some_and(|there| there.name == *name),
        _ => false,
    }
}

fn env_from(source: &Source) -> Result<EnvFromSource, String> {
    let mut env_from = EnvFromSource::default();
    match source {
        Source::ConfigMap(name) => {
            env_from.config_map_ref = Some(ConfigMapEnvSource { name: name.clone(), optional: None });
        }
        Source::Secret(name) => {
            env_from.secret_ref = Some(SecretEnvSource { name: name.clone(), optional: None });
        }
        _ => return Err("--env-from takes a ConfigMap (cm:) or a Secret (secret:)".into()),
    }
    Ok(env_from)
}
