//! Reading and changing settings.

use kernel::error::Faults;
use kernel::{Caller, Error, Permission, Result, TypedId as _, WorkspaceId};
use serde_json::{Map, Value};
use store::query::{Expr, ExprTrait};
use store::{Change, Conn, Json, OnUnique as _, Record as _, UnitOfWork};
use uuid::Uuid;

use super::registry::{Setting, Takes};
use super::values::SettingValues;
use super::wire::{InstallationSettingsPatch, SettingList, SettingsPatch};
use super::{installation_row, of_installation};
use crate::roles;
use crate::rows::{InstallationSettingsId, InstallationSettingsRow, WorkspaceRow};

/// The installation's row: there is one.
const THE_ONE: Uuid = Uuid::nil();
/// The version that the installation's settings have as long as there is no row of them.
const NOTHING_SAID: i64 = 1;

/// Whose role keys a setting may name.
#[derive(Clone, Copy)]
enum Roles {
    /// Those of a workspace.
    Of(WorkspaceId),
    /// Those that are the same everywhere.
    OfAll,
}

/// Puts values in the place of others. Everything that is wrong is told, with pointers that begin so.
async fn put(conn: &mut Conn, values: &mut SettingValues, new: Map<String, Value>, whose: Roles, at: &str) -> Result<()> {
    let mut faults = Faults::new();
    for (key, value) in new {
        let Some(setting) = Setting::find(&key) else {
            faults.add(format!("{at}/{key}"), "unknown_field", format!("there is no setting {key}"));
            continue;
        };
        if let (Takes::Roles, Value::Array(keys)) = (setting.takes, &value) {
            let known: Vec<String> = match whose {
                Roles::Of(workspace) => roles::keys(conn, workspace).await?.into_values().collect(),
                Roles::OfAll => roles::system_role_keys().map(str::to_owned).collect(),
            };
            for (place, _) in keys.iter().enumerate().filter(|(_, key)| !known.iter().any(|known| *key == known)) {
                faults.add(format!("{at}/{key}/{place}"), "unknown_role", "is no role that there is");
            }
        }
        match setting.read(value) {
            Some(value) => values.set(setting.key, value),
            None => faults.add(format!("{at}/{key}"), "wrong_type", "is of the wrong type"),
        }
    }
    faults.into_result()
}

/// The values of a workspace with others in their place, for whoever changes the workspace itself.
pub(crate) async fn given(
    conn: &mut Conn,
    workspace: WorkspaceId,
    before: &SettingValues,
    new: Map<String, Value>,
    at: &str,
) -> Result<SettingValues> {
    let mut values = before.clone();
    put(conn, &mut values, new, Roles::Of(workspace), at).await?;
    Ok(values)
}

fn own_row(workspace: WorkspaceId) -> store::query::SelectStatement {
    let mut select = WorkspaceRow::select();
    select.and_where(Expr::col(("workspace", "id")).eq(workspace.uuid()));
    select
}

/// Every setting as it is in the workspace.
///
/// # Errors
/// `no_workspace` to whoever is in none.
pub async fn get(conn: &mut Conn, caller: &Caller) -> Result<SettingList> {
    let row = conn.one::<WorkspaceRow>(&own_row(caller.workspace()?)).await?.ok_or_else(Error::not_found)?;
    Ok(SettingList::in_workspace(&row.settings.0, &of_installation(conn).await?, row.version))
}

/// Changes settings of the workspace. What changes nothing writes nothing.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `stale`; `validation_failed`.
pub async fn update(uow: &mut UnitOfWork, seen: Option<i64>, patch: SettingsPatch) -> Result<SettingList> {
    uow.caller().require(Permission::AdminManageSettings)?;
    let workspace = uow.workspace()?;
    let before = uow.locked::<WorkspaceRow>(own_row(workspace)).await?.ok_or_else(Error::not_found)?;
    crate::check_seen(seen, before.version)?;
    let settings = given(uow, workspace, &before.settings.0, patch.0, "").await?;
    let after = WorkspaceRow { settings: Json(settings), ..before.clone() };
    let after = uow.update(&before, after, Change::plain()).await?;
    Ok(SettingList::in_workspace(&after.settings.0, &of_installation(uow).await?, after.version))
}

/// The settings to which the installation gives a value, as they are for workspaces that say nothing.
///
/// # Errors
/// `forbidden` to everybody but its super admins.
pub async fn get_of_installation(conn: &mut Conn, caller: &Caller) -> Result<SettingList> {
    caller.require_super_admin()?;
    let row = installation_row(conn).await?;
    let (values, version) = row.map_or_else(|| (SettingValues::default(), NOTHING_SAID), |row| (row.settings.0, row.version));
    Ok(SettingList::of_installation(&values, version))
}

/// Changes settings of the installation, which hold from now on in all workspaces that say nothing themselves.
///
/// # Errors
/// `forbidden` to everybody but its super admins; `stale`; `validation_failed`.
pub async fn update_of_installation(
    uow: &mut UnitOfWork,
    seen: Option<i64>,
    patch: InstallationSettingsPatch,
) -> Result<SettingList> {
    uow.caller().require_super_admin()?;
    let before = uow.locked::<InstallationSettingsRow>(InstallationSettingsRow::select()).await?;
    crate::check_seen(seen, before.as_ref().map_or(NOTHING_SAID, |row| row.version))?;
    let mut values = before.as_ref().map(|row| row.settings.0.clone()).unwrap_or_default();
    put(uow, &mut values, patch.0, Roles::OfAll, "").await?;
    let now = uow.now();
    let row = match before {
        Some(before) => {
            let after = InstallationSettingsRow { settings: Json(values), ..before.clone() };
            uow.update(&before, after, Change::plain()).await?
        }
        None if values == SettingValues::default() => return Ok(SettingList::of_installation(&values, NOTHING_SAID)),
        None => {
            let row = InstallationSettingsRow {
                id: InstallationSettingsId::from_uuid(THE_ONE),
                settings: Json(values),
                version: NOTHING_SAID + 1,
                created_at: now,
                updated_at: now,
            };
            // of two who give the first at once, one does it again and finds the other's
            uow.insert(&row, Change::of(store::Action::Update)).await.on_unique(|| Error::new(&store::errors::BUSY))?;
            row
        }
    };
    Ok(SettingList::of_installation(&row.settings.0, row.version))
}
