//! Networks in which callers are: of API tokens, and of proxies that are trusted.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Bits before the IPv4 address in one that is mapped into IPv6 (RFC 4291, 2.5.5.2).
const MAPPED: u8 = 96;

/// Whether an address is in a network. A socket for both families tells IPv4 addresses in the form of IPv6, and so may whoever writes a network:
/// either is meant as the IPv4 that it is.
pub fn holds(network: &IpNet, ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    if let IpNet::V6(v6) = network
        && let Some(bits) = v6.prefix_len().checked_sub(MAPPED)
        && let Some(v4) = v6.addr().to_ipv4_mapped()
    {
        return Ipv4Net::new(v4, bits).is_ok_and(|network| IpNet::V4(network).contains(&ip));
    }
    network.contains(&ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_a_network_in_whichever_form_either_is_written() {
        let is_in = |network: &str, ip: &str| holds(&network.parse().unwrap(), ip.parse().unwrap());
        for network in ["192.0.2.0/24", "::ffff:192.0.2.0/120", "::ffff:0:0/96", "0.0.0.0/0"] {
            assert!(is_in(network, "192.0.2.9") && is_in(network, "::ffff:192.0.2.9"), "{network}");
            assert!(!is_in(network, "2001:db8::9"), "{network}");
        }
        for network in ["192.0.3.0/24", "::ffff:192.0.3.0/120", "2001:db8::/32", "::192.0.2.0/120"] {
            assert!(!is_in(network, "192.0.2.9") && !is_in(network, "::ffff:192.0.2.9"), "{network}");
        }
        assert!(is_in("2001:db8::/32", "2001:db8::9") && is_in("::/0", "2001:db8::9"));
    }
}
