//! A session of the portal says from its beginning in whose portal it is; and those of one client are found when it is merged.

use sea_orm_migration::prelude::*;
use store::dialect::ddl;

use crate::table::{both, dialect, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        both(manager, "CREATE INDEX session_client ON session (client_id) WHERE client_id IS NOT NULL").await?;
        let first = "UPDATE session SET client_id = (SELECT a.client_id FROM portal_access a WHERE a.contact_id = session.contact_id \
                     ORDER BY a.created_at, a.id LIMIT 1) \
                     WHERE contact_id IS NOT NULL AND client_id IS NULL AND revoked_at IS NULL";
        run(manager, ddl::of_everybody(dialect(manager), &["session", "portal_access"], vec![first.to_owned()])).await
    }
}
