//! Taking a merge back, as long as nothing newer stands on it.

use kernel::{Error, Permission, Result, TypedId as _};
use serde_json::{Value, json};
use store::journal::JournalEntry;
use store::list::Listed as _;
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Action, Change, UnitOfWork};
use uuid::Uuid;

use super::commands::{FILLED, UNDONE, find};
use super::wire::UndoMerge;
use super::{ClientMergeRow, fields, missing, moving, references, tags};
use crate::attachable::CLIENT;
use crate::clients::{self, Client};
use crate::custom;
use crate::duplicates;
use crate::errors::{ARCHIVED, MERGE_BUILT_ON};
use crate::rows::{ClientId, ClientRow};

/// Newer entries that an answer names.
const TOLD: u64 = 20;
/// Records in one statement.
const AT_ONCE: usize = 500;

fn column(name: &'static str) -> Expr {
    Expr::col(("journal_entry", name))
}

/// Makes two clients of one again, each as it was, and returns the one that had become part of the other.
///
/// # Errors
/// `forbidden` without `clients.merge`; `not_found`; `stale`; `client_merged`; `archived`; `validation_failed` where that client is no part of this
/// one; `merge_built_on` where something was changed since, with what it was as far as the journal names it.
pub async fn undo(uow: &mut UnitOfWork, id: ClientId, seen: Option<i64>, input: UndoMerge) -> Result<Client> {
    let caller = uow.caller();
    caller.require(Permission::ClientsMerge)?;
    clients::lock_with_children(uow, &[id.uuid(), input.merged_id.uuid()]).await?;
    auth::workspaces::lock(uow, uow.workspace()?).await?;
    let mut rows = clients::lock_all(uow, &[id.uuid(), input.merged_id.uuid()]).await?;
    if clients::find_all_locked(uow, &[id.uuid()]).await?.is_empty() {
        return Err(missing(uow, &caller, id).await);
    }
    let mut take = |id: ClientId| rows.iter().position(|row| row.id == id).map(|at| rows.swap_remove(at));
    let survivor = take(id).ok_or_else(Error::not_found)?;
    auth::check_seen(seen, survivor.version)?;
    if survivor.archived_at.is_some() {
        return Err(Error::new(&ARCHIVED).with_detail("Restore it first."));
    }
    let no_part = || Error::invalid_field("/merged_id", "not_merged", "is no part of this client");
    let merged = take(input.merged_id).ok_or_else(no_part)?;
    let row = find(uow, id, merged.id).await?.ok_or_else(no_part)?;
    check_newest(uow, &row).await?;

    let before = as_it_was(uow, &row, &survivor).await?;
    moving::move_back(uow, &row.moved.0, survivor.id, merged.id).await?;
    references::move_back(uow, &row.moved.0.named, survivor.id, merged.id).await?;
    let stays =
        uow.update(&survivor, before, Change::of(Action::Revert).event(UNDONE).detail("merge", row.id.to_string())).await?;
    // unless that is gone
    let parent_id = match row.moved.0.parent.or(merged.parent_id) {
        Some(parent) => clients::lock_all(uow, &[parent.uuid()]).await?.pop().map(|parent| parent.id),
        None => None,
    };
    let back = ClientRow { archived_at: None, merged_into_id: None, parent_id, ..merged.clone() };
    let change = Change::of(Action::Revert).about("client", survivor.id);
    let back = uow.update(&merged, back, change).await?;
    custom::settle(uow, CLIENT, stays.id.uuid(), &survivor.custom_fields.0, &stays.custom_fields.0).await?;
    duplicates::settle(uow, &survivor, &stays).await?;
    duplicates::settle(uow, &merged, &back).await?;
    custom::put_again(uow, CLIENT, back.id.uuid(), &back.custom_fields.0).await?;
    // what neither was changed for: somebody else came to stand above or below
    for client in [&stays, &back] {
        if clients::stands_above_itself(uow, client).await? {
            return Err(Error::new(&MERGE_BUILT_ON).with_detail("Clients were moved since: one would stand above itself."));
        }
    }
    let undone = ClientMergeRow { undone_at: Some(uow.now()), ..row.clone() };
    uow.update(&row, undone, Change::of(Action::Revert).about("client", survivor.id)).await?;
    Ok(back.into())
}

/// The entries of a workspace whose `of` is one of these. They are found by that first: otherwise their order by number lets all of the
/// workspace's entries be read.
pub(super) fn entries(row: &ClientMergeRow, of: &'static str, records: &[Uuid]) -> SelectStatement {
    let mut ids = Query::select();
    ids.column("id").from("journal_entry").and_where(Expr::col(of).is_in(records.iter().copied()));
    let mut select = JournalEntry::select();
    select.and_where(column("workspace_id").eq(row.workspace_id.uuid())).and_where(column("id").in_subquery(ids));
    select
}

