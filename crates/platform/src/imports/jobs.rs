//! The jobs of imports. Each goes batch by batch: what a batch does, and that it is done, commit together, so that whoever takes the job
//! over goes on behind it.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use auth::Auth;
use kernel::{Caller, Cause, Error, Kind, Result, TypedId as _};
use serde_json::{Map, Value};
use store::jobs::{Handlers, JobContext};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Action, Change, Field as _, Json, Record as _, UnitOfWork};

use super::importer::{Columns, Importer, Importers, StagedRow, UndoneRow};
use super::rows::{ImportRowRow, ImportRunId, ImportRunRow, ImportState, RowException, RowOutcome};
use super::{ImportIssue, note_issues};
use crate::csv_source::{Cells, Name};

/// Rows in one transaction: long enough to be fast (with 500 an import of clients takes a tenth less), short enough to let others write and
/// to need little memory (with 500 it takes 40 MB more). As many as go into one statement on PostgreSQL, so that it is planned once.
const BATCH: u64 = 150;
/// How often a step is tried again that found the database or the storage away.
const PATIENCE: u32 = 6;
/// How many things that are wrong stand in the list of issues; the report has all.
pub(super) const MOST_NOTED: i64 = 1000;

store::job_kind! {
    /// Reads the file of an import and stages its rows. A later round of the same run makes it stop.
    pub struct StageImport as "stage_import" on Import {
        /// The run.
        run: ImportRunId,
        /// Which time it is staged.
        round: i64,
    }
}
store::job_kind! {
    /// Writes what was staged and approved.
    pub struct WriteImport as "write_import" on Import {
        /// The run.
        run: ImportRunId,
    }
}
store::job_kind! {
    /// Takes back what an import has written.
    pub struct UndoImport as "undo_import" on Import {
        /// The run.
        run: ImportRunId,
    }
}

/// Registers the jobs that need no file.
pub fn handle(handlers: &mut Handlers, auth: &Auth, importers: Importers) {
    let of_writing = auth.clone();
    handlers.on(move |context: JobContext, WriteImport { run }| {
        let auth = of_writing.clone();
        async move {
            let done = super::write::write(&context, &auth, importers, run).await;
            settle(&context, run, ImportState::Running, done).await
        }
    });
    let of_undoing = auth.clone();
    handlers.on(move |context: JobContext, UndoImport { run }| {
        let auth = of_undoing.clone();
        async move {
            let done = undo(&context, &auth, importers, run).await;
            settle(&context, run, ImportState::Undoing, done).await
        }
    });
}

/// A run, as it is now.
pub(super) async fn read_run(context: &JobContext, run: ImportRunId) -> Result<Option<ImportRunRow>> {
    let mut reader = context.store().reader(context.caller()).await?;
    let row = super::find(&mut reader, run).await?;
    reader.close().await?;
    Ok(row)
}

/// A run, locked, where it is still in this state.
pub(super) async fn locked_in(uow: &mut UnitOfWork, run: ImportRunId, state: ImportState) -> Result<Option<ImportRunRow>> {
    let mut select = ImportRunRow::select();
    select.and_where(Expr::col(("import_run", "id")).eq(run.uuid()));
    Ok(uow.locked::<ImportRunRow>(select).await?.filter(|row| row.state == state))
}

/// Who asked for what the job does, with what they may do by now.
pub(super) async fn asker(auth: &Auth, row: &ImportRunRow) -> Result<Arc<Caller>> {
    let user = row.asked_by.ok_or_else(|| Error::internal("nobody asked for an import"))?;
    let caller = auth.caller_later(user, row.asked_token, row.workspace_id, Cause::Import(row.id.uuid())).await?;
    Ok(Arc::new(caller))
}

/// Tries a step again where something is away that will come back.
pub(super) async fn patiently<T>(context: &JobContext, mut step: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let mut pause = Duration::from_millis(250);
    for _ in 0..PATIENCE {
        match step().await {
            Err(error) if error.kind() == Kind::Unavailable => {
                tracing::info!(%error, "an import waits");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = context.stopped() => {}
                }
                context.go_on()?;
                pause *= 2;
            }
            other => return other,
        }
    }
    step().await
}

/// Whether a failure is about what a row says, so that the others may go in.
pub fn concerns_a_row(error: &Error) -> bool {
    matches!(error.kind(), Kind::Invalid | Kind::Conflict | Kind::NotFound) && !is_of_the_job(error)
}

fn is_of_the_job(error: &Error) -> bool {
    [&store::jobs::errors::JOB_STOPPED, &store::jobs::errors::JOB_GIVEN_UP].into_iter().any(|code| error.code() == code)
}

