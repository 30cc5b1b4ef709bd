//! Signed tokens: JSON web tokens (RFC 7519) in compact form, signed with ECDSA on P-256 (`ES256`).
//!
//! ```text
//!   pki/sa.key   the key, PKCS #8 in PEM, 0600; made when it is missing. A new one makes every token invalid.
//! ```

use std::path::Path;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use rcgen::{KeyPair, PublicKeyData};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Error, Result, tls::write_private};

const ALGORITHM: &str = "ES256";
/// Beside the authority's own files.
pub(crate) const TOKENS_KEY_FILE: &str = "sa.key";

/// The key that tokens are signed with.
pub(crate) struct Signer {
    key: EcdsaKeyPair,
    /// The point, uncompressed: 4, x, y.
    public: Vec<u8>,
    id: String,
    /// A signature takes a secret number that must never be foreseen, so it is not for callers to choose.
    random: SystemRandom,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    kid: String,
    /// Extensions that must be understood; there are none that are.
    #[serde(skip_serializing_if = "Option::is_none")]
    crit: Option<Value>,
}

impl Signer {
    /// Reads the key from `dir`, or makes a new one there.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(TOKENS_KEY_FILE);
        if !path.exists() {
            let key = KeyPair::generate().map_err(failed(dir, "make the key of tokens"))?;
            write_private(&path, key.serialize_pem().as_bytes())?;
        }
        let pem = std::fs::read_to_string(&path).map_err(|source| Error::File {
            action: "read",
            path: path.clone(),
            source,
        })?;
        Self::new(dir, &KeyPair::from_pem(&pem).map_err(failed(dir, "read the key of tokens"))?)
    }

    /// A key that is kept nowhere.
    pub(crate) fn ephemeral() -> Result<Self> {
        let dir = Path::new("");
        Self::new(dir, &KeyPair::generate().map_err(failed(dir, "make the key of tokens"))?)
    }

    fn new(dir: &Path, pair: &KeyPair) -> Result<Self> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pair.serialized_der(), &random)
            .map_err(failed(dir, "use the key of tokens"))?;
        let id = BASE64.encode(Sha256::digest(pair.subject_public_key_info()));
        Ok(Self { key, public: pair.public_key_raw().to_vec(), id, random })
    }

    /// A token with these claims; `None` when the system gives no random numbers.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Option<String> {
        let header = Header { alg: ALGORITHM.into(), kid: self.id.clone(), crit: None };
        let part = |json: serde_json::Result<Vec<u8>>| Some(BASE64.encode(json.ok()?));
        let text = format!("{}.{}", part(serde_json::to_vec(&header))?, part(serde_json::to_vec(claims))?);
        let signature = self.key.sign(&self.random, text.as_bytes()).ok()?;
        Some(format!("{text}.{}", BASE64.encode(signature)))
    }

    /// The claims of a token that this key has signed, as JSON.
    pub(super) fn verify(&self, token: &str) -> Option<Vec<u8>> {
        let (text, signature) = token.rsplit_once('.')?;
        let (header, claims) = text.split_once('.')?;
        let header: Header = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
        if header.alg != ALGORITHM || header.kid != self.id || header.crit.is_some() {
            return None;
        }
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.public);
        key.verify(text.as_bytes(), &BASE64.decode(signature).ok()?).ok()?;
        BASE64.decode(claims).ok()
    }

    /// The key for those who check tokens themselves, as a JSON web key set (RFC 7517).
    pub(super) fn key_set(&self) -> Value {
        let (x, y) = self.public[1..].split_at((self.public.len() - 1) / 2);
        let [x, y] = [x, y].map(|part| BASE64.encode(part));
        let key = json!({
            "use": "sig", "kty": "EC", "crv": "P-256", "alg": ALGORITHM, "kid": self.id, "x": x, "y": y,
        });
        json!({"keys": [key]})
    }
}

fn failed<E: std::fmt::Display>(dir: &Path, action: &'static str) -> impl FnOnce(E) -> Error {
    let dir = dir.to_owned();
    move |error| Error::Certificate { action, reason: error.to_string(), dir }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_key_has_signed_is_taken() {
        let (ours, other) = (Signer::ephemeral().unwrap(), Signer::ephemeral().unwrap());
        let token = ours.sign(&json!({"sub": "a"})).unwrap();
        assert_eq!(ours.verify(&token).unwrap(), br#"{"sub":"a"}"#);
        let parts: Vec<&str> = token.split('.').collect();
        let encode = |value: Value| BASE64.encode(value.to_string());
        let header = |alg: &str| encode(json!({"alg": alg, "kid": ours.id}));
        let claims = encode(json!({"sub": "b"}));
        let of_other = other.sign(&json!({"sub": "a"})).unwrap();
        let other_signature = of_other.rsplit_once('.').unwrap().1;
        let cases = [
            ("another key", of_other.clone()),
            ("another key's signature", format!("{}.{}.{other_signature}", parts[0], parts[1])),
            ("other claims", format!("{}.{claims}.{}", parts[0], parts[2])),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("no algorithm", format!("{}.{}.", header("none"), parts[1])),
            ("another algorithm", format!("{}.{}.{}", header("HS256"), parts[1], parts[2])),
            ("two parts", format!("{}.{}", parts[0], parts[1])),
            ("four parts", format!("{token}.{}", parts[2])),
            ("nothing", String::new()),
            ("nonsense", "a.b.c".into()),
            ("a padded part", format!("{}=.{}.{}", parts[0], parts[1], parts[2])),
        ];
        for (what, token) in cases {
            assert_eq!(ours.verify(&token), None, "{what}");
        }
        let extended = encode(json!({"alg": ALGORITHM, "kid": ours.id, "crit": ["x"]}));
        assert_eq!(ours.verify(&format!("{extended}.{}.{}", parts[1], parts[2])), None);
    }

    #[test]
    fn the_key_stays_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let token = Signer::open(dir.path()).unwrap().sign(&json!({"sub": "a"})).unwrap();
        assert!(Signer::open(dir.path()).unwrap().verify(&token).is_some());
    }
}
