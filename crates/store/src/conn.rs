//! A connection of either engine, and the statements that run on it.

use std::time::Duration;

use kernel::Result;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query, QueryStatementWriter, SelectStatement, SimpleExpr, Value, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Postgres, Sqlite, Transaction};
use uuid::Uuid;

use crate::dialect::{self, Dialect};
use crate::errors::from_sqlx;
use crate::field::Row;
use crate::record::Record;

/// The key that signs cursors travels with the connection.
pub(crate) type Signer = std::sync::Arc<aws_lc_rs::hmac::Key>;

/// A connection on which statements run. A [`Reader`](crate::Reader) and a [`UnitOfWork`](crate::UnitOfWork) both are one.
pub struct Conn {
    pub(crate) link: Link,
    cursor_key: Signer,
    hints: Hints,
}

/// Whether conditions let few records through, by the statement that finds them. All pages of a list ask the same, and what was so a moment ago is
/// a good guess of how the next one is found; what is on it does not depend on it.
pub(crate) type Hints = moka::sync::Cache<String, bool>;

/// Bytes of statements that are remembered at most.
const HINTED: u64 = 2_000_000;

/// Hints for a while, of which there are none yet.
pub(crate) fn no_hints() -> Hints {
    let weight = |asked: &String, _: &bool| u32::try_from(asked.len()).unwrap_or(u32::MAX);
    moka::sync::Cache::builder().time_to_live(Duration::from_secs(10)).weigher(weight).max_capacity(HINTED).build()
}

pub(crate) enum Link {
    /// A reader of SQLite: each statement sees one state by itself.
    Pooled(PoolConnection<Sqlite>),
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs `$run` on the engine's own connection.
macro_rules! on_link {
    ($self:expr, $connection:ident, $row:ident => $run:expr) => {
        match &mut $self.link {
            Link::Pooled(link) => {
                let $connection = &mut **link;
                let $row = Row::Sqlite;
                let _ = &$row;
                $run
            }
            Link::Sqlite(link) => {
                let $connection = &mut **link;
                let $row = Row::Sqlite;
                let _ = &$row;
                $run
            }
            Link::Postgres(link) => {
                let $connection = &mut **link;
                let $row = Row::Postgres;
                let _ = &$row;
                $run
            }
        }
    };
}

impl Conn {
    pub(crate) fn new(link: Link, cursor_key: Signer, hints: Hints) -> Self {
        Self { link, cursor_key, hints }
    }

    /// What is known of how records are found.
    pub(crate) fn hints(&self) -> &Hints {
        &self.hints
    }

    /// The key that signs cursors.
    pub(crate) fn cursor_key(&self) -> Signer {
        self.cursor_key.clone()
    }

    /// Which engine it is.
    pub fn dialect(&self) -> Dialect {
        match &self.link {
            Link::Pooled(_) | Link::Sqlite(_) => Dialect::Sqlite,
            Link::Postgres(_) => Dialect::Postgres,
        }
    }

    /// All rows of a select.
    ///
    /// # Errors
    /// What the database says, in the words of the kernel.
    #[track_caller]
    pub fn rows(&mut self, select: &SelectStatement) -> impl Future<Output = Result<Vec<Row>>> {
        let (sql, values) = self.dialect().words(select);
        self.sql_rows(sql, values)
    }

    /// The first row of a select.
    ///
    /// # Errors
    /// What the database says, in the words of the kernel.
    pub async fn row(&mut self, select: &SelectStatement) -> Result<Option<Row>> {
        Ok(self.rows(select).await?.into_iter().next())
    }

    /// All records of a select that begins with the record's columns.
    ///
    /// # Errors
    /// What the database says, in the words of the kernel.
    pub async fn all<R: Record>(&mut self, select: &SelectStatement) -> Result<Vec<R>> {
        self.rows(select).await?.iter().map(|row| R::read(row, 0)).collect()
    }

