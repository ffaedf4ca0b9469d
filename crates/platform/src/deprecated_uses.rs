//! Who still uses a name that goes, how often and when last. What is counted elsewhere is added up here; it is no change of a record, so the
//! journal does not keep it.

use kernel::{Caller, DateTime, Permission, Result, TypedId as _, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::query::{CaseStatement, Expr, ExprTrait, OnConflict, Order, Query};
use store::{Conn, Field as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::AuditActor;

/// Callers that are named of each name: those who used it last.
const NAMED: u64 = 100;

/// Uses of one name by one caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Where.
    pub workspace: WorkspaceId,
    /// The name.
    pub name: &'static str,
    /// Of which kind the caller is.
    pub caller_kind: &'static str,
    /// Which one.
    pub caller_id: Uuid,
    /// The staff account behind it.
    pub user_id: Option<UserId>,
    /// How often.
    pub uses: i64,
    /// When first.
    pub first_at: DateTime,
    /// When last.
    pub last_at: DateTime,
}

impl Use {
    /// The same caller's further uses of the same name.
    pub fn add(&mut self, more: &Self) {
        self.uses = self.uses.saturating_add(more.uses);
        self.first_at = std::cmp::min(self.first_at, more.first_at);
        self.last_at = std::cmp::max(self.last_at, more.last_at);
    }
}

/// A caller who used a name that goes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeprecatedCaller {
    /// Who.
    pub caller: AuditActor,
    /// How often.
    pub uses: i64,
    /// When first.
    pub first_used_at: DateTime,
    /// When last, within a minute.
    pub last_used_at: DateTime,
}

/// How much a name that goes was used in a workspace.
#[derive(Clone, Debug, Default)]
pub struct Used {
    /// How often in all.
    pub uses: i64,
    /// By how many.
    pub callers: i64,
    /// By whom last.
    pub last: Vec<DeprecatedCaller>,
}

/// Adds uses to those that are known.
///
/// # Errors
/// What the database says.
pub async fn note(uow: &mut UnitOfWork, uses: &[Use]) -> Result<()> {
    const COLUMNS: [&str; 8] =
        ["workspace_id", "name", "caller_kind", "caller_id", "user_id", "uses", "first_used_at", "last_used_at"];
    // always in the same order, so that two who write some of the same wait for each other and do not block each other
    let mut uses: Vec<&Use> = uses.iter().collect();
    uses.sort_by_key(|of_it| (of_it.workspace, of_it.name, of_it.caller_kind, of_it.caller_id));
    let known = |column: &'static str| Expr::col(("deprecated_use", column));
    let new = |column: &'static str| Expr::col(("excluded", column));
    for of_it in uses {
        let later = CaseStatement::new()
            .case(new("last_used_at").gt(known("last_used_at")), new("last_used_at"))
            .finally(known("last_used_at"));
        let mut again = OnConflict::columns(["workspace_id", "name", "caller_kind", "caller_id"]);
        again.value("uses", known("uses").add(new("uses"))).value("last_used_at", later);
        let mut insert = Query::insert();
        insert.into_table("deprecated_use").columns(COLUMNS).on_conflict(again).values_panic([
            Expr::value(of_it.workspace.uuid()),
            Expr::value(of_it.name),
            Expr::value(of_it.caller_kind),
            Expr::value(of_it.caller_id),
            Expr::value(of_it.user_id.value()),
            Expr::value(of_it.uses),
            Expr::value(of_it.first_at),
            Expr::value(of_it.last_at),
        ]);
        uow.execute(&insert).await?;
    }
    Ok(())
}

/// How much a name was used in the caller's workspace, and by whom last.
///
/// # Errors
/// `forbidden` without `admin.view_audit_log`.
pub async fn of(conn: &mut Conn, caller: &Caller, name: &str) -> Result<Used> {
    caller.require(Permission::AdminViewAuditLog)?;
    let workspace = caller.workspace()?.uuid();
    let column = |name: &'static str| Expr::col(("deprecated_use", name));
    let mut of_it = Query::select();
    of_it.from("deprecated_use").and_where(column("workspace_id").eq(workspace)).and_where(column("name").eq(name));
    let mut sums = of_it.clone();
    sums.expr(Expr::cust("COUNT(*)")).expr(Expr::cust("CAST(COALESCE(SUM(uses), 0) AS bigint)"));
    let mut used = match conn.row(&sums).await? {
        Some(row) => Used { callers: row.get(0)?, uses: row.get(1)?, last: Vec::new() },
        None => return Ok(Used::default()),
    };
    of_it
        .columns(["caller_kind", "caller_id", "user_id", "uses", "first_used_at", "last_used_at"])
        .order_by("last_used_at", Order::Desc)
        .order_by("caller_id", Order::Asc)
        .limit(NAMED);
    for row in conn.rows(&of_it).await? {
        used.last.push(DeprecatedCaller {
            caller: AuditActor { kind: row.get(0)?, id: row.get(1)?, user_id: row.get(2)? },
            uses: row.get(3)?,
            first_used_at: row.get(4)?,
            last_used_at: row.get(5)?,
        });
    }
    Ok(used)
}
