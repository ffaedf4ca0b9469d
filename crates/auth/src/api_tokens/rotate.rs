//! Rotation: another secret for the same token.

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use store::{Change, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::{NewApiToken, PREFIX, find_locked, shown};
use crate::errors::{TOKEN_ENDED, TOKEN_OF_ANOTHER};
use crate::rows::{ApiTokenId, ApiTokenRow};
use crate::{secret_text, signed_in};

/// The body of `POST /v1/tokens/{token_id}/rotate`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct RotateApiToken {
    /// Hours that the present secret goes on for beside the new one: 0 to 168. It ends at once unless given.
    #[schema(nullable = false, minimum = 0, maximum = 168)]
    #[validate(range(min = 0, max = 168))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_hours: Option<i64>,
}

/// Gives a token another secret. All else of it stays. Of the secrets before, the last one alone can go on for a while.
///
/// # Errors
/// `forbidden` without `tokens.manage_own` or `admin.manage_tokens`; `sign_in_needed` for a token: what comes by a secret that was given away must
/// not come by the next one; `not_found`; `stale`; `token_of_another`, because a token acts as its maker and sees what is theirs: whoever manages
/// tokens switches it off; `token_ended`.
pub async fn rotate(uow: &mut UnitOfWork, id: ApiTokenId, seen: Option<i64>, input: RotateApiToken) -> Result<NewApiToken> {
    let (caller, now) = (uow.caller(), uow.now());
    let (user, _) = signed_in(&caller)?;
    let before = find_locked(uow, id, seen).await?;
    if before.user_id != user {
        return Err(Error::new(&TOKEN_OF_ANOTHER));
    }
    if !before.is_active || before.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::new(&TOKEN_ENDED));
    }
    let overlap = chrono::Duration::hours(input.overlap_hours.unwrap_or(0));
    let secret = secret_text::make(PREFIX, uow.random());
    let goes_on = !overlap.is_zero();
    let after = ApiTokenRow {
        prefix: shown(&secret),
        hash: secret_text::hash(&secret),
        old_hash: goes_on.then(|| before.hash.clone()),
        old_ends_at: goes_on.then(|| now + overlap),
        ..before.clone()
    };
    let row = uow.update(&before, after, Change::plain().event("api_token.rotated")).await?;
    Ok(NewApiToken { token: row.into(), secret })
}
