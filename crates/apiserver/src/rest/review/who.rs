//! Who somebody is.

use resources::{
    meta::ObjectMeta,
    reviews::{SelfSubjectReview, SelfSubjectReviewStatus, TokenReview, TokenReviewStatus, UserInfo},
};

use super::super::call::Call;
use crate::{
    authentication::{INVALID, User},
    status::Failure,
};

/// The caller, as it counts.
pub(super) fn am_i(call: &Call, _: &SelfSubjectReview) -> SelfSubjectReview {
    let metadata =
        ObjectMeta { creation_timestamp: Some(call.registry().environment.now()), ..ObjectMeta::default() };
    SelfSubjectReview {
        metadata,
        status: Some(SelfSubjectReviewStatus { user_info: Some(info(&call.user)) }),
    }
}

/// Whom a token shows.
pub(super) fn has(call: &Call, review: &TokenReview) -> Result<TokenReview, Failure> {
    let token = review.spec.token.as_deref().filter(|token| !token.is_empty());
    let token =
        token.ok_or_else(|| Failure::bad_request("token is required for TokenReview in authentication"))?;
    let audiences = review.spec.audiences.as_deref().unwrap_or_default();
    let status = match call.shared.tokens.check(call.registry(), token, audiences) {
        Ok(accepted) => TokenReviewStatus {
            authenticated: Some(true),
            audiences: Some(accepted.audiences),
            user: Some(info(&accepted.user)),
            error: None,
        },
        Err(why) => TokenReviewStatus {
            // Upstream asks several who know tokens, and each says why it does not know this one.
            error: Some(if why == INVALID { why } else { format!("[{INVALID}, {why}]") }),
            user: Some(UserInfo::default()),
            ..TokenReviewStatus::default()
        },
    };
    Ok(TokenReview { status: Some(status), ..review.clone() })
}

fn info(user: &User) -> UserInfo {
    UserInfo {
        username: Some(user.name.clone()),
        uid: Some(user.uid.clone()).filter(|uid| !uid.is_empty()),
        groups: Some(user.groups.clone()).filter(|groups| !groups.is_empty()),
        extra: Some(user.extra.clone()).filter(|extra| !extra.is_empty()),
    }
}
