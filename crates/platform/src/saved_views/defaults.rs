//! What somebody wants to see first of a list: a view of their own, or one that others share with them. It is theirs alone, so that it is no
//! matter of the view's owner, and not of the view either: its version does not change.
//!
//! A default outlives that its view is no longer shared, and is there again when it is; nobody is shown it meanwhile.

use std::collections::HashSet;

use kernel::{Caller, Error, Result, TypedId as _, UserId};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};

use super::commands::raced;
use super::{SavedViewId, SavedViewRow, person};

kernel::typed_id! {
    /// Names a default.
    pub(crate) DefaultViewId
}
store::id_fields!(DefaultViewId);

store::record! {
    struct DefaultViewRow in "saved_view_default" of workspace {
        id: DefaultViewId;
        user_id: UserId,
        list: String,
        view_id: SavedViewId,
    }
}

/// Views that are somebody's defaults, one of each list at most.
#[derive(Debug, Default)]
pub(super) struct Defaults(HashSet<SavedViewId>);

impl Defaults {
    /// The caller's own; a token, who is no person, has none.
    pub(super) async fn of(conn: &mut Conn, caller: &Caller) -> Result<Self> {
        let Some(user) = person(caller) else { return Ok(Self::default()) };
        let mut select = DefaultViewRow::select();
        select.and_where(column("workspace_id").eq(caller.workspace()?.uuid())).and_where(column("user_id").eq(user.uuid()));
        let rows = conn.all::<DefaultViewRow>(&select).await?;
        Ok(Self(rows.into_iter().map(|row| row.view_id).collect()))
    }

    pub(super) fn have(&self, view: SavedViewId) -> bool {
        self.0.contains(&view)
    }
}

/// Makes a view the user's default of its list, instead of the one that was; or no longer, where it is.
pub(super) async fn settle(uow: &mut UnitOfWork, user: UserId, view: &SavedViewRow, is_default: bool) -> Result<()> {
    let before = uow.locked::<DefaultViewRow>(of_list(user, view)).await?;
    match (before, is_default) {
        (Some(before), true) if before.view_id != view.id => {
            let after = DefaultViewRow { view_id: view.id, ..before.clone() };
            uow.update(&before, after, Change::plain()).await.on_in_use(Error::not_found)?;
        }
        (Some(before), false) if before.view_id == view.id => uow.delete(&before, Change::plain()).await?,
        (None, true) => {
            let row = DefaultViewRow {
                id: uow.id(),
                workspace_id: view.workspace_id,
                user_id: user,
                list: view.list.clone(),
                view_id: view.id,
                version: 1,
                created_at: uow.now(),
                updated_at: uow.now(),
            };
            uow.insert(&row, Change::plain()).await.on_unique(raced).on_in_use(Error::not_found)?;
        }
        _ => {}
    }
    Ok(())
}

/// Forgets a view that goes: it is nobody's default any more.
pub(super) async fn forget(uow: &mut UnitOfWork, view: SavedViewId) -> Result<()> {
    let mut select = DefaultViewRow::select();
    select.and_where(column("view_id").eq(view.uuid()));
    uow.beyond_walls(async |uow| {
        let rows = uow.locked_all::<DefaultViewRow>(select).await?;
        uow.delete_all(&rows, |_| Change::plain()).await
    })
    .await
}

fn of_list(user: UserId, view: &SavedViewRow) -> SelectStatement {
    let mut select = DefaultViewRow::select();
    select
        .and_where(column("workspace_id").eq(view.workspace_id.uuid()))
        .and_where(column("user_id").eq(user.uuid()))
        .and_where(column("list").eq(view.list.as_str()));
    select
}

fn column(name: &'static str) -> Expr {
    Expr::col(("saved_view_default", name))
}
