//! Staging: the file is read row by row, each is planned, and what it would do is written down. Whoever takes the job over starts over:
//! staging has no effect outside of its own rows.

use std::fs::File;
use std::path::PathBuf;

use auth::Auth;
use chrono::Duration;
use kernel::{DateTime, Error, Result, TypedId as _, WorkspaceId};
use serde_json::Value;
use store::jobs::JobContext;
use store::query::{Expr, ExprTrait, Order, Query};
use store::{Action, Change, Field as _, Json, Record as _, UnitOfWork};
use tokio::sync::mpsc;

use super::importer::{Importer, Importers, PlannedRow, ReadCells};
use super::jobs::{asker, locked_in, note_some, patiently, read_run, settle};
use super::rows::{Found, ImportRowRow, ImportRunId, ImportRunRow, ImportState, RowOutcome};
use super::source::{found_of, reading_of, show};
use super::{ImportIssue, StoredSource};
use crate::csv_source::Mapping;
use crate::table::{self, Head, ReadRow, Sink, TableForm};

/// Rows that are read and staged together, and bytes of their text.
const BATCH_ROWS: usize = 150;
const BATCH_BYTES: usize = 1024 * 1024;
/// Batches that are read ahead.
const AHEAD: usize = 1;
/// Rows of a file at most.
const MOST_ROWS: usize = 500_000;
/// Letters that are kept of a value of a row that is wrong.
const KEPT_LETTERS: usize = 300;
/// How long the file and the rows of an import are kept.
const KEPT: Duration = Duration::days(30);
/// Rows that are removed in one transaction.
const REMOVED: u64 = 5000;

/// What is read of a file.
pub enum Batch {
    /// Its beginning.
    Found(Box<Found>),
    /// Its next rows.
    Rows(Vec<ReadCells>),
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Batch")
    }
}

/// Where the file of a run lies that is to be staged; none where it no longer is.
///
/// # Errors
/// What the database says.
pub async fn to_stage(context: &JobContext, run: ImportRunId, round: i64) -> Result<Option<StoredSource>> {
    let row = read_run(context, run).await?.filter(|row| row.state == ImportState::Staging && row.round == round);
    Ok(row.and_then(|row| row.storage_bucket.zip(row.storage_key)).map(|(bucket, key)| StoredSource { bucket, key }))
}

struct Sending<'a> {
    importer: &'a dyn Importer,
    row: &'a ImportRunRow,
    batches: mpsc::Sender<Batch>,
    found: Option<Box<Found>>,
    mapping: Mapping,
    rows: Vec<ReadCells>,
    bytes: usize,
}

impl Sending<'_> {
    fn flush(&mut self) -> bool {
        if let Some(found) = self.found.take()
            && self.batches.blocking_send(Batch::Found(found)).is_err()
        {
            return false;
        }
        self.bytes = 0;
        self.batches.blocking_send(Batch::Rows(std::mem::take(&mut self.rows))).is_ok()
    }
}

impl Sink for Sending<'_> {
    fn head(&mut self, head: Head) -> Result<bool> {
        let given = self.row.reading.clone().map(|json| json.0).unwrap_or_default();
        let (found, mapping) = found_of(head, self.importer, &given)?;
        (self.found, self.mapping) = (Some(Box::new(found)), mapping);
        Ok(true)
    }

    fn row(&mut self, row: ReadRow) -> Result<bool> {
        if let Some(found) = &mut self.found {
            show(found, &row);
        }
        let cells = row.map(|row| self.mapping.cells(row));
        self.bytes += cells.as_ref().map_or(0, |cells| cells.values.iter().map(|(_, value)| value.len()).sum());
        self.rows.push(cells);
        Ok(if self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES { self.flush() } else { true })
    }
}

/// Reads the rows of a file into a channel. It takes its time.
fn rows_of_file(file: File, importer: &dyn Importer, row: &ImportRunRow, batches: mpsc::Sender<Batch>) -> Result<()> {
    let form = row.file_type.unwrap_or(TableForm::Csv);
    let given = row.reading.clone().map(|json| json.0).unwrap_or_default();
    let reading = reading_of(&given, form)?;
    let mut sending = Sending { importer, row, batches, found: None, mapping: Mapping::default(), rows: Vec::new(), bytes: 0 };
    table::read(file, form, &reading, &mut sending)?;
    sending.flush();
    Ok(())
}

