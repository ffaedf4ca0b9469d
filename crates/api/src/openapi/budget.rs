//! How long an operation may take: the time that 99 of 100 answers stay below on two cores, as the load command measures it.

use actix_web::http::Method;

use crate::registry::Served;

/// Operations that hash a password, which is slow on purpose: all whose body has one.
const HASHING: [&str; 11] = [
    "login",
    "accept_invitation",
    "set_up",
    "reset_password",
    "change_my_password",
    "begin_my_second_factor",
    "disable_my_second_factor",
    "renew_my_recovery_codes",
    "portal_login",
    "set_portal_password",
    "change_portal_password",
];

/// Milliseconds.
pub(super) fn p99_ms(served: &Served) -> u32 {
    match () {
        () if served.row.is_bulk => 3000,
        // of a file of a megabyte
        () if served.row.is_upload || served.is_content => 500,
        () if HASHING.contains(&served.row.id) => 500,
        () if served.method != Method::GET => 150,
        () if served.list.is_some() => 100,
        () => 50,
    }
}
