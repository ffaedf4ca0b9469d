//! Writing down how two clients relate.

use std::collections::HashMap;

use chrono::NaiveDate;
use kernel::error::{Faults, codes};
use kernel::{Error, Permission, Result, TypedId as _, text};
use store::query::ExprTrait;
use store::{Action, Change, OnUnique as _, Record as _, UnitOfWork};
use uuid::Uuid;

use super::wire::{ClientRelationship, ClientRelationshipPatch, CreateClientRelationship};
use super::{ClientRelationshipId, ClientRelationshipRow, RelationshipKind, column, get_row, visible_to};
use crate::clients;
use crate::errors::{ARCHIVED, RELATIONSHIP_NEEDS_ROLE, RELATIONSHIP_OVERLAP};
use crate::rows::{ClientId, ClientRole, ClientRow};

/// Writes down how two clients relate.
///
/// # Errors
/// `forbidden` without `clients.edit`; `validation_failed` when one of them cannot be seen, is put away, is the other, or lacks the role
/// that the kind needs, when something is given that the kind does not have, or the period is none; `relationship_overlap`.
pub async fn create(uow: &mut UnitOfWork, input: CreateClientRelationship) -> Result<ClientRelationship> {
    let caller = uow.caller();
    caller.require(Permission::ClientsEdit)?;
    let now = uow.now();
    let row = ClientRelationshipRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        kind: input.kind,
        from_client_id: input.from_client_id,
        to_client_id: input.to_client_id,
        territory_key: territory_key(input.territory.as_deref()),
        territory: input.territory.map(|territory| territory.trim().to_owned()),
        commission_basis_points: input.commission_basis_points,
        valid_from: input.valid_from,
        valid_until: input.valid_until,
        note: input.note,
        created_by: caller.actor.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let ends = [row.from_client_id.uuid(), row.to_client_id.uuid()];
    let ends = clients::find_all_locked(uow, &ends).await?.into_iter().map(|client| (client.id, client)).collect();
    let mut faults = Faults::new();
    check_ends(&row, &ends, &mut faults);
    check_shape(&row, &mut faults);
    faults.into_result()?;
    check_overlap(uow, &row).await?;
    uow.insert(&row, about(&row).event(ADDED)).await.on_overlap(|| Error::new(&RELATIONSHIP_OVERLAP))?;
    tell_the_other(uow, &row, Action::Create, ADDED);
    Ok(row.into())
}

pub(super) const ADDED: &str = "client.relationship_added";
const CHANGED: &str = "client.relationship_changed";
const REMOVED: &str = "client.relationship_removed";

pub(super) fn about(row: &ClientRelationshipRow) -> Change {
    Change::plain().about("client", row.from_client_id)
}

/// An entry stands in one trail. That of the other client is told that it happened; what changed stands with the relationship.
pub(super) fn tell_the_other(uow: &mut UnitOfWork, row: &ClientRelationshipRow, action: Action, event: &'static str) {
    let change = Change::plain().about("client", row.to_client_id).event(event);
    uow.record(action, "client_relationship", Some(row.id.uuid()), change);
}

fn territory_key(territory: Option<&str>) -> String {
    territory.map(|territory| text::fold(territory.trim())).unwrap_or_default()
}

/// What the one and the other must be.
fn roles_of(kind: RelationshipKind) -> [Option<ClientRole>; 2] {
    match kind {
        RelationshipKind::PrincipalDistributor => [Some(ClientRole::Principal), Some(ClientRole::Distributor)],
        _ => [None, None],
    }
}

/// Whether a client that a relationship needs in a role has it not, while the relationship holds or is to hold.
pub(super) fn lacks_role(row: &ClientRelationshipRow, ends: &[ClientRow], today: NaiveDate) -> Option<ClientRole> {
    if row.valid_until.is_some_and(|until| until < today) {
        return None;
    }
    let lacking = |(id, role): (ClientId, Option<ClientRole>)| {
        role.filter(|role| ends.iter().any(|client| client.id == id && !client.roles.0.contains(role)))
    };
    [row.from_client_id, row.to_client_id].into_iter().zip(roles_of(row.kind)).find_map(lacking)
}

/// Both must be there, apart, and what the kind says that they are.
fn check_ends(row: &ClientRelationshipRow, ends: &HashMap<ClientId, ClientRow>, faults: &mut Faults) {
    let named = [("/from_client_id", row.from_client_id), ("/to_client_id", row.to_client_id)];
    for ((pointer, id), role) in named.into_iter().zip(roles_of(row.kind)) {
        let Some(client) = ends.get(&id) else {
            faults.add(pointer, "not_found", "there is no such client");
            continue;
        };
        if client.archived_at.is_some() {
            faults.add(pointer, "archived", "is archived; restore it first");
        }
        if let Some(role) = role.filter(|role| !client.roles.0.contains(role)) {
            faults.add(pointer, "role_missing", format!("must have the role {}", role.as_str()));
        }
    }
    if row.from_client_id == row.to_client_id {
        faults.add("/to_client_id", "same_client", "must be another client");
    }
}

