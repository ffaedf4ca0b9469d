//! Another address for an account, by whoever manages users, and what follows from it: the address is what one signs in with, and where a
//! forgotten password is set anew.

use kernel::{Error, FieldError, Result, TypedId as _};
use mail::Letter;
use store::query::{Expr, ExprTrait, Query};
use store::{Change, OnUnique as _, UnitOfWork};

use crate::errors::ADDRESS_TAKEN;
use crate::letters::recipient;
use crate::rows::UserRow;
use crate::{Auth, password_reset, sessions, signed_in, users};

/// Changes an account that gets another address. Its sessions end, and its password and tokens that were sent to set a new one stop working: who
/// sets one anew has read the mail at the new address. Otherwise somebody could give an account whose password they know the address of a person
/// whom another workspace will invite, and come in as them. Both addresses are told, also where the account is switched off: whoever switches it
/// on later may say nothing.
///
/// # Errors
/// `sign_in_needed` for a token: whoever has one that was left lying about would take over account after account. `address_taken`.
pub(crate) async fn update(auth: &Auth, uow: &mut UnitOfWork, before: &UserRow, after: UserRow) -> Result<UserRow> {
    let (by, _) = signed_in(&uow.caller())?;
    let change = Change::plain().event("user.address_changed");
    let after = uow.update(before, after, change).await.on_unique(|| {
        let field = FieldError::new("/email", "address_taken", "belongs to another account");
        Error::new(&ADDRESS_TAKEN).with_field(field)
    })?;
    password_reset::forget(uow, after.id).await?;
    let mut password = Query::delete();
    password.from_table("credential").and_where(Expr::col("user_id").eq(after.id.uuid()));
    uow.execute(&password).await?;
    sessions::revoke_all(uow, after.id, None, "address_changed").await?;
    let by = users::find(uow, by).await?.map(|by| format!("{} {}", by.given_name, by.family_name)).unwrap_or_default();
    let letter = Letter::AddressChanged { actor: &by, at: uow.now(), email: &after.email };
    for user in [before, &after] {
        auth.mail().post(uow, recipient(user, &user.given_name), &letter).await?;
    }
    Ok(after)
}
