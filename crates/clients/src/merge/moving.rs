//! What hangs on a client, moved to another in as many statements as there are kinds of it.

use std::collections::BTreeMap;

use kernel::{Error, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::list::VALUES;
use store::query::{Expr, ExprTrait, Query, SelectStatement, UpdateStatement};
use store::{Action, Change, OnUnique as _, Record as _, UnitOfWork};
use uuid::Uuid;

use super::references::{self, Named};
use super::wire::MovedRecords;
use crate::attachable::CLIENT;
use crate::errors::{MERGE_BUILT_ON, RELATIONSHIP_OVERLAP};
use crate::relationships::{self, ClientRelationshipRow, RelationshipKind};
use crate::rows::{ClientId, ClientRow};

/// Records that one entry of the journal names.
const IN_AN_ENTRY: usize = 1000;
/// Records in one statement.
const AT_ONCE: usize = 500;

/// In whose portal contacts are.
pub(super) const SESSION: &str = "session";

/// A column that names clients.
struct Place {
    table: &'static str,
    column: &'static str,
    /// The column of which a client has each value once.
    once: Option<&'static str>,
    /// Whether the table holds what hangs on records of other types too.
    of_any: bool,
}

const fn place(table: &'static str, column: &'static str) -> Place {
    Place { table, column, once: None, of_any: false }
}

const fn once(table: &'static str, once: &'static str) -> Place {
    Place { once: Some(once), ..place(table, "client_id") }
}

const fn on_any(table: &'static str) -> Place {
    Place { of_any: true, ..place(table, "rel_id") }
}

static PLACES: &[Place] = &[
    // access before the links, which it follows
    once("portal_access", "contact_id"),
    once("client_contact", "contact_id"),
    once("client_group_member", "client_group_id"),
    once("client_admin", "user_id"),
    place("client_relationship", "from_client_id"),
    place("client_relationship", "to_client_id"),
    place("interaction", "client_id"),
    on_any("note"),
    Place { once: Some("tag_id"), ..on_any("tagging") },
    on_any("folder"),
    on_any("file"),
    place("client", "parent_id"),
    // contacts who are in the portal go on in that of the other, to which their access goes
    place(SESSION, "client_id"),
];

/// The places as a test compares them with the database.
pub(super) const NAMES: &[(&str, &str)] = &[
    ("portal_access", "client_id"),
    ("client_contact", "client_id"),
    ("client_group_member", "client_id"),
    ("client_admin", "client_id"),
    ("client_relationship", "from_client_id"),
    ("client_relationship", "to_client_id"),
    ("interaction", "client_id"),
    ("note", "rel_id"),
    ("tagging", "rel_id"),
    ("folder", "rel_id"),
    ("file", "rel_id"),
    ("client", "parent_id"),
    ("session", "client_id"),
];

/// What was moved: ids by place, how many stayed, and what else it takes to bring it back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moved {
    /// Ids by `table.column`.
    pub records: BTreeMap<String, Vec<Uuid>>,
    /// How many both had, by `table.column`.
    pub had_both: BTreeMap<String, u64>,
    /// The link of the primary contact, which is so no more.
    pub primary: Option<Uuid>,
    /// What stood above the merged client, which stands below nothing any more.
    #[serde(default)]
    pub parent: Option<ClientId>,
    /// What named the merged client and names the survivor.
    #[serde(default)]
    pub named: Named,
    /// Folders that were renamed because the other client had one of that name, and their names before.
    pub renamed: BTreeMap<Uuid, (String, String)>,
}

impl Moved {
    /// The records on which something newer may stand. Sessions end and are somewhere else all the time, and what was moved is that of access.
    pub fn built_on(&self) -> impl Iterator<Item = Uuid> {
        let records = self.records.iter().filter(|(at, _)| !at.starts_with(SESSION)).flat_map(|(_, ids)| ids);
        records.chain(self.named.values().flat_map(BTreeMap::keys)).copied()
    }

    /// As it is told.
    pub fn told(&self) -> Vec<MovedRecords> {
        let mut told: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for place in PLACES {
            let key = key(place);
            let entry = told.entry(place.table).or_default();
            entry.0 += self.records.get(&key).map_or(0, |ids| ids.len() as u64);
            entry.1 += self.had_both.get(&key).copied().unwrap_or(0);
        }
        let named: usize = self.named.values().flat_map(BTreeMap::values).map(Vec::len).sum();
        told.entry(VALUES).or_default().0 += named as u64;
        told.into_iter()
            .filter(|(_, (moved, both))| moved + both > 0)
            .map(|(record_type, (moved, had_both))| MovedRecords { record_type: record_type.to_owned(), moved, had_both })
            .collect()
    }
}

fn key(place: &Place) -> String {
    format!("{}.{}", place.table, place.column)
}

