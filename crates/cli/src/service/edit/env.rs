//! `--env`, `--env-value-from` and `--env-file`: one list of variables, in the order of the command line.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Command, FromArgMatches};
use resources::builtin::{ConfigMapKeySelector, Container, EnvVar, EnvVarSource, SecretKeySelector};

use super::pairs::{Edit, edit};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EnvArgs {
    flags: Vec<Flag>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Flag {
    Value(String),
    ValueFrom(String),
    File(PathBuf),
}

/// The flags as clap knows them, each kind by itself.
#[derive(clap::Args)]
struct Apart {
    /// Environment variable: NAME=VALUE; NAME- takes it away
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Environment variable from a key: NAME=cm:CONFIGMAP:KEY or NAME=secret:SECRET:KEY; NAME- takes it
    /// away
    #[arg(long, value_name = "NAME=SOURCE")]
    env_value_from: Vec<String>,
    /// File with one NAME=VALUE per line
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
}

impl Args for EnvArgs {
    fn augment_args(command: Command) -> Command {
        Apart::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Apart::augment_args_for_update(command)
    }
}

impl FromArgMatches for EnvArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let apart = Apart::from_arg_matches(matches)?;
        let places = |id| matches.indices_of(id).into_iter().flatten();
        let mut flags: Vec<(usize, Flag)> = Vec::new();
        flags.extend(places("env").zip(apart.env.into_iter().map(Flag::Value)));
        flags.extend(places("env_value_from").zip(apart.env_value_from.into_iter().map(Flag::ValueFrom)));
        flags.extend(places("env_file").zip(apart.env_file.into_iter().map(Flag::File)));
        flags.sort_by_key(|(place, _)| *place);
        Ok(Self { flags: flags.into_iter().map(|(_, flag)| flag).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl EnvArgs {
    /// The file with variables.
    pub(super) fn file(&self) -> Option<&Path> {
        self.flags.iter().find_map(|flag| match flag {
            Flag::File(path) => Some(path.as_path()),
            _ => None,
        })
    }

    /// Sets and unsets variables; those that exist keep their place. `file` is the content of [`EnvArgs::file`].
    pub(super) fn apply(&self, container: &mut Container, file: &str) -> Result<(), String> {
        let mut unset = Vec::new();
        for flag in &self.flags {
            match flag {
                Flag::Value(text) => match edit(text).map_err(|error| format!("Invalid --env: {error}"))? {
                    Edit::Set(name, value) => set(container, plain(name, value)),
                    Edit::Unset(name) => unset.push(name),
                },
                Flag::ValueFrom(text) => {
                    match edit(text).map_err(|error| format!("Invalid --env-value-from: {error}"))? {
                        Edit::Set(name, source) => set(container, reference(name, source)?),
                        Edit::Unset(name) => unset.push(name),
                    }
                }
                Flag::File(_) => {
                    for line in file.lines().filter(|line| !line.is_empty()) {
                        match edit(line).map_err(|error| format!("Invalid --env-file: {error}"))? {
                            Edit::Set(name, value) => set(container, plain(name, value)),
                            Edit::Unset(name) => unset.push(name),
                        }
                    }
                }
            }
        }
        if let Some(env) = &mut container.env {
            env.retain(|variable| !unset.contains(&variable.name.as_str()));
        }
        container.env.take_if(|env| env.is_empty());
        Ok(())
    }
}

fn set(container: &mut Container, variable: EnvVar) {
    let env = container.env.get_or_insert_default();
    match env.iter_mut().find(|there| there.name == variable.name) {
        Some(there) => *there = variable,
        None => env.push(variable),
    }
}

fn plain(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.to_owned()), ..EnvVar::default() }
}

fn reference(name: &str, source: &str) -> Result<EnvVar, String> {
    let parts: Vec<&str> = source.splitn(3, ':').map(str::trim).collect();
    let [kind, object, key] = parts.as_slice() else {
        return Err(format!(
            "argument requires a value in form \"resourceType:name:key\" where \"resourceType\" can be one of \
             \"config-map\" (\"cm\") or \"secret\" (\"sc\"); got {source:?}"
        ));
    };
    let config_map = match *kind {
        "config-map" | "cm" => true,
        "secret" | "sc" => false,
        other => {
            return Err(format!(
                "unsupported env source type {other:?}; supported source types are \"config-map\" (\"cm\") and \
                 \"secret\" (\"sc\")"
            ));
        }
    };
    let kind = if config_map { "ConfigMap" } else { "Secret" };
    if object.is_empty() {
        return Err(format!("the name of {kind} cannot be an empty string"));
    }
    if key.is_empty() {
        return Err(format!("the key referenced by resource {kind} \"{object}\" cannot be an empty string"));
    }
    let (object, key) = ((*object).to_owned(), (*key).to_owned());
    let value_from = if config_map {
        let selector = ConfigMapKeySelector { name: object, key, optional: None };
        EnvVarSource { config_map_key_ref: Some(selector), ..EnvVarSource::default() }
    } else {
        let selector = SecretKeySelector { name: object, key, optional: None };
        EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() }
    };
    Ok(EnvVar { name: name.to_owned(), value_from: Some(value_from), ..EnvVar::default() })
}
