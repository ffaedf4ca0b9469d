//! What somebody does with an import: start it, have it read otherwise, approve it, call it off, take it back, throw it away.

use kernel::{Actor, Caller, Error, Permission, Result, TypedId as _};
use store::jobs::Job;
use store::query::{Expr, ExprTrait, Query};
use store::{Action, Change, Json, UnitOfWork};
use uuid::Uuid;

use super::importer::{Importer, Importers};
use super::jobs::{StageImport, UndoImport, WriteImport};
use super::read::visible_to;
use super::rows::{Found, GivenReading, ImportRunId, ImportRunRow, ImportState};
use super::source::{mapping_of, reading_of};
use super::wire::{ImportPatch, ImportRun};
use crate::errors::IMPORT_STATE;
use crate::table::TableForm;

/// Under which name ids are unique where none is given.
const SOURCE: &str = "csv";

/// Where the file of an import lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSource {
    /// The storage.
    pub bucket: String,
    /// The key there.
    pub key: String,
}

/// An import that is to begin.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// The id that it is to have.
    pub id: ImportRunId,
    /// The file's name.
    pub file_name: String,
    /// The form of the file.
    pub form: TableForm,
    /// Bytes of the file.
    pub length: i64,
    /// Where it lies.
    pub stored: StoredSource,
    /// The name under which the file's ids are unique.
    pub source: Option<String>,
    /// How it is to be read.
    pub given: GivenReading,
    /// What was found at its beginning.
    pub found: Found,
}

/// Fails unless the caller may start an import.
///
/// # Errors
/// `forbidden` without `admin.import` and what the importer needs.
pub fn check_start(caller: &Caller, importer: &dyn Importer) -> Result<()> {
    caller.require(Permission::AdminImport)?;
    importer.to_write().iter().try_for_each(|permission| caller.require(*permission))
}

/// For whom a job is to work: the account, and the token that it asked through.
fn asker(caller: &Caller) -> Result<(kernel::UserId, Option<Uuid>)> {
    let token = match caller.actor {
        Actor::Token { token, .. } => Some(token),
        _ => None,
    };
    Ok((caller.user()?, token))
}

/// Begins an import, which is staged by a job.
///
/// # Errors
/// As [`check_start`].
pub async fn begin(uow: &mut UnitOfWork, importer: &dyn Importer, new: &NewImport) -> Result<ImportRun> {
    let caller = uow.caller();
    check_start(&caller, importer)?;
    let (asked_by, asked_token) = asker(&caller)?;
    let row = ImportRunRow {
        kind: importer.kind().to_owned(),
        source_name: new.file_name.clone(),
        state: ImportState::Staging,
        started_by: Some(asked_by),
        asked_by: Some(asked_by),
        asked_token,
        source: Some(new.source.clone().unwrap_or_else(|| SOURCE.to_owned())),
        storage_bucket: Some(new.stored.bucket.clone()),
        storage_key: Some(new.stored.key.clone()),
        file_type: Some(new.form),
        filesize_bytes: Some(new.length),
        reading: Some(Json(new.given.clone())),
        found: Some(Json(new.found.clone())),
        round: 1,
        ..ImportRunRow::new(new.id, uow.workspace()?, uow.now())
    };
    uow.insert(&row, Change::of(Action::Import).event("import.started")).await?;
    uow.enqueue(Job::of(&StageImport { run: row.id, round: row.round })).await?;
    Ok(row.into())
}

/// A run that the caller may see, locked, at the version that they have seen.
async fn find_locked(uow: &mut UnitOfWork, id: ImportRunId, seen: Option<i64>) -> Result<ImportRunRow> {
    let mut select = visible_to(&uow.caller())?;
    select.and_where(Expr::col(("import_run", "id")).eq(id.uuid()));
    let row = uow.locked::<ImportRunRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}

