//! Rotation: another secret for the same token.

use kernel::{Caller, Error, Result};
use serde::{Deserialize, Serialize};
use store::{Change, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::{NewApiToken, PREFIX, find_locked, maker, shown};
use crate::errors::{TOKEN_ENDED, TOKEN_TOO_HIGH};
use crate::rows::{ApiTokenId, ApiTokenRow};
use crate::secret_text;

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
/// `forbidden` without `tokens.manage_own` or `admin.manage_tokens`; `not_found`; `stale`; `token_ended`; `token_too_high` where the token may
/// what the caller may not: whoever gets the secret can do as it can.
pub async fn rotate(uow: &mut UnitOfWork, id: ApiTokenId, seen: Option<i64>, input: RotateApiToken) -> Result<NewApiToken> {
    let before = find_locked(uow, id, seen).await?;
    let (caller, now) = (uow.caller(), uow.now());
    if !before.is_active || before.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::new(&TOKEN_ENDED));
    }
    let asking = maker(uow, &caller).await?;
    if !may_have(&caller, asking.as_ref(), &before) {
        return Err(Error::new(&TOKEN_TOO_HIGH));
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

/// Whether the secret of a token can be given to a caller. Whoever is signed in may have those of their own tokens, which never do more than
/// they may; of others they must hold what these may. A token gets none that reaches beyond itself: it could come by rights, networks or
/// time that it was not given.
fn may_have(caller: &Caller, asking: Option<&ApiTokenRow>, token: &ApiTokenRow) -> bool {
    let holds = token.scopes.0.difference(&caller.permissions).is_empty();
    let Some(asking) = asking else {
        return holds || caller.actor.user() == Some(token.user_id);
    };
    let wider = &asking.networks.0;
    let within = |networks: &[ipnet::IpNet]| {
        !networks.is_empty() && networks.iter().all(|network| wider.iter().any(|wide| wide.contains(network)))
    };
    let networks = wider.is_empty() || within(&token.networks.0);
    let time = asking.expires_at.is_none_or(|latest| token.expires_at.is_some_and(|at| at <= latest));
    asking.id == token.id || (holds && networks && time)
}
