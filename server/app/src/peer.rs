//! Who is at the other end of a connection: the network address, for limits.
//!
//! `X-Forwarded-For` is anyone's word, unless a proxy that the server was told to trust wrote it: then the last address in it
//! that is no such proxy's own.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::app::App;

/// Put into every request that came over a socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connected(pub(crate) SocketAddr);

/// The network address that asks; none for this machine itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl FromRequestParts<Arc<App>> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let connected = parts.extensions.get::<Connected>().map(|Connected(address)| address.ip());
        Ok(Self(connected.and_then(|ip| asks(ip, &parts.headers, &app.limits.trusted_proxies))))
    }
}

/// The address to count by: that of a host, or, as one household or one attacker has a whole one, the network of 64 bits.
fn asks(connected: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Option<IpAddr> {
    let mut ip = connected.to_canonical();
    if trusted.contains(&ip) {
        let written = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = written.flat_map(|value| value.split(',')).map(str::trim).collect();
        for hop in hops.into_iter().rev() {
            // What is no address was written by whoever is before it.
            let Ok(hop) = hop.parse::<IpAddr>() else { break };
            ip = hop.to_canonical();
            if !trusted.contains(&ip) {
                break;
            }
        }
    }
    match ip {
        ip if ip.is_loopback() => None,
        IpAddr::V6(ip) => Some(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into()),
        IpAddr::V4(_) => Some(ip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(connected: &str, forwarded: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|ip| ip.parse().unwrap()).collect();
        let ip = asks(connected.parse().unwrap(), &headers, &trusted);
        ip.map_or_else(String::new, |ip| ip.to_string())
    }

    #[test]
    fn a_header_of_a_stranger_changes_nothing() {
        assert_eq!(who("203.0.113.7", &["198.51.100.1"], &[]), "203.0.113.7");
        assert_eq!(who("203.0.113.7", &["198.51.100.1"], &["192.0.2.1"]), "203.0.113.7");
    }

    #[test]
    fn a_trusted_proxy_says_who_asks_and_what_came_before_it_is_not_believed() {
        let trusted = ["192.0.2.1", "192.0.2.2"];
        assert_eq!(who("192.0.2.1", &["198.51.100.9, 203.0.113.7"], &trusted), "203.0.113.7");
        assert_eq!(who("192.0.2.1", &["198.51.100.9", "203.0.113.7, 192.0.2.2"], &trusted), "203.0.113.7");
        assert_eq!(who("192.0.2.1", &["203.0.113.7, rubbish"], &trusted), "192.0.2.1");
        assert_eq!(who("192.0.2.1", &[], &trusted), "192.0.2.1");
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_this_machine_is_none() {
        assert_eq!(who("2001:db8:1:2:3:4:5:6", &[], &[]), "2001:db8:1:2::");
        assert_eq!(who("::ffff:203.0.113.7", &[], &[]), "203.0.113.7");
        assert_eq!([who("127.0.0.1", &[], &[]), who("::1", &[], &[])], ["", ""]);
        assert_eq!(who("127.0.0.1", &["203.0.113.7"], &["127.0.0.1"]), "203.0.113.7");
    }
}