/// The number of the merge's last entry: what was written later is newer.
async fn number_of(uow: &mut UnitOfWork, row: &ClientMergeRow) -> Result<i64> {
    let mut select = entries(row, "record_id", &[row.id.uuid()]);
    select.clear_selects().column(("journal_entry", "number"));
    let numbers: Vec<i64> = uow.rows(&select).await?.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    let gone = || Error::new(&MERGE_BUILT_ON).with_detail("What the journal held of the merge is gone.");
    numbers.into_iter().min().ok_or_else(gone)
}

/// What lets contacts whose links were moved into the portal of the survivor. Where it was given since, it would stay when they go.
async fn access_since(uow: &mut UnitOfWork, row: &ClientMergeRow) -> Result<Vec<Uuid>> {
    let links = row.moved.0.records.get("client_contact.client_id").map(Vec::as_slice).unwrap_or_default();
    let mut access = Vec::new();
    for some in links.chunks(AT_ONCE) {
        let mut contacts = Query::select();
        contacts.column("contact_id").from("client_contact").and_where(Expr::col("id").is_in(some.iter().copied()));
        let mut select = Query::select();
        select
            .column("id")
            .from("portal_access")
            .and_where(Expr::col("client_id").eq(row.survivor_id.uuid()))
            .and_where(Expr::col("contact_id").in_subquery(contacts));
        for found in uow.rows(&select).await? {
            access.push(found.get(0)?);
        }
    }
    Ok(access)
}

async fn check_newest(uow: &mut UnitOfWork, row: &ClientMergeRow) -> Result<()> {
    let number = number_of(uow, row).await?;
    let mut records = vec![row.survivor_id.uuid(), row.merged_id.uuid()];
    let about = records.clone();
    records.extend(row.moved.0.built_on());
    records.extend(access_since(uow, row).await?);
    let mut newer: Vec<JournalEntry> = Vec::new();
    let groups = records.chunks(AT_ONCE).map(|some| ("record_id", some)).chain([("subject_id", about.as_slice())]);
    for (of, some) in groups {
        let mut select = entries(row, of, some);
        select.and_where(column("number").gt(number)).order_by(("journal_entry", "number"), Order::Asc).limit(TOLD);
        for found in uow.rows(&select).await? {
            newer.push(JournalEntry::read(&found, 0)?);
        }
    }
    newer.extend(tags::lost_since(uow, row, number).await?);
    if newer.is_empty() {
        return Ok(());
    }
    newer.sort_by_key(|entry| entry.number);
    newer.dedup_by_key(|entry| entry.number);
    newer.truncate(usize::try_from(TOLD).unwrap_or(usize::MAX));
    let told = |entry: JournalEntry| {
        json!({
            "entry_id": entry.id, "at": entry.at, "event": entry.event,
            "record_type": entry.record_type, "record_id": entry.record_id,
        })
    };
    let newer: Vec<Value> = newer.into_iter().map(told).collect();
    Err(Error::new(&MERGE_BUILT_ON).with_detail("Something was changed since.").with_extra("newer", newer))
}

/// The survivor as the journal says that it was before the merge.
async fn as_it_was(uow: &mut UnitOfWork, row: &ClientMergeRow, survivor: &ClientRow) -> Result<ClientRow> {
    let mut before = survivor.clone();
    let mut select = entries(row, "record_id", &[survivor.id.uuid()]);
    select.and_where(column("event").eq(FILLED)).order_by(("journal_entry", "number"), Order::Desc).limit(1);
    let Some(found) = uow.row(&select).await? else { return Ok(before) };
    let entry = JournalEntry::read(&found, 0)?;
    let of: Option<Uuid> = entry.changes.get("merge").and_then(|merge| merge.get("to")?.as_str()?.parse().ok());
    if of != Some(row.id.uuid()) {
        // it took over nothing
        return Ok(before);
    }
    for (name, change) in &entry.changes {
        if !fields::put_back(&mut before, name, change)? {
            return Err(Error::new(&MERGE_BUILT_ON).with_detail("What the client was before was erased."));
        }
    }
    custom::keep_known(uow, CLIENT, &mut before.custom_fields.0).await?;
    let caller = uow.caller();
    let country = auth::workspaces::defaults(uow, &caller).await?.country;
    clients::fill_derived(&mut before, &country);
    Ok(before)
}
