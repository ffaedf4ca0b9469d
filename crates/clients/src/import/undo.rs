//! Taking back what rows of an import have written, the last row first.
//!
//! A client that the import made is deleted for ever, as if it had been purged: archived it would still hold its external id, and the
//! corrected file could not be imported. A row is taken back whole or not at all.

use std::collections::{HashMap, HashSet};

use kernel::{Error, Result, TypedId as _};
use platform::imports::{ImportIssue, ImportRunId, RowOutcome, StagedRow, Trail, UndoneRow, trails};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use store::query::{Expr, ExprTrait as _, Query};
use store::{Action, Change, UnitOfWork};
use uuid::Uuid;

use super::plan::CONTACT;
use crate::errors::RELATIONSHIP_NEEDS_ROLE;
use crate::rows::{ClientContactRow, ClientId, ClientRole, ClientRow, ContactRow};
use crate::{clients, contacts, custom, duplicates, links, relationships};

pub(super) async fn undo(uow: &mut UnitOfWork, run: ImportRunId, rows: &[StagedRow]) -> Result<Vec<UndoneRow>> {
    let mut standing = Standing::of(uow, run, rows).await?;
    let mut undone = Vec::with_capacity(rows.len());
    for row in rows {
        let kept = standing.take_back(uow, row).await?;
        let kept = kept.map(|(code, reason)| ImportIssue {
            line: row.line,
            column: None,
            code: code.to_owned(),
            reason: reason.to_owned(),
        });
        undone.push(UndoneRow { line: row.line, kept });
    }
    standing.write(uow).await?;
    Ok(undone)
}

/// Why a row is kept.
type Kept = (&'static str, &'static str);

const NEWER: Kept = ("changed_since", "was changed after the import; it was left as it is");
const USED: Kept = ("used_since", "has something newer on it; it was left as it is");
const ERASED: Kept = ("erased", "had personal values that were erased since; they cannot be brought back");
const UNSEEN: Kept = ("not_visible", "is there no longer, or may not be seen by who takes the import back");

/// What stands of what these rows have written. All of it is read and locked at once; what is taken back is gone from here at once, and
/// deleted in the database when all rows were looked at.
struct Standing {
    trails: HashMap<Uuid, Trail>,
    clients: HashMap<Uuid, ClientRow>,
    contacts: HashMap<Uuid, ContactRow>,
    links: Vec<ClientContactRow>,
    /// Who stands under one of the clients, and under which.
    parents: HashMap<Uuid, Uuid>,
    taken: Taken,
}

/// What is to be deleted.
#[derive(Default)]
struct Taken {
    links: Vec<ClientContactRow>,
    contacts: Vec<ContactRow>,
    clients: Vec<ClientRow>,
}

impl Standing {
    async fn of(uow: &mut UnitOfWork, run: ImportRunId, rows: &[StagedRow]) -> Result<Self> {
        let of_clients: Vec<Uuid> = rows.iter().filter_map(|row| row.record_id).collect();
        let of_contacts: Vec<Uuid> = rows.iter().filter_map(|row| row.further.get(CONTACT).copied()).collect();
        let clients = clients::find_all_locked(uow, &of_clients).await?;
        let contacts = contacts::find_all_locked(uow, &of_contacts).await?;
        let links = links::rows_of_either(uow, &of_clients, &of_contacts).await?;
        let pairs: HashSet<(Uuid, Uuid)> =
            rows.iter().filter_map(|row| row.record_id.zip(row.further.get(CONTACT).copied())).collect();
        // of the other links of a client nothing is asked but whether they are there
        let of_rows = links.iter().filter(|link| pairs.contains(&(link.client_id.uuid(), link.contact_id.uuid())));
        let written = of_clients.iter().chain(&of_contacts).copied();
        let records: Vec<Uuid> = written.chain(of_rows.map(|link| link.id.uuid())).collect();
        let mut under = Query::select();
        under.columns(["id", "parent_id"]).from("client").and_where(Expr::col("parent_id").is_in(of_clients));
        let under = uow.rows(&under).await?;
        Ok(Self {
            trails: trails(uow, run, &records).await?,
            clients: clients.into_iter().map(|row| (row.id.uuid(), row)).collect(),
            contacts: contacts.into_iter().map(|row| (row.id.uuid(), row)).collect(),
            links,
            parents: under.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_>>()?,
            taken: Taken::default(),
        })
    }

