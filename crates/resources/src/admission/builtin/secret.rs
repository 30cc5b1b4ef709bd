//! Secret.

use super::{
    FIELD_IMMUTABLE,
    config_map::{IMMUTABLE, SIZE_MAX},
    invalid_each,
};
use crate::{
    admission::{
        FieldError, Rejection,
        dispatch::{Context, Rules},
        metadata::{self, NameRule},
        path::Path,
        rejection::invalid,
    },
    builtin::Secret,
    names::dns,
};

impl Rules for Secret {
    fn set_defaults(&mut self, _: &Context<'_, Self>) {
        if self.type_.as_deref().unwrap_or_default().is_empty() {
            self.type_ = Some("Opaque".to_owned());
        }
        // Texts are only a way to write data, and are never read again.
        if let Some(texts) = self.string_data.take() {
            let data = self.data.get_or_insert_default();
            for (key, text) in texts {
                data.insert(key, k8s_openapi::ByteString(text.into_bytes()));
            }
        }
    }

    fn validate(&self, context: &Context<'_, Self>) -> Result<(), Rejection> {
        let mut errors = metadata::validate(&self.metadata, NameRule::Subdomain, true);
        let data = Path::root("data");
        let mut size = 0;
        for (key, value) in self.data.iter().flatten() {
            size += value.0.len();
            invalid_each(dns::config_key(key), key, &data.key(key), &mut errors);
        }
        if size > SIZE_MAX {
            errors.push(FieldError::too_long(&data, SIZE_MAX));
        }
        check_keys(self, &data, &mut errors);
        if let Some(old) = context.old {
            check_update(self, old, &mut errors);
        }
        invalid(errors)
    }
}

/// The annotation that names the account that a token is of.
const SERVICE_ACCOUNT: &str = "kubernetes.io/service-account.name";

/// The keys that a Secret of a known type must have.
fn check_keys(secret: &Secret, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let value = |key: &str| secret.data.as_ref().and_then(|data| data.get(key));
    let kind = secret.type_.as_deref().unwrap_or_default();
    if kind == "kubernetes.io/service-account-token" {
        let annotations = secret.metadata.annotations.as_ref();
        let account = annotations.and_then(|annotations| annotations.get(SERVICE_ACCOUNT));
        if account.is_none_or(String::is_empty) {
            let metadata = Path::root("metadata");
            let at = metadata.child("annotations");
            errors.push(FieldError::required(&at.key(SERVICE_ACCOUNT), ""));
        }
    }
    let required: &[&str] = match kind {
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    };
    for key in required {
        match value(key) {
            None => errors.push(FieldError::required(&path.key(key), "")),
            Some(value) if key.starts_with(".docker") => {
                if let Err(error) = serde_json::from_slice::<serde_json::Value>(&value.0) {
                    let why = error.to_string();
                    errors.push(FieldError::invalid(&path.key(key), "<secret contents redacted>", why));
                }
            }
            Some(_) => {}
        }
    }
    if kind == "kubernetes.io/basic-auth" && value("username").is_none() && value("password").is_none() {
        for key in ["username", "password"] {
            errors.push(FieldError::required(&path.key(key), ""));
        }
    }
}

fn check_update(secret: &Secret, old: &Secret, errors: &mut Vec<FieldError>) {
    if secret.type_ != old.type_ {
        errors.push(FieldError::invalid(&Path::root("type"), &secret.type_, FIELD_IMMUTABLE));
    }
    if old.immutable != Some(true) {
        return;
    }
    for (field, changed) in [("immutable", secret.immutable != Some(true)), ("data", secret.data != old.data)]
    {
        if changed {
            errors.push(FieldError::forbidden(&Path::root(field), IMMUTABLE));
        }
    }
}
