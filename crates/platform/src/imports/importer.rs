//! What a domain does of an import: it plans rows, writes them, and takes them back. Everything else is here, once for all domains.
//!
//! To let records of a domain be imported: implement [`Importer`] there, name it in `api::IMPORTERS`, and give it a route that starts one.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use kernel::{Caller, Error, Permission, Result, Runtime};
use serde_json::{Map, Value};
use store::{Conn, UnitOfWork};
use uuid::Uuid;

use super::ImportIssue;
use super::rows::{ImportRunId, RowOutcome};
use crate::csv_source::{Cells, Names, RowProblem};

/// The columns that a file may have.
pub type Columns = Names;

/// A row that was read, or what is wrong with it.
pub type ReadCells = std::result::Result<Cells, RowProblem>;

/// A row as it is planned.
#[derive(Clone, Debug)]
pub struct PlannedRow {
    /// The line that it begins in.
    pub line: u64,
    /// What it would do.
    pub outcome: RowOutcome,
    /// The record that it changes, or the id that one that it makes will have.
    pub record_id: Option<Uuid>,
    /// Further records that it changes or makes, by their type.
    pub further: BTreeMap<String, Uuid>,
    /// What it says, by column.
    pub cells: Map<String, Value>,
    /// What it changes of records that are there.
    pub differences: Map<String, Value>,
    /// What is wrong with it.
    pub issues: Vec<ImportIssue>,
}

/// A row that was planned and is to be written or taken back.
#[derive(Clone, Debug)]
pub struct StagedRow {
    /// The line that it begins in.
    pub line: u64,
    /// What it was to do.
    pub outcome: RowOutcome,
    /// The record that it changes, or the id that one that it makes is to have.
    pub record_id: Option<Uuid>,
    /// Further records, by their type.
    pub further: BTreeMap<String, Uuid>,
    /// What it says.
    pub cells: Cells,
    /// What it was to change.
    pub differences: Map<String, Value>,
}

/// What came of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// It made its record.
    Created,
    /// It changed something.
    Changed,
    /// It changed nothing.
    Unchanged,
    /// What it would change is no longer what was staged, but this; nothing was written.
    Meanwhile(Map<String, Value>),
    /// It cannot be written.
    Refused(Vec<ImportIssue>),
}

/// A row that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenRow {
    /// The line that it begins in.
    pub line: u64,
    /// What came of it.
    pub came: Came,
}

/// A row that was to be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoneRow {
    /// The line that it begins in.
    pub line: u64,
    /// Why it was not; none where it was.
    pub kept: Option<ImportIssue>,
}

/// Plans the rows of one file, in their order.
#[async_trait(?Send)]
pub trait Planner {
    /// Plans the next rows.
    ///
    /// # Errors
    /// What the database says, and the disk.
    async fn plan(&mut self, conn: &mut Conn, caller: &Caller, rows: Vec<ReadCells>) -> Result<Vec<PlannedRow>>;
}

/// Writes rows of one run.
#[async_trait(?Send)]
pub trait Writer {
    /// Writes rows in one unit of work, as they were planned. It may run several times, and each time as if it were the first.
    ///
    /// # Errors
    /// What the commands say; one row that fails makes all of them fail.
    async fn write(&self, uow: &mut UnitOfWork, rows: &[StagedRow]) -> Result<Vec<WrittenRow>>;
}

/// How records of a domain are imported.
#[async_trait(?Send)]
pub trait Importer: Sync {
    /// Its kind, as runs name it.
    fn kind(&self) -> &'static str;
    /// The columns that a file may have.
    fn columns(&self) -> Columns;
    /// Columns that a file must have.
    fn required(&self) -> &'static [&'static str];
    /// What one must be allowed, all of it, to start and approve one, beside `admin.import`.
    fn to_write(&self) -> &'static [Permission];
    /// What one must be allowed, all of it, to take one back, beside `admin.import`.
    fn to_undo(&self) -> &'static [Permission];
    /// What one must be allowed to see what rows of others change.
    fn to_see_all(&self) -> Permission;
    /// Begins to plan the rows of a file. What it has to remember of a long one may lie in the folder `scratch` until it ends.
    ///
    /// # Errors
    /// What the database says.
    async fn planner(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        source: &str,
        runtime: &Runtime,
        scratch: &Path,
    ) -> Result<Box<dyn Planner>>;
    /// Begins to write the rows of a run.
    ///
    /// # Errors
    /// What the database says.
    async fn writer(&self, conn: &mut Conn, caller: &Caller, source: &str) -> Result<Box<dyn Writer>>;
    /// Takes back what rows of a run have written, the last row first, where nothing newer stands on it.
    ///
    /// # Errors
    /// What the database says.
    async fn undo(&self, uow: &mut UnitOfWork, run: ImportRunId, rows: &[StagedRow]) -> Result<Vec<UndoneRow>>;
}

/// Every importer there is.
#[derive(Clone, Copy)]
pub struct Importers(pub &'static [&'static dyn Importer]);

impl std::fmt::Debug for Importers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.0.iter().map(|importer| importer.kind())).finish()
    }
}

impl Importers {
    /// The importer of a kind.
    pub fn find(self, kind: &str) -> Option<&'static dyn Importer> {
        self.0.iter().copied().find(|importer| importer.kind() == kind)
    }

    /// The importer of a run.
    ///
    /// # Errors
    /// `internal` where there is none any more.
    pub fn get(self, kind: &str) -> Result<&'static dyn Importer> {
        self.find(kind).ok_or_else(|| Error::internal(format!("nobody imports {kind}")))
    }
}
