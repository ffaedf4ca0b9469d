//! Looking, when a client is made, whether it is there already.

use kernel::error::Faults;
use kernel::{Caller, Defaults, Error, OnDuplicate, Result, TypedId as _};
use serde_json::json;
use store::{Change, Json, UnitOfWork};
use uuid::Uuid;

use super::find::{self, Found};
use super::score::Likeness;
use super::subject::Subject;
use super::wire::ClientDuplicate;
use super::{DuplicateCandidateRow, keep};
use crate::clients;
use crate::errors::LIKELY_DUPLICATE;
use crate::rows::{ClientId, ClientRow};

/// The event of a pair that was found.
pub(super) const DETECTED: &str = "client.duplicate_detected";

/// Finds those among the clients that a new one is said to be none of which are not there, or not for the caller to see.
pub(crate) async fn check_denied(uow: &mut UnitOfWork, denied: &[ClientId], at: &str, faults: &mut Faults) -> Result<()> {
    if denied.is_empty() {
        return Ok(());
    }
    let caller = uow.caller();
    let there = clients::briefs(uow, &caller, denied.iter().copied()).await?;
    for (place, id) in denied.iter().enumerate() {
        let pointer = format!("{at}/not_duplicate_of/{place}");
        if !there.contains_key(id) {
            faults.add(pointer, "not_found", "there is no such client");
        } else if denied.iter().take(place).any(|earlier| earlier == id) {
            faults.add(pointer, "repeated", "is named twice");
        }
    }
    Ok(())
}

/// Puts the keys of new clients and finds, for each, the clients that it may be; `denied` are those that somebody said it is none of. Whoever sees
/// no clients is told of none.
///
/// # Errors
/// `likely_duplicate` where the workspace wants none and there are some.
pub(crate) async fn look(
    uow: &mut UnitOfWork,
    rows: &[ClientRow],
    denied: &[Vec<ClientId>],
    on_duplicate: OnDuplicate,
    country: &str,
) -> Result<Vec<Vec<Found>>> {
    let caller = uow.caller();
    if on_duplicate == OnDuplicate::Off || clients::visible_to(&caller).is_err() {
        keep::put_all(uow, rows, country).await?;
        return Ok(rows.iter().map(|_| Vec::new()).collect());
    }
    if on_duplicate == OnDuplicate::Block {
        // two who make the same at once: the second waits, and then sees the first one's
        auth::workspaces::lock(uow, uow.workspace()?).await?;
    }
    let mut all = Vec::with_capacity(rows.len());
    for (row, denied) in rows.iter().zip(denied) {
        let denied: Vec<Uuid> = denied.iter().copied().map(ClientId::uuid).collect();
        let found = look_at(uow, &caller, row, &denied, country).await?;
        if on_duplicate == OnDuplicate::Block && !found.is_empty() {
            let told: Vec<ClientDuplicate> = found.into_iter().map(ClientDuplicate::from).collect();
            return Err(Error::new(&LIKELY_DUPLICATE)
                .with_detail("Name those that it is none of in not_duplicate_of.")
                .with_extra("duplicates", json!(told)));
        }
        all.push(found);
    }
    Ok(all)
}

async fn look_at(uow: &mut UnitOfWork, caller: &Caller, row: &ClientRow, denied: &[Uuid], country: &str) -> Result<Vec<Found>> {
    let subject = Subject::of_row(row, country);
    let keys = subject.keys();
    let workspace = row.workspace_id.uuid();
    let Some(select) = find::holders(workspace, &keys) else { return Ok(Vec::new()) };
    let shared = uow.insert_beside(keep::insert_of(workspace, row.id.uuid(), &keys), select).await?;
    let ids = find::worth_a_look(&subject, &keys, &find::pairs(&shared)?, denied);
    find::compare(uow, clients::visible_to(caller)?, &subject, &ids, country).await
}

/// Puts the keys of a client that is there again.
pub(crate) async fn put_again(uow: &mut UnitOfWork, row: &ClientRow, defaults: &Defaults) -> Result<()> {
    keep::put_all(uow, std::slice::from_ref(row), &defaults.country).await
}

/// A pair of clients, as it is kept.
pub(super) fn pair(uow: &UnitOfWork, one: &ClientRow, other: ClientId, likeness: Likeness) -> DuplicateCandidateRow {
    let (older, younger) = if one.id.uuid() < other.uuid() { (one.id, other) } else { (other, one.id) };
    let now = uow.now();
    DuplicateCandidateRow {
        id: uow.id(),
        workspace_id: one.workspace_id,
        client_id: older,
        other_id: younger,
        score: likeness.score,
        reasons: Json(likeness.reasons),
        archived_at: None,
        dismissed_by: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Keeps what was found, and what somebody denied, when the client is there. Returns what its maker is told.
pub(crate) async fn keep_pairs(
    uow: &mut UnitOfWork,
    row: &ClientRow,
    found: Vec<Found>,
    denied: &[ClientId],
) -> Result<Option<Vec<ClientDuplicate>>> {
    let mut pairs: Vec<DuplicateCandidateRow> =
        found.iter().map(|found| pair(uow, row, found.row.id, found.likeness.clone())).collect();
    let (now, by) = (uow.now(), uow.caller().actor.user());
    for other in denied {
        let open = pair(uow, row, *other, Likeness { score: 0, reasons: Vec::new() });
        pairs.push(DuplicateCandidateRow { archived_at: Some(now), dismissed_by: by, ..open });
    }
    if !pairs.is_empty() {
        let change = |pair: &DuplicateCandidateRow| {
            let change = Change::plain().about("client", row.id);
            if pair.archived_at.is_none() { change.event(DETECTED) } else { change }
        };
        uow.insert_all(&pairs, change).await?;
    }
    let told: Vec<ClientDuplicate> = found.into_iter().map(ClientDuplicate::from).collect();
    Ok((!told.is_empty()).then_some(told))
}
