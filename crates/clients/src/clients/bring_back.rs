//! Bringing back a client that was purged, from the database of a backup: the reverse of [`purge`](super::purge).

use std::collections::HashMap;

use files::FileId;
use files::files::{Again, Had};
use kernel::error::codes::ALREADY_EXISTS;
use kernel::{Caller, Error, Kind, Permission, Result, TypedId as _};
use platform::notes::{self, HadNotes};
use platform::tags::{self, Tag};
use store::query::{Expr, ExprTrait, Query};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};

use super::list;
use super::put_away::ERASED;
use super::tags_and_notes::on;
use crate::admins::{self, ClientAdminRow};
use crate::attachable::CLIENT;
use crate::custom;
use crate::duplicates;
use crate::errors::PERSON_ERASED;
use crate::groups::{self, ClientGroupMemberRow};
use crate::interactions::{self, InteractionRow};
use crate::links;
use crate::relationships::{self, ClientRelationshipRow};
use crate::rows::{ClientContactRow, ClientId, ClientRow, ContactRow};

/// A client as it was when it was backed up, with all that hung on it.
#[derive(Clone, Debug)]
pub struct LostClient {
    row: ClientRow,
    links: Vec<ClientContactRow>,
    contacts: HashMap<uuid::Uuid, String>,
    notes: HadNotes,
    interactions: Vec<InteractionRow>,
    relationships: Vec<ClientRelationshipRow>,
    groups: Vec<ClientGroupMemberRow>,
    admins: Vec<ClientAdminRow>,
    tags: Vec<Tag>,
    files: Had,
}

/// What came back, and what did not because there is nothing any more to which it could belong.
#[derive(Clone, Debug)]
pub struct BroughtBack {
    /// The client's name.
    pub name: String,
    /// Whether it was put away when it was backed up, and is now.
    pub is_archived: bool,
    /// How many notes.
    pub notes: usize,
    /// How many interactions.
    pub interactions: usize,
    /// How many relationships to other clients.
    pub relationships: usize,
    /// How many relationships are to clients that are not there or lack their role, or were written down anew since.
    pub missing_relationships: usize,
    /// How many groups it is in again, and how many of them are not there.
    pub groups: (usize, usize),
    /// How many are responsible for it again, and how many of them are no members any more.
    pub admins: (usize, usize),
    /// How many files.
    pub files: usize,
    /// How many tags.
    pub tags: usize,
    /// How many contacts belong to it again.
    pub contacts: usize,
    /// Names of contacts that are not there.
    pub missing_contacts: Vec<String>,
    /// Names of tags that are not there.
    pub missing_tags: Vec<String>,
    /// Names of files whose content is not in the backup.
    pub missing_files: Vec<String>,
    /// Whether it belonged to another client that is not there.
    pub lost_its_parent: bool,
}

/// Reads a client from the database of a backup.
///
/// # Errors
/// `not_found` where the backup has none in the caller's workspace.
pub async fn find_lost(conn: &mut Conn, caller: &Caller, id: ClientId) -> Result<LostClient> {
    let row = list::get_row(conn, caller, id).await?;
    let links = links::rows_of(conn, caller, vec![id.uuid()]).await?.remove(&id).unwrap_or_default();
    let mut contacts = ContactRow::select();
    contacts.and_where(Expr::col(("contact", "id")).in_subquery(links::contacts_with(id.uuid().into())));
    let contacts = conn.all::<ContactRow>(&contacts).await?;
    let tags = tags::of(conn, caller.workspace()?, vec![id.uuid()]).await?.remove(&id.uuid()).unwrap_or_default();
    Ok(LostClient {
        links,
        contacts: contacts.into_iter().map(|row| (row.id.uuid(), format!("{} {}", row.given_name, row.family_name))).collect(),
        notes: notes::had(conn, caller, on(id)).await?,
        interactions: interactions::had(conn, caller, id).await?,
        relationships: relationships::had(conn, caller, id).await?,
        groups: groups::had(conn, id).await?,
        admins: admins::had(conn, id).await?,
        tags,
        files: files::files::had(conn, CLIENT, id.uuid()).await?,
        row,
    })
}

