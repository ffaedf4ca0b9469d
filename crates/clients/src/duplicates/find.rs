//! Finding the clients that may be the same as one: by their keys, and then by what they are.

use std::collections::HashMap;

use kernel::{Caller, Result, TypedId as _};
use store::dialect::{Dialect, numbers};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Conn, Row};
use uuid::Uuid;

use super::keep::TABLE;
use super::score::{self, Likeness};
use super::subject::Subject;
use crate::clients;
use crate::rows::ClientRow;

/// Clients that are looked at for one key, the newest first: what more have says nothing.
const OF_A_KEY: u64 = 30;
/// Clients that are compared.
const COMPARED: usize = 20;
/// Candidates that are told.
const TOLD: usize = 10;

/// A client that may be the same.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(super) row: ClientRow,
    pub(super) likeness: Likeness,
}

/// The clients that have these keys, as pairs of key and client, at most so many for each, and of older ones than `below`: a walk of a few steps along the table's key.
pub(super) fn holders(dialect: Dialect, workspace: Uuid, keys: &[i64], below: Option<Uuid>) -> Option<SelectStatement> {
    let columns = ["match_key", "client_id"];
    (!keys.is_empty()).then(|| numbers::last_of_each(dialect, TABLE, ("workspace_id", workspace), columns, keys, below, OF_A_KEY))
}

/// Of those who share keys the ones that are looked at: those first who share what says most, and of these the newest. Many may be at one host,
/// and one of them has the tax number.
pub(super) fn worth_a_look(keys: &[i64], shared: &[(i64, Uuid)], but: &[Uuid]) -> Vec<Uuid> {
    let weights: HashMap<i64, usize> = keys.iter().rev().enumerate().map(|(place, key)| (*key, place + 1)).collect();
    let mut sums: HashMap<Uuid, usize> = HashMap::new();
    for (key, client) in shared.iter().filter(|(_, client)| !but.contains(client)) {
        if let Some(weight) = weights.get(key) {
            *sums.entry(*client).or_default() += weight;
        }
    }
    let mut worth: Vec<(usize, Uuid)> = sums.into_iter().map(|(client, sum)| (sum, client)).collect();
    worth.sort_unstable_by(|one, other| other.cmp(one));
    worth.into_iter().take(COMPARED).map(|(_, client)| client).collect()
}

/// Compares with those of a select of clients that are in use; the likeliest first.
pub(super) async fn compare(conn: &mut Conn, mut among: SelectStatement, subject: &Subject, country: &str) -> Result<Vec<Found>> {
    among.and_where(Expr::col(("client", "archived_at")).is_null());
    let rows = conn.all::<ClientRow>(&among).await?;
    let compared = rows.into_iter().map(|row| {
        let likeness = score::likeness(subject, &Subject::of_row(&row, country));
        Found { row, likeness }
    });
    let mut found: Vec<Found> = compared.filter(|found| found.likeness.score >= score::TOLD).collect();
    found.sort_by_key(|found| (std::cmp::Reverse(found.likeness.score), found.row.id.uuid()));
    Ok(found)
}

/// Compares with those of these clients that the caller may see, and returns as many as are told.
pub(super) async fn compare_seen(
    conn: &mut Conn,
    caller: &Caller,
    subject: &Subject,
    ids: &[Uuid],
    country: &str,
) -> Result<Vec<Found>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let among = clients::visible_among(conn.dialect(), caller, ids)?;
    let mut found = compare(conn, among, subject, country).await?;
    found.truncate(TOLD);
    Ok(found)
}

/// The clients that the caller may see and that may be the same as one, but for those.
pub(super) async fn find(conn: &mut Conn, caller: &Caller, subject: &Subject, but: &[Uuid], country: &str) -> Result<Vec<Found>> {
    clients::visible_to(caller)?;
    let keys = subject.keys();
    let Some(select) = holders(conn.dialect(), caller.workspace()?.uuid(), &keys, None) else { return Ok(Vec::new()) };
    let shared = pairs(&conn.rows(&select).await?)?;
    let ids = worth_a_look(&keys, &shared, but);
    compare_seen(conn, caller, subject, &ids, country).await
}

/// The rows of [`holders`].
pub(super) fn pairs(rows: &[Row]) -> Result<Vec<(i64, Uuid)>> {
    rows.iter().map(|row| pair(row, 0)).collect()
}

/// One of them, whose columns begin there.
pub(super) fn pair(row: &Row, at: usize) -> Result<(i64, Uuid)> {
    Ok((row.get(at)?, row.get(at + 1)?))
}
