//! An account as others act for it: the command line, whose operator needs no password and gets no more than the account has, and jobs
//! that do later what somebody asked for.

use kernel::{Actor, Caller, Cause, Error, Origin, Result, TypedId as _, UserId, WorkspaceId};
use store::Record as _;
use store::query::{Expr, ExprTrait as _};
use uuid::Uuid;

use crate::rows::ApiTokenRow;
use crate::{Auth, identify, users};

impl Auth {
    /// The Caller that an account is in a workspace, named by slug or id.
    ///
    /// # Errors
    /// `not_found` when there is no such account or it does not belong there; `workspace_required` when it belongs to several and
    /// none was named.
    pub async fn account_caller(&self, email: &str, workspace: Option<&str>, cause: Cause) -> Result<Caller> {
        let mut reader = self.store().reader(&self.installation()).await?;
        let missing = || Error::not_found().with_detail("There is no such active account.");
        let user = users::find_by_email(&mut reader, email).await?.filter(|user| user.is_active).ok_or_else(missing)?;
        let places = identify::places(&mut reader, user.id, user.is_super_admin).await?;
        reader.close().await?;
        let identity = identify::Identity::of_account(
            Actor::User { user: user.id, session: Uuid::nil() },
            user.is_super_admin,
            places,
            user.default_workspace_id,
        );
        identity.caller_in(workspace, Origin { cause, ..Origin::default() })
    }

    /// The Caller that an account is in a workspace now, for what it asked for earlier, perhaps through a token: it may do what it may do
    /// by now, and through a token no more than that still allows.
    ///
    /// # Errors
    /// `not_found` when the account is no longer active or no longer belongs there, or the token is no longer good.
    pub async fn caller_later(&self, user: UserId, token: Option<Uuid>, workspace: WorkspaceId, cause: Cause) -> Result<Caller> {
        let missing = || Error::not_found().with_detail("Who asked for it may no longer do anything here.");
        let mut reader = self.store().reader(&self.installation()).await?;
        let user = users::find(&mut reader, user).await?.filter(|user| user.is_active).ok_or_else(missing)?;
        let mut places = identify::places(&mut reader, user.id, user.is_super_admin).await?;
        let mut actor = Actor::User { user: user.id, session: Uuid::nil() };
        let mut is_super_admin = user.is_super_admin;
        if let Some(id) = token {
            let mut select = ApiTokenRow::select();
            select.and_where(Expr::col(("api_token", "id")).eq(id));
            let now = self.store().runtime().now();
            let is_good = |token: &ApiTokenRow| {
                token.is_active && token.user_id == user.id && token.expires_at.is_none_or(|expires_at| expires_at > now)
            };
            let token = reader.one::<ApiTokenRow>(&select).await?.filter(is_good).ok_or_else(missing)?;
            places.retain(|place| place.id == token.workspace_id);
            for place in &mut places {
                place.permissions = place.permissions.intersection(&token.scopes.0);
            }
            actor = Actor::Token { token: token.id.uuid(), user: user.id };
            is_super_admin = false;
        }
        reader.close().await?;
        let identity = identify::Identity::of_account(actor, is_super_admin, places, None);
        identity.caller_in(Some(&workspace.to_string()), Origin { cause, ..Origin::default() }).map_err(|_| missing())
    }
}

impl Auth {
    /// A workspace by slug or id, or the only one there is.
    ///
    /// # Errors
    /// `not_found` when there is none of that name; `workspace_required` when there are several and none was named.
    pub async fn workspace_named(&self, wanted: Option<&str>) -> Result<kernel::WorkspaceId> {
        use store::query::{Order, Query};
        let mut select = Query::select();
        select.columns(["id", "slug"]).from("workspace").order_by("slug", Order::Asc);
        let mut reader = self.store().reader(&self.installation()).await?;
        let rows = reader.rows(&select).await?;
        reader.close().await?;
        let all =
            rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<Vec<(kernel::WorkspaceId, String)>>>()?;
        match (wanted, all.as_slice()) {
            (Some(wanted), _) => {
                let found = all.iter().find(|(id, slug)| slug == wanted || id.to_string() == wanted);
                found.map(|(id, _)| *id).ok_or_else(|| Error::not_found().with_detail("There is no such workspace."))
            }
            (None, [(only, _)]) => Ok(*only),
            (None, []) => Err(Error::not_found().with_detail("There is no workspace yet; set the installation up first.")),
            (None, _) => {
                let slugs: Vec<&str> = all.iter().map(|(_, slug)| slug.as_str()).collect();
                let detail = format!("Name one of {}.", slugs.join(", "));
                Err(Error::new(&kernel::error::codes::WORKSPACE_REQUIRED).with_detail(detail))
            }
        }
    }
}
