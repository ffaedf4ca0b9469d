//! The fields of two clients, and whose value wins.

use std::collections::{BTreeMap, BTreeSet};

use kernel::error::Faults;
use kernel::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use store::Json;
use store::list::custom_key;

use super::wire::{FieldOutcome, MergeSide};
use crate::rows::ClientRow;

/// How many a field with several takes.
const MOST: usize = 20;

struct Field {
    name: &'static str,
    get: fn(&ClientRow) -> Value,
    take: fn(&mut ClientRow, &ClientRow),
    set: fn(&mut ClientRow, Value) -> serde_json::Result<()>,
    join: Option<fn(&mut ClientRow, &ClientRow) -> usize>,
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Adds what is not there yet.
fn add<T: Clone + PartialEq>(to: &mut Json<Vec<T>>, from: &Json<Vec<T>>) -> usize {
    for one in &from.0 {
        if !to.0.contains(one) {
            to.0.push(one.clone());
        }
    }
    to.0.len()
}

macro_rules! field {
    ($name:ident) => {
        field!($name, None)
    };
    ($name:ident several) => {
        field!($name, Some(|to, from| add(&mut to.$name, &from.$name)))
    };
    ($name:ident, $join:expr) => {
        Field {
            name: stringify!($name),
            get: |row| json(&row.$name),
            take: |to, from| to.$name = from.$name.clone(),
            set: |row, value| {
                row.$name = serde_json::from_value(value)?;
                Ok(())
            },
            join: $join,
        }
    };
}

static FIELDS: &[Field] = &[
    field!(kind),
    field!(name),
    field!(legal_name),
    field!(tax_number),
    field!(website),
    field!(phone),
    field!(emails several),
    field!(phones several),
    field!(main_address),
    field!(billing_address),
    field!(shipping_address),
    field!(sector),
    field!(size),
    field!(product),
    field!(currency),
    field!(locale),
    field!(brand_id),
    field!(status),
    field!(roles several),
    field!(parent_id),
    field!(owner_id),
    field!(acquisition_stage),
    field!(source),
    field!(lead_category),
];

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// The survivor as the chosen sides make it, and what became of each field in which the two differ.
pub(super) fn choose(
    survivor: &ClientRow,
    merged: &ClientRow,
    chosen: &BTreeMap<String, MergeSide>,
) -> Result<(ClientRow, Vec<FieldOutcome>)> {
    let mut faults = Faults::new();
    let custom: BTreeSet<&String> = survivor.custom_fields.0.keys().chain(merged.custom_fields.0.keys()).collect();
    for name in chosen.keys() {
        let is_custom = custom_key(name).is_some_and(|(key, rest)| rest.is_empty() && custom.iter().any(|known| *known == key));
        if !is_custom && !FIELDS.iter().any(|field| field.name == name) {
            faults.add(format!("/fields/{}", pointer(name)), "unknown_field", "is no field of which a side can be chosen");
        }
    }
    let (mut after, mut outcomes) = (survivor.clone(), Vec::new());
    for field in FIELDS {
        let (ours, theirs) = ((field.get)(survivor), (field.get)(merged));
        let default = match field.join {
            Some(_) => MergeSide::Both,
            None if is_empty(&ours) && field.name != "parent_id" => MergeSide::Merged,
            None => MergeSide::Survivor,
        };
        let side = chosen.get(field.name).copied().unwrap_or(default);
        match (side, field.join) {
            (MergeSide::Survivor, _) => {}
            (MergeSide::Merged, _) => (field.take)(&mut after, merged),
            (MergeSide::Both, Some(join)) => {
                if join(&mut after, merged) > MOST {
                    let message = format!("both together are more than {MOST}; choose a side");
                    faults.add(format!("/fields/{}", field.name), "too_many_items", message);
                }
            }
            (MergeSide::Both, None) => {
                faults.add(format!("/fields/{}", field.name), "one_value", "has one value: choose a side");
            }
        }
        if ours != theirs {
            outcomes.push(FieldOutcome { field: field.name.to_owned(), side, survivor: ours, merged: theirs });
        }
    }
    for key in custom {
        let name = format!("cf[{key}]");
        let (ours, theirs) = (survivor.custom_fields.0.get(key), merged.custom_fields.0.get(key));
        let default = if ours.is_some() { MergeSide::Survivor } else { MergeSide::Merged };
        let side = chosen.get(&name).copied().unwrap_or(default);
        match (side, theirs) {
            (MergeSide::Survivor, _) => {}
            (MergeSide::Merged, Some(theirs)) => {
                after.custom_fields.0.insert(key.clone(), theirs.clone());
            }
            (MergeSide::Merged, None) => {
                after.custom_fields.0.remove(key);
            }
            (MergeSide::Both, _) => {
                faults.add(format!("/fields/{}", pointer(&name)), "one_value", "has one value: choose a side");
            }
        }
        if ours != theirs {
            let [ours, theirs] = [ours, theirs].map(|value| value.cloned().unwrap_or_default());
            outcomes.push(FieldOutcome { field: name, side, survivor: ours, merged: theirs });
        }
    }
    faults.into_result()?;
    Ok((after, outcomes))
}

fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Puts back what the journal says that a field was; fails where that was erased.
pub(super) fn put_back(row: &mut ClientRow, name: &str, change: &Value) -> Result<bool> {
    let custom = field!(custom_fields);
    let mut fields = FIELDS.iter().chain([&custom]);
    let Some(field) = fields.find(|field| field.name == name) else { return Ok(true) };
    let Some(from) = change.get("from") else { return Ok(false) };
    (field.set)(row, from.clone()).map_err(Error::internal)?;
    Ok(true)
}
