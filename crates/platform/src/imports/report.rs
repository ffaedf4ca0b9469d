//! The report of an import: row by row, as CSV that spreadsheets can open without anything in it running.

use kernel::{Caller, Error, Result};
use store::Conn;
use store::query::{Expr, ExprTrait, Order};

use super::read::{get, rows_of};
use super::rows::{ImportRowRow, ImportRunId, ImportState, RowOutcome};
use super::wire::ImportRun;
use crate::table::harmless;

/// Rows on a page.
const ON_A_PAGE: u64 = 1000;

/// A page of a report.
#[derive(Clone, Debug)]
pub struct ReportPage {
    /// Its lines as CSV.
    pub csv: Vec<u8>,
    /// The line of the file behind which the next page begins; none where this was the last.
    pub next: Option<i64>,
}

/// What came of a row, or would come of it.
fn outcome(run: &ImportRun, row: &ImportRowRow) -> &'static str {
    if let Some(exception) = row.exception {
        return exception.as_str();
    }
    let is_written = run.approved_at.is_some();
    match (row.outcome, run.state) {
        (RowOutcome::New | RowOutcome::Changed, ImportState::Undone) => "undone",
        (RowOutcome::New, _) if is_written => "created",
        (outcome, _) => outcome.as_str(),
    }
}

/// The next page of a report, the header before the first one.
///
/// # Errors
/// `forbidden` without `admin.import`; `not_found`.
pub async fn report_page(conn: &mut Conn, caller: &Caller, id: ImportRunId, after: Option<i64>) -> Result<ReportPage> {
    let run = get(conn, caller, id).await?;
    let mut select = rows_of(caller, id)?;
    if let Some(after) = after {
        select.and_where(Expr::col(("import_row", "line")).gt(after));
    }
    select.order_by(("import_row", "line"), Order::Asc).limit(ON_A_PAGE);
    let rows = conn.all::<ImportRowRow>(&select).await?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |fields: [&str; 6]| writer.write_record(fields).map_err(Error::internal);
    if after.is_none() {
        write(["line", "outcome", "record_id", "column", "code", "reason"])?;
    }
    for row in &rows {
        let (line, outcome) = (row.line.to_string(), outcome(&run, row));
        let record = row.record_id.map(|id| id.to_string()).unwrap_or_default();
        let issues = row.issues.as_ref().map(|json| json.0.as_slice()).unwrap_or_default();
        if issues.is_empty() {
            write([&line, outcome, &record, "", "", ""])?;
        }
        for issue in issues {
            let column = harmless(issue.column.as_deref().unwrap_or_default());
            write([&line, outcome, &record, &column, &issue.code, &harmless(&issue.reason)])?;
        }
    }
    let is_last = rows.len() < usize::try_from(ON_A_PAGE).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| !is_last).map(|row| row.line);
    Ok(ReportPage { csv: writer.into_inner().map_err(|_| Error::internal("a report was not written"))?, next })
}
