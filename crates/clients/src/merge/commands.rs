//! Merging clients, and looking at what it would do.

use kernel::{Error, Permission, Result, TypedId as _};
use store::query::{Expr, ExprTrait};
use store::{Action, Change, Json, OnUnique as _, Record as _, UnitOfWork};

use super::wire::{FieldOutcome, MergeClients, MergePreview, MergedClients};
use super::{ClientMergeRow, fields, missing, moving};
use crate::attachable::CLIENT;
use crate::clients;
use crate::custom;
use crate::duplicates;
use crate::errors::{ARCHIVED, CLIENT_MERGED, MERGE_RELATED, PARENT_CYCLE};
use crate::relationships;
use crate::rows::{ClientId, ClientRow};

/// The event of what the survivor took over from the other one.
pub(super) const FILLED: &str = "client.merge_filled";
/// The event of the client that stayed when the merge is taken back.
pub(super) const UNDONE: &str = "client.merge_undone";

/// Makes a client part of another.
///
/// # Errors
/// `forbidden` without `clients.merge`; `not_found`; `stale`; `archived`; `client_merged`; `validation_failed` where there is no such client to
/// merge, it is the same one, or a side cannot be chosen; `parent_cycle`; `merge_related` where the two relate to each other;
/// `relationship_overlap`; `relationship_needs_role`.
pub async fn merge(uow: &mut UnitOfWork, id: ClientId, seen: Option<i64>, input: MergeClients) -> Result<MergedClients> {
    let merged_id = input.merged_id;
    let (row, fields, moved) = run(uow, id, seen, input).await?;
    Ok(MergedClients { client: row.into(), merged_id, fields, moved: moved.told() })
}

/// What a merge would do: it is done, and undone before anybody sees it.
///
/// # Errors
/// As [`merge`].
pub async fn preview(uow: &mut UnitOfWork, id: ClientId, input: MergeClients) -> Result<MergePreview> {
    let savepoint = uow.savepoint().await?;
    let (row, fields, moved) = run(uow, id, None, input).await?;
    uow.back_to(savepoint).await?;
    Ok(MergePreview { client: row.into(), fields, moved: moved.told() })
}

async fn run(
    uow: &mut UnitOfWork,
    id: ClientId,
    seen: Option<i64>,
    input: MergeClients,
) -> Result<(ClientRow, Vec<FieldOutcome>, moving::Moved)> {
    let caller = uow.caller();
    caller.require(Permission::ClientsMerge)?;
    // as everybody does: clients first, in the order of their ids, and then the tree
    clients::lock_with_children(uow, &[id.uuid(), input.merged_id.uuid()]).await?;
    auth::workspaces::lock(uow, uow.workspace()?).await?;
    let rows = clients::find_all_locked(uow, &[id.uuid(), input.merged_id.uuid()]).await?;
    let Some(survivor) = rows.iter().find(|row| row.id == id) else { return Err(missing(uow, &caller, id).await) };
    auth::check_seen(seen, survivor.version)?;
    if input.merged_id == id {
        return Err(Error::invalid_field("/merged_id", "same_client", "must be another client"));
    }
    let Some(merged) = rows.iter().find(|row| row.id == input.merged_id) else {
        let error = missing(uow, &caller, input.merged_id).await;
        let is_merged = error.code().code == CLIENT_MERGED.code;
        let gone = || Error::invalid_field("/merged_id", "not_found", "there is no such client");
        return Err(if is_merged { error } else { gone() });
    };
    if survivor.archived_at.is_some() || merged.archived_at.is_some() {
        return Err(Error::new(&ARCHIVED).with_detail("Restore it first."));
    }
    if relationships::relate(uow, survivor.id, merged.id).await? {
        return Err(Error::new(&MERGE_RELATED).with_detail("Delete the relationship first: a client does not relate to itself."));
    }
    let (mut filled, outcomes) = fields::choose(survivor, merged, &input.fields.unwrap_or_default())?;
    if filled.parent_id == Some(merged.id) {
        // what stood above the one stands above both
        filled.parent_id = merged.parent_id;
    }
    if filled.parent_id == Some(survivor.id) {
        filled.parent_id = survivor.parent_id.filter(|parent| *parent != merged.id);
    }
    custom::keep_known(uow, CLIENT, &mut filled.custom_fields.0).await?;
    let country = auth::workspaces::defaults(uow, &caller).await?.country;
    clients::fill_derived(&mut filled, &country);

    let now = uow.now();
    let row = ClientMergeRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        survivor_id: survivor.id,
        merged_id: merged.id,
        merged_by: caller.actor.user(),
        fields: Json(outcomes.iter().map(|outcome| (outcome.field.clone(), outcome.side)).collect()),
        moved: Json(moving::Moved { parent: merged.parent_id, ..moving::move_all(uow, merged, survivor).await? }),
        undone_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    relationships::check_all_roles(uow, &filled).await?;
    let change = Change::of(Action::Merge).event(FILLED).detail("merge", row.id.to_string());
    let after = uow.update(survivor, filled, change).await?;
    if clients::stands_above_itself(uow, &after).await? {
        return Err(Error::new(&PARENT_CYCLE).with_detail("One of the clients stands above the other. Move it first."));
    }
    // what one of the two had must be free for the other; it stays beside the merged one, which has it still
    uow.free_unique_values(merged.id.uuid()).await?;
    custom::settle(uow, CLIENT, survivor.id.uuid(), &survivor.custom_fields.0, &after.custom_fields.0).await?;
    duplicates::settle(uow, survivor, &after).await?;
    let away = ClientRow { archived_at: Some(now), merged_into_id: Some(survivor.id), parent_id: None, ..merged.clone() };
    let change = Change::of(Action::Merge).about("client", survivor.id);
    let away = uow.update(merged, away, change).await?;
    duplicates::settle(uow, merged, &away).await?;
    // the last entry: what comes after it in the journal came after the merge
    let change = Change::plain().about("client", survivor.id);
    uow.insert(&row, change).await.on_unique(|| Error::new(&store::errors::BUSY))?;
    Ok((after, outcomes, row.moved.0))
}

/// The merge, not taken back, that made the one part of the other.
pub(super) async fn find(uow: &mut UnitOfWork, survivor: ClientId, merged: ClientId) -> Result<Option<ClientMergeRow>> {
    let column = |name: &'static str| Expr::col(("client_merge", name));
    let mut select = ClientMergeRow::select();
    select
        .and_where(column("survivor_id").eq(survivor.uuid()))
        .and_where(column("merged_id").eq(merged.uuid()))
        .and_where(column("undone_at").is_null());
    uow.locked(select).await
}