/// The file of a run, as whoever knows of storages has fetched it.
#[derive(Debug)]
pub struct Fetched {
    /// The file.
    pub file: File,
    /// A folder of our own disk for what the file is too long to be remembered of.
    pub scratch: PathBuf,
}

/// Stages a run from its file, which whoever knows of storages has fetched, and settles what comes of it.
///
/// # Errors
/// `job_stopped`, and what is our own fault.
pub async fn stage(
    context: &JobContext,
    auth: &Auth,
    importers: Importers,
    run: ImportRunId,
    round: i64,
    fetched: Result<Fetched>,
) -> Result<()> {
    let staged = match fetched {
        Ok(fetched) => stage_file(context, auth, importers, run, round, fetched).await,
        Err(error) => Err(error),
    };
    settle(context, run, ImportState::Staging, staged).await
}

async fn stage_file(
    context: &JobContext,
    auth: &Auth,
    importers: Importers,
    run: ImportRunId,
    round: i64,
    Fetched { file, scratch }: Fetched,
) -> Result<()> {
    let is_it = |row: &ImportRunRow| row.state == ImportState::Staging && row.round == round;
    let Some(row) = read_run(context, run).await?.filter(is_it) else { return Ok(()) };
    let importer = importers.get(&row.kind)?;
    let caller = asker(auth, &row).await?;
    super::check_start(&caller, importer)?;
    if !begin_anew(context, run, round).await? {
        return Ok(());
    }
    let mut reader = context.store().reader(&caller).await?;
    let (source, runtime) = (row.source.as_deref().unwrap_or_default(), context.store().runtime());
    let mut planner = importer.planner(&mut reader, &caller, source, runtime, &scratch).await?;
    reader.close().await?;
    let (sender, mut batches) = mpsc::channel(AHEAD);
    let reading = tokio::task::spawn_blocking(move || rows_of_file(file, importer, &row, sender));
    let mut read = 0;
    let mut plan = async || {
        while let Some(batch) = batches.recv().await {
            context.go_on()?;
            let rows = match batch {
                Batch::Found(found) if note_found(context, run, round, &found).await? => continue,
                Batch::Found(_) => return Ok(Planned::NotWanted),
                Batch::Rows(rows) => rows,
            };
            read += rows.len();
            if read > MOST_ROWS {
                let reason = format!("The file has more than {MOST_ROWS} rows; import it in parts.");
                return Err(Error::invalid_field("/file", "too_many_rows", reason));
            }
            if !rows.is_empty() {
                let mut reader = context.store().reader(&caller).await?;
                let planned = planner.plan(&mut reader, &caller, rows).await?;
                reader.close().await?;
                return Ok(Planned::Rows(planned));
            }
        }
        Ok(Planned::Over)
    };
    let (mut kept, mut planned) = (0, plan().await?);
    while let Planned::Rows(rows) = planned {
        let keeping = patiently(context, async || {
            context
                .write(async |uow| {
                    if locked_in(uow, run, ImportState::Staging).await?.is_none_or(|row| row.round != round) {
                        return Ok(false);
                    }
                    keep(uow, run, &rows).await.map(|()| true)
                })
                .await
        });
        // the next rows are planned meanwhile
        let (goes_on, next) = tokio::join!(keeping, plan());
        if !goes_on? {
            return Ok(());
        }
        kept += i64::try_from(rows.len()).unwrap_or(i64::MAX);
        context.progress(kept, None).await?;
        planned = next?;
    }
    if matches!(planned, Planned::NotWanted) {
        return Ok(());
    }
    reading.await.map_err(Error::internal)??;
    patiently(context, async || context.complete(async |uow| finish(uow, run, round).await).await).await
}

/// The next rows of a file.
enum Planned {
    Rows(Vec<PlannedRow>),
    Over,
    /// The run was called off meanwhile, or is staged anew.
    NotWanted,
}