    fn trail(&self, id: Option<Uuid>) -> Trail {
        id.and_then(|id| self.trails.get(&id)).cloned().unwrap_or_default()
    }

    /// Takes one row back, or says why it is kept.
    async fn take_back(&mut self, uow: &mut UnitOfWork, row: &StagedRow) -> Result<Option<Kept>> {
        let contact_id = row.further.get(CONTACT).copied();
        let (of_client, of_contact) = (self.trail(row.record_id), self.trail(contact_id));
        let makes_client = row.outcome == RowOutcome::New;
        // another row of the import made the client: with that one it goes
        let touches_client = makes_client || (of_client.wrote && !of_client.made);
        let client = row.record_id.and_then(|id| self.clients.get(&id)).cloned();
        let contact = contact_id.and_then(|id| self.contacts.get(&id)).cloned();
        let link = client.as_ref().zip(contact.as_ref()).and_then(|(client, contact)| {
            self.links.iter().find(|link| link.client_id == client.id && link.contact_id == contact.id).cloned()
        });
        let of_link = self.trail(link.as_ref().map(|link| link.id.uuid()));
        if touches_client && let Some(kept) = self.kept_client(client.as_ref(), &of_client, makes_client, contact_id) {
            return Ok(Some(kept));
        }
        if let Some(client) = client.as_ref().filter(|_| touches_client && !makes_client)
            && let Some(roles) = of_client.former.get("roles")
            && let Err(error) = relationships::check_roles(uow, client, &value::<Vec<ClientRole>>(roles)?).await
        {
            return if *error.code() == RELATIONSHIP_NEEDS_ROLE { Ok(Some(USED)) } else { Err(error) };
        }
        if of_contact.wrote
            && let Some(kept) = self.kept_contact(contact.as_ref(), &of_contact, link.as_ref())
        {
            return Ok(Some(kept));
        }
        if of_link.made && of_link.is_newer {
            return Ok(Some(NEWER));
        }
        if let Some(link) = link.filter(|_| of_link.made) {
            self.links.retain(|other| other.id != link.id);
            self.taken.links.push(link);
        }
        if let Some(contact) = contact.filter(|_| of_contact.wrote) {
            if of_contact.made {
                self.taken.contacts.extend(self.contacts.remove(&contact.id.uuid()));
            } else {
                let now = revert_contact(uow, &contact, &of_contact.former).await?;
                self.contacts.insert(now.id.uuid(), now);
            }
        }
        if let Some(client) = client.filter(|_| touches_client) {
            if makes_client {
                self.parents.remove(&client.id.uuid());
                self.taken.clients.extend(self.clients.remove(&client.id.uuid()));
            } else {
                let now = revert_client(uow, &client, &of_client.former).await?;
                match now.parent_id {
                    Some(parent) => self.parents.insert(now.id.uuid(), parent.uuid()),
                    None => self.parents.remove(&now.id.uuid()),
                };
                self.clients.insert(now.id.uuid(), now);
            }
        }
        Ok(None)
    }

    fn kept_client(&self, now: Option<&ClientRow>, trail: &Trail, is_made: bool, contact: Option<Uuid>) -> Option<Kept> {
        let Some(client) = now else {
            // one that is gone is taken back already, unless it only cannot be seen
            return (trail.is_newer || !is_made).then_some(UNSEEN);
        };
        if trail.is_newer {
            return Some(NEWER);
        }
        if trail.is_erased {
            return Some(ERASED);
        }
        // contacts of other rows went before it, unless they were kept
        let is_used = || {
            let mut others = self.links.iter().filter(|link| link.client_id == client.id);
            trail.has_newer
                || others.any(|link| Some(link.contact_id.uuid()) != contact)
                || self.parents.values().any(|parent| *parent == client.id.uuid())
        };
        (is_made && is_used()).then_some(USED)
    }

