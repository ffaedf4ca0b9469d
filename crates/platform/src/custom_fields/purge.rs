//! A custom field that is taken off all records, and then is no more.
//!
//! Where a record has a value, a job does it, in few records at a time: each is changed as if somebody had cleared the value, so that its
//! history, its ETag and its words say so. A record that is merged, imported again or brought back meanwhile gets no value of a field that is
//! on its way out.

use kernel::{Error, Result, TypedId as _};
use store::jobs::{Job, JobContext};
use store::{Change, UnitOfWork};

use super::commands::find_locked;
use super::fill::{BATCH, find};
use super::holder::FieldHolders;
use super::{CustomFieldId, CustomFieldRow, FieldState};
use crate::errors::{CUSTOM_FIELD_IN_USE, CUSTOM_FIELD_NOT_ARCHIVED};
use crate::saved_views;

/// Records that are changed at a time. Debug builds take few.
const RECORDS: u64 = if cfg!(debug_assertions) { 8 } else { 100 };

store::job_kind! {
    /// Takes the values of a custom field off all records, and then deletes it.
    pub struct PurgeCustomField as "purge_custom_field" on Maintenance {
        /// The field.
        field: CustomFieldId,
    }
}

/// Deletes an archived field for ever, with all its values, and takes it out of the views that somebody keeps for themselves: at once where no record has one and there are few records, otherwise by a job.
/// Meanwhile it can no longer be asked for, and its key can be taken again when that is through.
///
/// # Errors
/// `forbidden` without `admin.manage_custom_fields`; `not_found`; `stale`; `custom_field_not_archived`; `custom_field_in_use` while a view that
/// the workspace or a team shares asks for it.
pub async fn purge(uow: &mut UnitOfWork, holders: FieldHolders, id: CustomFieldId, seen: Option<i64>) -> Result<()> {
    let row = find_locked(uow, id, seen).await?;
    if row.archived_at.is_none() {
        return Err(Error::new(&CUSTOM_FIELD_NOT_ARCHIVED).with_detail("Archive it first."));
    }
    let list = holders.of(&row.record_type)?.list().name;
    let views = saved_views::shared_that(uow, list, |query| query.names_custom(&row.key)).await?;
    if !views.is_empty() {
        let detail = format!("Views that are shared ask for it: {}.", views.join(", "));
        return Err(Error::new(&CUSTOM_FIELD_IN_USE).with_detail(detail));
    }
    saved_views::keep_asking(uow, list, |query| query.without_custom(&row.key)).await?;
    let has_values = !uow.records_with_values(id.uuid(), 1).await?.is_empty();
    if !has_values && uow.forget_no_values(id.uuid(), BATCH).await? < BATCH {
        return uow.delete(&row, Change::plain()).await;
    }
    let going = CustomFieldRow { state: FieldState::Purging, ..row.clone() };
    uow.update(&row, going, Change::plain()).await?;
    uow.enqueue(Job::of(&PurgeCustomField { field: id })).await.map(|_| ())
}

/// Takes it off the next records; whether that was all of them.
async fn take_off(uow: &mut UnitOfWork, holders: FieldHolders, row: &CustomFieldRow) -> Result<bool> {
    let records = uow.records_with_values(row.id.uuid(), RECORDS).await?;
    if records.is_empty() {
        return Ok(uow.forget_no_values(row.id.uuid(), BATCH).await? < BATCH);
    }
    holders.of(&row.record_type)?.take_off(uow, &row.key, &records).await?;
    uow.forget_values(row.id.uuid(), &records).await?;
    Ok(false)
}

pub(super) async fn run(context: JobContext, holders: FieldHolders, PurgeCustomField { field }: PurgeCustomField) -> Result<()> {
    loop {
        context.go_on()?;
        let is_over = context
            .write(async |uow| match find(uow, field).await? {
                Some(row) => take_off(uow, holders, &row).await,
                None => Ok(true),
            })
            .await?;
        if is_over {
            break;
        }
    }
    context
        .complete(async |uow| match find(uow, field).await? {
            Some(row) => uow.delete(&row, Change::plain()).await,
            None => Ok(()),
        })
        .await
}