/// Removes what an earlier round staged, or an earlier attempt of this one.
async fn begin_anew(context: &JobContext, run: ImportRunId, round: i64) -> Result<bool> {
    loop {
        let done = patiently(context, async || {
            context
                .write(async |uow| {
                    if locked_in(uow, run, ImportState::Staging).await?.is_none_or(|row| row.round != round) {
                        return Ok(None);
                    }
                    remove_rows(uow, run).await.map(Some)
                })
                .await
        })
        .await?;
        match done {
            None => return Ok(false),
            Some(true) => break,
            Some(false) => context.go_on()?,
        }
    }
    context
        .write(async |uow| {
            let mut delete = Query::delete();
            delete.from_table("import_issue").and_where(Expr::col("import_run_id").eq(run.uuid()));
            uow.execute(&delete).await?;
            let mut update = Query::update();
            update
                .table("import_run")
                .values(
                    ["rows_read", "done", "position", "staged_new", "staged_changed", "staged_same", "staged_wrong"]
                        .map(|column| (column, Expr::value(0))),
                )
                .and_where(Expr::col("id").eq(run.uuid()));
            uow.execute(&update).await
        })
        .await?;
    Ok(true)
}

/// Removes some of a run's rows; whether that was all.
async fn remove_rows(uow: &mut UnitOfWork, run: ImportRunId) -> Result<bool> {
    let of_run = || Expr::col("import_run_id").eq(run.uuid());
    let mut last = Query::select();
    last.column("line").from("import_row").and_where(of_run()).order_by("line", Order::Asc).limit(1).offset(REMOVED - 1);
    let last: Option<i64> = uow.row(&last).await?.map(|row| row.get(0)).transpose()?;
    let mut delete = Query::delete();
    delete.from_table("import_row").and_where(of_run());
    if let Some(last) = last {
        delete.and_where(Expr::col("line").lte(last));
    }
    uow.execute(&delete).await?;
    Ok(last.is_none())
}

async fn note_found(context: &JobContext, run: ImportRunId, round: i64, found: &Found) -> Result<bool> {
    context
        .write(async |uow| {
            if locked_in(uow, run, ImportState::Staging).await?.is_none_or(|row| row.round != round) {
                return Ok(false);
            }
            let mut update = Query::update();
            update.table("import_run").value("found", Json(found.clone()).value()).and_where(Expr::col("id").eq(run.uuid()));
            uow.execute(&update).await?;
            let unknown = found.unknown.iter().map(|header| super::unknown_column(header));
            let repeated = found.repeated.iter().map(|header| super::repeated_column(header));
            note_some(uow, run, unknown.chain(repeated).collect()).await.map(|()| true)
        })
        .await
}

/// Writes planned rows down.
async fn keep(uow: &mut UnitOfWork, run: ImportRunId, planned: &[PlannedRow]) -> Result<()> {
    let (workspace, now) = (uow.workspace()?, uow.now());
    let mut issues: Vec<ImportIssue> = Vec::new();
    let mut rows = Vec::with_capacity(planned.len());
    for row in planned {
        issues.extend(row.issues.iter().cloned());
        let mut cells = row.cells.clone();
        if row.outcome == RowOutcome::Wrong {
            // a value may be wrong for being too long
            for value in cells.values_mut() {
                if let Value::String(text) = value
                    && let Some((end, _)) = text.char_indices().nth(KEPT_LETTERS)
                {
                    text.truncate(end);
                }
            }
        }
        rows.push(ImportRowRow {
            id: uow.id(),
            workspace_id: workspace,
            import_run_id: run,
            line: i64::try_from(row.line).unwrap_or(i64::MAX),
            outcome: row.outcome,
            exception: None,
            record_id: row.record_id,
            further: (!row.further.is_empty()).then(|| Json(row.further.clone())),
            further_id: row.further.values().next().copied(),
            cells: Json(cells),
            differences: (!row.differences.is_empty()).then(|| Json(row.differences.clone())),
            issues: (!row.issues.is_empty()).then(|| Json(row.issues.clone())),
            version: 1,
            created_at: now,
            updated_at: now,
        });
    }
    uow.insert_quietly(&rows).await?;
    note_some(uow, run, issues).await?;
    let count = |outcome| i64::try_from(planned.iter().filter(|row| row.outcome == outcome).count()).unwrap_or_default();
    let all = i64::try_from(planned.len()).unwrap_or_default();
    let add = |column: &'static str, by: i64| (column, Expr::col(column).add(by));
    let mut update = Query::update();
    update
        .table("import_run")
        .values([
            add("rows_read", all),
            add("done", all),
            add("staged_new", count(RowOutcome::New)),
            add("staged_changed", count(RowOutcome::Changed)),
            add("staged_same", count(RowOutcome::Same)),
            add("staged_wrong", count(RowOutcome::Wrong)),
        ])
        .and_where(Expr::col("id").eq(run.uuid()));
    uow.execute(&update).await.map(|_| ())
}

