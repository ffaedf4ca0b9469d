//! The values of records in the form in which lists compare them, and which of them may be there once.

use std::collections::HashMap;

use kernel::{Error, FieldError, Result, TypedId as _};
use serde_json::{Map, Value};
use store::list::{HeldValue, VALUES};
use store::query::{Expr, ExprTrait, Query};
use store::{OnUnique as _, UnitOfWork};
use uuid::Uuid;

use super::Fields;
use super::fields::Field;
use super::sorted::Compared;
use super::value::FieldValue;
use crate::errors::CUSTOM_VALUE_TAKEN;

type Values = Map<String, Value>;

/// A record whose values are written.
#[derive(Clone, Debug)]
pub struct Holder<'a> {
    /// The record.
    pub record: Uuid,
    /// Where its values stand in the request, for what is wrong.
    pub at: String,
    /// The values that it has.
    pub before: &'a Values,
    /// The values that it will have.
    pub after: &'a Values,
}

fn compared(field: &Field, values: &Values) -> Vec<Compared> {
    let Some(json) = values.get(&field.shape.key) else { return Vec::new() };
    // an option that went since is no value of the field any more, and stays what the record says
    FieldValue::read(&field.shape, json, "").map(|value| Compared::of(&value)).unwrap_or_default()
}

/// The rows of one field of a record, of which there is always one.
fn rows(field: &Field, record: Uuid, values: &Values) -> Vec<HeldValue> {
    let id = field.id.uuid();
    let held: Vec<HeldValue> = (0..)
        .zip(compared(field, values))
        .map(|(nth, Compared { key, whole_text })| HeldValue {
            field: id,
            record,
            nth,
            key,
            whole_text,
            is_unique: field.is_unique,
        })
        .collect();
    if held.is_empty() { vec![HeldValue::none(id, record)] } else { held }
}

fn taken(pointers: impl Iterator<Item = String>) -> Error {
    pointers.fold(Error::new(&CUSTOM_VALUE_TAKEN), |error, pointer| {
        error.with_field(FieldError::new(pointer, "taken", "belongs to another record"))
    })
}

/// Looks whether what must be unique is, among these records and against all others.
///
/// # Errors
/// `custom_value_taken`, with everything that is; what the database says.
pub async fn check_unique(uow: &mut UnitOfWork, fields: &Fields, holders: &[Holder<'_>]) -> Result<()> {
    let mut wanted: HashMap<(Uuid, String), (Uuid, String)> = HashMap::new();
    let mut twice: Vec<String> = Vec::new();
    for field in fields.iter().filter(|field| field.is_unique) {
        for holder in holders {
            let key = &field.shape.key;
            if holder.before.get(key) == holder.after.get(key) {
                continue;
            }
            for value in compared(field, holder.after) {
                let pointer = format!("{}/{key}", holder.at);
                let place = (field.id.uuid(), value.key.as_one());
                if let Some((_, earlier)) = wanted.insert(place, (holder.record, pointer.clone())) {
                    twice.push(if earlier == pointer { earlier } else { pointer });
                }
            }
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let mut others = Query::select();
    others
        .columns(["field_id", "unique_key", "record_id"])
        .from(VALUES)
        .and_where(Expr::col("field_id").is_in(wanted.keys().map(|(field, _)| *field)))
        .and_where(Expr::col("unique_key").is_in(wanted.keys().map(|(_, key)| key.as_str())));
    for row in uow.rows(&others).await? {
        let (field, key, record): (Uuid, String, Uuid) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if let Some((ours, pointer)) = wanted.get(&(field, key))
            && *ours != record
        {
            twice.push(pointer.clone());
        }
    }
    if twice.is_empty() { Ok(()) } else { Err(taken(twice.into_iter())) }
}

/// Keeps the values of records that were just made. That they have none of a field, the database has said already (`store::dialect::triggers::tell_fields`), also of
/// one that nobody here knows yet.
///
/// # Errors
/// `custom_value_taken`; what the database says.
pub async fn put_new(uow: &mut UnitOfWork, fields: &Fields, records: &[(Uuid, &Values)]) -> Result<()> {
    let held = records.iter().flat_map(|(record, values)| fields.iter().flat_map(|field| rows(field, *record, values)));
    let held: Vec<HeldValue> = held.collect();
    if held.is_empty() {
        return Ok(());
    }
    uow.put_values(&held).await.on_unique(|| taken(std::iter::empty()))
}

/// Keeps the values of a record that changed.
///
/// # Errors
/// `custom_value_taken`; what the database says.
pub async fn put_changed(uow: &mut UnitOfWork, fields: &Fields, record: Uuid, before: &Values, after: &Values) -> Result<()> {
    for field in fields.iter().filter(|field| before.get(&field.shape.key) != after.get(&field.shape.key)) {
        let held = rows(field, record, after);
        let count = i64::try_from(held.len()).map_err(Error::internal)?;
        uow.put_values(&held).await.on_unique(|| taken(std::iter::empty()))?;
        if !field.shape.field_type.is_single() {
            uow.forget_values_from(field.id.uuid(), record, count).await?;
        }
    }
    Ok(())
}

/// Forgets the values of records that are gone.
///
/// # Errors
/// What the database says.
pub async fn forget(uow: &mut UnitOfWork, records: &[Uuid]) -> Result<()> {
    uow.forget_values_of(records).await
}
