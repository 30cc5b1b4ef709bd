/// A setting that the autoscaler cannot work with. The caller shows it to whoever wrote the setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A key of the ConfigMap `config-autoscaler`.
    #[error("config-autoscaler: {key} = {value:?}: {expected}")]
    Config { key: &'static str, value: String, expected: String },

    /// An annotation of a revision template.
    #[error("annotation {key} = {value:?}: {expected}")]
    Annotation { key: String, value: String, expected: String },
}
