//! Letters to accounts.

use kernel::{Caller, DateTime, Result, UserId};
use mail::{Act, Letter, Recipient};
use store::UnitOfWork;

use crate::rows::UserRow;
use crate::{Auth, memberships, users};

impl Auth {
    /// Writes to an account, in its language and by the clock on its wall. Nobody writes to one that is deactivated.
    ///
    /// # Errors
    /// What the database says.
    pub async fn write_to(&self, uow: &mut UnitOfWork, user: UserId, letter: &Letter<'_>) -> Result<()> {
        match users::find(uow, user).await?.filter(|user| user.is_active) {
            Some(user) => self.mail().post(uow, recipient(&user, &user.given_name), letter).await.map(|_| ()),
            None => Ok(()),
        }
    }
}

/// An account as somebody who gets a mail.
pub(crate) fn recipient<'a>(user: &'a UserRow, name: &'a str) -> Recipient<'a> {
    Recipient { address: &user.email, name: Some(name), locale: Some(&user.locale), timezone: Some(&user.timezone) }
}

/// When a caller does something, and from where.
pub(crate) fn act(caller: &Caller, at: DateTime) -> Act<'_> {
    Act { at, address: caller.origin.ip, device: caller.origin.user_agent.as_deref() }
}

/// Writes to an account whose owner does something that belongs to no workspace: where they are at home, which nobody who has come in as them
/// can choose, or in the workspace that they are in where that is nowhere. Where both are nowhere there is no workspace whose mail it could be.
pub(crate) async fn write_home(auth: &Auth, uow: &mut UnitOfWork, user: &UserRow, letter: &Letter<'_>) -> Result<()> {
    let here = uow.caller().workspace;
    let place = memberships::home_of(uow, Some(user)).await?.or(here);
    if place.is_none() {
        return Ok(());
    }
    uow.enter(place).await?;
    auth.mail().post(uow, recipient(user, &user.given_name), letter).await?;
    uow.enter(here).await
}