/// Writes down why a run could not go on. What is no fault of ours ends the job, too: it is done with.
pub(super) async fn settle(context: &JobContext, run: ImportRunId, state: ImportState, done: Result<()>) -> Result<()> {
    let Err(error) = done else { return Ok(()) };
    if is_of_the_job(&error) {
        return Err(error);
    }
    let (code, reason) = match error.fields() {
        [] => (error.code().code.to_owned(), error.detail().unwrap_or(error.code().title).to_owned()),
        fields => (
            fields.first().map(|field| field.code.to_string()).unwrap_or_default(),
            fields.iter().map(|field| field.message.as_str()).collect::<Vec<_>>().join(" "),
        ),
    };
    let written = patiently(context, async || {
        context
            .write(async |uow| match locked_in(uow, run, state).await? {
                Some(before) => fail(uow, &before, &code, &reason).await,
                None => Ok(()),
            })
            .await
    });
    written.await?;
    match error.kind() {
        Kind::Internal | Kind::Unavailable | Kind::StorageFull => Err(error),
        _ => Ok(()),
    }
}

/// Writes down that a run could not go on.
pub(super) async fn fail(uow: &mut UnitOfWork, before: &ImportRunRow, code: &str, reason: &str) -> Result<()> {
    let failed = ImportRunRow {
        // what was being taken back can be gone on with
        state: if before.state == ImportState::Undoing { before.state } else { ImportState::Failed },
        failure_code: Some(code.to_owned()),
        failure: Some(reason.to_owned()),
        finished_at: Some(uow.now()),
        ..before.clone()
    };
    uow.update(before, failed, Change::of(Action::Import).event("import.failed")).await.map(|_| ())
}

/// Rows of a run on one side of a place, that were to do something and of which nothing else came.
pub(super) async fn rows_from(context: &JobContext, run: ImportRunId, columns: Columns, place: Place) -> Result<Vec<StagedRow>> {
    let mut reader = context.store().reader(context.caller()).await?;
    let mut rows = Vec::new();
    // one outcome at a time, which its index has in the order of the lines: for both together all that are left would be sorted each time
    for outcome in [RowOutcome::New, RowOutcome::Changed] {
        rows.extend(reader.all::<ImportRowRow>(&of_outcome(run, outcome, place)).await?);
    }
    reader.close().await?;
    match place {
        Place::Behind(_) => rows.sort_by_key(|row| row.line),
        Place::UpTo(_) => rows.sort_by_key(|row| Reverse(row.line)),
    }
    rows.truncate(usize::try_from(BATCH).unwrap_or(usize::MAX));
    Ok(rows.into_iter().map(|row| staged(row, columns)).collect())
}

/// The first of those rows that have this outcome.
fn of_outcome(run: ImportRunId, outcome: RowOutcome, place: Place) -> SelectStatement {
    let line = Expr::col(("import_row", "line"));
    let mut select = ImportRowRow::select();
    select
        .and_where(Expr::col(("import_row", "import_run_id")).eq(run.uuid()))
        .and_where(Expr::col(("import_row", "outcome")).eq(outcome.as_str()));
    match place {
        Place::Behind(after) => select.and_where(line.gt(after)).order_by(("import_row", "line"), Order::Asc),
        Place::UpTo(last) => select
            .and_where(line.lte(last))
            .and_where(Expr::col(("import_row", "exception")).is_null())
            .order_by(("import_row", "line"), Order::Desc),
    };
    select.limit(BATCH);
    select
}

#[derive(Clone, Copy)]
pub(super) enum Place {
    Behind(i64),
    UpTo(i64),
}

fn staged(row: ImportRowRow, columns: Columns) -> StagedRow {
    let Json(mut said) = row.cells;
    let text = |value| if let Value::String(text) = value { Some(text) } else { None };
    let fixed = columns.fixed.iter().filter_map(|(name, _)| Some((Name::Borrowed(*name), text(said.remove(*name)?)?)));
    let mut values: Vec<(Name, String)> = fixed.collect();
    // what is left are custom fields, as the file named them
    values.extend(said.into_iter().filter_map(|(name, value)| Some((Name::Owned(name), text(value)?))));
    let line = u64::try_from(row.line).unwrap_or_default();
    StagedRow {
        line,
        outcome: row.outcome,
        record_id: row.record_id,
        further: row.further.map(|json| json.0).unwrap_or_default(),
        cells: Cells { line, values },
        differences: row.differences.map(|json| json.0).unwrap_or_default(),
    }
}

pub(super) fn line_of(line: u64) -> i64 {
    i64::try_from(line).unwrap_or(i64::MAX)
}

/// A failure as what is wrong with a row.
pub fn refusal(line: u64, error: &Error) -> ImportIssue {
    let reason = match error.fields() {
        [] => error.detail().unwrap_or(error.code().title).to_owned(),
        fields => fields.iter().map(|field| field.message.as_str()).collect::<Vec<_>>().join("; "),
    };
    let column = error.fields().first().and_then(|field| field.pointer.rsplit('/').next()).map(str::to_owned);
    ImportIssue { line, column, code: error.code().code.to_owned(), reason }
}

