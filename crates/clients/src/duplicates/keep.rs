//! The keys of clients where they are looked up: one row for each key of a client, in a table that is nothing but that.

use std::collections::HashSet;

use kernel::{Error, Result, TypedId as _};
use store::UnitOfWork;
use store::dialect::{Dialect, numbers};
use store::query::{Expr, ExprTrait, InsertStatement, OnConflict, Query};
use uuid::Uuid;

use super::subject::Subject;
use crate::rows::ClientRow;

pub(super) const TABLE: &str = "client_match_key";

/// Keys in one statement.
const AT_ONCE: usize = 500;

/// The keys of a client; of one that is put away or part of another there are none, so that it stands in nobody's way.
fn keys_of(row: &ClientRow) -> Vec<i64> {
    if row.archived_at.is_some() || row.merged_into_id.is_some() {
        return Vec::new();
    }
    Subject::of_row(row, "").keys()
}

/// Puts keys of clients, of which those that are there stay.
fn inserted(workspace: Uuid, keys: &[(i64, Uuid)]) -> InsertStatement {
    let mut insert = Query::insert();
    insert.into_table(TABLE).columns(["workspace_id", "match_key", "client_id"]);
    for (key, client) in keys {
        insert.values_panic([Expr::value(workspace), Expr::value(*key), Expr::value(*client)]);
    }
    insert.on_conflict(OnConflict::new().do_nothing().to_owned());
    insert
}

/// The statement that puts the keys of one client that is new, which has none.
pub(super) fn insert_of(dialect: Dialect, workspace: Uuid, client: Uuid, keys: &[i64]) -> Result<InsertStatement> {
    let mut rows = Query::select();
    rows.expr(Expr::value(workspace))
        .column(("its", "match_key"))
        .expr(Expr::value(client))
        .from_subquery(numbers::numbers(dialect, keys, "match_key"), "its")
        .and_where(Expr::value(true));
    let mut insert = Query::insert();
    insert.into_table(TABLE).columns(["workspace_id", "match_key", "client_id"]).select_from(rows).map_err(Error::internal)?;
    Ok(insert)
}

/// Puts the keys of many clients.
pub(super) async fn put_all(uow: &mut UnitOfWork, rows: &[ClientRow]) -> Result<()> {
    let workspace = uow.workspace()?.uuid();
    let mut keys: Vec<(i64, Uuid)> = Vec::new();
    for row in rows {
        keys.extend(keys_of(row).into_iter().map(|key| (key, row.id.uuid())));
    }
    // in the order of the table, so that those who write many at once wait for each other and do not block each other
    keys.sort_unstable();
    for some in keys.chunks(AT_ONCE) {
        uow.execute(&inserted(workspace, some)).await?;
    }
    Ok(())
}

/// Puts and takes away what differs between the keys of two states of a client.
pub(crate) async fn settle(uow: &mut UnitOfWork, before: &ClientRow, after: &ClientRow) -> Result<()> {
    let keys = |row: &ClientRow| keys_of(row).into_iter().collect::<HashSet<i64>>();
    let (old, new) = (keys(before), keys(after));
    let (workspace, id) = (after.workspace_id.uuid(), after.id.uuid());
    let mut come: Vec<(i64, Uuid)> = new.difference(&old).map(|key| (*key, id)).collect();
    if !come.is_empty() {
        come.sort_unstable();
        uow.execute(&inserted(workspace, &come)).await?;
    }
    let gone: Vec<i64> = old.difference(&new).copied().collect();
    take_away(uow, workspace, &gone, &[id]).await
}

async fn take_away(uow: &mut UnitOfWork, workspace: Uuid, keys: &[i64], clients: &[Uuid]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut delete = Query::delete();
    delete
        .from_table(TABLE)
        .and_where(Expr::col("workspace_id").eq(workspace))
        .and_where(Expr::col("match_key").is_in(keys.iter().copied()))
        .and_where(Expr::col("client_id").is_in(clients.iter().copied()));
    uow.execute(&delete).await.map(|_| ())
}

/// Forgets all keys of the workspace, to make them anew.
pub(super) async fn forget_all(uow: &mut UnitOfWork) -> Result<()> {
    let mut delete = Query::delete();
    delete.from_table(TABLE).and_where(Expr::col("workspace_id").eq(uow.workspace()?.uuid()));
    uow.execute(&delete).await.map(|_| ())
}

/// Forgets the keys of clients that are gone.
pub(crate) async fn forget(uow: &mut UnitOfWork, rows: &[ClientRow]) -> Result<()> {
    for some in rows.chunks(50) {
        let Some(first) = some.first() else { continue };
        let keys: Vec<i64> =
            some.iter().flat_map(|row| Subject::of_row(row, "").keys()).collect::<HashSet<_>>().into_iter().collect();
        let ids: Vec<Uuid> = some.iter().map(|row| row.id.uuid()).collect();
        take_away(uow, first.workspace_id.uuid(), &keys, &ids).await?;
    }
    Ok(())
}
