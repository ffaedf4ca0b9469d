//! Writing a batch of rows in one unit of work, through the same commands as everybody.

use std::collections::{HashMap, HashSet};

use kernel::{Error, Result, TypedId as _};
use platform::imports::ImportIssue;
use store::{Change, UnitOfWork};

use super::row::{ParsedContact, ParsedRow, client_patch, contact_patch};
use crate::clients::{self, CreateClient};
use crate::contacts;
use crate::links::{self, LinkContact};
use crate::rows::{ClientContactRow, ClientId, ContactId};

/// What came of a batch.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub created: i64,
    pub changed: i64,
    pub unchanged: i64,
    pub issues: Vec<ImportIssue>,
}

impl Written {
    pub fn add(&mut self, other: Self) {
        self.created += other.created;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.issues.extend(other.issues);
    }
}

pub(super) async fn write(uow: &mut UnitOfWork, source: &str, batch: &[ParsedRow]) -> Result<Written> {
    let mut written = Written::default();
    // which row changed something, so that a row is counted once whether its client or its contact did
    let (mut made, mut touched) = (HashSet::new(), HashSet::new());
    let ids = clients_of(uow, source, batch, &mut made, &mut touched).await?;
    contacts_of(uow, source, batch, &ids, &made, &mut touched).await?;
    for row in batch {
        match () {
            () if made.contains(&row.line) => written.created += 1,
            () if touched.contains(&row.line) => written.changed += 1,
            () => written.unchanged += 1,
        }
    }
    Ok(written)
}

/// Makes or changes the clients, and says which is which.
async fn clients_of(
    uow: &mut UnitOfWork,
    source: &str,
    batch: &[ParsedRow],
    made: &mut HashSet<u64>,
    touched: &mut HashSet<u64>,
) -> Result<HashMap<String, ClientId>> {
    let caller = uow.caller();
    let wanted: Vec<String> = batch.iter().map(|row| row.external_id.clone()).collect();
    let existing = clients::find_by_external(uow, &caller, source, wanted).await?;
    let mut ids: HashMap<String, ClientId> = existing.iter().map(|(key, row)| (key.clone(), row.id)).collect();
    let (mut inputs, mut first): (Vec<CreateClient>, HashSet<&str>) = (Vec::new(), HashSet::new());
    for row in batch {
        // further rows of the same client say the same of it, and bring contacts
        if !first.insert(&row.external_id) {
            continue;
        }
        match existing.get(&row.external_id) {
            Some(before) => {
                let after = clients::update_row(uow, before, client_patch(&row.client)).await?;
                if after.version != before.version {
                    touched.insert(row.line);
                }
            }
            None => {
                made.insert(row.line);
                let (external_source, external_id) = (Some(source.to_owned()), Some(row.external_id.clone()));
                inputs.push(CreateClient { external_source, external_id, ..row.client.clone() });
            }
        }
    }
    if !inputs.is_empty() {
        for client in clients::create_many(uow, inputs).await? {
            ids.extend(client.external_id.map(|key| (key, client.id)));
        }
    }
    Ok(ids)
}

/// Makes or changes the contacts, and makes them belong to their clients.
async fn contacts_of(
    uow: &mut UnitOfWork,
    source: &str,
    batch: &[ParsedRow],
    clients: &HashMap<String, ClientId>,
    made: &HashSet<u64>,
    touched: &mut HashSet<u64>,
) -> Result<()> {
    let caller = uow.caller();
    let mut seen = HashSet::new();
    let rows: Vec<(&ParsedRow, &ParsedContact)> = batch
        .iter()
        .filter_map(|row| Some((row, row.contact.as_ref()?)))
        .filter(|(_, contact)| seen.insert(contact.external_id.as_str()))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let wanted: Vec<String> = rows.iter().map(|(_, contact)| contact.external_id.clone()).collect();
    let existing = contacts::find_by_external(uow, &caller, source, wanted).await?;
    let mut ids: HashMap<String, ContactId> = existing.iter().map(|(key, row)| (key.clone(), row.id)).collect();
    let mut inputs = Vec::new();
    for (row, parsed) in &rows {
        match existing.get(&parsed.external_id) {
            Some(before) => {
                let after = contacts::update_row(uow, before, contact_patch(&parsed.contact)).await?;
                if after.version != before.version {
                    touched.insert(row.line);
                }
            }
            None => {
                let mut input = parsed.contact.clone();
                (input.external_source, input.external_id) = (Some(source.to_owned()), Some(parsed.external_id.clone()));
                inputs.push(input);
                touched.insert(row.line);
            }
        }
    }
    if !inputs.is_empty() {
        for contact in contacts::create_many(uow, inputs).await? {
            ids.extend(contact.external_id.map(|key| (key, contact.id)));
        }
    }
    link(uow, &rows, clients, &ids, made, touched).await
}

async fn link(
    uow: &mut UnitOfWork,
    rows: &[(&ParsedRow, &ParsedContact)],
    clients: &HashMap<String, ClientId>,
    contacts: &HashMap<String, ContactId>,
    made: &HashSet<u64>,
    touched: &mut HashSet<u64>,
) -> Result<()> {
    // clients that this transaction made have no contacts yet
    let known = rows.iter().filter(|(row, _)| !made.contains(&row.line));
    let mut client_ids: Vec<uuid::Uuid> =
        known.filter_map(|(row, _)| clients.get(&row.external_id)).map(|id| id.uuid()).collect();
    client_ids.sort();
    client_ids.dedup();
    let mut links = links::rows_of(uow, client_ids).await?;
    let mut fresh: Vec<ClientContactRow> = Vec::new();
    for (row, parsed) in rows {
        let client = *clients.get(&row.external_id).ok_or_else(Error::not_found)?;
        let contact_id = *contacts.get(&parsed.external_id).ok_or_else(Error::not_found)?;
        let of_client = links.entry(client).or_default();
        if of_client.iter().any(|link| link.contact_id == contact_id) {
            continue;
        }
        touched.insert(row.line);
        let input =
            LinkContact { contact_id, role: parsed.role.clone(), is_primary: None, influence: None, since: None, until: None };
        let new = if made.contains(&row.line) {
            // nobody else can know a client that this transaction made, so nothing needs locking
            let new = links::new_row(uow, client, of_client.is_empty(), input)?;
            fresh.push(new.clone());
            new
        } else {
            insert_pending(uow, &mut fresh).await?;
            clients::lock(uow, client).await?;
            links::insert(uow, client, of_client, input).await?
        };
        of_client.push(new);
    }
    insert_pending(uow, &mut fresh).await
}

async fn insert_pending(uow: &mut UnitOfWork, fresh: &mut Vec<ClientContactRow>) -> Result<()> {
    let rows = std::mem::take(fresh);
    uow.insert_all(&rows, |row| Change::plain().about("client", row.client_id).event("client.contact_added")).await
}