/// Writes down what is wrong, as long as the list is short enough to be read.
pub(super) async fn note_some(uow: &mut UnitOfWork, run: ImportRunId, mut issues: Vec<ImportIssue>) -> Result<()> {
    if issues.is_empty() {
        return Ok(());
    }
    let mut count = Query::select();
    count.expr(Expr::col("id").count()).from("import_issue").and_where(Expr::col("import_run_id").eq(run.uuid()));
    let there: i64 = uow.row(&count).await?.map(|row| row.get(0)).transpose()?.unwrap_or(0);
    issues.truncate(usize::try_from(MOST_NOTED - there).unwrap_or(0));
    note_issues(uow, run, &issues).await
}

/// Writes down what came of one row instead of what was staged.
pub(super) async fn except(
    uow: &mut UnitOfWork,
    run: ImportRunId,
    line: u64,
    exception: RowException,
    issues: &[ImportIssue],
    differences: Option<&Map<String, Value>>,
) -> Result<()> {
    let mut update = Query::update();
    update
        .table("import_row")
        .value("exception", exception.value())
        .value("issues", Json(issues.to_vec()).value())
        .and_where(Expr::col("import_run_id").eq(run.uuid()))
        .and_where(Expr::col("line").eq(line_of(line)));
    if let Some(differences) = differences {
        update.value("differences", Json(differences.clone()).value());
    }
    uow.execute(&update).await.map(|_| ())
}

/// Ends a run. What is told of it from here on, people and programs hear from the journal.
pub(super) async fn finish(uow: &mut UnitOfWork, before: &ImportRunRow, state: ImportState, event: &'static str) -> Result<()> {
    let now = uow.now();
    let is_undone = state == ImportState::Undone;
    let after = ImportRunRow {
        state,
        finished_at: if is_undone { before.finished_at } else { Some(now) },
        undone_at: is_undone.then_some(now),
        ..before.clone()
    };
    let change = Change::of(if is_undone { Action::Revert } else { Action::Import }).event(event);
    let change = [
        ("created", before.created),
        ("changed", before.changed),
        ("wrong", before.wrong),
        ("changed_meanwhile", before.changed_meanwhile),
        ("undone", before.undone),
        ("kept", before.kept),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .fold(change, |change, (name, count)| change.detail(name, count));
    uow.update(before, after, change).await.map(|_| ())
}

async fn undo(context: &JobContext, auth: &Auth, importers: Importers, run: ImportRunId) -> Result<()> {
    let Some(row) = read_run(context, run).await?.filter(|row| row.state == ImportState::Undoing) else { return Ok(()) };
    let importer: &dyn Importer = importers.get(&row.kind)?;
    let caller = asker(auth, &row).await?;
    importer.to_undo().iter().try_for_each(|permission| caller.require(*permission))?;
    let (mut last, mut done) = (row.position, row.done);
    loop {
        context.go_on()?;
        let rows = patiently(context, async || rows_from(context, run, importer.columns(), Place::UpTo(last)).await).await?;
        let Some(first) = rows.last() else { break };
        last = line_of(first.line) - 1;
        let goes_on = patiently(context, async || {
            context
                .write_as(&caller, async |uow| {
                    if locked_in(uow, run, ImportState::Undoing).await?.is_none() {
                        return Ok(false);
                    }
                    let undone = importer.undo(uow, run, &rows).await?;
                    note_undone(uow, run, last, &undone).await.map(|()| true)
                })
                .await
        })
        .await?;
        if !goes_on {
            return Ok(());
        }
        done += i64::try_from(rows.len()).unwrap_or_default();
        context.progress(done, row.total).await?;
    }
    patiently(context, async || {
        context
            .complete(async |uow| match locked_in(uow, run, ImportState::Undoing).await? {
                Some(before) => finish(uow, &before, ImportState::Undone, "import.undone").await,
                None => Ok(()),
            })
            .await
    })
    .await
}

async fn note_undone(uow: &mut UnitOfWork, run: ImportRunId, last: i64, undone: &[UndoneRow]) -> Result<()> {
    let mut kept = 0;
    for row in undone {
        if let Some(issue) = &row.kept {
            kept += 1;
            except(uow, run, row.line, RowException::Kept, std::slice::from_ref(issue), None).await?;
        }
    }
    let all = i64::try_from(undone.len()).unwrap_or_default();
    let add = |column: &'static str, by: i64| Expr::col(column).add(by);
    let mut update = Query::update();
    update
        .table("import_run")
        .value("position", last)
        .value("done", add("done", all))
        .value("undone", add("undone", all - kept))
        .value("kept", add("kept", kept))
        .and_where(Expr::col("id").eq(run.uuid()));
    uow.execute(&update).await.map(|_| ())
}