async fn finish(uow: &mut UnitOfWork, run: ImportRunId, round: i64) -> Result<()> {
    let Some(before) = locked_in(uow, run, ImportState::Staging).await?.filter(|row| row.round == round) else { return Ok(()) };
    let after =
        ImportRunRow { state: ImportState::Staged, staged_at: Some(uow.now()), total: Some(before.done), ..before.clone() };
    uow.update(&before, after, Change::of(Action::Import).event("import.staged")).await.map(|_| ())
}

/// Removes the rows of runs that began 30 days ago or earlier and are not worked at, and says where their files lie, so that
/// they are removed in the same transaction.
///
/// # Errors
/// `job_stopped`, and what the database says.
pub async fn clear_old(
    context: &JobContext,
    remove: impl AsyncFn(&mut UnitOfWork, ImportRunId, StoredSource) -> Result<()>,
) -> Result<()> {
    let before: DateTime = context.store().runtime().now() - KEPT;
    loop {
        context.go_on()?;
        let is_done = context
            .write(async |uow| {
                let Some(row) = next_old(uow, before).await? else { return Ok(true) };
                if remove_rows(uow, row.id).await? {
                    if let Some((bucket, key)) = row.storage_bucket.clone().zip(row.storage_key.clone()) {
                        remove(uow, row.id, StoredSource { bucket, key }).await?;
                    }
                    let after = ImportRunRow {
                        storage_bucket: None,
                        storage_key: None,
                        found: None,
                        removed_at: Some(uow.now()),
                        ..row.clone()
                    };
                    uow.update(&row, after, Change::of(Action::Import).event("import.removed")).await?;
                }
                Ok(false)
            })
            .await?;
        if is_done {
            return Ok(());
        }
    }
}

async fn next_old(uow: &mut UnitOfWork, before: DateTime) -> Result<Option<ImportRunRow>> {
    let column = |name| Expr::col(("import_run", name));
    let worked_at = [ImportState::Staging, ImportState::Running, ImportState::Undoing].map(ImportState::as_str);
    let mut select = ImportRunRow::select();
    select
        .and_where(column("workspace_id").eq(uow.workspace()?.uuid()))
        .and_where(column("created_at").lt(before.value()))
        .and_where(column("storage_key").is_not_null())
        .and_where(column("state").is_not_in(worked_at))
        .order_by(("import_run", "created_at"), Order::Asc)
        .limit(1);
    uow.locked(select).await
}

/// Which of these objects are files of imports of the workspace.
///
/// # Errors
/// What the database says.
pub async fn keys_among(conn: &mut store::Conn, workspace: WorkspaceId, bucket: &str, keys: &[String]) -> Result<Vec<String>> {
    let mut select = Query::select();
    select
        .column("storage_key")
        .from("import_run")
        .and_where(Expr::col("workspace_id").eq(workspace.uuid()))
        .and_where(Expr::col("storage_bucket").eq(bucket))
        .and_where(Expr::col("storage_key").is_in(keys.iter().map(String::as_str)));
    conn.rows(&select).await?.iter().map(|row| row.get(0)).collect()
}
