//! What is wrong with one field, in Kubernetes' words.
//!
//! Upstream: apimachinery, `util/validation/field/errors.go`.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::{Complaints, PATH_BYTES_MAX, Path, shortened};

/// The field of an error that is about no one field.
pub(crate) const NO_FIELD: &str = "<nil>";

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// The field's path, `spec.containers[0].name`.
    pub field: String,
    /// The kind of error.
    pub kind: FieldErrorKind,
    /// The value that is wrong, as JSON with its fields in their type's order; for the kinds that show it.
    pub bad_value: Option<String>,
    /// What is expected; may be empty.
    pub detail: String,
}

/// The kinds of field errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldErrorKind {
    /// There is no such thing as the value names.
    NotFound,
    /// There must be a value.
    Required,
    /// The value must be the only one of its kind.
    Duplicate,
    /// The value breaks a rule.
    Invalid,
    /// The value is not one of a few.
    NotSupported,
    /// There must be no value.
    Forbidden,
    /// The value is too long.
    TooLong,
    /// There are too many values.
    TooMany,
    /// The value is of the wrong type.
    TypeInvalid,
}

impl FieldErrorKind {
    /// The `reason` of a `metav1.StatusCause`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
        }
    }
}

impl FieldError {
    fn new(
        path: &Path<'_>,
        kind: FieldErrorKind,
        bad_value: Option<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { field: path.to_string(), kind, bad_value: bad_value.map(presentable), detail: detail.into() }
    }

    /// There must be a value.
    pub(crate) fn required(path: &Path<'_>, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Required, None, detail)
    }

    /// There must be no value.
    pub(crate) fn forbidden(path: &Path<'_>, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Forbidden, None, detail)
    }

    /// The value breaks a rule.
    pub(crate) fn invalid(path: &Path<'_>, value: impl Serialize, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Invalid, text(value), detail)
    }

    /// The value must be the only one of its kind.
    pub(crate) fn duplicate(path: &Path<'_>, value: impl Serialize) -> Self {
        Self::new(path, FieldErrorKind::Duplicate, text(value), "")
    }

    /// There is no such thing as the value names.
    pub(crate) fn not_found(path: &Path<'_>, value: impl Serialize) -> Self {
        Self::new(path, FieldErrorKind::NotFound, text(value), "")
    }

    /// The value is not one of `supported`.
    pub(crate) fn not_supported(path: &Path<'_>, value: impl Serialize, supported: &[&str]) -> Self {
        let quoted: Vec<_> = supported.iter().map(|value| format!("{value:?}")).collect();
        let detail = format!("supported values: {}", quoted.join(", "));
        Self::new(path, FieldErrorKind::NotSupported, text(value), detail)
    }

    /// The value has more than `max` bytes.
    pub(crate) fn too_long(path: &Path<'_>, max: usize) -> Self {
        Self::new(path, FieldErrorKind::TooLong, None, format!("may not be more than {max} bytes"))
    }

    /// There are more than `max` values.
    pub(crate) fn too_many(path: &Path<'_>, count: usize, max: usize) -> Self {
        Self::new(path, FieldErrorKind::TooMany, text(count), format!("must have at most {max} items"))
    }

    /// The error without its field: the message of a `metav1.StatusCause`.
    pub fn body(&self) -> String {
        let mut body = self.kind.words().to_owned();
        if let Some(value) = &self.bad_value {
            // Go's %q and JSON agree on the strings that occur here.
            body = format!("{body}: {value}");
        }
        if !self.detail.is_empty() {
            body = format!("{body}: {}", self.detail);
        }
        body
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// How long the text of a value may be that an error shows; of a longer one it shows the beginning.
const SHOWN_BYTES_MAX: usize = 4 << 10;

/// A value's JSON as an error shows it.
fn presentable(json: String) -> String {
    if json.len() <= SHOWN_BYTES_MAX {
        return json;
    }
    Value::String(shortened(PATH_BYTES_MAX, json)).to_string()
}

/// As [`presentable`], of a value that stays where it is: of a large one no more is written than is shown.
pub(crate) fn presented(value: &Value) -> String {
    // What is cut is still too long.
    presentable(shortened(2 * SHOWN_BYTES_MAX, value))
}

/// The errors that are kept, and a last one that tells how many there are beside them.
pub(crate) fn told(errors: Complaints<FieldError>) -> Vec<FieldError> {
    let left_out = errors.left_out();
    let mut told = errors.into_kept();
    if left_out > 0 {
        let detail = format!("{left_out} more errors are not shown");
        told.push(FieldError {
            field: NO_FIELD.into(),
            kind: FieldErrorKind::Invalid,
            bad_value: None,
            detail,
        });
    }
    told
}

fn text(value: impl Serialize) -> Option<String> {
    serde_json::to_string(&value).ok()
}

/// All errors as one text: the only one alone, several as `[one, two]`, each once.
pub fn aggregate(errors: &[FieldError]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in errors.iter().map(ToString::to_string) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.as_slice() {
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}
