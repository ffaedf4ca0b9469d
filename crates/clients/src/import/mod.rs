//! Clients and their contacts from CSV files.
//!
//! A row is a client, perhaps with one contact; several rows with the same client bring several contacts. A client is known
//! again by `external_id` under the name of the source; where the file has no such column, by its name, tax number and e-mail
//! address together. So a second run of the same file changes nothing, and a run that was cut off is simply started again.
//! Fields that are empty change nothing.

mod columns;
mod details;
mod plan;
mod row;
mod seen;
mod undo;
mod write;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Caller, Error, Permission, Result, Runtime, TypedId as _};
use platform::csv_source::{Cells, CsvSource, Options, RowProblem, mapping};
use platform::imports::{
    self, Came, Columns, ImportCounts, ImportIssue, ImportRunId, Importer, Planner, StagedRow, UndoneRow, Writer, WrittenRow,
};
use store::{Conn, Store, UnitOfWork};

use columns::NAMES;
use plan::FilePlanner;
use row::{ParsedRow, RowReader};
use seen::SeenRecords;
use write::{StagedWriter, ToWrite};

/// Rows in one transaction: long enough to be fast, short enough to let others write.
const BATCH: usize = 150;
/// What one must be allowed to import clients, beside `admin.import`.
const TO_WRITE: &[Permission] =
    &[Permission::ClientsCreate, Permission::ClientsEdit, Permission::ContactsCreate, Permission::ContactsEdit];
/// What one must be allowed to take it back.
const TO_UNDO: &[Permission] =
    &[Permission::ClientsEdit, Permission::ClientsDelete, Permission::ContactsEdit, Permission::ContactsDelete];

/// How clients are imported over HTTP.
#[derive(Clone, Copy, Debug)]
pub struct ClientImporter;

#[async_trait(?Send)]
impl Importer for ClientImporter {
    fn kind(&self) -> &'static str {
        "clients"
    }

    fn columns(&self) -> Columns {
        NAMES
    }

    fn required(&self) -> &'static [&'static str] {
        &["name"]
    }

    fn to_write(&self) -> &'static [Permission] {
        TO_WRITE
    }

    fn to_undo(&self) -> &'static [Permission] {
        TO_UNDO
    }

    fn to_see_all(&self) -> Permission {
        Permission::ClientsViewAll
    }

    async fn planner(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        source: &str,
        runtime: &Runtime,
        scratch: &Path,
    ) -> Result<Box<dyn Planner>> {
        Ok(Box::new(FilePlanner {
            rows: RowReader::of(conn, caller).await?,
            source: source.to_owned(),
            seen: SeenRecords::in_folder(scratch.to_owned()),
            defaults: auth::workspaces::defaults(conn, caller).await?,
            runtime: runtime.clone(),
        }))
    }

    async fn writer(&self, conn: &mut Conn, caller: &Caller, source: &str) -> Result<Box<dyn Writer>> {
        Ok(Box::new(StagedWriter { rows: RowReader::of(conn, caller).await?, source: source.to_owned() }))
    }

    async fn undo(&self, uow: &mut UnitOfWork, run: ImportRunId, rows: &[StagedRow]) -> Result<Vec<UndoneRow>> {
        undo::undo(uow, run, rows).await
    }
}

/// How to import.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// How to read the file.
    pub csv: Options,
    /// The name under which external ids are unique.
    pub source: String,
    /// The file's name, for the bookkeeping.
    pub file_name: String,
}

