//! Records that files can be on. Their domains know who may see and edit them, and say so here.

use futures::future::BoxFuture;
use kernel::error::Faults;
use kernel::{Caller, Error, Kind, Result, TypedId as _};
use store::query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr};
use store::{Conn, UnitOfWork};
use uuid::Uuid;

/// Which records of a type a caller may see.
#[derive(Clone, Debug)]
pub enum Seen {
    /// All of the workspace.
    All,
    /// Those whose ids this selects.
    These(Box<SelectStatement>),
}

/// A type of record that files can be on.
#[derive(Clone, Copy)]
pub struct Attachable {
    /// The type, as `rel_type` names it; its table is called so too.
    pub rel_type: &'static str,
    /// What its records are called in the keys of objects.
    pub plural: &'static str,
    /// The event when a file is added to one, such as `client.file_added`.
    pub added: &'static str,
    /// Whether nothing but pictures can be on it.
    pub only_pictures: bool,
    /// Which of them the caller may see; `forbidden` where none.
    pub visible: fn(&Caller) -> Result<Seen>,
    /// Fails unless the caller may edit this one, and keeps it locked until the transaction ends.
    pub editable: for<'a> fn(&'a mut UnitOfWork, Uuid) -> BoxFuture<'a, Result<()>>,
}

impl std::fmt::Debug for Attachable {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.rel_type)
    }
}

/// All types of record that files can be on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attachables(pub &'static [&'static [Attachable]]);

impl Attachables {
    fn all(self) -> impl Iterator<Item = &'static Attachable> {
        self.0.iter().flat_map(|of_a_domain| of_a_domain.iter())
    }

    /// The type of this name.
    pub fn find(self, rel_type: &str) -> Option<&'static Attachable> {
        self.all().find(|attachable| attachable.rel_type == rel_type)
    }

    /// The names there are.
    pub fn names(self) -> String {
        self.all().map(|attachable| attachable.rel_type).collect::<Vec<_>>().join(", ")
    }

    /// The condition that a row of `table` is on a record that the caller may see; on none where they may see what is on none.
    pub fn visible(self, caller: &Caller, table: &'static str, without_record: bool) -> Result<SimpleExpr> {
        let rel = |column: &'static str| Expr::col((table, column));
        let mut any = if without_record { rel("rel_type").is_null() } else { Expr::value(false) };
        for attachable in self.all() {
            let of_it = rel("rel_type").eq(attachable.rel_type);
            match (attachable.visible)(caller) {
                Ok(Seen::All) => any = any.or(of_it),
                Ok(Seen::These(ids)) => any = any.or(of_it.and(rel("rel_id").in_subquery(*ids))),
                Err(error) if matches!(error.kind(), Kind::Forbidden) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(any)
    }

    /// Notes what is wrong with a record that something is to be on: a type that there is not, or one that the caller does not see.
    pub async fn check(self, conn: &mut Conn, caller: &Caller, rel_type: &str, rel_id: Uuid, faults: &mut Faults) -> Result<()> {
        let Some(attachable) = self.find(rel_type) else {
            faults.add("/rel_type", "unknown_value", format!("must be one of {}", self.names()));
            return Ok(());
        };
        let id = Expr::col((attachable.rel_type, "id"));
        let found = match (attachable.visible)(caller) {
            Ok(Seen::All) => {
                let mut select = Query::select();
                select
                    .column("id")
                    .from(attachable.rel_type)
                    .and_where(Expr::col("workspace_id").eq(caller.workspace()?.uuid()))
                    .and_where(id.eq(rel_id));
                conn.row(&select).await?
            }
            Ok(Seen::These(mut ids)) => {
                ids.and_where(id.eq(rel_id));
                conn.row(&ids).await?
            }
            Err(error) if error.kind() == Kind::Forbidden => None,
            Err(error) => return Err(error),
        };
        if found.is_none() {
            faults.add("/rel_id", "not_found", "there is no such record");
        }
        Ok(())
    }

    /// Fails unless the caller may edit what is on this record, which stays locked.
    pub async fn editable(self, uow: &mut UnitOfWork, rel_type: &str, rel_id: Uuid) -> Result<&'static Attachable> {
        let attachable = self.find(rel_type).ok_or_else(Error::not_found)?;
        (attachable.editable)(uow, rel_id).await?;
        Ok(attachable)
    }
}