    fn kept_contact(&self, now: Option<&ContactRow>, trail: &Trail, link: Option<&ClientContactRow>) -> Option<Kept> {
        let Some(contact) = now else { return (trail.is_newer || !trail.made).then_some(UNSEEN) };
        if trail.is_newer {
            return Some(NEWER);
        }
        if trail.is_erased {
            return Some(ERASED);
        }
        let is_elsewhere =
            |other: &ClientContactRow| other.contact_id == contact.id && link.is_none_or(|link| link.id != other.id);
        (trail.made && (trail.has_newer || self.links.iter().any(is_elsewhere))).then_some(USED)
    }

    /// Deletes what was taken back.
    async fn write(self, uow: &mut UnitOfWork) -> Result<()> {
        let Taken { links, contacts, clients } = self.taken;
        let goes: HashSet<ClientId> = clients.iter().map(|row| row.id).collect();
        links::remove_all(uow, &links, |client| !goes.contains(&client)).await?;
        contacts::forget(uow, &contacts, || Change::of(Action::Revert)).await?;
        clients::forget(uow, &clients, || Change::of(Action::Revert)).await
    }
}

/// A value of the journal, as the field of a record that it was.
fn value<T: DeserializeOwned>(value: &Value) -> Result<T> {
    serde_json::from_value(value.clone()).map_err(Error::internal)
}

/// Gives fields their former values. What an import never changes is not among them.
macro_rules! put_back {
    ($row:ident, $former:ident, $($field:ident),+ $(,)?) => {
        for (name, former) in $former {
            match name.as_str() {
                $(stringify!($field) => $row.$field = value(former)?,)+
                _ => return Err(Error::internal(format!("an import changed {name}, which cannot be put back"))),
            }
        }
    };
}

async fn revert_client(uow: &mut UnitOfWork, before: &ClientRow, former: &Map<String, Value>) -> Result<ClientRow> {
    let mut after = before.clone();
    put_back!(
        after,
        former,
        kind,
        name,
        legal_name,
        tax_number,
        website,
        phone,
        emails,
        phones,
        main_address,
        billing_address,
        shipping_address,
        sector,
        size,
        product,
        currency,
        locale,
        status,
        roles,
        parent_id,
        owner_id,
        acquisition_stage,
        source,
        lead_category,
        custom_fields,
    );
    custom::keep_known(uow, "client", &mut after.custom_fields.0).await?;
    let caller = uow.caller();
    let country = auth::workspaces::defaults(uow, &caller).await?.country;
    clients::fill_derived(&mut after, &country);
    let after = uow.update(before, after, Change::of(Action::Revert)).await?;
    custom::settle(uow, "client", after.id.uuid(), &before.custom_fields.0, &after.custom_fields.0).await?;
    duplicates::settle(uow, before, &after).await?;
    Ok(after)
}

async fn revert_contact(uow: &mut UnitOfWork, before: &ContactRow, former: &Map<String, Value>) -> Result<ContactRow> {
    let mut after = before.clone();
    put_back!(after, former, given_name, family_name, phone, emails, phones, position, locale, mails, custom_fields);
    custom::keep_known(uow, "contact", &mut after.custom_fields.0).await?;
    let caller = uow.caller();
    let country = auth::workspaces::defaults(uow, &caller).await?.country;
    contacts::fill_derived(&mut after, &country);
    let after = uow.update(before, after, Change::of(Action::Revert)).await?;
    contacts::settle_portal(uow, before, &after).await?;
    custom::settle(uow, "contact", after.id.uuid(), &before.custom_fields.0, &after.custom_fields.0).await?;
    Ok(after)
}
