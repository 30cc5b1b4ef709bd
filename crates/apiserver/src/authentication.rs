//! Who somebody is: by the certificate of the connection, by the token of a ServiceAccount, or nobody in particular.
//!
//! ```text
//!   certificate ─┐
//!   token ───────┼─► User ─► impersonation: the user that it may act as
//!   neither ─────┘
//! ```

mod certificate;
mod impersonation;
mod jwt;
mod request;
mod tokens;
mod user;

pub use self::user::User;
pub(crate) use self::{
    impersonation::impersonate,
    jwt::{Signer, TOKENS_KEY_FILE},
    request::authenticate,
    tokens::{INVALID, Tokens, issuer_documents},
    user::service_account_user,
};
