//! Writing what was staged and approved. Where the engine has several writers, a batch is written beside the one before it, as long as the
//! two have no record in common: while the database is at one, the other is put together. They commit in their order.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;

use auth::Auth;
use futures::{Stream, StreamExt as _, stream};
use kernel::{Caller, Error, Result, TypedId as _};
use mail::Letter;
use store::UnitOfWork;
use store::jobs::JobContext;
use store::jobs::errors::JOB_STOPPED;
use store::query::{Expr, ExprTrait, Query};
use tokio::sync::watch;
use uuid::Uuid;

use super::ImportIssue;
use super::importer::{Came, Columns, Importers, StagedRow, Writer, WrittenRow};
use super::jobs::{
    Place, asker, concerns_a_row, except, finish, line_of, locked_in, note_some, patiently, read_run, refusal, rows_from,
};
use super::rows::{ImportRunId, ImportRunRow, ImportState, RowException};

/// Batches that are written at a time.
const AT_A_TIME: usize = 2;

/// Whether the batch before has committed.
struct Turn(watch::Receiver<bool>);

impl Turn {
    /// The turn of a batch that none is before.
    fn now() -> Self {
        Self(watch::channel(true).1)
    }

    async fn wait(&self) -> Result<()> {
        let committed = self.0.clone().wait_for(|committed| *committed).await.is_ok();
        if committed { Ok(()) } else { Err(Error::new(&JOB_STOPPED)) }
    }
}

/// Rows that are written together.
struct Batch {
    rows: Vec<StagedRow>,
    /// Whether they have no record in common with those of the batch before.
    is_apart: bool,
    turn: Turn,
    committed: watch::Sender<bool>,
}

/// Where the next batch begins.
struct Next {
    position: i64,
    /// The records of the batch before.
    records: HashSet<Uuid>,
    turn: Turn,
}

fn records_of(rows: &[StagedRow]) -> HashSet<Uuid> {
    rows.iter().flat_map(|row| row.record_id.into_iter().chain(row.further.values().copied())).collect()
}

/// How rows stopped being written together.
enum Stop {
    /// All are written.
    AllWritten,
    /// The run was called off.
    CalledOff,
    /// Of these there is one that cannot be written.
    At(Vec<StagedRow>),
}

/// A run that is written.
struct Writing<'a> {
    context: &'a JobContext,
    run: ImportRunId,
    caller: Arc<Caller>,
    columns: Columns,
    writer: Box<dyn Writer>,
    total: Option<i64>,
    /// The last line that is written, and how many rows are.
    position: Cell<i64>,
    done: Cell<i64>,
}

/// Writes a run.
pub(super) async fn write(context: &JobContext, auth: &Auth, importers: Importers, run: ImportRunId) -> Result<()> {
    let Some(row) = read_run(context, run).await?.filter(|row| row.state == ImportState::Running) else { return Ok(()) };
    let importer = importers.get(&row.kind)?;
    let caller = asker(auth, &row).await?;
    super::check_start(&caller, importer)?;
    let mut reader = context.store().reader(&caller).await?;
    let writer = importer.writer(&mut reader, &caller, row.source.as_deref().unwrap_or_default()).await?;
    reader.close().await?;
    let (position, done) = (Cell::new(row.position), Cell::new(row.done));
    let writing = Writing { context, run, caller, columns: importer.columns(), writer, total: row.total, position, done };
    loop {
        match writing.together().await? {
            Stop::AllWritten => break,
            Stop::CalledOff => return Ok(()),
            Stop::At(rows) if writing.one_by_one(&rows).await? => writing.have_been_written(&rows).await?,
            Stop::At(_) => return Ok(()),
        }
    }
    patiently(context, async || {
        context
            .complete(async |uow| match locked_in(uow, run, ImportState::Running).await? {
                Some(before) => {
                    finish(uow, &before, ImportState::Finished, "import.finished").await?;
                    tell(uow, auth, &before).await
                }
                None => Ok(()),
            })
            .await
    })
    .await
}

