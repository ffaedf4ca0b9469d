//! Rows of imports as the data of the person that they brought.

use std::collections::BTreeSet;

use kernel::{Caller, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Conn, Field as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ImportRunId;
use super::rows::{ImportRowId, ImportRowRow, ImportRunRow};

/// A row of an import, as the file had it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportedRow {
    /// Its id.
    #[serde(skip)]
    id: Option<ImportRowId>,
    /// What it is of.
    #[serde(skip)]
    record_id: Option<Uuid>,
    /// Whether it brought another record beside the one that it is of.
    #[serde(skip)]
    has_further: bool,
    /// The import.
    pub import_id: ImportRunId,
    /// The line of the file.
    pub line: i64,
    /// What stood in it, by column.
    #[schema(value_type = Object)]
    pub cells: Map<String, Value>,
}

/// The rows that brought one of these records, or changed it. The domain of the records has seen to it that the caller may know.
///
/// # Errors
/// What the database says.
pub async fn rows_of(conn: &mut Conn, caller: &Caller, records: &[Uuid]) -> Result<Vec<ImportedRow>> {
    let rows = conn.all::<ImportRowRow>(&of_records(caller, records)?).await?;
    Ok(told(rows.into_iter()))
}

/// The rows that brought a record which the importer calls `name` beside another, or changed it, whatever became of that other one. The domain of
/// the record has seen to it that the caller may know.
///
/// # Errors
/// What the database says.
pub async fn rows_with(conn: &mut Conn, caller: &Caller, name: &str, further: Uuid) -> Result<Vec<ImportedRow>> {
    let mut select = in_order(caller)?;
    select.and_where(Expr::col(("import_row", "further_id")).eq(further));
    let named = |row: &ImportRowRow| row.further.as_ref().is_some_and(|known| known.0.get(name) == Some(&further));
    Ok(told(conn.all::<ImportRowRow>(&select).await?.into_iter().filter(named)))
}

fn of_records(caller: &Caller, records: &[Uuid]) -> Result<SelectStatement> {
    let mut select = in_order(caller)?;
    select.and_where(Expr::col(("import_row", "record_id")).is_in(records.iter().copied()));
    Ok(select)
}

fn in_order(caller: &Caller) -> Result<SelectStatement> {
    let mut select = ImportRowRow::select();
    select
        .and_where(Expr::col(("import_row", "workspace_id")).eq(caller.workspace()?.uuid()))
        .order_by(("import_row", "id"), Order::Asc);
    Ok(select)
}

/// Those that still say something.
fn told(rows: impl Iterator<Item = ImportRowRow>) -> Vec<ImportedRow> {
    let told = |row: ImportRowRow| ImportedRow {
        id: Some(row.id),
        record_id: row.record_id,
        has_further: row.further.is_some(),
        import_id: row.import_run_id,
        line: row.line,
        cells: row.cells.0,
    };
    rows.map(told).filter(|row| !row.cells.is_empty()).collect()
}

impl ImportedRow {
    /// Whether it brought one of these records, or changed it, but for what it brought beside.
    pub fn is_of(&self, records: &[Uuid]) -> bool {
        self.record_id.is_some_and(|record| records.contains(&record))
    }

    /// With nothing but what it says of another record that it brought: the columns that begin so.
    #[must_use]
    pub fn further_alone(mut self, prefix: &str) -> Self {
        self.cells.retain(|column, _| column.starts_with(prefix));
        self
    }

    /// Without what it says of another record that it brought: the columns that begin so.
    #[must_use]
    pub fn without_further(mut self, prefix: &str) -> Self {
        if self.has_further {
            self.cells.retain(|column, _| !column.starts_with(prefix));
        }
        self
    }
}

/// Holds the imports of these rows, so that nobody writes them meanwhile.
///
/// # Errors
/// What the database says.
pub async fn hold_runs(uow: &mut UnitOfWork, rows: &[ImportedRow]) -> Result<()> {
    runs_of(uow, rows).await.map(|_| ())
}

async fn runs_of(uow: &mut UnitOfWork, rows: &[ImportedRow]) -> Result<Vec<ImportRunRow>> {
    let runs: BTreeSet<Uuid> = rows.iter().map(|row| row.import_id.uuid()).collect();
    let mut select = ImportRunRow::select();
    select.and_where(Expr::col(("import_run", "id")).is_in(runs)).order_by(("import_run", "id"), Order::Asc);
    uow.locked_all::<ImportRunRow>(select).await
}

/// Empties what these rows say, and what their imports show of the beginning of the file.
///
/// # Errors
/// What the database says.
pub async fn empty_rows(uow: &mut UnitOfWork, rows: &[ImportedRow]) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.id).map(|id| id.uuid()).collect();
    for some in ids.chunks(500) {
        let mut update = Query::update();
        update
            .table("import_row")
            .value("cells", serde_json::json!({}))
            .value("differences", store::query::Value::Json(None))
            .and_where(Expr::col("id").is_in(some.iter().copied()));
        uow.execute(&update).await?;
    }
    for run in runs_of(uow, rows).await? {
        let Some(mut found) = run.found else { continue };
        found.0.preview.clear();
        let mut update = Query::update();
        update.table("import_run").value("found", found.value()).and_where(Expr::col("id").eq(run.id.uuid()));
        uow.execute(&update).await?;
    }
    Ok(())
}