fn wrong_state(row: &ImportRunRow) -> Error {
    let detail = match (row.storage_key.is_some() || row.removed_at.is_some(), row.removed_at) {
        (false, _) => "It came over the command line, where nothing is staged.".to_owned(),
        (true, Some(_)) => "Its rows were removed.".to_owned(),
        (true, None) => format!("It is {}.", row.state.as_str()),
    };
    Error::new(&IMPORT_STATE).with_detail(detail)
}

/// Fails unless the run is in such a state, came over HTTP and still has its rows.
fn require_state(row: &ImportRunRow, is_right: bool) -> Result<()> {
    if is_right && row.storage_key.is_some() && row.removed_at.is_none() { Ok(()) } else { Err(wrong_state(row)) }
}

/// Has the file read otherwise: what was staged is staged anew.
///
/// # Errors
/// `not_found`; `stale`; `forbidden` as to start one; `import_state` once it was approved; `validation_failed` with everything that is
/// wrong. What only shows when the file is read makes the run fail.
pub async fn update(
    uow: &mut UnitOfWork,
    importers: Importers,
    id: ImportRunId,
    seen: Option<i64>,
    patch: ImportPatch,
) -> Result<ImportRun> {
    let before = find_locked(uow, id, seen).await?;
    let state = before.state;
    let is_failed = state == ImportState::Failed && before.approved_at.is_none();
    require_state(&before, is_failed || matches!(state, ImportState::Staging | ImportState::Staged))?;
    let importer = importers.get(&before.kind)?;
    let caller = uow.caller();
    check_start(&caller, importer)?;
    let old = before.reading.clone().map(|json| json.0).unwrap_or_default();
    let mut given = old.clone();
    patch.encoding.apply(&mut given.encoding);
    patch.delimiter.apply(&mut given.delimiter);
    patch.sheet.apply(&mut given.sheet);
    patch.mapping.apply(&mut given.mapping);
    let source = patch.source.or_else(|| before.source.clone());
    let is_same = given == old && source == before.source;
    if is_same && !is_failed {
        return Ok(before.into());
    }
    reading_of(&given, before.file_type.unwrap_or(TableForm::Csv))?;
    let reads_the_same = GivenReading { mapping: old.mapping.clone(), ..given.clone() } == old;
    if let Some(found) = before.found.as_ref().filter(|_| reads_the_same) {
        // what is under the same header is known already
        mapping_of(&found.0.headers, importer, &given)?;
    }
    let (asked_by, asked_token) = asker(&caller)?;
    let after = ImportRunRow {
        state: ImportState::Staging,
        asked_by: Some(asked_by),
        asked_token,
        source,
        reading: Some(Json(given)),
        round: before.round + 1,
        position: 0,
        done: 0,
        total: None,
        rows_read: 0,
        staged_new: 0,
        staged_changed: 0,
        staged_same: 0,
        staged_wrong: 0,
        failure_code: None,
        failure: None,
        staged_at: None,
        finished_at: None,
        ..before.clone()
    };
    let row = uow.update(&before, after, Change::of(Action::Import).event("import.restaged")).await?;
    uow.enqueue(Job::of(&StageImport { run: row.id, round: row.round })).await?;
    Ok(row.into())
}

/// Has what was staged written. One that failed while it was written goes on behind its last batch.
///
/// # Errors
/// `not_found`; `stale`; `forbidden` as to start one; `import_state` unless it is staged, also when it was approved already.
pub async fn approve(uow: &mut UnitOfWork, importers: Importers, id: ImportRunId, seen: Option<i64>) -> Result<ImportRun> {
    let before = find_locked(uow, id, seen).await?;
    let goes_on = before.state == ImportState::Failed && before.approved_at.is_some();
    require_state(&before, goes_on || before.state == ImportState::Staged)?;
    let caller = uow.caller();
    check_start(&caller, importers.get(&before.kind)?)?;
    let (asked_by, asked_token) = asker(&caller)?;
    let mut after = ImportRunRow {
        state: ImportState::Running,
        approved_by: Some(asked_by),
        asked_by: Some(asked_by),
        asked_token,
        approved_at: Some(uow.now()),
        failure_code: None,
        failure: None,
        finished_at: None,
        ..before.clone()
    };
    if !goes_on {
        (after.position, after.done) = (0, 0);
        after.total = Some(before.staged_new + before.staged_changed);
        (after.unchanged, after.wrong) = (before.staged_same, before.staged_wrong);
    }
    let row = uow.update(&before, after, Change::of(Action::Import).event("import.approved")).await?;
    uow.enqueue(Job::of(&WriteImport { run: row.id })).await?;
    Ok(row.into())
}

