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
mod m20261125_000050_imports;
mod m20261125_000060_backups;
mod m20261125_000070_thumbnails;
mod m20261126_000080_roles;
mod m20261126_000081_teams;
mod m20261126_000082_sessions;
mod m20261126_000083_profiles;
mod m20261126_000084_second_factors;
mod m20261127_000085_relationships;
mod m20261127_000086_interactions;
mod m20261127_000087_client_groups;
mod m20261127_000090_token_usage;
mod m20261127_000091_brands;
mod m20261127_000092_settings;
mod m20261127_000093_own_come_in;
mod m20261127_000095_deprecated_uses;
mod m20261127_000096_saved_views;
mod m20261127_000100_client_merges;
mod m20261127_000104_portal;
mod m20261127_000105_stages;
mod m20261127_000106_custom_fields;
mod m20261127_000107_client_brand;
mod m20261127_000108_duplicates;
mod m20261127_000109_tell_fields;
mod m20261127_000110_portal_devices;
mod m20261127_000111_values_covered;
mod m20261127_000112_own_rows;
mod m20261127_000113_contact_mails;
mod m20261127_000114_portal_sessions;
mod m20261128_000115_shared_views;
mod m20261128_000116_client_roles;
mod m20261128_000117_filter_indexes;
mod m20261128_000119_traces_of_contacts;
mod m20261128_000120_default_views;
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
            Box::new(m20261125_000050_imports::Step),
            Box::new(m20261125_000060_backups::Step),
            Box::new(m20261125_000070_thumbnails::Step),
            Box::new(m20261126_000080_roles::Step),
            Box::new(m20261126_000081_teams::Step),
            Box::new(m20261126_000082_sessions::Step),
            Box::new(m20261126_000083_profiles::Step),
            Box::new(m20261126_000084_second_factors::Step),
            Box::new(m20261127_000085_relationships::Step),
            Box::new(m20261127_000086_interactions::Step),
            Box::new(m20261127_000087_client_groups::Step),
            Box::new(m20261127_000090_token_usage::Step),
            Box::new(m20261127_000091_brands::Step),
            Box::new(m20261127_000092_settings::Step),
            Box::new(m20261127_000093_own_come_in::Step),
            Box::new(m20261127_000095_deprecated_uses::Step),
            Box::new(m20261127_000096_saved_views::Step),
            Box::new(m20261127_000100_client_merges::Step),
            Box::new(m20261127_000104_portal::Step),
            Box::new(m20261127_000105_stages::Step),
            Box::new(m20261127_000106_custom_fields::Step),
            Box::new(m20261127_000107_client_brand::Step),
            Box::new(m20261127_000108_duplicates::Step),
            Box::new(m20261127_000109_tell_fields::Step),
            Box::new(m20261127_000110_portal_devices::Step),
            Box::new(m20261127_000111_values_covered::Step),
            Box::new(m20261127_000112_own_rows::Step),
            Box::new(m20261127_000113_contact_mails::Step),
            Box::new(m20261127_000114_portal_sessions::Step),
            Box::new(m20261128_000115_shared_views::Step),
            Box::new(m20261128_000116_client_roles::Step),
            Box::new(m20261128_000117_filter_indexes::Step),
            Box::new(m20261128_000119_traces_of_contacts::Step),
            Box::new(m20261128_000120_default_views::Step),
        ]
    }
}

/// Brings a database to the newest schema, as its owner. Several nodes may call it at once; one does the work.
///
/// # Errors
/// `internal` with what the database says.
pub async fn migrate(config: &store::DatabaseConfig) -> kernel::Result<()> {
    take(config, None).await
}

/// The names of all steps, in their order.
pub fn steps() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}

/// Brings an empty database to the schema of exactly these steps, which must be the first ones. On SQLite nothing is done: there a schema
/// comes with its file.
///
/// # Errors
/// `internal` with what the database says.
pub async fn migrate_to(config: &store::DatabaseConfig, steps: &[String]) -> kernel::Result<()> {
    if store::snapshot::brings_schema(config)? {
        return Ok(());
    }
    take(config, Some(steps)).await
}

async fn take(config: &store::DatabaseConfig, until: Option<&[String]>) -> kernel::Result<()> {
    let owner = store::owner_connection(config).await?;
    let result = async {
        store::dialect::ddl::lock_migrations(&owner).await?;
        let migrated = async {
            let left = match until {
                None => None,
                Some(steps) => {
                    let taken = Migrator::get_applied_migrations(&owner).await?.len();
                    Some(<u32 as TryFrom<usize>>::try_from(steps.len().saturating_sub(taken)).unwrap_or(u32::MAX))
                }
            };
            Migrator::up(&owner, left).await
        }
        .await
        .map_err(kernel::Error::internal);
        store::dialect::ddl::unlock_migrations(&owner).await?;
        migrated
    }
    .await;
    owner.close().await.map_err(kernel::Error::internal)?;
    result
}
