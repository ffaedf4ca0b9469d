//! Words that the steps share.

use sea_orm_migration::prelude::*;
use store::dialect::Dialect;
use store::dialect::ddl::{self, Wall};

/// A table in the making.
pub(crate) struct Making<'a, 'b> {
    manager: &'a SchemaManager<'b>,
    name: &'static str,
    statement: TableCreateStatement,
    dialect: Dialect,
}

pub(crate) fn dialect(manager: &SchemaManager<'_>) -> Dialect {
    manager.get_database_backend().into()
}

impl<'a, 'b> Making<'a, 'b> {
    /// An empty table.
    pub fn bare(manager: &'a SchemaManager<'b>, name: &'static str) -> Self {
        let mut statement = Table::create();
        statement.table(name);
        Self { manager, name, statement, dialect: dialect(manager) }
    }

    /// A record of the installation: `id` and what every record has.
    pub fn record(manager: &'a SchemaManager<'b>, name: &'static str) -> Self {
        Self::bare(manager, name).col(ColumnDef::new("id").uuid().not_null().primary_key())
    }

    /// A record of a workspace.
    pub fn of_workspace(manager: &'a SchemaManager<'b>, name: &'static str) -> Self {
        Self::record(manager, name).uuid("workspace_id").references("workspace_id", "workspace")
    }

    /// A record of a workspace that is searched.
    pub fn searched(manager: &'a SchemaManager<'b>, name: &'static str) -> Self {
        let making = Self::bare(manager, name);
        let making = match ddl::row_number_column(making.dialect) {
            Some(number) => making
                .col(ColumnDef::new(number).integer().not_null().auto_increment().primary_key())
                .col(ColumnDef::new("id").uuid().not_null().unique_key()),
            None => making.col(ColumnDef::new("id").uuid().not_null().primary_key()),
        };
        making.uuid("workspace_id").references("workspace_id", "workspace").text("search_text")
    }

    pub fn col(mut self, column: impl IntoColumnDef) -> Self {
        self.statement.col(column);
        self
    }

    pub fn text(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).text().not_null())
    }

    pub fn text_null(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).text())
    }

    /// Text that is sorted by.
    pub fn sortable(self, name: &'static str) -> Self {
        let kind = ddl::sortable_text(self.dialect);
        self.col(ColumnDef::new(name).custom(kind).not_null())
    }

    pub fn sortable_null(self, name: &'static str) -> Self {
        let kind = ddl::sortable_text(self.dialect);
        self.col(ColumnDef::new(name).custom(kind))
    }

    pub fn uuid(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).uuid().not_null())
    }

    pub fn uuid_null(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).uuid())
    }

    pub fn boolean(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).boolean().not_null())
    }

    pub fn integer(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).big_integer().not_null())
    }

    pub fn integer_null(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).big_integer())
    }

    pub fn json(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).json_binary().not_null())
    }

    pub fn json_null(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).json_binary())
    }

    pub fn time(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).timestamp_with_time_zone().not_null())
    }

    pub fn time_null(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).timestamp_with_time_zone())
    }

    pub fn date_null(self, name: &'static str) -> Self {
        self.col(ColumnDef::new(name).date())
    }

    pub fn references(self, column: &'static str, table: &'static str) -> Self {
        self.foreign(column, table, ForeignKeyAction::Restrict)
    }

    /// A reference that goes with what it refers to.
    pub fn belongs_to(self, column: &'static str, table: &'static str) -> Self {
        self.foreign(column, table, ForeignKeyAction::Cascade)
    }

    /// A reference that is cleared when what it refers to goes.
    pub fn looks_to(self, column: &'static str, table: &'static str) -> Self {
        self.foreign(column, table, ForeignKeyAction::SetNull)
    }

    /// The columns are the key, and there is nothing but the key.
    pub fn keyed_by(mut self, columns: &[&'static str]) -> Self {
        let mut key = Index::create();
        for column in columns {
            key.col(*column);
        }
        self.statement.primary_key(&mut key);
        if let Some(as_key) = ddl::kept_as_its_key(self.dialect) {
            self.statement.extra(as_key);
        }
        self
    }

    fn foreign(mut self, column: &'static str, table: &'static str, on_delete: ForeignKeyAction) -> Self {
        let mut key = ForeignKey::create();
        key.name(format!("{}_{column}_fkey", self.name)).from(self.name, column).to(table, "id").on_delete(on_delete);
        self.statement.foreign_key(&mut key);
        self
    }

    /// Makes the table, with what every record has.
    pub async fn make(self, wall: Wall) -> Result<(), DbErr> {
        self.integer("version").time("created_at").time("updated_at").make_bare(wall).await
    }

    /// Makes the table as it stands.
    pub async fn make_bare(self, wall: Wall) -> Result<(), DbErr> {
        self.manager.create_table(self.statement).await?;
        run(self.manager, ddl::wall(self.dialect, self.name, wall)).await
    }
}

/// Runs statements of the dialect.
pub(crate) async fn run(manager: &SchemaManager<'_>, statements: Vec<String>) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(&statement).await?;
    }
    Ok(())
}

/// Runs one statement that both engines read in the same way.
pub(crate) async fn both(manager: &SchemaManager<'_>, statement: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(statement).await.map(|_| ())
}
