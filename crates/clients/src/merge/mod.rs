//! Two clients become one: what hangs on the one hangs on the other from then on, and its id leads there.
//!
//! What was merged is kept, out of sight, with whatever both had: a contact of both, a tag of both. So nothing is lost, and taking a merge
//! back is moving back what was moved.

mod commands;
mod fields;
mod forget;
mod moving;
mod references;
mod tags;
mod undo;
mod wire;

use std::collections::BTreeMap;

use kernel::{Caller, Error, Result, TypedId as _, UserId};
use store::query::{Expr, ExprTrait, Query};
use store::{Conn, Json};
use uuid::Uuid;

use crate::errors::CLIENT_MERGED;
use crate::rows::ClientId;

pub use commands::{merge, preview};
pub(crate) use forget::forget;
pub use undo::undo;
pub use wire::{FieldOutcome, MergeClients, MergePreview, MergeSide, MergedClients, MovedRecords, UndoMerge};

/// What hangs on clients, by table and column, as a merge moves it. A test compares it with the database.
pub const HANGS_ON_CLIENTS: &[(&str, &str)] = moving::NAMES;

kernel::typed_id! {
    /// Names a merge of two clients.
    pub ClientMergeId
}
store::id_fields!(ClientMergeId);

store::record! {
    pub(crate) struct ClientMergeRow in "client_merge" of workspace {
        id: ClientMergeId;
        survivor_id: ClientId,
        merged_id: ClientId,
        merged_by: Option<UserId>,
        fields: Json<BTreeMap<String, MergeSide>>,
        moved: Json<moving::Moved> => Derived,
        undone_at: Option<kernel::DateTime>,
    }
}

/// How far a chain of merges is followed.
const MOST_MERGES: usize = 100;

/// The answer where a client that the caller may see is not there: that there is none, or which one it became part of.
pub(crate) async fn missing(conn: &mut Conn, caller: &Caller, id: ClientId) -> Error {
    match survivor(conn, caller, id).await {
        Ok(None) => Error::not_found(),
        Ok(Some(survivor)) => Error::new(&CLIENT_MERGED)
            .with_detail(format!("It became part of client {survivor}."))
            .with_extra("merged_id", id.to_string())
            .with_extra("survivor_id", survivor.to_string()),
        Err(error) => error,
    }
}

/// The client that a merged one, which the caller could see but for the merge, became part of in the end.
pub(crate) async fn survivor(conn: &mut Conn, caller: &Caller, id: ClientId) -> Result<Option<ClientId>> {
    let mut select = crate::clients::reached_by(caller)?;
    let merged_into = Expr::col(("client", "merged_into_id"));
    select.clear_selects().expr(merged_into).and_where(Expr::col(("client", "id")).eq(id.uuid()));
    let first: Option<Option<Uuid>> = conn.row(&select).await?.map(|row| row.get(0)).transpose()?;
    let Some(mut last) = first.flatten() else { return Ok(None) };
    for _ in 0..MOST_MERGES {
        let mut next = Query::select();
        next.column("merged_into_id")
            .from("client")
            .and_where(Expr::col("workspace_id").eq(caller.workspace()?.uuid()))
            .and_where(Expr::col("id").eq(last));
        let further: Option<Option<Uuid>> = conn.row(&next).await?.map(|row| row.get(0)).transpose()?;
        let Some(further) = further.flatten() else { break };
        last = further;
    }
    Ok(Some(ClientId::from_uuid(last)))
}

/// The clients that became part of these, at once or by way of others.
pub(crate) async fn merged_into(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    let (mut all, mut last) = (Vec::new(), ids.to_vec());
    while !last.is_empty() && all.len() < 10_000 {
        let mut next = Vec::new();
        for some in last.chunks(500) {
            let mut select = Query::select();
            select.column("id").from("client").and_where(Expr::col("merged_into_id").is_in(some.iter().copied()));
            next.extend(conn.rows(&select).await?.iter().map(|row| row.get(0)).collect::<Result<Vec<Uuid>>>()?);
        }
        all.extend(next.iter().copied());
        last = next;
    }
    Ok(all)
}