/// Calls an import off. What it has written by then stays, and can be taken back.
///
/// # Errors
/// `not_found`; `stale`; `import_state` when it has ended.
pub async fn cancel(uow: &mut UnitOfWork, id: ImportRunId, seen: Option<i64>) -> Result<ImportRun> {
    let before = find_locked(uow, id, seen).await?;
    require_state(&before, matches!(before.state, ImportState::Staging | ImportState::Staged | ImportState::Running))?;
    let after =
        ImportRunRow { state: ImportState::Cancelled, round: before.round + 1, finished_at: Some(uow.now()), ..before.clone() };
    uow.update(&before, after, Change::of(Action::Import).event("import.cancelled")).await.map(ImportRun::from)
}

/// Takes back what an import has written: records that it made are deleted for ever, fields that it changed get their former values. What
/// something newer stands on is left, and told row by row.
///
/// # Errors
/// `not_found`; `stale`; `forbidden` without what the importer needs for it; `import_state` unless it has written something and has ended.
pub async fn undo(uow: &mut UnitOfWork, importers: Importers, id: ImportRunId, seen: Option<i64>) -> Result<ImportRun> {
    let before = find_locked(uow, id, seen).await?;
    let has_ended = matches!(before.state, ImportState::Finished | ImportState::Cancelled | ImportState::Failed);
    let goes_on = before.state == ImportState::Undoing && before.failure_code.is_some();
    require_state(&before, goes_on || (has_ended && before.approved_at.is_some()))?;
    let importer = importers.get(&before.kind)?;
    let caller = uow.caller();
    importer.to_undo().iter().try_for_each(|permission| caller.require(*permission))?;
    let (asked_by, asked_token) = asker(&caller)?;
    let mut after = ImportRunRow {
        state: ImportState::Undoing,
        asked_by: Some(asked_by),
        asked_token,
        failure_code: None,
        failure: None,
        ..before.clone()
    };
    if !goes_on {
        (after.done, after.total) = (0, Some(before.created + before.changed));
    }
    let row = uow.update(&before, after, Change::of(Action::Revert).event("import.undoing")).await?;
    uow.enqueue(Job::of(&UndoImport { run: row.id })).await?;
    Ok(row.into())
}

/// Deletes a run for ever, with its rows. What it has written stays. Where its file lies comes back, so that it can be removed.
///
/// # Errors
/// `not_found`; `stale`; `import_state` while it is worked at.
pub async fn purge(uow: &mut UnitOfWork, id: ImportRunId, seen: Option<i64>) -> Result<Option<StoredSource>> {
    let before = find_locked(uow, id, seen).await?;
    let is_worked_at = before.storage_key.is_some()
        && matches!(before.state, ImportState::Staging | ImportState::Running | ImportState::Undoing);
    if is_worked_at {
        return Err(wrong_state(&before));
    }
    uow.delete(&before, Change::plain().event("import.purged")).await?;
    let stored = before.storage_bucket.zip(before.storage_key);
    Ok(stored.map(|(bucket, key)| StoredSource { bucket, key }))
}

/// Empties what rows of imports say of a record that is purged.
///
/// # Errors
/// What the database says.
pub async fn forget(uow: &mut UnitOfWork, record_id: Uuid) -> Result<()> {
    let mut update = Query::update();
    update
        .table("import_row")
        .value("cells", serde_json::json!({}))
        .value("differences", store::query::Value::Json(None))
        .and_where(Expr::col("record_id").eq(record_id));
    uow.execute(&update).await.map(|_| ())
}
