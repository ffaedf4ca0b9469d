//! Clients that may be the same: the keys by which they are found, the pairs that were found, and how far each workspace was looked through.

use sea_orm_migration::prelude::*;
use store::dialect::ddl::Wall;
use store::dialect::portal;

use crate::table::{Making, both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // several rows for each client, written with it: no foreign keys, which would be looked up for each, and no index but the key itself
        Making::bare(manager, "client_match_key")
            .uuid("workspace_id")
            .integer("match_key")
            .uuid("client_id")
            .keyed_by(&["workspace_id", "match_key", "client_id"])
            .make_bare(Wall::Workspace)
            .await?;
        run(manager, portal::open_beside_clients(dialect(manager), "client_match_key")).await?;
        Making::of_workspace(manager, "duplicate_candidate")
            .uuid("client_id")
            .belongs_to("client_id", "client")
            .uuid("other_id")
            .belongs_to("other_id", "client")
            .integer("score")
            .json("reasons")
            .time_null("archived_at")
            .uuid_null("dismissed_by")
            .make(Wall::Workspace)
            .await?;
        Making::of_workspace(manager, "duplicate_search")
            .integer("keys")
            .integer("looked_at")
            .integer("found")
            .time_null("started_at")
            .time_null("finished_at")
            .make(Wall::Workspace)
            .await?;
        for index in [
            "CREATE UNIQUE INDEX duplicate_candidate_pair ON duplicate_candidate (client_id, other_id)",
            "CREATE INDEX duplicate_candidate_other ON duplicate_candidate (other_id)",
            "CREATE INDEX duplicate_candidate_score ON duplicate_candidate (workspace_id, score, id)",
            "CREATE INDEX duplicate_candidate_created ON duplicate_candidate (workspace_id, created_at, id)",
            "CREATE UNIQUE INDEX duplicate_search_of ON duplicate_search (workspace_id)",
        ] {
            both(manager, index).await?;
        }
        Ok(())
    }
}
