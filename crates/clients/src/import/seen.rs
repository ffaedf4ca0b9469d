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

/// The line where a record came first, its id, and a digest for each of its fields: some hundred and fifty bytes a record, because there is
/// one for every record of a file.
struct Known {
    line: u64,
    id: Uuid,
    fields: Box<[Digest]>,
}

/// A field and its value in eight bytes: the place of the name among those that were said at all, and 48 bits of what the value hashes to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Digest(u64);

impl Digest {
    const VALUE: u32 = 48;

    const fn name(self) -> u64 {
        self.0 >> Self::VALUE
    }
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
    names: Names,
}

/// The names of fields that were said: some dozens.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn digest(&mut self, (name, value): &(String, Value)) -> Digest {
        let place = self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.clone());
            self.0.len() - 1
        });
        let value = xxh3_64(value.to_string().as_bytes()) >> (u64::BITS - Digest::VALUE);
        Digest((place as u64) << Digest::VALUE | value)
    }
}

fn otherwise(line: u64, known: u64, what: &str) -> ImportIssue {
    let reason = format!("is the same {what} as line {known}, with other values");
    ImportIssue { line, column: None, code: "conflicting_row".to_owned(), reason }
}

/// Takes note of what is said of a record; fails with the line that said something else: if both were read, a second run would change
/// what the first one did.
fn note(
    records: &mut HashMap<u128, Known>,
    names: &mut Names,
    (line, key): (u64, &str),
    said: Said,
    id: impl FnOnce() -> Uuid,
) -> Result<News, u64> {
    let known = match records.entry(xxh3_128(key.as_bytes())) {
        Entry::Vacant(place) => {
            let known = place.insert(Known { line, id: id(), fields: said.iter().map(|field| names.digest(field)).collect() });
            return Ok(News { is_first: true, id: known.id, said });
        }
        Entry::Occupied(place) => place.into_mut(),
    };
    let (mut new, mut digests) = (Said::new(), Vec::new());
    for field in said {
        let digest = names.digest(&field);
        match known.fields.iter().find(|earlier| earlier.name() == digest.name()) {
            Some(earlier) if *earlier != digest => return Err(known.line),
            Some(_) => {}
            None => {
                new.push(field);
                digests.push(digest);
            }
        }
    }
    if !digests.is_empty() {
        known.fields = known.fields.iter().copied().chain(digests).collect();
    }
    Ok(News { is_first: false, id: known.id, said: new })
}

impl SeenRecords {
    /// Takes note of the client of a row.
    pub fn note_client<I: TypedId>(&mut self, row: &ParsedRow, id: impl FnOnce() -> I) -> Result<News, ImportIssue> {
        let said = said(&row.client);
        note(&mut self.clients, &mut self.names, (row.line, &row.external_id), said, || id().uuid())
            .map_err(|line| otherwise(row.line, line, "client"))
    }

    /// Takes note of the contact of a row; none where it has none.
    pub fn note_contact<I: TypedId>(&mut self, row: &ParsedRow, id: impl FnOnce() -> I) -> Result<Option<News>, ImportIssue> {
        let Some(contact) = &row.contact else { return Ok(None) };
        note(&mut self.contacts, &mut self.names, (row.line, &contact.external_id), said(&contact.contact), || id().uuid())
            .map(Some)
            .map_err(|line| otherwise(row.line, line, "contact"))
    }
}
