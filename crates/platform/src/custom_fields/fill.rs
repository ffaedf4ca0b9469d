//! Telling records that were there before a field that they have no value of it.
//!
//! The database tells each record of all fields that there are, as it comes (`store::dialect::triggers::tell_fields`); the rest is done here, the first records at
//! once and the others by a job, batch after batch. A record that somebody gives a value meanwhile has its row already, and keeps it.

use kernel::{Result, TypedId as _};
use store::jobs::{Handlers, Job, JobContext};
use store::query::{Expr, ExprTrait, Query};
use store::{Record as _, UnitOfWork};
use uuid::Uuid;

use super::holder::FieldHolders;
use super::read::column;
use super::{CustomFieldId, CustomFieldRow, FieldState, purge};

/// Records at a time. Debug builds take few, so that tests, which have little data, see the job.
pub(super) const BATCH: u64 = if cfg!(debug_assertions) { 8 } else { 2_000 };

store::job_kind! {
    /// Tells records that were there before a custom field of it, from one record on.
    pub struct FillCustomField as "fill_custom_field" on Maintenance {
        /// The field.
        field: CustomFieldId,
        /// The last record that was told.
        after: Uuid,
    }
}

/// Registers the jobs of custom fields.
pub fn handle(handlers: &mut Handlers, holders: FieldHolders) {
    handlers.on(move |context: JobContext, job: FillCustomField| fill(context, holders, job));
    handlers.on(move |context: JobContext, job: purge::PurgeCustomField| purge::run(context, holders, job));
}

/// Tells the first records of a field that was just made, and has a job tell the others.
pub(super) async fn begin(uow: &mut UnitOfWork, id: CustomFieldId, table: &'static str) -> Result<()> {
    match uow.fill_values(id.uuid(), table, None, BATCH).await? {
        Some(after) => uow.enqueue(Job::of(&FillCustomField { field: id, after })).await.map(|_| ()),
        None => be_ready(uow, id).await,
    }
}

async fn be_ready(uow: &mut UnitOfWork, id: CustomFieldId) -> Result<()> {
    let mut update = Query::update();
    update
        .table("custom_field")
        .value("state", FieldState::Ready.as_str())
        .and_where(Expr::col("id").eq(id.uuid()))
        .and_where(Expr::col("state").eq(FieldState::Preparing.as_str()));
    uow.execute(&update).await.map(|_| ())
}

/// The field; nothing where it is gone.
pub(super) async fn find(uow: &mut UnitOfWork, id: CustomFieldId) -> Result<Option<CustomFieldRow>> {
    let mut select = CustomFieldRow::select();
    select.and_where(column("id").eq(id.uuid()));
    uow.one::<CustomFieldRow>(&select).await
}

async fn fill(context: JobContext, holders: FieldHolders, FillCustomField { field, after }: FillCustomField) -> Result<()> {
    let mut after = Some(after);
    while let Some(from) = after {
        context.go_on()?;
        after = context
            .write(async |uow| match find(uow, field).await? {
                Some(row) if row.state == FieldState::Preparing => {
                    let table = holders.of(&row.record_type)?.list().table;
                    uow.fill_values(field.uuid(), table, Some(from), BATCH).await
                }
                _ => Ok(None),
            })
            .await?;
    }
    context.complete(async |uow| be_ready(uow, field).await).await
}
