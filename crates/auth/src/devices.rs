//! Devices that an account was signed in to from before. Of a device a digest is kept, made from what it calls itself without its
//! numbers, which change with every update, and from its network.

use std::net::IpAddr;

use kernel::{DateTime, Origin, Result};
use store::jobs::JobContext;
use store::query::{Condition, Expr, ExprTrait, OnConflict, Query};
use store::{Field as _, UnitOfWork};
use uuid::Uuid;

/// Whose devices they are, and where they are kept.
pub(crate) struct Devices {
    table: &'static str,
    owner: &'static str,
}

pub(crate) const OF_STAFF: Devices = Devices { table: "known_device", owner: "user_id" };
pub(crate) const OF_CONTACTS: Devices = Devices { table: "portal_device", owner: "portal_account_id" };

/// Forgets the devices that were not seen for long.
pub(crate) async fn tidy(context: &JobContext, before: DateTime) -> Result<()> {
    for devices in [OF_STAFF, OF_CONTACTS] {
        context.delete_before(devices.table, "last_seen_at", before, Condition::all).await?;
    }
    Ok(())
}

impl Devices {
    /// Notes the device that an account is signed in to from. Where it is new, and the account was signed in to before, its owner is to be
    /// told: also of the first that is known where those before it are forgotten.
    pub(crate) async fn meet(&self, uow: &mut UnitOfWork, owner: Uuid, last_login_at: Option<DateTime>) -> Result<bool> {
        let caller = uow.caller();
        let (now, digest) = (uow.now(), digest(uow, owner, &caller.origin)?);
        let mut seen = Query::update();
        seen.table(self.table)
            .value("last_seen_at", now.value())
            .and_where(Expr::col(self.owner).eq(owner))
            .and_where(Expr::col("digest").eq(digest.as_str()));
        if uow.execute(&seen).await? > 0 {
            return Ok(false);
        }
        let mut insert = Query::insert();
        insert
            .into_table(self.table)
            .columns([self.owner, "digest", "last_seen_at"])
            .values_panic([owner.value(), digest.value(), now.value()].map(Expr::value))
            .on_conflict(OnConflict::new().do_nothing().to_owned());
        // of two who come from it at once one tells
        Ok(uow.execute(&insert).await? == 1 && last_login_at.is_some())
    }
}

fn digest(uow: &UnitOfWork, owner: Uuid, origin: &Origin) -> Result<String> {
    // under a key of ours, so that nobody who reads the table can try addresses
    let mut content = uow.store().secret().derive("device")?.to_vec();
    let name: String = origin.user_agent.as_deref().unwrap_or_default().chars().filter(|letter| letter.is_alphabetic()).collect();
    content.extend_from_slice(format!("{owner}\n{name}\n{}", network(origin.ip)).as_bytes());
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
