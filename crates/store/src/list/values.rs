//! The values of custom fields as lists look them up: written, and forgotten.

use kernel::Result;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Order, Query};
use uuid::Uuid;

use super::custom::{NO_VALUE, VALUES, ValueKey};
use crate::dialect::unindexed;
use crate::field::Field as _;
use crate::uow::UnitOfWork;

/// Rows in one statement.
const AT_A_TIME: usize = 200;

/// One value of a record, in the form in which values are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldValue {
    /// The field.
    pub field: Uuid,
    /// The record.
    pub record: Uuid,
    /// Which of several values it is, from 0.
    pub nth: i64,
    /// How it compares.
    pub key: ValueKey,
    /// The whole text, folded, where the key has only its beginning.
    pub whole_text: Option<String>,
    /// Whether no other record may have it.
    pub is_unique: bool,
}

impl HeldValue {
    /// That a record has none.
    pub fn none(field: Uuid, record: Uuid) -> Self {
        let key = ValueKey { text: NO_VALUE.to_owned(), number: 0 };
        Self { field, record, nth: 0, key, whole_text: None, is_unique: false }
    }

    fn unique_key(&self) -> Option<String> {
        self.is_unique.then(|| self.key.as_one())
    }
}

impl ValueKey {
    /// Both parts in one text, which differs wherever one of them does.
    pub fn as_one(&self) -> String {
        format!("{} {}", self.number, self.text)
    }
}

impl UnitOfWork {
    /// Writes values, over those that there are of the same fields and records.
    ///
    /// # Errors
    /// `already_exists` where one that must be unique is another record's.
    pub async fn put_values(&mut self, values: &[HeldValue]) -> Result<()> {
        let workspace = kernel::TypedId::uuid(self.workspace()?);
        for some in values.chunks(AT_A_TIME) {
            let mut insert = Query::insert();
            insert.into_table(VALUES).columns([
                "workspace_id",
                "field_id",
                "record_id",
                "nth",
                "text_key",
                "number_key",
                "whole_text",
                "unique_key",
            ]);
            for value in some {
                insert.values_panic(
                    [
                        workspace.value(),
                        value.field.value(),
                        value.record.value(),
                        value.nth.value(),
                        value.key.text.clone().value(),
                        value.key.number.value(),
                        value.whole_text.clone().value(),
                        value.unique_key().value(),
                    ]
                    .map(Expr::value),
                );
            }
            let mut conflict = OnConflict::columns(["record_id", "field_id", "nth"]);
            conflict.update_columns(["text_key", "number_key", "whole_text", "unique_key"]);
            insert.on_conflict(conflict);
            self.execute_once(&insert).await?;
        }
        Ok(())
    }

