//! What a file has said of each client and each contact so far, wherever in it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::PathBuf;

use kernel::{Result, TypedId};
use platform::imports::ImportIssue;
use serde_json::Value;
use uuid::Uuid;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::details::Details;
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

/// What is known of a record: the line where it came first, its id, and a digest for each of its fields. There is one for every record of
/// a file, so all but the place stands in [`Details`].
struct Known {
    line: u64,
    id: Uuid,
    fields: Vec<Digest>,
}

/// Where something known stands, and how many fields it has.
#[derive(Clone, Copy)]
struct Place {
    at: u32,
    fields: u32,
}

impl Known {
    /// Words before the fields: the line and the id.
    const BEFORE: usize = 3;

    fn keep(&self, details: &mut Details) -> io::Result<Place> {
        let (high, low) = self.id.as_u64_pair();
        let at = details.add([self.line, high, low].into_iter().chain(self.fields.iter().map(|field| field.0)))?;
        let narrow = |number: usize| u32::try_from(number).map_err(|_| io::ErrorKind::FileTooLarge);
        Ok(Place { at: narrow(at)?, fields: narrow(self.fields.len())? })
    }

    fn read(place: Place, details: &mut Details) -> io::Result<Self> {
        let words = details.read(place.at as usize, Self::BEFORE + place.fields as usize)?;
        match words.as_slice() {
            [line, high, low, fields @ ..] => {
                let fields = fields.iter().copied().map(Digest).collect();
                Ok(Self { line: *line, id: Uuid::from_u64_pair(*high, *low), fields })
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
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
    clients: HashMap<Key, Place>,
    contacts: HashMap<Key, Place>,
    notes: Notes,
}

/// What a key hashes to; in halves, which need no room beside them.
type Key = [u64; 2];

fn key_of(key: &str) -> Key {
    let hash = xxh3_128(key.as_bytes());
    [(hash >> u64::BITS) as u64, hash as u64]
}

/// What is known of all records.
#[derive(Default)]
struct Notes {
    names: Names,
    details: Details,
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

/// The line that said something else.
struct Otherwise(u64);

impl Notes {
    /// Takes note of what is said of a record; fails with the line that said something else: if both were read, a second run would change
    /// what the first one did.
    fn note(
        &mut self,
        records: &mut HashMap<Key, Place>,
        (line, key): (u64, &str),
        said: Said,
        id: impl FnOnce() -> Uuid,
    ) -> io::Result<std::result::Result<News, Otherwise>> {
        let Self { names, details } = self;
        let mut place = match records.entry(key_of(key)) {
            Entry::Vacant(place) => {
                let known = Known { line, id: id(), fields: said.iter().map(|field| names.digest(field)).collect() };
                place.insert(known.keep(details)?);
                return Ok(Ok(News { is_first: true, id: known.id, said }));
            }
            Entry::Occupied(place) => place,
        };
        let mut known = Known::read(*place.get(), details)?;
        let (mut new, mut digests) = (Said::new(), Vec::new());
        for field in said {
            let digest = names.digest(&field);
            match known.fields.iter().find(|earlier| earlier.name() == digest.name()) {
                Some(earlier) if *earlier != digest => return Ok(Err(Otherwise(known.line))),
                Some(_) => {}
                None => {
                    new.push(field);
                    digests.push(digest);
                }
            }
        }
        if !digests.is_empty() {
            known.fields.extend(digests);
            place.insert(known.keep(details)?);
        }
        Ok(Ok(News { is_first: false, id: known.id, said: new }))
    }
}

/// What came of taking note: what is new, or what is wrong with the row.
pub(super) type Noted<T> = std::result::Result<T, ImportIssue>;

impl SeenRecords {
    /// Those of a long file, of which the larger part lies in this folder.
    pub fn in_folder(folder: PathBuf) -> Self {
        let notes = Notes { details: Details::in_folder(folder), ..Notes::default() };
        Self { notes, ..Self::default() }
    }

    /// Takes note of the client of a row.
    pub fn note_client<I: TypedId>(&mut self, row: &ParsedRow, id: impl FnOnce() -> I) -> Result<Noted<News>> {
        let noted = self.notes.note(&mut self.clients, (row.line, &row.external_id), said(&row.client), || id().uuid());
        Ok(noted.map_err(files::disk_failed)?.map_err(|Otherwise(line)| otherwise(row.line, line, "client")))
    }

    /// Takes note of the contact of a row; none where it has none.
    pub fn note_contact<I: TypedId>(&mut self, row: &ParsedRow, id: impl FnOnce() -> I) -> Result<Noted<Option<News>>> {
        let Some(contact) = &row.contact else { return Ok(Ok(None)) };
        let (key, said) = ((row.line, contact.external_id.as_str()), said(&contact.contact));
        let noted = self.notes.note(&mut self.contacts, key, said, || id().uuid()).map_err(files::disk_failed)?;
        Ok(noted.map(Some).map_err(|Otherwise(line)| otherwise(row.line, line, "contact")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said_of(number: u64) -> Said {
        vec![("name".to_owned(), number.into()), ("email".to_owned(), format!("{number}@example.org").into())]
    }

    #[test]
    fn a_record_that_comes_again_far_behind_is_held_against_all_that_was_said_of_it() {
        let mut notes = Notes { details: Details::in_folder(std::env::temp_dir()), ..Notes::default() };
        let mut records = HashMap::new();
        let mut note = |line: u64, key: u64, said: Said| {
            let id = || Uuid::from_u128(u128::from(line));
            notes.note(&mut records, (line, &key.to_string()), said, id).unwrap().map_err(|Otherwise(line)| line)
        };
        let many = 20_000;
        for number in 0..many {
            assert!(note(number, number, said_of(number)).unwrap().is_first);
        }
        for number in [0, 1, many / 2, many - 1] {
            let phone = ("phone".to_owned(), Value::from("+30"));
            let line = many + number;
            let again = note(line, number, said_of(number).into_iter().chain([phone.clone()]).collect()).unwrap();
            assert_eq!((again.is_first, again.id), (false, Uuid::from_u128(u128::from(number))));
            assert_eq!(again.said, std::slice::from_ref(&phone), "only the telephone number is new");
            assert!(note(line, number, vec![phone]).unwrap().said.is_empty(), "it has been said by now");
            assert_eq!(note(line, number, vec![("phone".to_owned(), "+49".into())]).err(), Some(number));
            assert_eq!(note(line, number, said_of(number + 1)).err(), Some(number));
        }
    }
}
