//! Imports over HTTP: what a run is about and how far it is, and its rows, which are staged before anything is written.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;

use crate::table::{Making, both};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let count = |name: &'static str| ColumnDef::new(name).big_integer().not_null().default(0).take();
        let columns = [
            ColumnDef::new("started_by").uuid().take(),
            ColumnDef::new("approved_by").uuid().take(),
            // who asked for what is being done now, and through which token
            ColumnDef::new("asked_by").uuid().take(),
            ColumnDef::new("asked_token").uuid().take(),
            ColumnDef::new("source").text().take(),
            ColumnDef::new("storage_bucket").text().take(),
            ColumnDef::new("storage_key").text().take(),
            ColumnDef::new("file_type").text().take(),
            ColumnDef::new("filesize_bytes").big_integer().take(),
            ColumnDef::new("reading").json_binary().take(),
            ColumnDef::new("found").json_binary().take(),
            count("round"),
            count("position"),
            count("done"),
            ColumnDef::new("total").big_integer().take(),
            count("staged_new"),
            count("staged_changed"),
            count("staged_same"),
            count("staged_wrong"),
            count("changed_meanwhile"),
            count("undone"),
            count("kept"),
            ColumnDef::new("failure_code").text().take(),
            ColumnDef::new("failure").text().take(),
            ColumnDef::new("staged_at").timestamp_with_time_zone().take(),
            ColumnDef::new("approved_at").timestamp_with_time_zone().take(),
            ColumnDef::new("undone_at").timestamp_with_time_zone().take(),
            ColumnDef::new("removed_at").timestamp_with_time_zone().take(),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table("import_run").add_column(column).take()).await?;
        }
        both(manager, "CREATE INDEX import_run_created ON import_run (workspace_id, created_at, id)").await?;
        both(manager, "CREATE INDEX import_run_object ON import_run (storage_key) WHERE storage_key IS NOT NULL").await?;

        Making::of_workspace(manager, "import_row")
            .uuid("import_run_id")
            .belongs_to("import_run_id", "import_run")
            .integer("line")
            .text("outcome")
            .text_null("exception")
            .uuid_null("record_id")
            .json_null("further")
            .json("cells")
            .json_null("differences")
            .json_null("issues")
            .make(Wall::Workspace)
            .await?;
        both(manager, "CREATE UNIQUE INDEX import_row_line ON import_row (import_run_id, line)").await?;
        both(manager, "CREATE INDEX import_row_outcome ON import_row (import_run_id, outcome, line)").await?;
        both(
            manager,
            "CREATE INDEX import_row_exception ON import_row (import_run_id, exception, line) WHERE exception IS NOT NULL",
        )
        .await?;
        both(manager, "CREATE INDEX import_row_record ON import_row (record_id) WHERE record_id IS NOT NULL").await
    }
}
