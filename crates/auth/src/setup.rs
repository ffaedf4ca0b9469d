//! Setting up: the first administrator is made with a code that the server prints, once.

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Query};
use store::{Field as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::{INVALID_SETUP_CODE, SETUP_DONE};
use crate::invitations::{NewAccount, insert_account};
use crate::roles;
use crate::users::User;
use crate::workspaces::{self, CreateWorkspace, Workspace};
use crate::{Auth, memberships, password, secret_text, shape};

/// The body of `POST /v1/setup`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// The code that the server printed.
    #[schema(min_length = 1, max_length = 200)]
    pub code: String,
    /// The administrator's address.
    #[schema(format = "email", max_length = 254)]
    #[validate(email(message = "must be an e-mail address"), length(max = 254))]
    pub email: String,
    /// At least 12 characters and not easy to guess.
    #[schema(format = "password")]
    pub password: String,
    /// Given name, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    pub given_name: String,
    /// Family name, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    pub family_name: String,
    /// The first workspace.
    #[validate(nested)]
    pub workspace: CreateWorkspace,
}

/// What setting up made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SetUpDone {
    /// The administrator.
    pub user: User,
    /// The workspace.
    pub workspace: Workspace,
}

/// A set-up that was checked, with the password hashed.
pub struct PreparedSetUp {
    input: SetUp,
    password_hash: String,
}

impl std::fmt::Debug for PreparedSetUp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("PreparedSetUp(…)")
    }
}

impl Auth {
    /// A new set-up code, unless the installation is set up. The code before it stops working.
    ///
    /// # Errors
    /// What the database says.
    pub async fn offer_setup(&self) -> Result<Option<String>> {
        let code = secret_text::make("", self.store.runtime().random());
        let offered = self
            .store
            .write(&self.installation(), async |uow| {
                let mut offer = Query::update();
                offer
                    .table("installation")
                    .value("setup_code_hash", secret_text::hash(&code).value())
                    .and_where(Expr::col("set_up_at").is_null());
                Ok(uow.execute(&offer).await? == 1)
            })
            .await?;
        Ok(offered.then_some(code))
    }

    /// Checks the code and the password, and hashes it, outside any transaction.
    ///
    /// # Errors
    /// `setup_done`; `invalid_setup_code`; `validation_failed` for a bad password.
    pub async fn prepare_setup(&self, input: SetUp) -> Result<PreparedSetUp> {
        let mut reader = self.store.reader(&self.installation()).await?;
        let mut select = Query::select();
        select.columns(["set_up_at", "setup_code_hash"]).from("installation");
        let row = reader.row(&select).await?.ok_or_else(|| Error::internal("the database is not migrated"))?;
        let (done, hash): (Option<kernel::DateTime>, Option<String>) = (row.get(0)?, row.get(1)?);
        reader.close().await?;
        if done.is_some() {
            return Err(Error::new(&SETUP_DONE));
        }
        // digests are compared, so the time tells nothing about the code
        if hash.as_deref() != Some(secret_text::hash(input.code.trim()).as_str()) {
            return Err(Error::new(&INVALID_SETUP_CODE));
        }
        password::check_new("/password", &input.password, &[&input.email, &input.given_name, &input.family_name])?;
        let password_hash = self.passwords.hash(input.password.clone()).await?;
        Ok(PreparedSetUp { input, password_hash })
    }
}

/// Makes the first administrator and the first workspace. Runs as the installation.
///
/// # Errors
/// `setup_done` when somebody else was faster.
pub async fn set_up(uow: &mut UnitOfWork, prepared: &PreparedSetUp) -> Result<SetUpDone> {
    let now = uow.now();
    let mut finish = Query::update();
    finish
        .table("installation")
        .value("set_up_at", now.value())
        .value("setup_code_hash", Option::<String>::None.value())
        .and_where(Expr::col("set_up_at").is_null());
    if uow.execute(&finish).await? != 1 {
        return Err(Error::new(&SETUP_DONE));
    }
    let input = &prepared.input;
    let workspace = workspaces::insert(uow, input.workspace.clone()).await.map_err(|error| error.under("/workspace"))?;
    let account = NewAccount {
        email: &input.email,
        given_name: &input.given_name,
        family_name: &input.family_name,
        is_super_admin: true,
        password_hash: Some(&prepared.password_hash),
    };
    let user = insert_account(uow, account, workspace.id).await?;
    let role = roles::super_admin(uow).await?;
    memberships::insert(uow, workspace.id, user.id, role.id).await?;
    uow.enter(None).await?;
    Ok(SetUpDone { user: user.into(), workspace })
}