    /// The records of a select that one of these words finds in `column`, which together with the other values is unique.
    ///
    /// Each word is looked up by itself first: while much is being inserted, PostgreSQL's statistics are those of a table that was empty a
    /// moment ago, and of a join with hundreds of words, or a list of them, it then compares each with every row of the workspace. And both
    /// statements are planned anew each time, with what is known by then.
    ///
    /// # Errors
    /// What the database says, in the words of the kernel.
    pub async fn all_by_key<R: Record>(
        &mut self,
        mut select: SelectStatement,
        others: impl IntoIterator<Item = (&'static str, Value)>,
        column: &'static str,
        words: Vec<String>,
    ) -> Result<Vec<R>> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let mut one = Query::select();
        one.column(("keyed", "id")).from_as(R::TABLE, "keyed");
        // both engines call the first column of a list of values so
        one.and_where(Expr::col(("keyed", column)).eq(Expr::col(("wanted", "column1"))));
        for (other, value) in others {
            one.and_where(Expr::col(("keyed", other)).eq(Expr::value(value)));
        }
        let mut each = Query::select();
        each.expr(SimpleExpr::SubQuery(None, Box::new(one.into()))).from_values(words, "wanted");
        let (sql, values) = self.dialect().words(&each);
        let found: Vec<Option<Uuid>> =
            self.fetch(sql, values, false).await?.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
        let found: Vec<Uuid> = found.into_iter().flatten().collect();
        if found.is_empty() {
            return Ok(Vec::new());
        }
        select.and_where(Expr::col((R::TABLE, "id")).is_in(found));
        let (sql, values) = self.dialect().words(&select);
        self.fetch(sql, values, false).await?.iter().map(|row| R::read(row, 0)).collect()
    }

    /// The first record of a select that begins with the record's columns.
    ///
    /// # Errors
    /// What the database says, in the words of the kernel.
    pub async fn one<R: Record>(&mut self, select: &SelectStatement) -> Result<Option<R>> {
        self.row(select).await?.map(|row| R::read(&row, 0)).transpose()
    }

    /// Runs an insert, update or delete and says how many rows it touched.
    ///
    /// # Errors
    /// What the database says, in the words of the kernel.
    pub(crate) async fn run(&mut self, statement: &impl QueryStatementWriter) -> Result<u64> {
        let (sql, values) = self.dialect().words(statement);
        self.sql_run(sql, values, true).await
    }

    /// As [`run`](Self::run), for a statement whose number of parameters differs each time, so that keeping it prepared serves nobody.
    pub(crate) async fn run_once(&mut self, statement: &impl QueryStatementWriter) -> Result<u64> {
        let (sql, values) = self.dialect().words(statement);
        self.sql_run(sql, values, false).await
    }

    /// Runs an insert, update or delete and reads what it returns.
    pub(crate) async fn returned(&mut self, statement: &impl QueryStatementWriter) -> Result<Vec<Row>> {
        let (sql, values) = self.dialect().words(statement);
        self.sql_rows(sql, values).await
    }

    /// Runs SQL text of our own: for `dialect` and the modules beside it.
    pub(crate) async fn sql_run(&mut self, sql: String, values: Values, keep: bool) -> Result<u64> {
        on_link!(self, connection, _row => sqlx::query_with(AssertSqlSafe(sql), SqlxValues(values))
            .persistent(keep)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(from_sqlx)
    }

    pub(crate) async fn sql_rows(&mut self, sql: String, values: Values) -> Result<Vec<Row>> {
        self.fetch(sql, values, true).await
    }

    async fn fetch(&mut self, sql: String, values: Values, keep: bool) -> Result<Vec<Row>> {
        on_link!(self, connection, wrap => sqlx::query_with(AssertSqlSafe(sql), SqlxValues(values))
            .persistent(keep)
            .fetch_all(connection)
            .await
            .map(|rows| rows.into_iter().map(wrap).collect()))
        .map_err(from_sqlx)
    }

    /// Makes the engine plan what follows in this transaction by the values that are asked for, and not once for all.
    pub(crate) async fn plan_by_values(&mut self) -> Result<()> {
        match dialect::by_values(self.dialect()) {
            Some(sql) => self.sql_batch(sql.to_owned()).await,
            None => Ok(()),
        }
    }

    /// Runs several statements without parameters in one round trip.
    pub(crate) async fn sql_batch(&mut self, sql: String) -> Result<()> {
        on_link!(self, connection, _row => sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ()))
            .map_err(from_sqlx)
    }
}

/// Parameters from a list.
pub(crate) fn values(list: Vec<Value>) -> Values {
    Values(list)
}
