//! Saved views: a list query with a name, for oneself, a team or the whole workspace. A frontend lists them, and sends what one of them asks
//! to the list itself: a view gives nobody more than that list does.
//!
//! Which lists there are, and who sees them, their domains say: [`Viewable`]. What a view asks is read by the list's own parser, so that
//! views and query strings are one language.
//!
//! A view belongs to the account that made it. Whoever sees its list sees it where it is theirs, a team's of theirs, or the workspace's; and
//! whoever manages settings sees all that are shared, and keeps them in order when their owner has left. An API token is no person: it makes
//! none.

mod commands;
mod defaults;
mod query;

use auth::TeamId;
use kernel::{Actor, Caller, DateTime, Error, Page, Permission, Result, TypedId as _, UserId, text};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, Order, SelectStatement};
use store::{Conn, Json, Record as _, UnitOfWork};
use utoipa::ToSchema;

use self::defaults::Defaults;

pub use commands::{CreateSavedView, SavedViewPatch, create, delete, update};
pub use query::{ViewArchived, ViewQuery, ViewQueryPatch};

kernel::typed_id! {
    /// Names a saved view.
    pub SavedViewId
}
store::id_fields!(SavedViewId);

store::record! {
    pub(crate) struct SavedViewRow in "saved_view" of workspace {
        id: SavedViewId;
        user_id: UserId,
        list: String,
        name: String => Personal,
        name_key: String => Derived,
        team_id: Option<TeamId>,
        is_shared: bool,
        query: Json<ViewQuery> => Personal,
    }
}

impl SavedViewRow {
    /// Whether a team or the workspace sees it.
    fn is_shared_with_others(&self) -> bool {
        self.is_shared || self.team_id.is_some()
    }
}

store::text_enum! {
    /// Who sees a view besides the one who made it.
    pub enum Sharing {
        /// Nobody.
        Private = "private",
        /// The members of a team, and whoever may `admin.manage_settings`.
        Team = "team",
        /// Everybody in the workspace.
        Workspace = "workspace",
    }
}

/// A list that can be looked at through saved views.
#[derive(Debug)]
pub struct Viewable {
    /// The list, which is called by its name.
    pub list: &'static ListSpec,
    /// Who sees it: whoever has one of these.
    pub seen_with: &'static [Permission],
}

/// The lists that can be.
#[derive(Clone, Copy, Debug)]
pub struct Viewables(pub &'static [Viewable]);

impl Viewables {
    /// A list by its name, which the caller sees.
    fn find(self, caller: &Caller, name: &str) -> Result<&'static Viewable> {
        let Some(found) = self.0.iter().find(|viewable| viewable.list.name == name) else {
            let known: Vec<&str> = self.0.iter().map(|viewable| viewable.list.name).collect();
            let message = format!("there is no such list; there are {}", known.join(", "));
            return Err(Error::invalid_field("/list", "unknown_list", message));
        };
        caller.require_any(found.seen_with)?;
        Ok(found)
    }

    /// The names of those that the caller sees.
    fn seen(self, caller: &Caller) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|viewable| caller.require_any(viewable.seen_with).is_ok()).map(|viewable| viewable.list.name)
    }
}

/// The names of views of a list that the workspace or any of its teams shares, and that ask for something. Row security hides those of
/// other teams, so the installation looks.
pub(crate) async fn shared_that(uow: &mut UnitOfWork, list: &str, asks: impl Fn(&ViewQuery) -> bool) -> Result<Vec<String>> {
    let mut select = SavedViewRow::select();
    select
        .and_where(column("workspace_id").eq(uow.workspace()?.uuid()))
        .and_where(column("list").eq(list))
        .and_where(column("is_shared").eq(true).or(column("team_id").is_not_null()));
    let views = uow.as_installation(async |conn| conn.all::<SavedViewRow>(&select).await).await?;
    Ok(views.into_iter().filter(|view| asks(&view.query.0)).map(|view| view.name).collect())
}

/// Gives the views of a list that their owners keep for themselves what is left of their query when something in it goes: nobody else can, and
/// asked for what there is not the list would answer nothing at all.
pub(crate) async fn keep_asking(uow: &mut UnitOfWork, list: &str, left: impl Fn(&ViewQuery) -> ViewQuery) -> Result<()> {
    let mut select = SavedViewRow::select();
    select
        .and_where(column("workspace_id").eq(uow.workspace()?.uuid()))
        .and_where(column("list").eq(list))
        .and_where(column("is_shared").eq(false).and(column("team_id").is_null()));
    uow.beyond_walls(async |uow| {
        for before in uow.all::<SavedViewRow>(&select).await? {
            let after = SavedViewRow { query: Json(left(&before.query.0)), ..before.clone() };
            uow.update(&before, after, store::Change::plain()).await?;
        }
        Ok(())
    })
    .await
}

