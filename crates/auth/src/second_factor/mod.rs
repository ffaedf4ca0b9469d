//! The second factor: codes of an authenticator app (TOTP, RFC 6238: SHA-1, six digits, thirty seconds, one step early or late), and
//! recovery codes for when it is lost.
//!
//! The secret is sealed, of recovery codes digests are kept. A code works once: the step that it was of is noted in the statement that
//! accepts it, and no step that is not later is accepted after it.

mod manage;
mod sign_in;

use kernel::{DateTime, Error, Result, TypedId as _, UserId};
use store::query::{Expr, ExprTrait, Query};
use store::{Conn, Field as _, Record as _, UnitOfWork};
use totp_rs::{Algorithm, Builder, Totp};

use crate::Auth;
use crate::rows::{SecondFactorRow, UserRow};

pub use manage::{
    BegunSecondFactor, CodeInput, DisableSecondFactor, OwnPassword, PreparedFactor, RecoveryCodes, SecondFactor, begin, confirm,
    disable, get, renew_codes, reset_of,
};
pub(crate) use sign_in::accept;

/// How many recovery codes there are.
const CODES: usize = 10;
/// Steps that a code may be early or late.
const SKEW: u16 = 1;
/// The letters of recovery codes: none that looks like another.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// The factor of an account, confirmed or not.
pub(crate) async fn find(conn: &mut Conn, user: UserId) -> Result<Option<SecondFactorRow>> {
    let mut select = SecondFactorRow::select();
    select.and_where(Expr::col(("second_factor", "user_id")).eq(user.uuid()));
    conn.one(&select).await
}

/// The same, locked, so that what becomes of it is decided by one at a time.
pub(crate) async fn find_locked(uow: &mut UnitOfWork, user: UserId) -> Result<Option<SecondFactorRow>> {
    let mut select = SecondFactorRow::select();
    select.and_where(Expr::col(("second_factor", "user_id")).eq(user.uuid()));
    uow.locked(select).await
}

/// What is kept of a recovery code: sixty bits can be searched for, so the digest is under a key that is not in the database.
fn digest_of(uow: &UnitOfWork, user: UserId, code: &str) -> Result<String> {
    let mut content = uow.store().secret().derive("recovery code")?.to_vec();
    content.extend_from_slice(format!("{user}\n{code}").as_bytes());
    Ok(store::digest(&content))
}

/// Whether signing in to an account takes a code.
pub(crate) async fn is_on(conn: &mut Conn, user: UserId) -> Result<bool> {
    Ok(find(conn, user).await?.is_some_and(|factor| factor.confirmed_at.is_some()))
}

fn context(user: UserId) -> String {
    format!("second factor of {user}")
}

/// What the app and the server share.
fn totp(auth: &Auth, row: &SecondFactorRow, user: &UserRow) -> Result<Totp> {
    let sealed = hex_to_bytes(&row.secret).ok_or_else(|| Error::internal("a second factor that cannot be read"))?;
    let secret = auth.store().secret().open(&context(row.user_id), &sealed)?;
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(SKEW).with_step_duration(30);
    // a colon parts issuer and account in the address that the app is given
    let account = user.email.replace(':', " ");
    builder
        .with_secret(secret)
        .with_issuer(Some("Pelatis"))
        .with_account_name(account)
        .build()
        .map_err(|error| Error::internal(error.to_string()))
}

fn bytes_to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex_to_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// A code as it was typed, without the blanks and hyphens that people put between.
fn bare(code: &str) -> String {
    code.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').flat_map(char::to_lowercase).collect()
}

/// Takes the step of a code, if it is right and no later one was taken.
async fn take_step(auth: &Auth, uow: &mut UnitOfWork, row: &SecondFactorRow, user: &UserRow, code: &str) -> Result<bool> {
    let seconds = uow.now().timestamp().unsigned_abs();
    let Some(step) = totp(auth, row, user)?.check(code, seconds) else { return Ok(false) };
    let step = i64::try_from(step).map_err(Error::internal)?;
    let mut take = Query::update();
    take.table("second_factor")
        .value("last_step", step)
        .and_where(Expr::col("id").eq(row.id.uuid()))
        .and_where(Expr::col("last_step").is_null().or(Expr::col("last_step").lt(step)));
    Ok(uow.execute(&take).await? == 1)
}

/// Takes a recovery code, if it is one that was not used.
async fn take_recovery_code(uow: &mut UnitOfWork, user: UserId, code: &str) -> Result<bool> {
    let (now, digest): (DateTime, String) = (uow.now(), digest_of(uow, user, code)?);
    let mut take = Query::update();
    take.table("recovery_code")
        .value("used_at", now.value())
        .and_where(Expr::col("user_id").eq(user.uuid()))
        .and_where(Expr::col("hash").eq(digest))
        .and_where(Expr::col("used_at").is_null());
    Ok(uow.execute(&take).await? == 1)
}

/// New recovery codes in the place of those that there were.
async fn make_codes(uow: &mut UnitOfWork, user: UserId) -> Result<Vec<String>> {
    let mut forget = Query::delete();
    forget.from_table("recovery_code").and_where(Expr::col("user_id").eq(user.uuid()));
    uow.execute(&forget).await?;
    let mut codes = Vec::with_capacity(CODES);
    let mut insert = Query::insert();
    insert.into_table("recovery_code").columns(["user_id", "hash"]);
    for _ in 0..CODES {
        // sixty bits; 256 is a multiple of 32, so that no letter is likelier than another
        let random: [u8; 12] = uow.random();
        let letters: String =
            random.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32))).map(|letter| char::from(*letter)).collect();
        insert.values_panic([user.value(), digest_of(uow, user, &letters)?.value()].map(Expr::value));
        let parts: Vec<&str> = letters.as_bytes().chunks(4).filter_map(|part| std::str::from_utf8(part).ok()).collect();
        codes.push(parts.join("-"));
    }
    uow.execute(&insert).await?;
    Ok(codes)
}

/// How many recovery codes are left.
async fn codes_left(conn: &mut Conn, user: UserId) -> Result<i64> {
    let mut count = Query::select();
    count
        .expr(Expr::cust("count(*)"))
        .from("recovery_code")
        .and_where(Expr::col("user_id").eq(user.uuid()))
        .and_where(Expr::col("used_at").is_null());
    conn.row(&count).await?.map_or(Ok(0), |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        assert_eq!(bare(" 123 456 "), "123456");
        assert_eq!(bare("ABCD-efgh-2345"), "abcdefgh2345");
    }

    #[test]
    fn hexadecimal_digits_go_both_ways_and_nothing_else_is_read() {
        assert_eq!(hex_to_bytes(&bytes_to_hex(&[0, 7, 255])), Some(vec![0, 7, 255]));
        assert_eq!(hex_to_bytes("0g"), None);
        assert_eq!(hex_to_bytes("é"), None);
    }
}