impl LostClient {
    /// The client that stood above it.
    pub fn parent(&self) -> Option<ClientId> {
        self.row.parent_id
    }

    /// Its files, whose content is to be stored before the client is brought back.
    pub fn files(&self) -> &Had {
        &self.files
    }
}

fn is_there() -> Error {
    Error::new(&ALREADY_EXISTS).with_detail("The client is there. One that is archived comes back by its restore operation.")
}

fn place_taken() -> Error {
    Error::new(&ALREADY_EXISTS).with_detail("Another client has its external_source and external_id now.")
}

/// Fails where the client is there, archived or not: nothing of it is to be written over. And where it was erased: that is for ever.
///
/// # Errors
/// `already_exists`; `person_erased`.
pub async fn check_lost(conn: &mut Conn, caller: &Caller, id: ClientId) -> Result<()> {
    match list::get_row(conn, caller, id).await {
        Ok(_) => return Err(is_there()),
        Err(error) if error.kind() == Kind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut erased = Query::select();
    erased
        .column("id")
        .from("journal_entry")
        .and_where(Expr::col("record_id").eq(id.uuid()))
        .and_where(Expr::col("event").eq(ERASED));
    match conn.row(&erased).await? {
        None => Ok(()),
        Some(_) => Err(Error::new(&PERSON_ERASED).with_detail("They asked for it, and it is for ever.")),
    }
}

/// Brings a client back, with its notes, interactions, relationships, tags, folders, those of its files that were stored again, and the contacts that are still there.
/// What the journal had of it was erased when it was purged, and stays so.
///
/// # Errors
/// `forbidden` without `clients.purge`; `already_exists` where it is there, or another has its external id; `person_erased`.
pub async fn bring_back(uow: &mut UnitOfWork, lost: &LostClient, stored: &HashMap<FileId, Again>) -> Result<BroughtBack> {
    let caller = uow.caller();
    caller.require(Permission::ClientsPurge)?;
    let id = lost.row.id;
    check_lost(uow, &caller, id).await?;
    let lost_its_parent = match lost.row.parent_id {
        Some(parent) => list::find_all_locked(uow, &[parent.uuid()]).await?.is_empty(),
        None => false,
    };
    let parent_id = lost.row.parent_id.filter(|_| !lost_its_parent);
    let mut row = ClientRow { parent_id, merged_into_id: None, ..lost.row.clone() };
    custom::keep_known(uow, CLIENT, &mut row.custom_fields.0).await?;
    let taken = if row.external_id.is_some() { place_taken } else { is_there };
    let row = uow.bring_back(row, Change::plain()).await.on_unique(taken)?;
    custom::put_again(uow, "client", id.uuid(), &row.custom_fields.0).await?;
    duplicates::put_again(uow, &row).await?;
    notes::bring_back(uow, on(id), &lost.notes).await?;
    interactions::bring_back(uow, &lost.interactions).await?;
    let groups = groups::bring_back(uow, &lost.groups).await?;
    let admins = admins::bring_back(uow, &lost.admins).await?;
    let relationships = relationships::bring_back(uow, id, &lost.relationships).await?;
    files::files::bring_back(uow, &lost.files, stored).await?;
    let (tags, missing_tags) = tags::bring_back(uow, CLIENT, id.uuid(), &lost.tags, "client.tagged").await?;
    let missing = links::bring_back(uow, &lost.links).await?;
    let name_of = |link: &ClientContactRow| lost.contacts.get(&link.contact_id.uuid()).cloned().unwrap_or_default();
    Ok(BroughtBack {
        name: row.name,
        is_archived: row.archived_at.is_some(),
        notes: lost.notes.len(),
        interactions: lost.interactions.len(),
        relationships,
        groups: (groups, lost.groups.len() - groups),
        admins: (admins, lost.admins.len() - admins),
        missing_relationships: lost.relationships.len() - relationships,
        files: stored.len(),
        tags,
        contacts: lost.links.len() - missing.len(),
        missing_contacts: missing.iter().map(name_of).collect(),
        missing_tags,
        missing_files: lost
            .files
            .contents()
            .filter(|(id, ..)| !stored.contains_key(id))
            .map(|(_, name, _)| name.to_owned())
            .collect(),
        lost_its_parent,
    })
}