fn check_shape(row: &ClientRelationshipRow, faults: &mut Faults) {
    if row.kind != RelationshipKind::PrincipalDistributor {
        let only = "belongs to a principal and a distributor";
        if row.territory.is_some() {
            faults.add("/territory", "not_of_kind", only);
        }
        if row.commission_basis_points.is_some() {
            faults.add("/commission_basis_points", "not_of_kind", only);
        }
    }
    if row.territory.is_some() && row.territory_key.is_empty() {
        // nothing is left of it to compare
        faults.add("/territory", "blank", "must not be blank");
    }
    if let (Some(from), Some(until)) = (row.valid_from, row.valid_until)
        && until < from
    {
        faults.add("/valid_until", "before_valid_from", "must not be before valid_from");
    }
}

/// Tells which other stands in the way, of those for the same two clients, which are locked.
pub(crate) async fn check_overlap(uow: &mut UnitOfWork, row: &ClientRelationshipRow) -> Result<()> {
    let from_to =
        |from: ClientId, to: ClientId| column("from_client_id").eq(from.uuid()).and(column("to_client_id").eq(to.uuid()));
    let mut pair = from_to(row.from_client_id, row.to_client_id);
    if row.kind == RelationshipKind::Partner {
        // who works with somebody is worked with
        pair = pair.or(from_to(row.to_client_id, row.from_client_id));
    }
    let mut select = ClientRelationshipRow::select();
    select
        .and_where(pair)
        .and_where(column("kind").eq(row.kind.as_str()))
        .and_where(column("territory_key").eq(row.territory_key.as_str()))
        .and_where(column("id").ne(row.id.uuid()))
        .limit(1);
    if let Some(from) = row.valid_from {
        select.and_where(column("valid_until").is_null().or(column("valid_until").gte(from)));
    }
    if let Some(until) = row.valid_until {
        select.and_where(column("valid_from").is_null().or(column("valid_from").lte(until)));
    }
    let Some(other) = uow.one::<ClientRelationshipRow>(&select).await? else { return Ok(()) };
    let from = other.valid_from.map_or_else(|| "always".to_owned(), |day| day.to_string());
    let until = other.valid_until.map_or_else(|| "further notice".to_owned(), |day| day.to_string());
    Err(Error::new(&RELATIONSHIP_OVERLAP).with_detail(format!("Relationship {} holds from {from} until {until}.", other.id)))
}

/// A relationship with both of its clients, which the caller must see, locked in the order in which everybody locks clients.
async fn open(
    uow: &mut UnitOfWork,
    id: ClientRelationshipId,
    seen: Option<i64>,
) -> Result<(ClientRelationshipRow, Vec<ClientRow>)> {
    let caller = uow.caller();
    caller.require(Permission::ClientsEdit)?;
    // who relates to whom never changes, so it can be read before anything is locked
    let row = get_row(uow, &caller, id).await?;
    let ends = clients::find_all_locked(uow, &[row.from_client_id.uuid(), row.to_client_id.uuid()]).await?;
    if ends.len() < 2 {
        return Err(Error::new(&codes::FORBIDDEN).with_detail("It is changed by whoever sees both clients."));
    }
    let mut select = visible_to(&caller)?;
    select.and_where(column("id").eq(id.uuid()));
    let row = uow.locked::<ClientRelationshipRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    if ends.iter().any(|client| client.archived_at.is_some()) {
        return Err(Error::new(&ARCHIVED).with_detail("Restore the client first."));
    }
    Ok((row, ends))
}

