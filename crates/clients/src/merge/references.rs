//! Custom fields of other records that name a client: a merge lets them name the one that stayed, and its undo the other again.

use std::collections::BTreeMap;

use kernel::{Result, TypedId as _};
use platform::custom_fields::{FieldTarget, Fields};
use store::{Change, UnitOfWork};
use uuid::Uuid;

use crate::attachable::{CLIENT, CONTACT};
use crate::custom::{self, Values};
use crate::rows::{ClientId, ClientRow, ContactRow};
use crate::{clients, contacts};

/// The keys that named a client, by the records that have them, by their type.
pub(crate) type Named = BTreeMap<String, BTreeMap<Uuid, Vec<String>>>;

/// Lets every value that names one client name another, but for those of the two themselves.
pub(super) async fn move_all(uow: &mut UnitOfWork, from: ClientId, to: ClientId) -> Result<Named> {
    let mut moved = Named::new();
    for record_type in [CLIENT, CONTACT] {
        let fields = Fields::held(uow, record_type).await?;
        let naming: BTreeMap<Uuid, String> = fields.naming(FieldTarget::Client).collect();
        if naming.is_empty() {
            continue;
        }
        let ids: Vec<Uuid> = naming.keys().copied().collect();
        let mut records: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
        for (record, field) in uow.records_that_name(&ids, from.uuid()).await? {
            if record != from.uuid() && record != to.uuid() {
                records.entry(record).or_default().extend(naming.get(&field).cloned());
            }
        }
        rename(uow, record_type, &records, from, to).await?;
        moved.insert(record_type.to_owned(), records);
    }
    Ok(moved)
}

/// Lets them name the client again that they named before.
pub(super) async fn move_back(uow: &mut UnitOfWork, moved: &Named, from: ClientId, to: ClientId) -> Result<()> {
    for record_type in [CLIENT, CONTACT] {
        if let Some(records) = moved.get(record_type) {
            rename(uow, record_type, records, from, to).await?;
        }
    }
    Ok(())
}

async fn rename(
    uow: &mut UnitOfWork,
    record_type: &'static str,
    records: &BTreeMap<Uuid, Vec<String>>,
    from: ClientId,
    to: ClientId,
) -> Result<()> {
    let ids: Vec<Uuid> = records.keys().copied().collect();
    let (before_id, after_id) = (from.to_string(), to.to_string());
    let renamed = |id: Uuid, before: &Values| {
        let mut after = before.clone();
        for key in records.get(&id).into_iter().flatten() {
            if let Some(value) = after.get_mut(key).filter(|value| value.as_str() == Some(before_id.as_str())) {
                *value = after_id.as_str().into();
            }
        }
        after
    };
    let change = || Change::plain().event("client.records_moved").about(CLIENT, to);
    if record_type == CLIENT {
        for before in clients::lock_all(uow, &ids).await? {
            let values = renamed(before.id.uuid(), &before.custom_fields.0);
            let after = ClientRow { custom_fields: store::Json(values), ..before.clone() };
            let after = uow.update(&before, after, change()).await?;
            custom::settle(uow, CLIENT, before.id.uuid(), &before.custom_fields.0, &after.custom_fields.0).await?;
        }
        return Ok(());
    }
    for before in contacts::lock_all(uow, &ids).await? {
        let values = renamed(before.id.uuid(), &before.custom_fields.0);
        let after = ContactRow { custom_fields: store::Json(values), ..before.clone() };
        let after = uow.update(&before, after, change()).await?;
        custom::settle(uow, CONTACT, before.id.uuid(), &before.custom_fields.0, &after.custom_fields.0).await?;
    }
    Ok(())
}
