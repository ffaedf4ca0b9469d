//! Taking a snapshot.

use std::path::Path;

use kernel::{Caller, Cause, Error, Result, WorkspaceId};
use sea_orm::sea_query::{Order, Query, SelectStatement};

use super::{Contents, Parts, postgres, sqlite};
use crate::conn::values;
use crate::dialect::{self, Dialect, Mode};
use crate::field::Row;
use crate::reader::Reader;
use crate::store::Store;

/// The database as of one moment. Whoever has one reads that state for as long as it is open.
pub struct Snapshot {
    reader: Reader,
    kind: Kind,
}

enum Kind {
    Sqlite(sqlite::Copy),
    Postgres(Box<Caller>),
}

impl Snapshot {
    /// Takes one. `scratch` is a folder with room for the database, which SQLite needs; what is made there goes when the snapshot does.
    ///
    /// # Errors
    /// What the database says; `storage_full`.
    pub async fn take(store: &Store, scratch: &Path) -> Result<Self> {
        let caller = Caller::job(store.runtime().uuid(), None, Cause::Command);
        match store.dialect() {
            Dialect::Sqlite => {
                let copy = sqlite::Copy::make(store, scratch).await?;
                let reader = copy.reader(store).await?;
                Ok(Self { reader, kind: Kind::Sqlite(copy) })
            }
            Dialect::Postgres => {
                let mut conn = store.begin(&caller, Mode::Read).await?;
                // what the pool says of how long a statement may take is said of requests
                conn.sql_batch("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0".to_owned())
                    .await?;
                Ok(Self { reader: Reader::from(conn), kind: Kind::Postgres(Box::new(caller)) })
            }
        }
    }

    /// Every workspace there is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn workspaces(&mut self) -> Result<Vec<WorkspaceId>> {
        self.enter(None).await?;
        let mut select = Query::select();
        select.column("id").from("workspace").order_by("id", Order::Asc);
        self.reader.rows(&select).await?.iter().map(|row| row.get(0)).collect()
    }

    /// Rows of a workspace, in the state that the snapshot has.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rows_of(&mut self, workspace: WorkspaceId, select: &SelectStatement) -> Result<Vec<Row>> {
        self.enter(Some(workspace)).await?;
        self.reader.rows(select).await
    }

    /// Hands everything over, part by part.
    ///
    /// # Errors
    /// What the database says, and what hinders the parts.
    pub async fn hand_over(&mut self, to: &mut impl Parts) -> Result<Contents> {
        let steps = self.steps().await?;
        let mut contents = match &self.kind {
            Kind::Sqlite(copy) => {
                copy.hand_over(to).await?;
                Contents { tables: sqlite::tables(&mut self.reader).await?, ..Contents::default() }
            }
            Kind::Postgres(_) => {
                let workspaces = self.workspaces().await?;
                let mut contents = Contents { sequences: postgres::sequences(&mut self.reader).await?, ..Contents::default() };
                for shape in postgres::shapes(&mut self.reader).await? {
                    contents.tables.push(self.copy_out(shape, &workspaces, to).await?);
                }
                contents
            }
        };
        contents.steps = steps;
        Ok(contents)
    }

    /// Gives the connection back and removes what was made.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end(self) -> Result<()> {
        self.reader.close().await?;
        match self.kind {
            Kind::Sqlite(copy) => copy.remove().await,
            Kind::Postgres(_) => Ok(()),
        }
    }

    /// Becomes one of a workspace, or the installation.
    async fn enter(&mut self, workspace: Option<WorkspaceId>) -> Result<()> {
        match &self.kind {
            Kind::Sqlite(_) => Ok(()),
            Kind::Postgres(caller) => {
                self.reader.sql_rows(dialect::set_caller(caller, workspace), values(Vec::new())).await.map(|_| ())
            }
        }
    }

    async fn steps(&mut self) -> Result<Vec<String>> {
        let taken = dialect::ddl::steps_taken(self.reader.dialect()).to_owned();
        self.reader.sql_rows(taken, values(Vec::new())).await?.iter().map(|row| row.get(0)).collect()
    }

    async fn copy_out(
        &mut self,
        shape: postgres::Shape,
        workspaces: &[WorkspaceId],
        to: &mut impl Parts,
    ) -> Result<super::Table> {
        let mut out = super::Cutter::new(to, shape.name.clone(), ".copy");
        let mut rows = 0;
        self.enter(None).await?;
        rows += postgres::copy_out(&mut self.reader, &shape.of_installation(), &mut out).await?;
        if shape.by_workspace() {
            for workspace in workspaces {
                self.enter(Some(*workspace)).await?;
                rows += postgres::copy_out(&mut self.reader, &shape.of_workspace(*workspace), &mut out).await?;
            }
        }
        out.end().await?;
        Ok(super::Table { name: shape.name, columns: shape.columns, rows })
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Snapshot")
    }
}

/// A number that a database counted.
pub(super) fn count(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(Error::internal)
}
