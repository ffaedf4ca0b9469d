//! The seven system roles. Their permissions are code: [`sync`] writes them to the table at every start, so that a new version
//! brings its new permissions along.

use kernel::error::codes;
use kernel::{Caller, DateTime, Error, Permission, PermissionSet, Result};
use store::query::{Expr, ExprTrait};
use store::{Conn, Json, Record as _, Store, UnitOfWork};

use crate::rows::RoleRow;

use Permission as P;

/// The key of the role that may do everything in its workspace.
pub const SUPER_ADMIN: &str = "super_admin";

/// A system role: its key, its name, and whether it allows a permission.
struct SystemRole {
    key: &'static str,
    name: &'static str,
    allows: fn(Permission) -> bool,
}

const SYSTEM_ROLES: [SystemRole; 7] = [
    SystemRole { key: SUPER_ADMIN, name: "Super admin", allows: |_| true },
    SystemRole {
        key: "director",
        name: "Director",
        // all operational areas, and of the admin area these two
        allows: |p| p.area() != "admin" || matches!(p, P::AdminManageUsers | P::AdminViewAuditLog),
    },
    SystemRole {
        key: "sales_manager",
        name: "Sales manager",
        allows: |p| {
            const SALES: [&str; 9] =
                ["clients", "contacts", "leads", "opportunities", "products", "assets", "documents", "estimates", "proposals"];
            SALES.contains(&p.area()) || matches!(p, P::RemindersViewAll | P::RemindersAssignOthers)
        },
    },
    SystemRole {
        key: "sales_agent",
        name: "Sales agent",
        allows: |p| {
            let own_sales = ["clients", "contacts", "leads", "opportunities"].contains(&p.area())
                && ["view", "view_own", "create", "edit"].contains(&p.action());
            own_sales || matches!(p, P::RemindersViewOwn | P::RemindersCreate | P::RemindersEditOwn)
        },
    },
    SystemRole {
        key: "support_lead",
        name: "Support lead",
        allows: |p| {
            p.area() == "tickets"
                || matches!(
                    p,
                    P::SupportViewReports
                        | P::SupportManageCannedReplies
                        | P::SupportManageSla
                        | P::SupportManageRules
                        | P::ClientsViewAll
                        | P::ContactsView
                )
        },
    },
    SystemRole {
        key: "support_agent",
        name: "Support agent",
        allows: |p| {
            matches!(p, P::TicketsViewOwn | P::TicketsReply | P::TicketsReplyInternal | P::ClientsViewAll | P::ContactsView)
        },
    },
    SystemRole { key: "viewer", name: "Viewer", allows: |p| p.action() == "view" || p.action().starts_with("view_") },
];

/// The keys of the system roles.
pub fn system_role_keys() -> impl Iterator<Item = &'static str> {
    SYSTEM_ROLES.iter().map(|role| role.key)
}

/// What a system role allows; `None` when there is no such role.
pub fn system_role_permissions(key: &str) -> Option<PermissionSet> {
    let role = SYSTEM_ROLES.iter().find(|role| role.key == key)?;
    Some(Permission::ALL.iter().copied().filter(|permission| (role.allows)(*permission)).collect())
}

/// Writes the system roles as this build knows them.
///
/// # Errors
/// What the database says.
pub async fn sync(store: &Store) -> Result<()> {
    match sync_once(store).await {
        // a server and a worker that start together on a new database both do this, and one of them finds what the other has written
        Err(error) if *error.code() == codes::ALREADY_EXISTS => sync_once(store).await,
        other => other,
    }
}

async fn sync_once(store: &Store) -> Result<()> {
    let caller = std::sync::Arc::new(Caller::job(store.runtime().uuid(), None, kernel::Cause::Command));
    store
        .write(&caller, async |uow| {
            for role in &SYSTEM_ROLES {
                sync_role(uow, role).await?;
            }
            Ok(())
        })
        .await
}

async fn sync_role(uow: &mut UnitOfWork, role: &SystemRole) -> Result<()> {
    let permissions: Vec<String> =
        Permission::ALL.iter().filter(|permission| (role.allows)(**permission)).map(ToString::to_string).collect();
    let Some(before) = find(uow, role.key).await? else {
        let now: DateTime = uow.now();
        let row = RoleRow {
            id: uow.id(),
            workspace_id: None,
            key: role.key.to_owned(),
            name: role.name.to_owned(),
            is_system: true,
            permissions: Json(permissions),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        return uow.insert(&row, store::Change::plain()).await;
    };
    let after = RoleRow { name: role.name.to_owned(), permissions: Json(permissions), ..before.clone() };
    uow.update(&before, after, store::Change::plain()).await.map(|_| ())
}

/// The role that may do everything.
pub(crate) async fn super_admin(conn: &mut Conn) -> Result<RoleRow> {
    find(conn, SUPER_ADMIN).await?.ok_or_else(|| Error::internal("the system roles are missing"))
}

async fn find(conn: &mut Conn, key: &str) -> Result<Option<RoleRow>> {
    let mut select = RoleRow::select();
    select.and_where(Expr::col(("role", "key")).eq(key)).and_where(Expr::col(("role", "workspace_id")).is_null());
    conn.one(&select).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(role: &str, permission: Permission) -> bool {
        system_role_permissions(role).unwrap().contains(permission)
    }

    #[test]
    fn each_role_allows_what_the_domain_says() {
        assert_eq!(system_role_permissions(SUPER_ADMIN).unwrap(), PermissionSet::all());
        assert!(allows("director", P::InvoicesCreate) && allows("director", P::AdminManageUsers));
        assert!(!allows("director", P::AdminManageSettings) && !allows("director", P::AdminManageWorkspaces));
        assert!(allows("sales_manager", P::ClientsPurge) && allows("sales_manager", P::RemindersAssignOthers));
        assert!(!allows("sales_manager", P::InvoicesViewAll) && !allows("sales_manager", P::RemindersCreate));
        assert!(allows("sales_agent", P::ClientsViewOwn) && allows("sales_agent", P::ContactsEdit));
        assert!(!allows("sales_agent", P::ClientsViewAll) && !allows("sales_agent", P::ClientsDelete));
        assert!(allows("support_lead", P::TicketsMerge) && !allows("support_lead", P::ClientsEdit));
        assert!(!allows("support_agent", P::TicketsViewAll) && allows("support_agent", P::TicketsReplyInternal));
        assert!(allows("viewer", P::ClientsViewAll) && allows("viewer", P::ProductsView));
        assert!(!allows("viewer", P::ClientsCreate) && !allows("viewer", P::EmailSend));
    }
}
