//! Colleagues: who there is in a workspace, as every member of its staff may know: to choose an owner, somebody for a team, or who is to
//! follow something up. Addresses and whatever else is said of accounts are a matter of whoever manages users.

use std::collections::HashMap;

use kernel::{Caller, Page, Result, TypedId as _, UserId};
use serde::{Deserialize, Serialize};
use store::Conn;
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, Query};
use utoipa::ToSchema;

use crate::rows::UserRow;
use crate::users;

/// Somebody of the staff of the workspace.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Colleague {
    /// The account's id.
    pub id: UserId,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Whether it may sign in.
    pub is_active: bool,
    /// The key of the role.
    pub role: String,
    /// The name of the role.
    pub role_name: String,
}

/// How colleagues can be listed: by what is told of them, and by nothing else.
pub static COLLEAGUE_LIST: ListSpec = ListSpec {
    name: "colleagues",
    table: "user_account",
    fields: &[
        ListField::uuid("id"),
        ListField { column: "name_key", ..ListField::text("name").folded("name_key") },
        ListField::boolean("is_active"),
    ],
    default_sort: &["name"],
    ..ListSpec::EMPTY
};

/// The staff of the workspace.
///
/// # Errors
/// `forbidden` for a contact; `no_workspace` to whoever is in none.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Colleague>> {
    caller.require_staff()?;
    let page = store::list::page::<UserRow>(conn, caller, users::visible_to(caller)?, &COLLEAGUE_LIST, query).await?;
    let mut roles = roles_of(conn, caller, page.data.iter().map(|row| row.id)).await?;
    Ok(page.map(|row| {
        let (role, role_name) = roles.remove(&row.id).unwrap_or_default();
        Colleague {
            id: row.id,
            given_name: row.given_name,
            family_name: row.family_name,
            is_active: row.is_active,
            role,
            role_name,
        }
    }))
}

/// The key and the name of the role that each of these has in the workspace.
async fn roles_of(
    conn: &mut Conn,
    caller: &Caller,
    users: impl Iterator<Item = UserId>,
) -> Result<HashMap<UserId, (String, String)>> {
    let mut select = Query::select();
    select
        .columns([("membership", "user_id"), ("role", "key"), ("role", "name")])
        .from("membership")
        .inner_join("role", Expr::col(("role", "id")).eq(Expr::col(("membership", "role_id"))))
        .and_where(Expr::col(("membership", "workspace_id")).eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("membership", "user_id")).is_in(users.map(UserId::uuid)));
    conn.rows(&select).await?.iter().map(|row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).collect()
}