    /// Forgets the values of a field that a record has from the `nth` on.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_values_from(&mut self, field: Uuid, record: Uuid, nth: i64) -> Result<()> {
        let mut delete = Query::delete();
        delete
            .from_table(VALUES)
            .and_where(Expr::col("record_id").eq(record))
            .and_where(Expr::col("field_id").eq(field))
            .and_where(Expr::col("nth").gte(nth));
        self.execute(&delete).await.map(|_| ())
    }

    /// Forgets all values of records that are gone.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_values_of(&mut self, records: &[Uuid]) -> Result<()> {
        for some in records.chunks(AT_A_TIME) {
            let mut delete = Query::delete();
            delete.from_table(VALUES).and_where(Expr::col("record_id").is_in(some.iter().copied()));
            self.execute_once(&delete).await?;
        }
        Ok(())
    }

    /// Says of the next `limit` records of a table that they have no value of a field, unless it is said that they have one. Returns after
    /// which record to go on; nothing where there are no more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn fill_values(
        &mut self,
        field: Uuid,
        table: &'static str,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Option<Uuid>> {
        let mut next = Query::select();
        next.columns(["id", "workspace_id"])
            .from(table)
            .and_where(unindexed(self.dialect(), table, "workspace_id").eq(kernel::TypedId::uuid(self.workspace()?)))
            .and_where_option(after.map(|after| Expr::col("id").gt(after)))
            .order_by("id", Order::Asc)
            .limit(limit);
        let last = self.rows(&next).await?;
        let full = u64::try_from(last.len()).is_ok_and(|found| found == limit);
        let Some(last) = last.last().map(|row| row.get::<Uuid>(0)).transpose()? else { return Ok(None) };
        // up to that one: between two statements records may come that stand before it
        next.reset_limit().and_where(Expr::col("id").lte(last));
        let mut empty = Query::select();
        empty
            .column(("next", "workspace_id"))
            .expr(Expr::value(field))
            .column(("next", "id"))
            .expr(Expr::value(0_i64))
            .expr(Expr::value(NO_VALUE))
            .expr(Expr::value(0_i64))
            .from_subquery(next, "next")
            .and_where(Expr::value(true));
        let mut insert = Query::insert();
        insert
            .into_table(VALUES)
            .columns(["workspace_id", "field_id", "record_id", "nth", "text_key", "number_key"])
            .select_from(empty)
            .map_err(kernel::Error::internal)?
            .on_conflict(OnConflict::new().do_nothing().to_owned());
        self.execute(&insert).await?;
        Ok(full.then_some(last))
    }

    /// The next records that have a value of a field, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn records_with_values(&mut self, field: Uuid, limit: u64) -> Result<Vec<Uuid>> {
        let mut holders = Query::select();
        holders
            .column("record_id")
            .from(VALUES)
            .and_where(Expr::col("field_id").eq(field))
            .and_where(Expr::col("text_key").lt(NO_VALUE))
            // of several values one
            .and_where(Expr::col("nth").eq(0_i64))
            .limit(limit);
        self.rows(&holders).await?.iter().map(|row| row.get(0)).collect()
    }

    /// The records whose values of these fields, which are references, name another: each with the field.
    ///
    /// # Errors
    /// What the database says.
    pub async fn records_that_name(&mut self, fields: &[Uuid], named: Uuid) -> Result<Vec<(Uuid, Uuid)>> {
        let mut naming = Query::select();
        naming
            .columns(["record_id", "field_id"])
            .from(VALUES)
            .and_where(Expr::col("field_id").is_in(fields.iter().copied()))
            .and_where(Expr::col("text_key").eq(named.to_string()));
        self.rows(&naming).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// Forgets the values of a field that these records have.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_values(&mut self, field: Uuid, records: &[Uuid]) -> Result<()> {
        for some in records.chunks(AT_A_TIME) {
            let mut delete = Query::delete();
            delete
                .from_table(VALUES)
                .and_where(Expr::col("field_id").eq(field))
                .and_where(Expr::col("record_id").is_in(some.iter().copied()));
            self.execute_once(&delete).await?;
        }
        Ok(())
    }

    /// Lets other records have what must be unique of a record that is there no more but for its values.
    ///
    /// # Errors
    /// What the database says.
    pub async fn free_unique_values(&mut self, record: Uuid) -> Result<()> {
        let mut update = Query::update();
        update
            .table(VALUES)
            .value("unique_key", Option::<String>::None.value())
            .and_where(Expr::col("record_id").eq(record))
            .and_where(Expr::col("unique_key").is_not_null());
        self.execute(&update).await.map(|_| ())
    }

    /// Forgets the next `limit` rows that say that a record has no value of a field. Returns how many they were.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_no_values(&mut self, field: Uuid, limit: u64) -> Result<u64> {
        let mut next = Query::select();
        next.column("record_id")
            .from(VALUES)
            .and_where(Expr::col("field_id").eq(field))
            .and_where(Expr::col("text_key").eq(NO_VALUE))
            .limit(limit);
        let mut delete = Query::delete();
        delete.from_table(VALUES).and_where(Expr::col("field_id").eq(field)).and_where(Expr::col("record_id").in_subquery(next));
        self.execute(&delete).await
    }
}