impl Writing<'_> {
    /// Writes batches until there is none left or one cannot be written.
    async fn together(&self) -> Result<Stop> {
        let ends = Cell::new(false);
        let written = self.batches(&ends).map(async |batch| {
            let batch = batch?;
            let written = self.batch(&batch).await;
            if matches!(written, Ok(true)) {
                batch.committed.send_replace(true);
            }
            Ok((batch.rows, written))
        });
        let mut written = std::pin::pin!(written.buffered(AT_A_TIME));
        let mut stop = Ok(Stop::AllWritten);
        while let Some(batch) = written.next().await {
            if ends.get() {
                // begun beside the one that failed, and taken back with it
                continue;
            }
            stop = match batch {
                Ok((rows, Ok(true))) => match self.have_been_written(&rows).await {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
                Ok((_, Ok(false))) => Ok(Stop::CalledOff),
                Ok((rows, Err(error))) if concerns_a_row(&error) => Ok(Stop::At(rows)),
                Ok((_, Err(error))) | Err(error) => Err(error),
            };
            ends.set(true);
        }
        stop
    }

    /// What is left to write, batch by batch, until it `ends`.
    fn batches<'s>(&'s self, ends: &'s Cell<bool>) -> impl Stream<Item = Result<Batch>> + 's {
        let first = Next { position: self.position.get(), records: HashSet::new(), turn: Turn::now() };
        stream::try_unfold(first, async move |next| {
            if ends.get() {
                return Ok(None);
            }
            self.context.go_on()?;
            let rows = patiently(self.context, async || {
                rows_from(self.context, self.run, self.columns, Place::Behind(next.position)).await
            })
            .await?;
            let Some(last) = rows.last() else { return Ok(None) };
            let position = line_of(last.line);
            let records = records_of(&rows);
            let (committed, turn) = watch::channel(false);
            let is_apart = records.is_disjoint(&next.records);
            let batch = Batch { rows, is_apart, turn: next.turn, committed };
            Ok(Some((batch, Next { position, records, turn: Turn(turn) })))
        })
    }

    /// Writes a batch; whether the run goes on.
    async fn batch(&self, batch: &Batch) -> Result<bool> {
        patiently(self.context, async || {
            let is_off = Cell::new(false);
            let written = self
                .context
                .write_in_turn(
                    &self.caller,
                    batch.is_apart,
                    async || batch.turn.wait().await,
                    async |uow| self.writer.write(uow, &batch.rows).await,
                    async |uow, written| self.settle(uow, &written, &is_off).await,
                )
                .await;
            if is_off.get() { Ok(false) } else { written.map(|()| true) }
        })
        .await
    }

    /// Writes down what came of rows. Where the run was called off, all that they did is taken back.
    async fn settle(&self, uow: &mut UnitOfWork, written: &[WrittenRow], is_off: &Cell<bool>) -> Result<()> {
        if locked_in(uow, self.run, ImportState::Running).await?.is_none() {
            is_off.set(true);
            return Err(Error::new(&JOB_STOPPED));
        }
        note_written(uow, self.run, written).await
    }

    async fn have_been_written(&self, rows: &[StagedRow]) -> Result<()> {
        self.position.set(rows.last().map_or(self.position.get(), |last| line_of(last.line)));
        self.done.set(self.done.get() + i64::try_from(rows.len()).unwrap_or_default());
        self.context.progress(self.done.get(), self.total).await
    }

    /// Writes each row by itself, so that the right ones go in; whether to go on.
    async fn one_by_one(&self, rows: &[StagedRow]) -> Result<bool> {
        for row in rows {
            let mut refused: Option<WrittenRow> = None;
            loop {
                let done = patiently(self.context, async || {
                    self.context
                        .write_as(&self.caller, async |uow| {
                            if locked_in(uow, self.run, ImportState::Running).await?.is_none() {
                                return Ok(false);
                            }
                            let written = match &refused {
                                Some(refused) => vec![refused.clone()],
                                None => self.writer.write(uow, std::slice::from_ref(row)).await?,
                            };
                            note_written(uow, self.run, &written).await.map(|()| true)
                        })
                        .await
                })
                .await;
                match done {
                    Err(error) if refused.is_none() && concerns_a_row(&error) => {
                        refused = Some(WrittenRow { line: row.line, came: Came::Refused(vec![refusal(row.line, &error)]) });
                    }
                    Ok(true) => break,
                    other => return other,
                }
            }
        }
        Ok(true)
    }
}

/// Counts what came of rows, and writes down what did not come as it was staged.
async fn note_written(uow: &mut UnitOfWork, run: ImportRunId, written: &[WrittenRow]) -> Result<()> {
    let (mut created, mut changed, mut unchanged, mut refused, mut meanwhile) = (0, 0, 0, 0, 0);
    let mut noted = Vec::new();
    for row in written {
        match &row.came {
            Came::Created => created += 1,
            Came::Changed => changed += 1,
            Came::Unchanged => unchanged += 1,
            Came::Refused(issues) => {
                refused += 1;
                noted.extend(issues.iter().cloned());
                except(uow, run, row.line, RowException::Refused, issues, None).await?;
            }
            Came::Meanwhile(differences) => {
                meanwhile += 1;
                let reason = "has changed since the row was staged; the row was left out".to_owned();
                let issue = ImportIssue { line: row.line, column: None, code: "changed_meanwhile".to_owned(), reason };
                except(uow, run, row.line, RowException::ChangedMeanwhile, std::slice::from_ref(&issue), Some(differences))
                    .await?;
                noted.push(issue);
            }
        }
    }
    note_some(uow, run, noted).await?;
    let last = written.iter().map(|row| row.line).max().unwrap_or_default();
    let add = |column: &'static str, by: i64| Expr::col(column).add(by);
    let mut update = Query::update();
    update
        .table("import_run")
        .value("position", line_of(last))
        .value("done", add("done", i64::try_from(written.len()).unwrap_or_default()))
        .value("created", add("created", created))
        .value("changed", add("changed", changed))
        .value("unchanged", add("unchanged", unchanged))
        .value("wrong", add("wrong", refused))
        .value("changed_meanwhile", add("changed_meanwhile", meanwhile))
        .and_where(Expr::col("id").eq(run.uuid()));
    uow.execute(&update).await.map(|_| ())
}

/// Writes to whoever approved it that it has come to its end.
async fn tell(uow: &mut UnitOfWork, auth: &Auth, run: &ImportRunRow) -> Result<()> {
    let Some(user) = run.asked_by else { return Ok(()) };
    let path = format!("/imports/{}", run.id);
    let letter = Letter::ImportFinished {
        source: &run.source_name,
        path: &path,
        created: run.created,
        changed: run.changed,
        unchanged: run.unchanged,
        wrong: run.wrong,
    };
    auth.write_to(uow, user, &letter).await
}
