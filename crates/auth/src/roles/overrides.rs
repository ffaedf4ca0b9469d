//! Overrides: what a workspace allows otherwise than a role says, laid deep over it. What an override does not name stays as the role says,
//! also when a new version changes the role.

use std::collections::BTreeMap;

use kernel::{Caller, DateTime, Error, FieldError, Patch, Permission, PermissionSet, Result};
use serde::{Deserialize, Serialize};
use store::{Change, Conn, Json, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::commands::{check_change, check_own_right, find_locked};
use super::{Effective, VIEW, find, override_of};
use crate::errors::ROLE_IS_FIXED;
use crate::rows::{RoleId, RoleOverrideRow};

/// What is laid over a role: by area and action, whether it is allowed.
pub(crate) type Laid = BTreeMap<String, BTreeMap<String, bool>>;

/// What a workspace allows otherwise than a role says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RoleOverride {
    /// The role.
    pub role_id: RoleId,
    /// By area and action, whether it is allowed: `{"clients": {"delete": true, "export": false}}`.
    pub permissions: BTreeMap<String, BTreeMap<String, bool>>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<RoleOverrideRow> for RoleOverride {
    fn from(row: RoleOverrideRow) -> Self {
        Self {
            role_id: row.role_id,
            permissions: row.permissions.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The body of `PATCH /v1/roles/{role_id}/override`: a merge patch of the whole, as deep as it goes (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct RoleOverridePatch {
    /// By area and action, whether it is allowed; null for an action or a whole area leaves it to the role again.
    #[schema(nullable = false, value_type = BTreeMap<String, Option<BTreeMap<String, Option<bool>>>>)]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<String, Patch<BTreeMap<String, Patch<bool>>>>,
}

/// A set of permissions with an override over it. What this build does not know changes nothing.
pub(crate) fn laid_over(mut set: PermissionSet, over: &Laid) -> PermissionSet {
    for permission in Permission::ALL {
        match over.get(permission.area()).and_then(|actions| actions.get(permission.action())) {
            Some(true) => set.insert(*permission),
            Some(false) => set.remove(*permission),
            None => {}
        }
    }
    set
}

/// A patch merged into an override; areas in which nothing is left go.
fn merged(mut laid: Laid, patch: RoleOverridePatch) -> Result<Laid> {
    let mut wrong = Vec::new();
    for (area, actions) in patch.permissions {
        let here = format!("/permissions/{}", pointer_part(&area));
        let known: Vec<_> = Permission::ALL.iter().filter(|permission| permission.area() == area).collect();
        let Patch::Value(actions) = actions else {
            // what a later version does not know any more can still be taken away
            laid.remove(&area);
            continue;
        };
        if known.is_empty() {
            wrong.push(FieldError::new(here, "unknown_area", "is no area of permissions"));
            continue;
        }
        let of_area = laid.entry(area).or_default();
        for (action, allowed) in actions {
            match allowed {
                Patch::Value(_) if known.iter().all(|permission| permission.action() != action) => {
                    let names: Vec<&str> = known.iter().map(|permission| permission.action()).collect();
                    let message = format!("is no permission of this area; there are {}", names.join(", "));
                    wrong.push(FieldError::new(format!("{here}/{}", pointer_part(&action)), "unknown_permission", message));
                }
                Patch::Value(allowed) => {
                    of_area.insert(action, allowed);
                }
                Patch::Null | Patch::Absent => {
                    of_area.remove(&action);
                }
            }
        }
    }
    laid.retain(|_, actions| !actions.is_empty());
    if wrong.is_empty() { Ok(laid) } else { Err(Error::invalid(wrong)) }
}

/// A name as a part of a JSON pointer (RFC 6901).
fn pointer_part(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What the workspace has laid over a role.
///
/// # Errors
/// `forbidden` without `admin.manage_users` or `admin.manage_roles`; `not_found` where there is no such role, or nothing over it.
pub async fn get_override(conn: &mut Conn, caller: &Caller, id: RoleId) -> Result<RoleOverride> {
    caller.require_any(&VIEW)?;
    let role = find(conn, caller.workspace()?, id).await?.ok_or_else(Error::not_found)?;
    role.over.map(RoleOverride::from).ok_or_else(|| Error::not_found().with_detail("The role has no override here."))
}

/// Changes what lies over a role of the installation, or lays the first thing over it.
///
/// # Errors
/// `forbidden` without `admin.manage_roles`; `role_is_fixed` for the super admin's, and for a role of the workspace's own; `role_too_high`;
/// `own_last_right`; `not_found`; `stale`; `validation_failed` for what is no permission.
pub async fn change_override(
    uow: &mut UnitOfWork,
    id: RoleId,
    seen: Option<i64>,
    patch: RoleOverridePatch,
) -> Result<RoleOverride> {
    let role = find_to_override(uow, id, seen).await?;
    let before = role.over.clone();
    let laid = merged(before.as_ref().map(|over| over.permissions.0.clone()).unwrap_or_default(), patch)?;
    check(uow, &role, laid_over(role.row.permission_set(), &laid)).await?;
    match before {
        Some(before) => {
            let after = RoleOverrideRow { permissions: Json(laid), ..before.clone() };
            uow.update(&before, after, Change::plain().about("role", id)).await.map(RoleOverride::from)
        }
        None => {
            let now = uow.now();
            let row = RoleOverrideRow {
                id: uow.id(),
                workspace_id: uow.workspace()?,
                role_id: id,
                permissions: Json(laid),
                version: 1,
                created_at: now,
                updated_at: now,
            };
            uow.insert(&row, Change::plain().about("role", id)).await?;
            Ok(row.into())
        }
    }
}

/// Takes away what lies over a role, so that it allows what it says.
///
/// # Errors
/// As [`change_override`]; `not_found` where nothing lies over it.
pub async fn clear_override(uow: &mut UnitOfWork, id: RoleId, seen: Option<i64>) -> Result<()> {
    let role = find_to_override(uow, id, seen).await?;
    let over = role.over.clone().ok_or_else(Error::not_found)?;
    check(uow, &role, role.row.permission_set()).await?;
    uow.delete(&over, Change::plain().about("role", id)).await
}

/// The role, locked with its workspace, if something may be laid over it.
async fn find_to_override(uow: &mut UnitOfWork, id: RoleId, seen: Option<i64>) -> Result<Effective> {
    uow.caller().require(Permission::AdminManageRoles)?;
    let role = find_locked(uow, id).await?;
    let workspace = uow.workspace()?;
    let over = override_of(uow, workspace, id).await?;
    crate::check_seen(seen, over.map_or(0, |over| over.version))?;
    if !role.row.is_system {
        return Err(Error::new(&ROLE_IS_FIXED).with_detail("The role is the workspace's own: change it itself."));
    }
    if role.row.key == super::SUPER_ADMIN {
        return Err(Error::new(&ROLE_IS_FIXED).with_detail("A super admin may do everything."));
    }
    Ok(role)
}

async fn check(uow: &mut UnitOfWork, role: &Effective, after: PermissionSet) -> Result<()> {
    check_change(&uow.caller(), role.permissions, after)?;
    check_own_right(uow, role.row.id, after).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn patch(permissions: &Value) -> RoleOverridePatch {
        serde_json::from_value(json!({ "permissions": permissions })).unwrap()
    }

    #[test]
    fn what_is_wrong_is_named_and_all_of_it() {
        let wrong = json!({ "boats": { "sail": true }, "clients": { "fly": true, "delete": true }, "a/b": {} });
        let error = merged(Laid::new(), patch(&wrong)).unwrap_err();
        let found: Vec<_> = error.fields().iter().map(|field| (field.pointer.as_str(), &*field.code)).collect();
        let expected = [
            ("/permissions/a~1b", "unknown_area"),
            ("/permissions/boats", "unknown_area"),
            ("/permissions/clients/fly", "unknown_permission"),
        ];
        assert_eq!(found, expected);
    }

    prop_compose! {
        fn a_patch()(places in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any::<bool>())), 0..12),
                     areas in prop::collection::vec(any::<prop::sample::Index>(), 0..2)) -> Value {
            let mut whole = json!({});
            for (place, allowed) in places {
                let permission = place.get(Permission::ALL);
                whole[permission.area()][permission.action()] = json!(allowed);
            }
            for area in areas {
                whole[area.get(Permission::ALL).area()] = Value::Null;
            }
            whole
        }
    }

    proptest! {
        #[test]
        fn overrides_merge_as_deep_as_a_merge_patch(patches in prop::collection::vec(a_patch(), 0..5)) {
            let (mut laid, mut expected) = (Laid::new(), json!({}));
            for one in &patches {
                laid = merged(laid, patch(one)).unwrap();
                kernel::patch::merge(&mut expected, one.clone());
                // an area in which nothing is said says nothing
                expected.as_object_mut().unwrap().retain(|_, actions| actions.as_object().is_some_and(|actions| !actions.is_empty()));
            }
            prop_assert_eq!(serde_json::to_value(&laid).unwrap(), expected.clone());
            for base in [PermissionSet::none(), PermissionSet::all()] {
                let over = laid_over(base, &laid);
                for permission in Permission::ALL {
                    let said = expected.get(permission.area()).and_then(|actions| actions.get(permission.action()));
                    let allowed = said.and_then(Value::as_bool).unwrap_or(base.contains(*permission));
                    prop_assert_eq!(over.contains(*permission), allowed);
                }
            }
        }
    }
}
