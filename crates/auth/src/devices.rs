//! Devices that an account was signed in to from before. Of a device a digest is kept, made from what it calls itself without its
//! numbers, which change with every update, and from its network.

use std::net::IpAddr;

use kernel::{Origin, Result, TypedId as _};
use mail::{Act, Letter};
use store::query::{Expr, ExprTrait, OnConflict, Query};
use store::{Field as _, UnitOfWork};

use crate::Auth;
use crate::letters::recipient;
use crate::rows::UserRow;

/// Notes the device that an account is signed in to from. Where it is new, and not the first, the owner is told. In the workspace that
/// the unit of work is in.
pub(crate) async fn note(auth: &Auth, uow: &mut UnitOfWork, user: &UserRow, origin: &Origin) -> Result<()> {
    let (now, digest) = (uow.now(), digest(uow, user, origin)?);
    let of_user = || Expr::col("user_id").eq(user.id.uuid());
    let mut seen = Query::update();
    seen.table("known_device")
        .value("last_seen_at", now.value())
        .and_where(of_user())
        .and_where(Expr::col("digest").eq(digest.as_str()));
    if uow.execute(&seen).await? > 0 {
        return Ok(());
    }
    let mut others = Query::select();
    others.column("digest").from("known_device").and_where(of_user()).limit(1);
    let has_others = uow.row(&others).await?.is_some();
    let mut insert = Query::insert();
    insert
        .into_table("known_device")
        .columns(["user_id", "digest", "last_seen_at"])
        .values_panic([user.id.value(), digest.value(), now.value()].map(Expr::value))
        .on_conflict(OnConflict::new().do_nothing().to_owned());
    // of two who come from it at once one tells
    if uow.execute(&insert).await? == 1 && has_others {
        let act = Act { at: now, address: origin.ip, device: origin.user_agent.as_deref() };
        auth.mail().post(uow, recipient(user, &user.given_name), &Letter::NewDevice { act }).await?;
    }
    Ok(())
}

fn digest(uow: &UnitOfWork, user: &UserRow, origin: &Origin) -> Result<String> {
    // under a key of ours, so that nobody who reads the table can try addresses
    let mut content = uow.store().secret().derive("device")?.to_vec();
    let name: String = origin.user_agent.as_deref().unwrap_or_default().chars().filter(|letter| letter.is_alphabetic()).collect();
    content.extend_from_slice(format!("{}\n{name}\n{}", user.id, network(origin.ip)).as_bytes());
    Ok(store::digest(&content))
}

/// The network of an address: what a provider gives to one customer, about.
fn network(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => ip.octets().iter().take(3).map(|part| format!("{part}.")).collect(),
        Some(IpAddr::V6(ip)) => ip.segments().iter().take(3).map(|part| format!("{part:x}:")).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_network() {
        let network = |text: &str| network(Some(text.parse().unwrap()));
        assert_eq!(network("203.0.113.7"), network("203.0.113.200"));
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.");
        assert_ne!(network("203.0.113.7"), network("203.0.114.7"));
        assert_eq!(network("2001:db8:1::1"), network("2001:db8:1:ff::2"));
    }
}
