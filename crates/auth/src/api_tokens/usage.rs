//! How often a token was used, as whoever manages it sees it.

use std::collections::HashMap;

use chrono::{Duration, NaiveDate, NaiveTime};
use kernel::{Caller, DateTime, Error, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::Conn;
use store::query::{Expr, ExprTrait, Query};
use utoipa::ToSchema;

use super::visible_to;
use crate::rows::{ApiTokenId, ApiTokenRow};

/// Days that are told of, today included.
const DAYS: i64 = 30;

/// How often a token was used on a day.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DayOfUse {
    /// The day, in UTC.
    pub day: NaiveDate,
    /// Requests.
    pub uses: i64,
}

/// How a token was used. It is written down within a minute.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenUsage {
    /// When it was last used.
    pub last_used_at: Option<DateTime>,
    /// From which address.
    pub last_used_from: Option<String>,
    /// Requests of the last 30 days.
    pub uses: i64,
    /// Each of the last 30 days, the oldest first.
    pub days: Vec<DayOfUse>,
}

/// The moment at which a day begins, in UTC.
pub(super) fn day_of(at: DateTime) -> DateTime {
    at.date_naive().and_time(NaiveTime::MIN).and_utc()
}

/// The first of the days that are told of.
pub(crate) fn first_day(now: DateTime) -> DateTime {
    day_of(now) - Duration::days(DAYS - 1)
}

/// How a token was used.
///
/// # Errors
/// `forbidden` without `tokens.manage_own` or `admin.manage_tokens`; `not_found`.
pub async fn usage(conn: &mut Conn, caller: &Caller, id: ApiTokenId, now: DateTime) -> Result<TokenUsage> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("api_token", "id")).eq(id.uuid()));
    let token = conn.one::<ApiTokenRow>(&select).await?.ok_or_else(Error::not_found)?;
    let first = first_day(now);
    let mut select = Query::select();
    select
        .columns(["day", "uses"])
        .from("api_token_usage")
        .and_where(Expr::col("token_id").eq(id.uuid()))
        .and_where(Expr::col("day").gte(store::Field::value(&first)));
    let mut known: HashMap<NaiveDate, i64> = HashMap::new();
    for row in conn.rows(&select).await? {
        known.insert(row.get::<DateTime>(0)?.date_naive(), row.get(1)?);
    }
    let days: Vec<DayOfUse> = (0..DAYS)
        .map(|number| (first + Duration::days(number)).date_naive())
        .map(|day| DayOfUse { day, uses: known.get(&day).copied().unwrap_or(0) })
        .collect();
    Ok(TokenUsage {
        last_used_at: token.last_used_at,
        last_used_from: token.last_used_from,
        uses: days.iter().map(|day| day.uses).sum(),
        days,
    })
}
