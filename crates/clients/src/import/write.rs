//! Writing rows in one unit of work, through the same commands as everybody.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use kernel::{Defaults, Result, TypedId as _};
use platform::imports::{Came, RowOutcome, StagedRow, Writer, WrittenRow};
use serde_json::{Map, Value};
use store::{Change, UnitOfWork};
use uuid::Uuid;

use super::plan::{CONTACT, Plan, PlannedContact, RowPlanner, There, look};
use super::row::{ParsedContact, ParsedRow, RowReader, client_patch, contact_patch};
use super::seen::SeenRecords;
use crate::clients::{self, CreateClient};
use crate::contacts;
use crate::links::{self, LinkContact};
use crate::rows::{ClientContactRow, ClientId, ContactId};

/// A row that is to be written, with what somebody has seen of what it does.
#[derive(Clone, Debug)]
pub(super) struct ToWrite {
    pub row: ParsedRow,
    pub seen: Option<SeenPlan>,
}

/// What somebody has seen and approved.
#[derive(Clone, Debug)]
pub(super) struct SeenPlan {
    pub outcome: RowOutcome,
    pub differences: Map<String, Value>,
    pub client: Option<Uuid>,
    pub contact: Option<Uuid>,
}

/// Writes rows of one run that were staged.
pub(super) struct StagedWriter {
    pub rows: RowReader,
    pub source: String,
}

#[async_trait(?Send)]
impl Writer for StagedWriter {
    async fn write(&self, uow: &mut UnitOfWork, rows: &[StagedRow]) -> Result<Vec<WrittenRow>> {
        let mut written = Vec::with_capacity(rows.len());
        let mut ready = Vec::with_capacity(rows.len());
        for row in rows {
            match self.rows.parse(&row.cells) {
                Ok(parsed) => {
                    let seen = SeenPlan {
                        outcome: row.outcome,
                        differences: row.differences.clone(),
                        client: row.record_id,
                        contact: row.further.get(CONTACT).copied(),
                    };
                    ready.push(ToWrite { row: parsed, seen: Some(seen) });
                }
                // it was right when it was staged: an owner who has left since, say
                Err(issues) => written.push(WrittenRow { line: row.line, came: Came::Refused(issues) }),
            }
        }
        written.extend(write(uow, &self.source, &ready).await?);
        Ok(written)
    }
}

/// Writes rows in their order.
pub(super) async fn write(uow: &mut UnitOfWork, source: &str, rows: &[ToWrite]) -> Result<Vec<WrittenRow>> {
    let caller = uow.caller();
    let defaults = auth::workspaces::defaults(uow, &caller).await?;
    let mut written = Vec::with_capacity(rows.len());
    let mut rest = rows;
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(part_of(rest)?);
        written.extend(write_part(uow, source, &defaults, part).await?);
        rest = behind;
    }
    Ok(written)
}

/// How many rows can be written together: what a later row adds to a record is a change of it, so the record must be there first.
fn part_of(rows: &[ToWrite]) -> Result<usize> {
    let mut seen = SeenRecords::default();
    let none = Uuid::nil();
    for (place, ToWrite { row, .. }) in rows.iter().enumerate() {
        let client = seen.note_client(row, || ClientId::from_uuid(none))?.ok();
        let contact = seen.note_contact(row, || ContactId::from_uuid(none))?.ok().flatten();
        let adds = client.iter().chain(&contact).any(|news| !news.is_first && !news.said.is_empty());
        // the first row of all adds to nothing
        if adds && place > 0 {
            return Ok(place);
        }
    }
    Ok(rows.len())
}

/// A row that will be written, with what it does now.
struct Ready<'a> {
    row: &'a ParsedRow,
    plan: Plan,
}

