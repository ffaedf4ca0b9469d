//! Looking, when a client is made, whether it is there already.

use kernel::error::Faults;
use kernel::{Error, OnDuplicate, Result, TypedId as _};
use serde_json::json;
use store::query::UnionType;
use store::{Along, Change, Json, UnitOfWork};
use uuid::Uuid;

use super::find::{self, Found};
use super::score::Likeness;
use super::subject::Subject;
use super::wire::ClientDuplicate;
use super::{DuplicateCandidateRow, keep};
use crate::clients;
use crate::errors::LIKELY_DUPLICATE;
use crate::rows::{ClientId, ClientRow};
use crate::stages;

/// Stands beside a stage that there is, where a key stands beside the client that has it. A key that is the same names no client.
const STAGE: i64 = 0;

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

/// How it is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looking<'a> {
    /// What is done where there are some.
    pub on_duplicate: OnDuplicate,
    /// The country of phone numbers where a client has no address.
    pub country: &'a str,
}

impl Looking<'_> {
    /// Puts the keys of new clients, and looks for nothing.
    pub async fn keep_keys(self, uow: &mut UnitOfWork, rows: &[ClientRow]) -> Result<()> {
        keep::put_all(uow, rows).await
    }

    /// Inserts a client with its keys, and finds the clients that it may be but for those that somebody denied. Whoever sees no clients is told
    /// of none. Nothing where its stage is none of the workspace's; then the insert is to be taken back.
    ///
    /// # Errors
    /// `likely_duplicate` where the workspace wants none and there are some; those of the insert.
    pub async fn insert(self, uow: &mut UnitOfWork, row: &ClientRow, denied: &[ClientId]) -> Result<Option<Vec<Found>>> {
        let caller = uow.caller();
        let subject = Subject::of_row(row, self.country);
        let (keys, workspace) = (subject.keys(), row.workspace_id.uuid());
        let looks = self.on_duplicate != OnDuplicate::Off && clients::visible_to(&caller).is_ok();
        if self.on_duplicate == OnDuplicate::Block {
            // two who make the same at once: the second waits, and then sees the first one's
            uow.take_turn("workspace", workspace).await?;
        }
        let dialect = uow.dialect();
        let holders = if looks { find::holders(dialect, workspace, &keys, None) } else { None };
        let stage = row.acquisition_stage.as_deref().map(|stage| stages::found_as(&caller, stage, STAGE)).transpose()?;
        let read = match (holders, stage) {
            (Some(mut holders), Some(stage)) => Some(holders.union(UnionType::All, stage).take()),
            (holders, stage) => holders.or(stage),
        };
        let rows = if keys.is_empty() { None } else { Some(keep::insert_of(dialect, workspace, row.id.uuid(), &keys)?) };
        let shared = uow.insert_along(row, Change::plain(), Along { rows, read }, find::pair).await?;
        if row.acquisition_stage.is_some() && !shared.iter().any(|(key, _)| *key == STAGE) {
            return Ok(None);
        }
        if !looks {
            return Ok(Some(Vec::new()));
        }
        let denied: Vec<Uuid> = denied.iter().copied().map(ClientId::uuid).collect();
        let ids = find::worth_a_look(&keys, &shared, &denied);
        let found = find::compare_seen(uow, &caller, &subject, &ids, self.country).await?;
        if self.on_duplicate == OnDuplicate::Block && !found.is_empty() {
            // which takes the insert back
            let told: Vec<ClientDuplicate> = found.into_iter().map(ClientDuplicate::from).collect();
            return Err(Error::new(&LIKELY_DUPLICATE)
                .with_detail("Name those that it is none of in not_duplicate_of.")
                .with_extra("duplicates", json!(told)));
        }
        Ok(Some(found))
    }
}

/// Puts the keys of a client that is there again.
pub(crate) async fn put_again(uow: &mut UnitOfWork, row: &ClientRow) -> Result<()> {
    keep::put_all(uow, std::slice::from_ref(row)).await
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
