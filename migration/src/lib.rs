//! The schema, one file per step, each written once for both engines. What the engines write in different words comes from
//! [`store::dialect::ddl`].
//!
//! To add a step: add a file `m<date>_<number>_<what>.rs`, list it in [`Migrator`], give every table of a workspace its wall
//! (a test fails otherwise), and never change a step that has been released. Steps only add, or first add and later remove
//! (expand, then contract), so that the old binary goes on working beside the new schema.

mod m20261121_000001_installation;
mod m20261121_000002_journal;
mod m20261121_000003_accounts;
mod m20261121_000004_platform;
mod m20261121_000005_clients;
mod m20261125_000006_list_indexes;
mod m20261125_000020_jobs;
mod m20261125_000030_files;
mod m20261125_000040_mail;
mod table;

use sea_orm_migration::prelude::*;

/// All steps in their order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_installation::Step),
            Box::new(m20261121_000002_journal::Step),
            Box::new(m20261121_000003_accounts::Step),
            Box::new(m20261121_000004_platform::Step),
            Box::new(m20261121_000005_clients::Step),
            Box::new(m20261125_000006_list_indexes::Step),
            Box::new(m20261125_000020_jobs::Step),
            Box::new(m20261125_000030_files::Step),
            Box::new(m20261125_000040_mail::Step),
        ]
    }
}

/// Brings a database to the newest schema, as its owner. Several nodes may call it at once; one does the work.
///
/// # Errors
/// `internal` with what the database says.
pub async fn migrate(config: &store::DatabaseConfig) -> kernel::Result<()> {
    let owner = store::owner_connection(config).await?;
    let result = async {
        store::dialect::ddl::lock_migrations(&owner).await?;
        let migrated = Migrator::up(&owner, None).await.map_err(kernel::Error::internal);
        store::dialect::ddl::unlock_migrations(&owner).await?;
        migrated
    }
    .await;
    owner.close().await.map_err(kernel::Error::internal)?;
    result
}
