//! How clients relate to each other.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::{self, Wall};
use store::dialect::triggers;
use store::list::FieldKind;

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = "client_relationship";
        Making::of_workspace(manager, table)
            .text("kind")
            .uuid("from_client_id")
            .references("from_client_id", "client")
            .uuid("to_client_id")
            .references("to_client_id", "client")
            .text_null("territory")
            .text("territory_key")
            .integer_null("commission_basis_points")
            .date_null("valid_from")
            .date_null("valid_until")
            .text_null("note")
            .uuid_null("created_by")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE INDEX client_relationship_pair ON client_relationship (from_client_id, to_client_id, kind, territory_key)",
            "CREATE INDEX client_relationship_to ON client_relationship (to_client_id)",
            "CREATE INDEX client_relationship_from_of ON client_relationship (workspace_id, from_client_id, created_at, id)",
            "CREATE INDEX client_relationship_to_of ON client_relationship (workspace_id, to_client_id, created_at, id)",
            "CREATE INDEX client_relationship_created ON client_relationship (workspace_id, created_at, id)",
            "CREATE INDEX client_relationship_updated ON client_relationship (workspace_id, updated_at, id)",
        ] {
            both(manager, index).await?;
        }
        let dialect = dialect(manager);
        let until = ddl::sort_index(dialect, "client_relationship_until", table, "valid_until", FieldKind::Date);
        run(manager, vec![until]).await?;
        let same = ["from_client_id", "to_client_id", "kind", "territory_key"];
        run(manager, triggers::no_overlap(dialect, table, &same, ["valid_from", "valid_until"])).await
    }
}
