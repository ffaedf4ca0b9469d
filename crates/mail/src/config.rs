//! How mail goes out: what the configuration says.

use std::path::PathBuf;
use std::time::Duration;

use kernel::percent::decoded;
use lettre::Address;

/// How mail goes out.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// Where to.
    pub way: MailWay,
    /// From whom.
    pub sender: Sender,
    /// Certificates of one's own that the server's may be signed with, a PEM file.
    pub own_certificates: Option<PathBuf>,
    /// How long the server may take over one step of its work.
    pub timeout: Duration,
    /// Mails for one address in an hour.
    pub per_hour: u32,
    /// Where people reach the application, for links.
    pub frontend_url: String,
}

/// Where mail goes.
#[derive(Clone, Debug)]
pub enum MailWay {
    /// Into a folder, one file each.
    Folder(PathBuf),
    /// To an SMTP server.
    Smtp(SmtpUrl),
}

/// Who sends: an address. The name beside it is that of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender(Address);

impl Sender {
    /// Reads an address.
    pub fn parse(text: &str) -> Option<Self> {
        text.is_ascii().then(|| text.parse().ok().map(Self)).flatten()
    }

    /// The sender where none was said: `no-reply` at the host of a web address.
    pub fn of_host(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        let is_name = host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[');
        let named = is_name.then(|| Address::new("no-reply", host).ok()).flatten();
        Self(named.unwrap_or_else(Self::nobody))
    }

    fn nobody() -> Address {
        // both parts are written here and are right
        Address::new_dangerous("no-reply", "localhost")
    }

    pub(crate) fn address(&self) -> &Address {
        &self.0
    }

    /// The domain that the ids of messages are under: as long as the sender stays, so do they.
    pub(crate) fn domain(&self) -> &str {
        self.0.domain()
    }
}

/// How a connection is kept from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// From the first byte.
    Implicit,
    /// After STARTTLS, without which nothing is sent.
    StartTls,
    /// Not at all: a relay on the own machine.
    None,
}

/// An SMTP server. It may hold a password, so it prints its host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) credentials: Option<(String, String)>,
    pub(crate) encryption: Encryption,
}

impl std::fmt::Debug for SmtpUrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SmtpUrl({}:{})", self.host, self.port)
    }
}

impl SmtpUrl {
    /// Reads `smtp://user:password@host:587`, which is encrypted by STARTTLS unless it says `?tls=none`, and `smtps://…:465`, which is
    /// encrypted from the start. User and password may be percent-encoded; they are not sent in clear text to another machine.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (rest, implicit) = match (address.strip_prefix("smtp://"), address.strip_prefix("smtps://")) {
            (Some(rest), _) => (rest, false),
            (_, Some(rest)) => (rest, true),
            _ => return None,
        };
        let encryption = match (implicit, query) {
            (true, "") => Encryption::Implicit,
            (false, "") => Encryption::StartTls,
            (false, "tls=none") => Encryption::None,
            _ => return None,
        };
        let (credentials, server) = match rest.rsplit_once('@') {
            Some((credentials, server)) => {
                let (user, password) = credentials.split_once(':')?;
                let both = (credential(user)?, credential(password)?);
                if both.0.is_empty() || both.1.is_empty() {
                    return None;
                }
                (Some(both), server)
            }
            None => (None, rest),
        };
        let server = server.trim_end_matches('/');
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') && (!host.contains(':') || host.ends_with(']')) => {
                (host, port.parse().ok()?)
            }
            _ => (server, if implicit { 465 } else { 587 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let good = |letter: char| letter.is_ascii_alphanumeric() || "-._:".contains(letter);
        if host.is_empty() || !host.chars().all(good) || port == 0 {
            return None;
        }
        let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if encryption == Encryption::None && credentials.is_some() && !is_here {
            return None;
        }
        Some(Self { host, port, credentials, encryption })
    }
}

/// A user or a password, which stand on lines of their own when they are sent.
fn credential(text: &str) -> Option<String> {
    decoded(text).filter(|text| !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_what_would_send_a_password_in_the_clear_is_not() {
        let url = SmtpUrl::parse("smtp://me%40example.com:p%3Aw@mail.example.com:2587").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.encryption), ("mail.example.com", 2587, Encryption::StartTls));
        assert_eq!(url.credentials, Some(("me@example.com".to_owned(), "p:w".to_owned())));
        assert_eq!(format!("{url:?}"), "SmtpUrl(mail.example.com:2587)");
        let url = SmtpUrl::parse("smtps://mail.example.com/").unwrap();
        assert_eq!((url.port, url.encryption), (465, Encryption::Implicit));
        let url = SmtpUrl::parse("smtp://[::1]:25?tls=none").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.encryption), ("::1", 25, Encryption::None));
        assert!(SmtpUrl::parse("smtp://a:b@127.0.0.1?tls=none").is_some());
        for wrong in [
            "",
            "smtp://",
            "http://host",
            "smtp://host?tls=maybe",
            "smtps://host?tls=none",
            "smtp://user@host",
            "smtp://user:@host",
            "smtp://host:0",
            "smtp://host:x",
            "smtp://a b",
            "smtp://a:b@mail.example.com?tls=none",
        ] {
            assert!(SmtpUrl::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_sender_is_said_or_made_from_the_host() {
        assert_eq!(Sender::parse("crm@example.com").unwrap().domain(), "example.com");
        assert!(Sender::parse("crm@example.com\r\nBcc: x@y").is_none() && Sender::parse("nobody").is_none());
        assert_eq!(Sender::of_host("https://crm.example.com:8443/x").address().to_string(), "no-reply@crm.example.com");
        assert_eq!(Sender::of_host("http://127.0.0.1:8080").address().to_string(), "no-reply@localhost");
    }
}