/// The views of the workspace, whoever made them, that look for one of these words or have it in their name; all words are as [`text::fold`] makes
/// them. Each with its owner, who alone reaches it where it is private.
///
/// # Errors
/// What the database says.
pub async fn mentioning(uow: &mut UnitOfWork, words: &[String]) -> Result<Vec<(SavedViewId, UserId)>> {
    let mut select = SavedViewRow::select();
    select.and_where(column("workspace_id").eq(uow.workspace()?.uuid())).order_by(("saved_view", "id"), Order::Asc);
    // row security hides what others keep for themselves, so the installation looks
    let views = uow.as_installation(async |conn| conn.all::<SavedViewRow>(&select).await).await?;
    let mentions = |view: &SavedViewRow| {
        let mut texts = std::iter::once(view.name.as_str()).chain(view.query.0.sought()).map(text::fold);
        texts.any(|text| words.iter().any(|word| text.contains(word)))
    };
    Ok(views.into_iter().filter(mentions).map(|view| (view.id, view.user_id)).collect())
}

/// A list query with a name.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SavedView {
    /// Its id.
    pub id: SavedViewId,
    /// The list: `clients` or `contacts`.
    pub list: String,
    /// Its name, of which an account has one for each list, without regard to case and accents.
    pub name: String,
    /// The account that made it.
    pub owner_id: UserId,
    /// Who sees it besides that one. Where its team is gone, nobody does.
    pub sharing: Sharing,
    /// The team that sees it.
    pub team_id: Option<TeamId>,
    /// Whether it is what the caller wants to see first of this list, of which one view is at most; whoever made it.
    pub is_default: bool,
    /// What it asks.
    pub query: ViewQuery,
    /// The same, ready to be sent to the list; the columns are its `fields`.
    pub query_string: String,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl SavedView {
    fn shown(row: SavedViewRow, defaults: &Defaults) -> Self {
        let query = row.query.0;
        Self {
            id: row.id,
            list: row.list,
            name: row.name,
            owner_id: row.user_id,
            sharing: match (row.is_shared, row.team_id) {
                (true, _) => Sharing::Workspace,
                (false, Some(_)) => Sharing::Team,
                (false, None) => Sharing::Private,
            },
            team_id: row.team_id,
            is_default: defaults.have(row.id),
            query_string: query.query_string(),
            query,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// How saved views can be listed.
pub static SAVED_VIEW_LIST: ListSpec = ListSpec {
    name: "saved_views",
    table: "saved_view",
    fields: &[
        ListField::text("name").folded("name_key"),
        ListField::text("list"),
        ListField { column: "user_id", ..ListField::uuid("owner_id") },
        ListField::uuid("team_id").nullable(),
        ListField::boolean("is_shared"),
        ListField::time("created_at").sorted(),
    ],
    default_sort: &["name"],
    ..ListSpec::EMPTY
};

/// Who the caller is as one who has views: an account that is signed in.
fn person(caller: &Caller) -> Option<UserId> {
    match caller.actor {
        Actor::User { user, .. } => Some(user),
        _ => None,
    }
}

fn column(name: &'static str) -> Expr {
    Expr::col(("saved_view", name))
}

/// Views of the lists that the caller sees: their own, those of their teams, and the workspace's; all that are shared for one who manages them.
fn visible_to(caller: &Caller, lists: Viewables) -> Result<SelectStatement> {
    let mut select = SavedViewRow::select();
    let mut whose = column("is_shared").eq(true);
    if let Some(user) = person(caller) {
        whose = whose.or(column("user_id").eq(user.uuid())).or(column("team_id").in_subquery(auth::teams::ids_of(user)));
    }
    if caller.can(Permission::AdminManageSettings) {
        whose = whose.or(column("team_id").is_not_null());
    }
    select
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(column("list").is_in(lists.seen(caller)))
        .and_where(whose);
    Ok(select)
}

/// Views that the caller sees.
///
/// # Errors
/// `no_workspace`.
pub async fn list(conn: &mut Conn, caller: &Caller, lists: Viewables, query: &ListQuery) -> Result<Page<SavedView>> {
    let page = store::list::page::<SavedViewRow>(conn, caller, visible_to(caller, lists)?, &SAVED_VIEW_LIST, query).await?;
    let defaults = Defaults::of(conn, caller).await?;
    Ok(page.map(|row| SavedView::shown(row, &defaults)))
}

/// One view.
///
/// # Errors
/// `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, lists: Viewables, id: SavedViewId) -> Result<SavedView> {
    let mut select = visible_to(caller, lists)?;
    select.and_where(column("id").eq(id.uuid()));
    let row = conn.one::<SavedViewRow>(&select).await?.ok_or_else(Error::not_found)?;
    Ok(SavedView::shown(row, &Defaults::of(conn, caller).await?))
}
