//! Clients and their contacts from CSV files.
//!
//! A row is a client, perhaps with one contact; several rows with the same client bring several contacts. A client is known
//! again by `external_id` under the name of the source; where the file has no such column, by its name, tax number and e-mail
//! address together. So a second run of the same file changes nothing, and a run that was cut off is simply started again.
//! Fields that are empty change nothing.

mod columns;
mod row;
mod seen;
mod write;

use std::io::Read;
use std::sync::Arc;

use kernel::{Caller, Error, Kind, Result, TypedId as _};
use platform::csv_source::{CsvSource, Options, RowProblem, mapping};
use platform::imports::{self, ImportCounts, ImportIssue, ImportRunId};
use store::Store;

use columns::COLUMNS;
use row::{ParsedRow, RowReader};
use seen::{Said, SeenClients};

/// Rows in one transaction: long enough to be fast, short enough to let others write.
const BATCH: usize = 500;

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
    use kernel::Permission as P;
    for permission in [P::AdminImport, P::ClientsCreate, P::ClientsEdit, P::ContactsCreate, P::ContactsEdit] {
        caller.require(permission)?;
    }
    let source = CsvSource::open(file, options.csv)?;
    let mapping = mapping(source.headers(), COLUMNS);
    if !mapping.missing(&["name"]).is_empty() {
        let known: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        let message = format!("the column name is missing; there can be {}", known.join(", "));
        return Err(Error::invalid_field("header", "missing_column", message));
    }
    let mut reader = store.reader(caller).await?;
    let members = auth::users::members_by_email(&mut reader, caller.workspace()?).await?;
    reader.close().await?;

    let run: ImportRunId = match caller.origin.cause {
        kernel::Cause::Import(id) => ImportRunId::from_uuid(id),
        _ => store.runtime().id(),
    };
    store.write(caller, async |uow| imports::start(uow, run, "clients_csv", &options.file_name).await).await?;

    let mut counts = ImportCounts::default();
    let rows = RowReader { mapping: &mapping, members: &members };
    let mut batch: Vec<ParsedRow> = Vec::with_capacity(BATCH);
    let mut issues: Vec<ImportIssue> = mapping.unknown().iter().map(|header| unknown_column(header)).collect();
    issues.extend(mapping.repeated().iter().map(|header| repeated_column(header)));
    let mut seen = SeenClients::default();
    let mut source = source.peekable();
    let mut next: Option<ParsedRow> = None;
    while next.is_some() || source.peek().is_some() || !issues.is_empty() {
        batch.extend(next.take());
        for read in source.by_ref().take(BATCH) {
            counts.rows_read += 1;
            match read {
                Ok(row) => match rows.parse(&row) {
                    Ok(parsed) => match seen.note(&parsed) {
                        // what a later row adds to a client is a change of it, so the client must be there first
                        Said::More if batch.iter().any(|row| row.external_id == parsed.external_id) => {
                            next = Some(parsed);
                            break;
                        }
                        Said::Fits | Said::More => batch.push(parsed),
                        Said::Otherwise(issue) => {
                            counts.wrong += 1;
                            issues.push(issue);
                        }
                    },
                    Err(found) => {
                        counts.wrong += 1;
                        issues.extend(found);
                    }
                },
                Err(problem) => {
                    counts.wrong += 1;
                    issues.push(issue_of(problem));
                }
            }
        }
        let written = write_batch(store, caller, &options.source, &batch).await?;
        counts.created += written.created;
        counts.changed += written.changed;
        counts.unchanged += written.unchanged;
        counts.wrong += i64::try_from(written.issues.len()).unwrap_or(i64::MAX);
        issues.extend(written.issues);
        batch.clear();
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

/// Writes a batch; where one row makes it fail, each row by itself, so that the right ones go in.
async fn write_batch(store: &Store, caller: &Arc<Caller>, source: &str, batch: &[ParsedRow]) -> Result<write::Written> {
    if batch.is_empty() {
        return Ok(write::Written::default());
    }
    match store.write(caller, async |uow| write::write(uow, source, batch).await).await {
        Err(error) if batch.len() > 1 && concerns_a_row(&error) => {
            let mut written = write::Written::default();
            for row in batch {
                match store.write(caller, async |uow| write::write(uow, source, std::slice::from_ref(row)).await).await {
                    Ok(one) => written.add(one),
                    Err(error) if concerns_a_row(&error) => written.issues.push(refusal(row, &error)),
                    Err(error) => return Err(error),
                }
            }
            Ok(written)
        }
        Err(error) if concerns_a_row(&error) => {
            let mut written = write::Written::default();
            written.issues.extend(batch.iter().map(|row| refusal(row, &error)));
            Ok(written)
        }
        other => other,
    }
}

fn concerns_a_row(error: &Error) -> bool {
    matches!(error.kind(), Kind::Invalid | Kind::Conflict | Kind::NotFound)
}

fn refusal(row: &ParsedRow, error: &Error) -> ImportIssue {
    let reason = match error.fields() {
        [] => error.detail().unwrap_or(error.code().title).to_owned(),
        fields => fields.iter().map(|field| field.message.as_str()).collect::<Vec<_>>().join("; "),
    };
    let column = error.fields().first().map(|field| row::client_column(&field.pointer).to_owned());
    ImportIssue { line: row.line, column, code: error.code().code.to_owned(), reason }
}

fn issue_of(problem: RowProblem) -> ImportIssue {
    ImportIssue { line: problem.line, column: problem.column, code: problem.code.to_owned(), reason: problem.reason }
}

fn repeated_column(header: &str) -> ImportIssue {
    ImportIssue {
        line: 1,
        column: Some(header.to_owned()),
        code: "repeated_column".to_owned(),
        reason: "stands for the same as another column; it was not read".to_owned(),
    }
}

fn unknown_column(header: &str) -> ImportIssue {
    ImportIssue {
        line: 1,
        column: Some(header.to_owned()),
        code: "unknown_column".to_owned(),
        reason: "is not a column that is known; it was not read".to_owned(),
    }
}
