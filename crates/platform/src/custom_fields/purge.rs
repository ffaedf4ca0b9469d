//! A custom field that is taken off all records, and then is no more.

use kernel::{Error, Result, TypedId as _};
use store::jobs::{Job, JobContext};
use store::{Change, UnitOfWork};

use super::commands::find_locked;
use super::fill::{BATCH, find};
use super::{CustomFieldId, CustomFieldRow, FieldState};
use crate::errors::{CUSTOM_FIELD_IN_USE, CUSTOM_FIELD_NOT_ARCHIVED};
use crate::saved_views::{self, Viewables};

store::job_kind! {
    /// Takes the values of a custom field off all records, and then deletes it.
    pub struct PurgeCustomField as "purge_custom_field" on Maintenance {
        /// The field.
        field: CustomFieldId,
    }
}

/// Deletes an archived field for ever, with all its values: a few at once, and of many the rest by a job, while nobody sees the field any more.
/// Its key can be taken again when that is through.
///
/// # Errors
/// `forbidden` without `admin.manage_custom_fields`; `not_found`; `stale`; `custom_field_not_archived`; `custom_field_in_use` while a view that
/// the workspace shares asks for it.
pub async fn purge(uow: &mut UnitOfWork, lists: Viewables, id: CustomFieldId, seen: Option<i64>) -> Result<()> {
    let row = find_locked(uow, id, seen).await?;
    if row.archived_at.is_none() {
        return Err(Error::new(&CUSTOM_FIELD_NOT_ARCHIVED).with_detail("Archive it first."));
    }
    let Some(holder) = lists.with_custom_fields().find(|holder| holder.list.table == row.record_type) else {
        return Err(Error::internal("a custom field of no record type"));
    };
    let caller = uow.caller();
    let views = saved_views::shared_that_name(uow, &caller, holder.list.name, &row.key).await?;
    if !views.is_empty() {
        let detail = format!("Views that the workspace shares ask for it: {}.", views.join(", "));
        return Err(Error::new(&CUSTOM_FIELD_IN_USE).with_detail(detail));
    }
    if take_off(uow, &row, holder.list.table).await? {
        return uow.delete(&row, Change::plain()).await;
    }
    let going = CustomFieldRow { state: FieldState::Purging, ..row.clone() };
    uow.update(&row, going, Change::plain()).await?;
    uow.enqueue(Job::of(&PurgeCustomField { field: id })).await.map(|_| ())
}

/// Takes it off the next records; whether that was all of them.
async fn take_off(uow: &mut UnitOfWork, row: &CustomFieldRow, table: &'static str) -> Result<bool> {
    let with_a_value = uow.take_values_off(row.id.uuid(), table, &row.key, BATCH).await?;
    if with_a_value == BATCH {
        return Ok(false);
    }
    Ok(uow.forget_no_values(row.id.uuid(), BATCH).await? < BATCH)
}

pub(super) async fn run(context: JobContext, lists: Viewables, PurgeCustomField { field }: PurgeCustomField) -> Result<()> {
    loop {
        context.go_on()?;
        let is_over = context
            .write(async |uow| match find(uow, lists, field).await? {
                Some((row, table)) => take_off(uow, &row, table).await,
                None => Ok(true),
            })
            .await?;
        if is_over {
            break;
        }
    }
    context
        .complete(async |uow| match find(uow, lists, field).await? {
            Some((row, _)) => uow.delete(&row, Change::plain()).await,
            None => Ok(()),
        })
        .await
}
