//! What a row would do, told from what is there and what earlier rows of the file have said. A row is planned by the same code before it
//! is shown, and again when it is written.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use kernel::{Caller, Defaults, Error, Result, Runtime, TypedId as _};
use platform::imports::{ImportIssue, PlannedRow, Planner, ReadCells, RowOutcome};
use serde_json::{Map, Value, json};
use store::Conn;
use uuid::Uuid;

use super::row::{ParsedRow, RowReader};
use super::seen::{News, Noted, SeenRecords, said};
use crate::clients::{self, Client};
use crate::contacts::{self, Contact};
use crate::errors::{ARCHIVED, CLIENT_MERGED};
use crate::links;
use crate::rows::{ClientContactRow, ClientId, ClientRow, ClientStatus, ContactId, ContactRow};
use crate::shape::{TypedEmail, with_addresses};

/// What is there of what rows are about.
pub(super) struct There {
    /// Clients, by their external ids.
    pub clients: HashMap<String, ClientRow>,
    /// Contacts, by their external ids.
    pub contacts: HashMap<String, ContactRow>,
    /// Contacts of those clients.
    pub links: HashMap<ClientId, Vec<ClientContactRow>>,
}

/// Looks for what rows are about, as far as the caller may see it.
pub(super) async fn look<'a>(
    conn: &mut Conn,
    caller: &Caller,
    source: &str,
    rows: impl Iterator<Item = &'a ParsedRow> + Clone,
) -> Result<There> {
    let wanted = rows.clone().map(|row| row.external_id.clone()).collect();
    let clients = clients::find_by_external(conn, caller, source, wanted).await?;
    let wanted: Vec<String> = rows.filter_map(|row| Some(row.contact.as_ref()?.external_id.clone())).collect();
    if wanted.is_empty() {
        return Ok(There { clients, contacts: HashMap::new(), links: HashMap::new() });
    }
    let contacts = contacts::find_by_external(conn, caller, source, wanted).await?;
    let links = links::rows_of(conn, caller, clients.values().map(|client| client.id.uuid()).collect()).await?;
    Ok(There { clients, contacts, links })
}

/// What a row would do.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub outcome: RowOutcome,
    /// What it changes of records that are there, or will be by then.
    pub differences: Map<String, Value>,
    /// The client, and whether the row says anything of it that is not so.
    pub client: ClientId,
    pub changes_client: bool,
    /// The contact, if there is one.
    pub contact: Option<PlannedContact>,
}

/// What a row would do with its contact.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlannedContact {
    pub id: ContactId,
    pub is_new: bool,
    pub changes: bool,
    pub is_linked: bool,
}

/// Plans rows one after the other.
pub(super) struct RowPlanner<'a> {
    pub there: &'a There,
    pub seen: &'a mut SeenRecords,
    pub defaults: &'a Defaults,
}

/// What is said, with what stands there instead, where that differs.
fn differences(prefix: &str, news: &News, there: &[(String, Value)], into: &mut Map<String, Value>) -> Result<bool> {
    let before = into.len();
    for (name, said) in &news.said {
        let from = there.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let to = match from {
            Some(from) if name == "emails" => among(from, said)?,
            _ => said.clone(),
        };
        if from != Some(&to) {
            into.insert(format!("{prefix}{name}"), json!({ "from": from, "to": to }));
        }
    }
    Ok(into.len() > before)
}

/// The addresses that a record will have.
fn among(there: &Value, said: &Value) -> Result<Value> {
    let emails = |value: &Value| serde_json::from_value::<Vec<TypedEmail>>(value.clone()).map_err(Error::internal);
    serde_json::to_value(with_addresses(&emails(there)?, &emails(said)?)).map_err(Error::internal)
}