fn here(place: &Place, client: ClientId) -> store::query::SimpleExpr {
    let at = Expr::col(place.column).eq(client.uuid());
    if place.of_any { at.and(Expr::col("rel_type").eq(CLIENT)) } else { at }
}

fn changed(uow: &UnitOfWork, table: &'static str) -> UpdateStatement {
    let mut update = Query::update();
    update.table(table).value("version", Expr::col("version").add(1)).value("updated_at", uow.now());
    update
}

/// Moves all that hangs on one client to another, both of which are locked. What both have stays where it is.
pub(super) async fn move_all(uow: &mut UnitOfWork, from: &ClientRow, to: &ClientRow) -> Result<Moved> {
    let primary = step_down(uow, from.id, to.id).await?;
    let named = references::move_all(uow, from.id, to.id).await?;
    let mut moved = Moved { primary, named, ..Moved::default() };
    moved.renamed = rename_folders(uow, from, to).await?;
    for place in PLACES {
        let mut update = changed(uow, place.table);
        update.value(place.column, to.id.uuid()).and_where(here(place, from.id));
        if let Some(once) = place.once {
            let mut has_it = Query::select();
            has_it.column(once).from(place.table).and_where(here(place, to.id));
            update.and_where(Expr::col(once).not_in_subquery(has_it));
        }
        if place.table == "client" {
            update.and_where(Expr::col("id").ne(to.id.uuid()));
        }
        update.returning(Query::returning().column("id"));
        let overlap =
            || Error::new(&RELATIONSHIP_OVERLAP).with_detail("Both have one with the same client. End or delete one first.");
        let rows = uow.execute_returning(&update).await.on_overlap(overlap)?;
        let mut ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
        ids.sort_unstable();
        if place.once.is_some() {
            let mut rest = Query::select();
            rest.column("id").from(place.table).and_where(here(place, from.id));
            moved.had_both.insert(key(place), uow.rows(&rest).await?.len() as u64);
        }
        tell(uow, from.id, to.id, Action::Merge, "client.records_moved", place, &ids);
        moved.records.insert(key(place), ids);
    }
    place_folders(uow, moved.records.get("folder.rel_id"), from.id, to.id).await?;
    check_partners(uow, &moved).await?;
    Ok(moved)
}

/// A partner is one once, whichever of the two is named first; of those that come, the database looks at the one order alone.
async fn check_partners(uow: &mut UnitOfWork, moved: &Moved) -> Result<()> {
    for at in ["client_relationship.from_client_id", "client_relationship.to_client_id"] {
        for some in moved.records.get(at).map(Vec::as_slice).unwrap_or_default().chunks(AT_ONCE) {
            let mut select = ClientRelationshipRow::select();
            select
                .and_where(Expr::col(("client_relationship", "id")).is_in(some.iter().copied()))
                .and_where(Expr::col(("client_relationship", "kind")).eq(RelationshipKind::Partner.as_str()));
            for row in uow.all::<ClientRelationshipRow>(&select).await? {
                relationships::check_overlap(uow, &row).await?;
            }
        }
    }
    Ok(())
}

/// Moves back what [`move_all`] moved.
pub(super) async fn move_back(uow: &mut UnitOfWork, moved: &Moved, from: ClientId, to: ClientId) -> Result<()> {
    for place in PLACES {
        let ids = moved.records.get(&key(place)).map(Vec::as_slice).unwrap_or_default();
        for some in ids.chunks(AT_ONCE) {
            let mut update = changed(uow, place.table);
            update
                .value(place.column, to.uuid())
                .and_where(here(place, from))
                .and_where(Expr::col("id").is_in(some.iter().copied()));
            uow.execute(&update).await.on_unique(|| Error::new(&MERGE_BUILT_ON).with_detail("Something was changed since."))?;
        }
        let mut ids = ids.to_vec();
        if place.table == SESSION {
            let access = moved.records.get("portal_access.client_id").map(Vec::as_slice).unwrap_or_default();
            ids.extend(follow_access(uow, access, from, to).await?);
        }
        tell(uow, to, from, Action::Revert, "client.records_moved_back", place, &ids);
    }
    place_folders(uow, moved.records.get("folder.rel_id"), from, to).await?;
    for (id, (name, name_key)) in &moved.renamed {
        rename_folder(uow, to, *id, (&with_client(name, to), name), name_key).await?;
    }
    if let Some(primary) = moved.primary {
        set_primary(uow, to, primary, true).await?;
    }
    Ok(())
}

