//! `cm:NAME`, `secret:NAME`, `ed:NAME`, `pvc:NAME`: where files and variables come from.

use resources::{
    builtin::{
        ConfigMapVolumeSource, EmptyDirVolumeSource, PersistentVolumeClaimVolumeSource, SecretVolumeSource,
        Volume,
    },
    meta::Quantity,
    quantity,
};

/// A source of files or variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    ConfigMap(String),
    Secret(String),
    EmptyDir { medium: Option<String>, size: Option<String> },
    Claim(String),
}

impl Source {
    /// Reads `kind:name`, or `emptyDir:name:size=1Gi,type=Memory`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').ok_or_else(|| {
            format!("argument requires a value that contains the : character; got {text:?}")
        })?;
        let (kind, rest) = (kind.trim(), rest.trim());
        let Some((name, options)) = rest.split_once(':') else { return Self::of(kind, rest) };
        match Self::of(kind, name)? {
            Self::EmptyDir { .. } => empty_dir(options),
            _ => Err(format!("incorrect mount details for type {kind:?}")),
        }
    }

    /// The source of a kind with a name.
    pub(super) fn of(kind: &str, name: &str) -> Result<Self, String> {
        let named = |source: fn(String) -> Self| match name {
            "" => Err(format!("the name of {kind} cannot be an empty string")),
            name => Ok(source(name.to_owned())),
        };
        match kind {
            "config-map" | "cm" => named(Self::ConfigMap),
            "secret" | "sc" => named(Self::Secret),
            "persistentVolumeClaim" | "pvc" => named(Self::Claim),
            "emptyDir" | "ed" => Ok(Self::EmptyDir { medium: None, size: None }),
            other => Err(format!(
                "unsupported volume type {other:?}; supported volume types are \"config-map or cm\", \"secret or sc\", \
                 \"persistentVolumeClaim or pvc\", and \"emptyDir or ed\""
            )),
        }
    }

    /// The volume with these files.
    pub(super) fn volume(&self, name: &str) -> Volume {
        let mut volume = Volume { name: name.to_owned(), ..Volume::default() };
        match self {
            Self::ConfigMap(source) => {
                let source =
                    ConfigMapVolumeSource { name: source.clone(), ..ConfigMapVolumeSource::default() };
                volume.config_map = Some(source);
            }
            Self::Secret(source) => {
                let secret_name = Some(source.clone());
                volume.secret = Some(SecretVolumeSource { secret_name, ..SecretVolumeSource::default() });
            }
            Self::EmptyDir { medium, size } => {
                let size_limit = size.clone().map(Quantity);
                volume.empty_dir = Some(EmptyDirVolumeSource { medium: medium.clone(), size_limit });
            }
            Self::Claim(claim) => {
                let source = PersistentVolumeClaimVolumeSource { claim_name: claim.clone(), read_only: None };
                volume.persistent_volume_claim = Some(source);
            }
        }
        volume
    }
}

fn empty_dir(options: &str) -> Result<Source, String> {
    let (mut medium, mut size) = (None, None);
    for option in options.split(',') {
        let wrong = || "incorrect format to specify emptyDir type".to_owned();
        let (key, value) = option.split_once('=').ok_or_else(wrong)?;
        let place = match key.to_ascii_lowercase().as_str() {
            "type" => &mut medium,
            "size" if quantity::nanos(value).is_some() => &mut size,
            _ => return Err(wrong()),
        };
        if place.replace(value.to_owned()).is_some() {
            return Err(format!("cannot repeat the key {:?}", key.to_ascii_lowercase()));
        }
    }
    Ok(Source::EmptyDir { medium, size })
}
