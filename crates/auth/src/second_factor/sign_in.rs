//! The code when signing in.

use std::time::Duration;

use kernel::{Error, Result, UserId};
use store::UnitOfWork;

use super::{bare, find, take_recovery_code, take_step};
use crate::Auth;
use crate::errors::{INVALID_SECOND_FACTOR, LOCKED_OUT, SECOND_FACTOR_REQUIRED};
use crate::rows::UserRow;

/// The window in which codes for one account are counted, from wherever they come: six digits are soon tried.
const WINDOW: Duration = Duration::from_mins(15);
/// Codes in it.
const TRIES: u32 = 10;

/// Counts a code that is tried for an account.
///
/// # Errors
/// `locked_out` after too many.
pub(super) async fn count_try(auth: &Auth, user: UserId) -> Result<()> {
    let decision = auth.store().shared().hit(&key_of(user), 1, TRIES, WINDOW).await;
    if decision.allowed { Ok(()) } else { Err(Error::new(&LOCKED_OUT).with_retry_after(decision.reset)) }
}

/// Begins to count anew.
pub(super) async fn forget_tries(auth: &Auth, user: UserId) {
    auth.store().shared().forget(&key_of(user), WINDOW).await;
}

fn key_of(user: UserId) -> String {
    format!("second-factor:{user}")
}

store::text_enum! {
    /// What came in the place of a second factor.
    pub(crate) enum AcceptedCode {
        /// A code of the app.
        App = "app",
        /// A recovery code.
        RecoveryCode = "recovery_code",
    }
}

/// Accepts the code of one whose password was right, where the account takes one; none where it takes none. In the transaction that signs
/// in, as the installation.
///
/// # Errors
/// `second_factor_required` where there is none; `invalid_second_factor` where it is wrong or was used; `locked_out` after too many.
pub(crate) async fn accept(
    auth: &Auth,
    uow: &mut UnitOfWork,
    user: &UserRow,
    code: Option<&str>,
) -> Result<Option<AcceptedCode>> {
    let Some(row) = find(uow, user.id).await?.filter(|row| row.confirmed_at.is_some()) else { return Ok(None) };
    let Some(code) = code else { return Err(Error::new(&SECOND_FACTOR_REQUIRED)) };
    count_try(auth, user.id).await?;
    let code = bare(code);
    let (is_right, accepted) = if code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()) {
        (take_step(auth, uow, &row, user, &code).await?, AcceptedCode::App)
    } else {
        (take_recovery_code(uow, user.id, &code).await?, AcceptedCode::RecoveryCode)
    };
    if !is_right {
        return Err(Error::new(&INVALID_SECOND_FACTOR));
    }
    forget_tries(auth, user.id).await;
    Ok(Some(accepted))
}