async fn write_part(uow: &mut UnitOfWork, source: &str, defaults: &Defaults, part: &[ToWrite]) -> Result<Vec<WrittenRow>> {
    let caller = uow.caller();
    let there = look(uow, &caller, source, part.iter().map(|to_write| &to_write.row)).await?;
    let mut seen = SeenRecords::default();
    let (mut ready, mut written) = (Vec::with_capacity(part.len()), Vec::with_capacity(part.len()));
    let mut left_out: HashSet<&str> = HashSet::new();
    for to_write in part {
        let (row, shown) = (&to_write.row, to_write.seen.as_ref());
        let client = || shown.and_then(|shown| shown.client).map_or_else(|| uow.id(), ClientId::from_uuid);
        let contact = || shown.and_then(|shown| shown.contact).map_or_else(|| uow.id(), ContactId::from_uuid);
        let mut planner = RowPlanner { there: &there, seen: &mut seen, defaults };
        let plan = match planner.plan(row, client, contact)? {
            Ok(plan) => plan,
            Err(issue) => {
                left_out.insert(&row.external_id);
                written.push(WrittenRow { line: row.line, came: Came::Refused(vec![issue]) });
                continue;
            }
        };
        let is_as_shown = shown.is_none_or(|shown| shown.outcome == plan.outcome && shown.differences == plan.differences);
        if !is_as_shown || left_out.contains(row.external_id.as_str()) {
            // what hangs on a row that is left out is left out with it
            left_out.insert(&row.external_id);
            written.push(WrittenRow { line: row.line, came: Came::Meanwhile(plan.differences) });
            continue;
        }
        let came = match plan.outcome {
            RowOutcome::New => Came::Created,
            RowOutcome::Changed => Came::Changed,
            RowOutcome::Same | RowOutcome::Wrong => Came::Unchanged,
        };
        written.push(WrittenRow { line: row.line, came });
        ready.push(Ready { row, plan });
    }
    write_clients(uow, source, &there, &ready).await?;
    write_contacts(uow, source, &there, &ready).await?;
    Ok(written)
}

/// Makes or changes the clients.
async fn write_clients(uow: &mut UnitOfWork, source: &str, there: &There, ready: &[Ready<'_>]) -> Result<()> {
    let mut inputs: Vec<(ClientId, CreateClient)> = Vec::new();
    for Ready { row, plan } in ready {
        if plan.outcome == RowOutcome::New {
            let (external_source, external_id) = (Some(source.to_owned()), Some(row.external_id.clone()));
            inputs.push((plan.client, CreateClient { external_source, external_id, ..row.client.clone() }));
        } else if plan.changes_client
            && let Some(before) = there.clients.get(&row.external_id)
        {
            clients::update_row(uow, before, client_patch(before, &row.client)).await?;
        }
    }
    if !inputs.is_empty() {
        clients::create_as(uow, inputs).await?;
    }
    Ok(())
}

/// Makes or changes the contacts, and makes them belong to their clients.
async fn write_contacts(uow: &mut UnitOfWork, source: &str, there: &There, ready: &[Ready<'_>]) -> Result<()> {
    let mut inputs = Vec::new();
    let rows: Vec<(&Ready<'_>, &ParsedContact, PlannedContact)> =
        ready.iter().filter_map(|ready| Some((ready, ready.row.contact.as_ref()?, ready.plan.contact?))).collect();
    for (_, parsed, planned) in &rows {
        if planned.is_new {
            let mut input = parsed.contact.clone();
            (input.external_source, input.external_id) = (Some(source.to_owned()), Some(parsed.external_id.clone()));
            inputs.push((planned.id, input));
        } else if planned.changes
            && let Some(before) = there.contacts.get(&parsed.external_id)
        {
            contacts::update_row(uow, before, contact_patch(before, &parsed.contact)).await?;
        }
    }
    if !inputs.is_empty() {
        contacts::create_as(uow, inputs).await?;
    }
    link(uow, there, &rows).await
}

async fn link(uow: &mut UnitOfWork, there: &There, rows: &[(&Ready<'_>, &ParsedContact, PlannedContact)]) -> Result<()> {
    let made: HashSet<ClientId> =
        rows.iter().filter(|(ready, ..)| ready.plan.outcome == RowOutcome::New).map(|(ready, ..)| ready.plan.client).collect();
    let mut links: HashMap<ClientId, Vec<ClientContactRow>> = there.links.clone();
    let mut fresh: Vec<ClientContactRow> = Vec::new();
    for (ready, parsed, planned) in rows.iter().filter(|(_, _, planned)| !planned.is_linked) {
        let client = ready.plan.client;
        let of_client = links.entry(client).or_default();
        let input = LinkContact {
            contact_id: planned.id,
            role: parsed.role.clone(),
            is_primary: None,
            influence: None,
            since: None,
            until: None,
        };
        // nobody else can know a client that this transaction made, so nothing needs locking
        let new = if made.contains(&client) {
            let new = links::new_row(uow, client, of_client.is_empty(), input)?;
            fresh.push(new.clone());
            new
        } else {
            insert_pending(uow, &mut fresh).await?;
            clients::lock_all(uow, &[client.uuid()]).await?;
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
