//! What a file has said of each client so far, wherever in it.

use std::collections::HashMap;

use platform::imports::ImportIssue;
use serde_json::Value;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::row::ParsedRow;

/// What a row says of a client that may have come before.
pub(super) enum Said {
    /// What fits: the first word of it, or nothing new.
    Fits,
    /// More than earlier rows did.
    More,
    /// Something else than an earlier row: if both were read, a second run would change what the first one did.
    Otherwise(ImportIssue),
}

/// The line where a client came first, and digests of its fields and their values: about a hundred bytes a client.
struct Known {
    line: u64,
    fields: Vec<(u64, u64)>,
}

/// What a file has said of each client so far. A field that is empty says nothing.
#[derive(Default)]
pub(super) struct SeenClients(HashMap<u128, Known>);

impl SeenClients {
    /// Takes note of what a row says of its client.
    pub fn note(&mut self, row: &ParsedRow) -> Said {
        let mut fields = Vec::new();
        digests("", &serde_json::to_value(&row.client).unwrap_or_default(), &mut fields);
        let known = match self.0.entry(xxh3_128(row.external_id.as_bytes())) {
            std::collections::hash_map::Entry::Vacant(place) => {
                fields.shrink_to_fit();
                place.insert(Known { line: row.line, fields });
                return Said::Fits;
            }
            std::collections::hash_map::Entry::Occupied(place) => place.into_mut(),
        };
        let value_of = |name: u64| known.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        if fields.iter().any(|(name, value)| value_of(*name).is_some_and(|earlier| earlier != *value)) {
            return Said::Otherwise(ImportIssue {
                line: row.line,
                column: None,
                code: "conflicting_row".to_owned(),
                reason: format!("is the same client as line {}, with other values", known.line),
            });
        }
        let new: Vec<_> = fields.into_iter().filter(|(name, _)| value_of(*name).is_none()).collect();
        if new.is_empty() {
            return Said::Fits;
        }
        known.fields.extend(new);
        Said::More
    }
}

/// The fields that are filled, those of addresses one by one.
fn digests(at: &str, value: &Value, found: &mut Vec<(u64, u64)>) {
    match value {
        Value::Null => {}
        Value::Object(members) => members.iter().for_each(|(name, member)| digests(&format!("{at}/{name}"), member, found)),
        Value::Array(items) if items.is_empty() => {}
        value => found.push((xxh3_64(at.as_bytes()), xxh3_64(value.to_string().as_bytes()))),
    }
}