/// Changes a relationship. What changes nothing writes nothing.
///
/// # Errors
/// `forbidden` without `clients.edit`, and for whoever does not see both clients; `not_found`; `stale`; `archived` when one of the clients is;
/// `validation_failed` as when it was written down; `relationship_needs_role` when it would hold once more and one of them lacks its role;
/// `relationship_overlap`.
pub async fn update(
    uow: &mut UnitOfWork,
    id: ClientRelationshipId,
    seen: Option<i64>,
    patch: ClientRelationshipPatch,
) -> Result<ClientRelationship> {
    let (before, ends) = open(uow, id, seen).await?;
    let mut after = before.clone();
    patch.territory.apply(&mut after.territory);
    after.territory = after.territory.map(|territory| territory.trim().to_owned());
    after.territory_key = territory_key(after.territory.as_deref());
    patch.commission_basis_points.apply(&mut after.commission_basis_points);
    patch.valid_from.apply(&mut after.valid_from);
    patch.valid_until.apply(&mut after.valid_until);
    patch.note.apply(&mut after.note);
    let mut faults = Faults::new();
    check_shape(&after, &mut faults);
    faults.into_result()?;
    if let Some(role) = lacks_role(&after, &ends, uow.now().date_naive()) {
        let detail = format!("One of the clients has not the role {} any more.", role.as_str());
        return Err(Error::new(&RELATIONSHIP_NEEDS_ROLE).with_detail(detail));
    }
    let stands_for = |row: &ClientRelationshipRow| (row.territory_key.clone(), row.valid_from, row.valid_until);
    if stands_for(&after) != stands_for(&before) {
        check_overlap(uow, &after).await?;
    }
    let change = about(&before).event(CHANGED);
    let after = uow.update(&before, after, change).await.on_overlap(|| Error::new(&RELATIONSHIP_OVERLAP))?;
    if after.version > before.version {
        tell_the_other(uow, &after, Action::Update, CHANGED);
    }
    Ok(after.into())
}

/// Deletes a relationship. One that held and holds no more is better ended by its `valid_until`.
///
/// # Errors
/// `forbidden` without `clients.edit`, and for whoever does not see both clients; `not_found`; `stale`; `archived` when one of the clients is.
pub async fn delete(uow: &mut UnitOfWork, id: ClientRelationshipId, seen: Option<i64>) -> Result<()> {
    let (row, _) = open(uow, id, seen).await?;
    uow.delete(&row, about(&row).event(REMOVED)).await?;
    tell_the_other(uow, &row, Action::Delete, REMOVED);
    Ok(())
}

/// Refuses to take a role from a client, which is locked, that a relationship needs which holds or is to hold.
pub(crate) async fn check_roles(uow: &mut UnitOfWork, before: &ClientRow, roles: &[ClientRole]) -> Result<()> {
    let ends = [(ClientRole::Principal, "from_client_id"), (ClientRole::Distributor, "to_client_id")];
    for (role, end) in ends {
        if !before.roles.0.contains(&role) || roles.contains(&role) {
            continue;
        }
        let today = uow.now().date_naive();
        let mut select = ClientRelationshipRow::select();
        select
            .and_where(column(end).eq(before.id.uuid()))
            .and_where(column("kind").eq(RelationshipKind::PrincipalDistributor.as_str()))
            .and_where(column("valid_until").is_null().or(column("valid_until").gte(today)))
            .limit(1);
        if uow.one::<ClientRelationshipRow>(&select).await?.is_some() {
            let detail = format!("End its relationships as a {} first.", role.as_str());
            return Err(Error::new(&RELATIONSHIP_NEEDS_ROLE).with_detail(detail));
        }
    }
    Ok(())
}

/// Fails where a client lacks a role that one of its relationships needs which holds or is to hold.
pub(crate) async fn check_all_roles(uow: &mut UnitOfWork, client: &ClientRow) -> Result<()> {
    let had = ClientRow { roles: store::Json(vec![ClientRole::Principal, ClientRole::Distributor]), ..client.clone() };
    check_roles(uow, &had, &client.roles.0).await
}

/// Whether two clients relate to each other.
pub(crate) async fn relate(uow: &mut UnitOfWork, one: ClientId, other: ClientId) -> Result<bool> {
    let both = [one.uuid(), other.uuid()];
    let mut select = ClientRelationshipRow::select();
    select.and_where(column("from_client_id").is_in(both)).and_where(column("to_client_id").is_in(both)).limit(1);
    Ok(uow.one::<ClientRelationshipRow>(&select).await?.is_some())
}

/// Deletes every relationship of clients that are purged, and what the journal holds of their notes and of those deleted before.
pub(crate) async fn forget(uow: &mut UnitOfWork, clients: &[Uuid]) -> Result<()> {
    let either =
        column("from_client_id").is_in(clients.iter().copied()).or(column("to_client_id").is_in(clients.iter().copied()));
    let mut select = ClientRelationshipRow::select();
    select.and_where(either);
    // locked, so that of two who purge the two ends one finds it
    let rows = uow.locked_all::<ClientRelationshipRow>(select).await?;
    store::journal::erase_about(uow, "client_relationship", clients).await?;
    uow.delete_and_forget_all(&rows, |row| about(row).event(REMOVED)).await?;
    for row in &rows {
        tell_the_other(uow, row, Action::Delete, REMOVED);
    }
    Ok(())
}