impl RowPlanner<'_> {
    /// Plans the next row. `ids` are those that what it makes shall have.
    pub fn plan(
        &mut self,
        row: &ParsedRow,
        client_id: impl FnOnce() -> ClientId,
        contact_id: impl FnOnce() -> ContactId,
    ) -> Result<Noted<Plan>> {
        let there = self.there;
        let existing = there.clients.get(&row.external_id);
        let existing_contact = row.contact.as_ref().and_then(|contact| there.contacts.get(&contact.external_id));
        if existing.is_some_and(|client| client.merged_into_id.is_some()) {
            // what somebody chose when they merged it is not overwritten from the file that it once came from
            let (code, reason) = (CLIENT_MERGED.code.to_owned(), "It became part of another client.".to_owned());
            return Ok(Err(ImportIssue { line: row.line, column: None, code, reason }));
        }
        if existing.is_some_and(|client| client.archived_at.is_some())
            || existing_contact.is_some_and(|contact| contact.archived_at.is_some())
        {
            let (code, reason) = (ARCHIVED.code.to_owned(), "Restore it first.".to_owned());
            return Ok(Err(ImportIssue { line: row.line, column: None, code, reason }));
        }
        let news = match self.seen.note_client(row, || existing.map_or_else(client_id, |client| client.id))? {
            Ok(news) => news,
            Err(issue) => return Ok(Err(issue)),
        };
        let contact_news = match self.seen.note_contact(row, || existing_contact.map_or_else(contact_id, |contact| contact.id))? {
            Ok(news) => news,
            Err(issue) => return Ok(Err(issue)),
        };
        let client = ClientId::from_uuid(news.id);
        let is_new = existing.is_none() && news.is_first;
        let mut found = Map::new();
        let changes_client = !is_new && {
            let so = existing.map_or_else(|| self.as_made(), |client| said(&Client::from(client.clone())));
            differences("", &news, &so, &mut found)?
        };
        let contact = match contact_news {
            Some(news) => Some(self.contact(row, existing_contact, client, is_new, &news, &mut found)?),
            None => None,
        };
        let outcome = match (is_new, found.is_empty()) {
            (true, _) => RowOutcome::New,
            (false, false) => RowOutcome::Changed,
            (false, true) => RowOutcome::Same,
        };
        Ok(Ok(Plan { outcome, differences: found, client, changes_client, contact }))
    }

    /// What a client that an earlier row makes will have that no row has said.
    fn as_made(&self) -> Vec<(String, Value)> {
        vec![
            ("currency".to_owned(), self.defaults.currency.code().into()),
            ("locale".to_owned(), self.defaults.locale.clone().into()),
            ("status".to_owned(), ClientStatus::Active.as_str().into()),
        ]
    }

    fn contact(
        &self,
        row: &ParsedRow,
        existing: Option<&ContactRow>,
        client: ClientId,
        client_is_new: bool,
        news: &News,
        found: &mut Map<String, Value>,
    ) -> Result<PlannedContact> {
        let id = ContactId::from_uuid(news.id);
        let is_new = existing.is_none() && news.is_first;
        let changes = !is_new && {
            let so = existing.map(|contact| said(&Contact::from(contact.clone()))).unwrap_or_default();
            differences("contact.", news, &so, found)?
        };
        // one that came before in the file belongs to the client by then
        let of_client = self.there.links.get(&client);
        let is_linked = !news.is_first || of_client.is_some_and(|links| links.iter().any(|link| link.contact_id == id));
        if !is_linked && !client_is_new {
            found.insert("contact".to_owned(), json!({ "from": null, "to": name_of(row) }));
        }
        Ok(PlannedContact { id, is_new, changes, is_linked })
    }
}

fn name_of(row: &ParsedRow) -> String {
    let contact = row.contact.as_ref().map(|contact| &contact.contact);
    let names = contact.map(|contact| [Some(contact.given_name.as_str()), contact.family_name.as_deref()]);
    names.into_iter().flatten().flatten().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Plans the rows of a file for somebody to look at.
pub(super) struct FilePlanner {
    pub rows: RowReader,
    pub source: String,
    pub seen: SeenRecords,
    pub defaults: Defaults,
    pub runtime: Runtime,
}

impl FilePlanner {
    fn planned(&mut self, there: &There, row: &ParsedRow) -> Result<Noted<PlannedRow>> {
        let runtime = self.runtime.clone();
        let mut planner = RowPlanner { there, seen: &mut self.seen, defaults: &self.defaults };
        let plan = match planner.plan(row, || runtime.id(), || runtime.id())? {
            Ok(plan) => plan,
            Err(issue) => return Ok(Err(issue)),
        };
        let further = plan.contact.map(|contact| (CONTACT.to_owned(), contact.id.uuid()));
        Ok(Ok(PlannedRow {
            line: row.line,
            outcome: plan.outcome,
            record_id: Some(plan.client.uuid()),
            further: further.into_iter().collect(),
            cells: Map::new(),
            differences: plan.differences,
            issues: Vec::new(),
        }))
    }
}

/// What the contact of a row is called among its further records.
pub(super) const CONTACT: &str = "contact";

fn wrong(line: u64, issues: Vec<ImportIssue>) -> PlannedRow {
    PlannedRow {
        line,
        outcome: RowOutcome::Wrong,
        record_id: None,
        further: BTreeMap::<String, Uuid>::new(),
        cells: Map::new(),
        differences: Map::new(),
        issues,
    }
}

#[async_trait(?Send)]
impl Planner for FilePlanner {
    async fn plan(&mut self, conn: &mut Conn, caller: &Caller, rows: Vec<ReadCells>) -> Result<Vec<PlannedRow>> {
        let mut said = Vec::with_capacity(rows.len());
        let mut parsed = Vec::with_capacity(rows.len());
        for row in rows {
            match row {
                Ok(cells) => {
                    parsed.push(self.rows.parse(&cells).map_err(|issues| (cells.line, issues)));
                    said.push(cells.values.into_iter().map(|(name, value)| (name.into_owned(), value.into())).collect());
                }
                Err(problem) => {
                    parsed.push(Err((problem.line, vec![super::issue_of(problem)])));
                    said.push(Map::new());
                }
            }
        }
        let there = look(conn, caller, &self.source, parsed.iter().filter_map(|row| row.as_ref().ok())).await?;
        let mut planned = Vec::with_capacity(parsed.len());
        for (row, cells) in parsed.into_iter().zip(said) {
            let row = match row {
                Ok(row) => self.planned(&there, &row)?.unwrap_or_else(|issue| wrong(row.line, vec![issue])),
                Err((line, issues)) => wrong(line, issues),
            };
            planned.push(PlannedRow { cells, ..row });
        }
        Ok(planned)
    }
}
