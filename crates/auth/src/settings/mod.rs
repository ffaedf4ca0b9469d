//! Settings: how workspaces work, and the installation where a workspace says nothing. Each has a type, a default and a level, declared in
//! [`SETTINGS`]; what is not declared is refused.
//!
//! A workspace's values stand in its row, the installation's in a row of its own. What holds in a workspace ([`WorkspaceSettings`]) is made
//! of both and of the defaults, and is all that other code reads.

mod commands;
mod registry;
mod values;
mod wire;

use kernel::{Error, OnDuplicate, Result, TypedId as _, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::query::{Expr, ExprTrait, Query};
use store::{Conn, Json, Record as _};
use utoipa::ToSchema;

use crate::file_kinds::{FileKind, FileKinds};
use crate::rows::InstallationSettingsRow;

pub(crate) use commands::given;
pub use commands::{get, get_of_installation, update, update_of_installation};
pub use registry::{SETTINGS, Setting, SettingKind, SettingLevel, Takes};
pub use values::SettingValues;
pub use wire::{InstallationSettingsPatch, SettingList, SettingSource, SettingView, SettingsPatch};

/// How a workspace works: what it says itself, what the installation says for those that say nothing, and the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WorkspaceSettings {
    /// Whether a change or deletion of a record must name by `If-Match` the state that it is meant for; one that does not is answered 428.
    pub require_if_match: bool,
    /// The kinds of file that are taken.
    #[schema(value_type = Vec<FileKind>)]
    pub file_kinds: FileKinds,
    /// The keys of the roles whose members must have a second factor; until they do they can do nothing there but switch it on.
    pub second_factor_roles: Vec<String>,
    /// The face of its mail.
    pub mail: mail::FaceSettings,
    /// What API tokens may be.
    pub tokens: TokenSettings,
    /// How phone numbers are read.
    pub phones: PhoneSettings,
    /// What is done about clients that may be there already.
    pub duplicates: DuplicateSettings,
}

/// What is done about clients that may be there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DuplicateSettings {
    /// When one is made.
    pub on_create: OnDuplicate,
}

/// How phone numbers are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PhoneSettings {
    /// The country of those without a country code, where the record has no address (ISO 3166-1).
    pub default_country: String,
}

impl Default for PhoneSettings {
    fn default() -> Self {
        Self { default_country: "GR".to_owned() }
    }
}

/// What API tokens may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TokenSettings {
    /// The longest life of a new one, in days; any where this is null.
    pub max_days: Option<i64>,
    /// Whether a new one must name the networks that it is used from.
    pub require_networks: bool,
}

impl WorkspaceSettings {
    /// Whether one who has a role must have a second factor.
    pub fn requires_second_factor(&self, role: &str) -> bool {
        self.second_factor_roles.iter().any(|known| known == role)
    }

    /// What holds where a workspace and the installation say this.
    pub(crate) fn of(own: &SettingValues, installation: &SettingValues) -> Result<Self> {
        let mut all = SettingValues::default();
        for setting in SETTINGS {
            all.set(setting.key, effective(setting, Some(own), installation).0);
        }
        serde_json::from_value(all.into_value()).map_err(Error::internal)
    }
}

/// The value of a setting, and where it comes from.
fn effective<'a>(setting: &Setting, own: Option<&'a SettingValues>, installation: &'a SettingValues) -> (Value, SettingSource) {
    let of = |values: &'a SettingValues| values.get(setting.key).filter(|value| setting.fits(value));
    let own = own.filter(|_| setting.is_of_workspaces()).and_then(of);
    let of_installation = Some(installation).filter(|_| setting.is_of_installation()).and_then(of);
    match (own, of_installation) {
        (Some(value), _) => (value.clone(), SettingSource::Workspace),
        (None, Some(value)) => (value.clone(), SettingSource::Installation),
        (None, None) => (setting.default(), SettingSource::Default),
    }
}

/// The row of the installation's values; none until somebody gives one.
async fn installation_row(conn: &mut Conn) -> Result<Option<InstallationSettingsRow>> {
    conn.one(&InstallationSettingsRow::select()).await
}

/// The values that the installation gives.
pub(crate) async fn of_installation(conn: &mut Conn) -> Result<SettingValues> {
    Ok(installation_row(conn).await?.map(|row| row.settings.0).unwrap_or_default())
}

/// What holds in a workspace.
///
/// # Errors
/// `not_found` when it is gone.
pub(crate) async fn of_workspace(conn: &mut Conn, workspace: WorkspaceId) -> Result<WorkspaceSettings> {
    let mut select = Query::select();
    select.column("settings").from("workspace").and_where(Expr::col("id").eq(workspace.uuid()));
    let own: Json<SettingValues> = conn.row(&select).await?.ok_or_else(Error::not_found)?.get(0)?;
    WorkspaceSettings::of(&own.0, &of_installation(conn).await?)
}
