//! What a file has said of each client and each contact so far, wherever in it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use kernel::{Result, TypedId};
use platform::imports::ImportIssue;
use serde_json::Value;
use uuid::Uuid;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::row::ParsedRow;

/// What something says, field by field: the fields that are filled, those of addresses one by one.
pub(super) type Said = Vec<(String, Value)>;

/// The fields of a value that are filled.
pub(super) fn said(value: &impl serde::Serialize) -> Said {
    let mut found = Vec::new();
    fields("", serde_json::to_value(value).unwrap_or_default(), &mut found);
    found
}

fn fields(at: &str, value: Value, found: &mut Said) {
    match value {
        Value::Null => {}
        Value::Object(members) => members.into_iter().for_each(|(name, member)| {
            let at = if at.is_empty() { name } else { format!("{at}.{name}") };
            fields(&at, member, found);
        }),
        Value::Array(items) if items.is_empty() => {}
        value => found.push((at.to_owned(), value)),
    }
}

/// The line where a record came first, its id, and digests of its fields and their values: about a hundred bytes a record.
struct Known {
    line: u64,
    id: Uuid,
    fields: Vec<(u64, u64)>,
}

/// What a row says that earlier rows of the file have not.
pub(super) struct News {
    /// Whether its record comes for the first time.
    pub is_first: bool,
    /// The id that the record is known by.
    pub id: Uuid,
    /// What is new.
    pub said: Said,
}

/// What a file has said so far. A field that is empty says nothing.
#[derive(Default)]
pub(super) struct SeenRecords {
    clients: HashMap<u128, Known>,
    contacts: HashMap<u128, Known>,
}

fn digest((name, value): &(String, Value)) -> (u64, u64) {
    (xxh3_64(name.as_bytes()), xxh3_64(value.to_string().as_bytes()))
}

fn otherwise(line: u64, known: u64, what: &str) -> ImportIssue {
    let reason = format!("is the same {what} as line {known}, with other values");
    ImportIssue { line, column: None, code: "conflicting_row".to_owned(), reason }
}

/// Takes note of what is said of a record; fails with the line that said something else: if both were read, a second run would change
/// what the first one did.
fn note(records: &mut HashMap<u128, Known>, line: u64, key: &str, said: Said, id: impl FnOnce() -> Uuid) -> Result<News, u64> {
    let known = match records.entry(xxh3_128(key.as_bytes())) {
        Entry::Vacant(place) => {
            let known = place.insert(Known { line, id: id(), fields: said.iter().map(digest).collect() });
            return Ok(News { is_first: true, id: known.id, said });
        }
        Entry::Occupied(place) => place.into_mut(),
    };
    let mut new = Said::new();
    for field in said {
        let (name, value) = digest(&field);
        match known.fields.iter().find(|(known, _)| *known == name) {
            Some((_, earlier)) if *earlier != value => return Err(known.line),
            Some(_) => {}
            None => new.push(field),
        }
    }
    known.fields.extend(new.iter().map(digest));
    Ok(News { is_first: false, id: known.id, said: new })
}

impl SeenRecords {
    /// Takes note of the client of a row.
    pub fn note_client<I: TypedId>(&mut self, row: &ParsedRow, id: impl FnOnce() -> I) -> Result<News, ImportIssue> {
        let said = said(&row.client);
        note(&mut self.clients, row.line, &row.external_id, said, || id().uuid())
            .map_err(|line| otherwise(row.line, line, "client"))
    }

    /// Takes note of the contact of a row; none where it has none.
    pub fn note_contact<I: TypedId>(&mut self, row: &ParsedRow, id: impl FnOnce() -> I) -> Result<Option<News>, ImportIssue> {
        let Some(contact) = &row.contact else { return Ok(None) };
        note(&mut self.contacts, row.line, &contact.external_id, said(&contact.contact), || id().uuid())
            .map(Some)
            .map_err(|line| otherwise(row.line, line, "contact"))
    }
}