/// Imports a file. What is wrong is handed to `on_issue` as it is found, and `on_progress` is called after each batch.
///
/// # Errors
/// `forbidden` without `admin.import`, `clients.create`, `clients.edit`, `contacts.create` and `contacts.edit`; `validation_failed`
/// when the file cannot be read at all or lacks the column `name`; what the database says.
pub async fn import_csv<R: Read>(
    store: &Store,
    caller: &Arc<Caller>,
    file: R,
    options: &ImportOptions,
    mut on_issue: impl FnMut(&ImportIssue),
    mut on_progress: impl FnMut(ImportCounts),
) -> Result<(ImportRunId, ImportCounts)> {
    caller.require(Permission::AdminImport)?;
    TO_WRITE.iter().try_for_each(|permission| caller.require(*permission))?;
    let source = CsvSource::open(file, options.csv)?;
    let mapping = mapping(source.headers(), NAMES);
    if !mapping.missing(&["name"]).is_empty() {
        let message = format!("the column name is missing; there can be {}", NAMES.known());
        return Err(Error::invalid_field("header", "missing_column", message));
    }
    let mut reader = store.reader(caller).await?;
    let rows = RowReader::of(&mut reader, caller).await?;
    reader.close().await?;

    let run: ImportRunId = match caller.origin.cause {
        kernel::Cause::Import(id) => ImportRunId::from_uuid(id),
        _ => store.runtime().id(),
    };
    store.write(caller, async |uow| imports::start(uow, run, "clients_csv", &options.file_name).await).await?;

    let mut counts = ImportCounts::default();
    let mut issues: Vec<ImportIssue> = mapping.unknown().iter().map(|header| imports::unknown_column(header)).collect();
    issues.extend(mapping.repeated().iter().map(|header| imports::repeated_column(header)));
    let mut seen = SeenRecords::default();
    let mut source = source.peekable();
    while source.peek().is_some() || !issues.is_empty() {
        let mut batch: Vec<ToWrite> = Vec::with_capacity(BATCH);
        for read in source.by_ref().take(BATCH) {
            counts.rows_read += 1;
            let read = read.map_err(|problem| vec![issue_of(problem)]);
            let accepted = match read {
                Ok(row) => accepted(&rows, &mut seen, store, &mapping.cells(row))?,
                Err(found) => Err(found),
            };
            match accepted {
                Ok(row) => batch.push(ToWrite { row, seen: None }),
                Err(found) => {
                    counts.wrong += 1;
                    issues.extend(found);
                }
            }
        }
        for written in write_batch(store, caller, &options.source, &batch).await? {
            match written.came {
                Came::Created => counts.created += 1,
                Came::Changed => counts.changed += 1,
                Came::Unchanged => counts.unchanged += 1,
                // nothing was shown to anybody that it could differ from
                Came::Meanwhile(_) => counts.wrong += 1,
                Came::Refused(found) => {
                    counts.wrong += 1;
                    issues.extend(found);
                }
            }
        }
        if !issues.is_empty() {
            issues.sort_by_key(|issue| issue.line);
            issues.iter().for_each(&mut on_issue);
            store.write(caller, async |uow| imports::note_issues(uow, run, &issues).await).await?;
            issues.clear();
        }
        on_progress(counts);
    }
    store.write(caller, async |uow| imports::finish(uow, run, counts).await).await?;
    Ok((run, counts))
}

/// A row that can be written and contradicts no earlier one.
fn accepted(
    rows: &RowReader,
    seen: &mut SeenRecords,
    store: &Store,
    cells: &Cells,
) -> Result<std::result::Result<ParsedRow, Vec<ImportIssue>>> {
    let row = match rows.parse(cells) {
        Ok(row) => row,
        Err(issues) => return Ok(Err(issues)),
    };
    let runtime = store.runtime();
    let client = seen.note_client(&row, || runtime.id::<crate::rows::ClientId>())?;
    let noted = match client {
        Ok(_) => seen.note_contact(&row, || runtime.id::<crate::rows::ContactId>())?.map(|_| row),
        Err(issue) => Err(issue),
    };
    Ok(noted.map_err(|issue| vec![issue]))
}

/// Writes a batch; where one row makes it fail, each row by itself, so that the right ones go in.
async fn write_batch(store: &Store, caller: &Arc<Caller>, source: &str, batch: &[ToWrite]) -> Result<Vec<WrittenRow>> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    match store.write(caller, async |uow| write::write(uow, source, batch).await).await {
        Err(error) if imports::jobs::concerns_a_row(&error) => {
            let mut written = Vec::with_capacity(batch.len());
            for row in batch {
                match store.write(caller, async |uow| write::write(uow, source, std::slice::from_ref(row)).await).await {
                    Ok(one) => written.extend(one),
                    Err(error) if imports::jobs::concerns_a_row(&error) => written.push(refused(&row.row, &error)),
                    Err(error) => return Err(error),
                }
            }
            Ok(written)
        }
        other => other,
    }
}

fn refused(row: &ParsedRow, error: &Error) -> WrittenRow {
    let column = error.fields().first().map(|field| row::client_column(&field.pointer).into_owned());
    WrittenRow { line: row.line, came: Came::Refused(vec![ImportIssue { column, ..imports::jobs::refusal(row.line, error) }]) }
}

fn issue_of(problem: RowProblem) -> ImportIssue {
    ImportIssue { line: problem.line, column: problem.column, code: problem.code.to_owned(), reason: problem.reason }
}