/// Contacts who came into the portal since the merge go where their access went: their sessions. Those who had access to both stay.
async fn follow_access(uow: &mut UnitOfWork, access: &[Uuid], from: ClientId, to: ClientId) -> Result<Vec<Uuid>> {
    let mut moved = Vec::new();
    for some in access.chunks(AT_ONCE) {
        let mut contacts = Query::select();
        contacts
            .column("contact_id")
            .from("portal_access")
            .and_where(Expr::col("client_id").eq(to.uuid()))
            .and_where(Expr::col("id").is_in(some.iter().copied()));
        let mut update = changed(uow, SESSION);
        update
            .value("client_id", to.uuid())
            .and_where(Expr::col("client_id").eq(from.uuid()))
            .and_where(Expr::col("contact_id").in_subquery(contacts))
            .returning(Query::returning().column("id"));
        for row in uow.execute_returning(&update).await? {
            moved.push(row.get(0)?);
        }
    }
    Ok(moved)
}

/// Names what was moved in the journal, in the trails of both.
fn tell(
    uow: &mut UnitOfWork,
    merged: ClientId,
    survivor: ClientId,
    action: Action,
    event: &'static str,
    place: &Place,
    ids: &[Uuid],
) {
    for some in ids.chunks(IN_AN_ENTRY) {
        let ids: Vec<String> = some.iter().map(Uuid::to_string).collect();
        let change = Change::plain().event(event).about("client", survivor).detail("record_type", place.table);
        uow.record(action, "client", Some(merged.uuid()), change.detail("column", place.column).detail("records", ids));
    }
}

/// A client has one primary contact: where the other has one, this one's is so no more.
async fn step_down(uow: &mut UnitOfWork, from: ClientId, to: ClientId) -> Result<Option<Uuid>> {
    let primary = |client: ClientId| {
        let mut select = Query::select();
        select.column("id").from("client_contact").and_where(Expr::col("client_id").eq(client.uuid()));
        select.and_where(Expr::col("is_primary").eq(true));
        select
    };
    if uow.row(&primary(to)).await?.is_none() {
        return Ok(None);
    }
    let Some(row) = uow.row(&primary(from)).await? else { return Ok(None) };
    let id: Uuid = row.get(0)?;
    set_primary(uow, from, id, false).await?;
    Ok(Some(id))
}

async fn set_primary(uow: &mut UnitOfWork, client: ClientId, link: Uuid, is_primary: bool) -> Result<()> {
    let mut update = changed(uow, "client_contact");
    uow.execute(update.value("is_primary", is_primary).and_where(Expr::col("id").eq(link))).await?;
    let change = Change::plain().about("client", client).field("is_primary", !is_primary, is_primary);
    uow.record(Action::Update, "client_contact", Some(link), change);
    Ok(())
}

/// The name of a folder that has that of its client behind its own.
fn with_client(name: &str, client: ClientId) -> String {
    format!("{name} ({client})")
}

/// Gives a folder of a client another name, of one and the other.
async fn rename_folder(uow: &mut UnitOfWork, client: ClientId, id: Uuid, (from, to): (&str, &str), to_key: &str) -> Result<()> {
    let mut update = changed(uow, "folder");
    update.value("name", to).value("name_key", to_key);
    uow.execute(update.and_where(Expr::col("id").eq(id))).await?;
    let change = Change::plain().about("client", client).personal_field("name", from, to);
    uow.record(Action::Update, "folder", Some(id), change);
    Ok(())
}

/// Of two folders of one name in one place, the one that comes has the name of its client behind its own.
async fn rename_folders(uow: &mut UnitOfWork, from: &ClientRow, to: &ClientRow) -> Result<BTreeMap<Uuid, (String, String)>> {
    let in_place = |client: ClientId, columns: &[&'static str]| -> SelectStatement {
        let mut select = Query::select();
        select.columns(columns.iter().copied()).from("folder").and_where(Expr::col("place_id").eq(client.uuid()));
        select
    };
    let mut select = in_place(from.id, &["id", "name", "name_key"]);
    select.and_where(Expr::col("name_key").in_subquery(in_place(to.id, &["name_key"])));
    let mut renamed = BTreeMap::new();
    for row in uow.rows(&select).await? {
        let (id, name, name_key): (Uuid, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let new = with_client(&name, from.id);
        rename_folder(uow, from.id, id, (&name, &new), &kernel::text::fold(&new)).await?;
        renamed.insert(id, (name, name_key));
    }
    Ok(renamed)
}

/// Folders that stand in no other stand in that of their client.
async fn place_folders(uow: &mut UnitOfWork, ids: Option<&Vec<Uuid>>, from: ClientId, to: ClientId) -> Result<()> {
    for some in ids.map(Vec::as_slice).unwrap_or_default().chunks(AT_ONCE) {
        let mut update = Query::update();
        update
            .table("folder")
            .value("place_id", to.uuid())
            .and_where(Expr::col("place_id").eq(from.uuid()))
            .and_where(Expr::col("id").is_in(some.iter().copied()));
        uow.execute(&update).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_places() {
        let places: Vec<(&str, &str)> = PLACES.iter().map(|place| (place.table, place.column)).collect();
        assert_eq!(places, NAMES);
    }
}
