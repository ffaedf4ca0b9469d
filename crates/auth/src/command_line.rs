//! An account as the command line acts for it: the operator of the machine needs no password, and gets no more than the account has.

use kernel::{Actor, Caller, Cause, Error, Origin, Result};
use uuid::Uuid;

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
