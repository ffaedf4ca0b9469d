//! Letters to accounts.

use kernel::{Result, UserId};
use mail::{Letter, Recipient};
use store::UnitOfWork;

use crate::rows::UserRow;
use crate::{Auth, users};

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
