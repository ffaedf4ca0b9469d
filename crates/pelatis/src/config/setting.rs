//! The types of values: how each is written, read and, if it is secret, kept from being printed.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;

/// How a value is written in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `"text"`
    Text,
    /// `16`
    Number,
    /// `true`
    Boolean,
    /// `["text", "text"]`
    List,
}

/// The type of a key's value.
pub trait Setting: Sized {
    /// How it is written in the file. In the environment and in flags it is text, a list with commas between its entries.
    const SHAPE: Shape = Shape::Text;
    /// Whether it may be given as a flag.
    const HAS_FLAG: bool = true;

    /// What the value must be, as the end of a sentence that begins with "must be".
    fn expects() -> String;

    /// Reads the value.
    ///
    /// # Errors
    /// What the value must be, as in [`Setting::expects`]. It never repeats the value.
    fn parse(text: &str) -> Result<Self, String>;

    /// The value of a key that is left out and has no default, if it may be.
    fn absent() -> Option<Self> {
        None
    }
}

/// Implements [`Setting`] for a type from what it expects and a function that reads it or not.
macro_rules! setting {
    ($type:ty, $expects:literal, $read:expr $(, $name:ident: $kind:ty = $value:expr)*) => {
        impl Setting for $type {
            $(const $name: $kind = $value;)*
            fn expects() -> String {
                $expects.to_owned()
            }
            fn parse(text: &str) -> Result<Self, String> {
                let read: fn(&str) -> Option<Self> = $read;
                read(text).ok_or_else(Self::expects)
            }
        }
    };
}

/// Declares a text whose content is checked, and that is shown, or only up to the first colon if it is secret.
macro_rules! checked_text {
    ($(#[$doc:meta])+ $name:ident, shown, $expects:literal, $read:expr) => {
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        setting!($name, $expects, |text| { let read: fn(&str) -> Option<&str> = $read; Some(Self(read(text)?.to_owned())) });
    };
    ($(#[$doc:meta])+ $name:ident, secret, $expects:literal, $read:expr) => {
        $(#[$doc])+
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);
        impl $name {
            /// The text, which may hold a password.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{}:…", self.0.split(':').next().unwrap_or_default())
            }
        }
        setting!($name, $expects, |text| { let read: fn(&str) -> Option<&str> = $read; Some(Self(read(text)?.to_owned())) });
    };
}

fn after<'text>(text: &'text str, schemes: &[&str]) -> Option<&'text str> {
    schemes.iter().find_map(|scheme| text.strip_prefix(scheme)).filter(|rest| !rest.is_empty())
}

/// The host and port of a web address and what follows them.
fn web_address(text: &str) -> Option<(&str, &str)> {
    let rest = after(text, &["http://", "https://"])?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let unwanted = |letter: char| letter.is_whitespace() || letter.is_control() || "?#@\\\"<>*".contains(letter);
    (!host.is_empty() && !host.starts_with(':') && !text.contains(unwanted)).then_some((host, path))
}

checked_text! {
    /// The address of the database. It may hold a password, so it shows its scheme alone.
    DatabaseUrl, secret, "sqlite:<path>, postgres://… or postgresql://…",
    |text| after(text, &["sqlite:", "postgres://", "postgresql://"]).map(|_| text)
}

impl DatabaseUrl {
    /// Whether it is a PostgreSQL database; else it is SQLite.
    pub fn is_postgres(&self) -> bool {
        self.0.starts_with("postgres")
    }
}

checked_text! {
    /// The address of a PostgreSQL database. It may hold a password, so it shows its scheme alone.
    PostgresUrl, secret, "postgres://… or postgresql://…",
    |text| after(text, &["postgres://", "postgresql://"]).map(|_| text)
}

checked_text! {
    /// The address of Redis. It may hold a password, so it shows its scheme alone.
    RedisUrl, secret, "redis://… or rediss://…",
    |text| after(text, &["redis://", "rediss://"]).map(|_| text)
}

checked_text! {
    /// The address of a storage. It may hold a secret, so it shows its scheme alone.
    StorageUrl, secret, "file:<path>, s3://… or s3+http://… with a bucket, and no parameters but name, region and style",
    |text| files::StorageUrl::parse(text).map(|_| text)
}

impl StorageUrl {
    /// The storage, which was checked when it was read.
    pub fn storage(&self) -> Option<files::StorageUrl> {
        files::StorageUrl::parse(self.expose())
    }
}

checked_text! {
    /// A public key of age, for whom backups are encrypted.
    BackupRecipient, shown, "a public key of age, age1…",
    |text| backup::archive::Recipients::is_key(text).then_some(text)
}

checked_text! {
    /// Where clamd listens.
    ScannerUrl, shown, "tcp://host:port or unix:<path>",
    |text| files::Scanner::parse(text).map(|_| text)
}

checked_text! {
    /// The address of a mail server. It may hold a password, so it shows its scheme alone.
    SmtpUrl, secret,
    "smtp://… or smtps://… with a host; ?tls=none may stand behind smtp://, and then user and password only where the host is this machine",
    |text| mail::SmtpUrl::parse(text).map(|_| text)
}

impl SmtpUrl {
    /// The server, which was checked when it was read.
    pub fn server(&self) -> Option<mail::SmtpUrl> {
        mail::SmtpUrl::parse(self.expose())
    }
}

checked_text! {
    /// An address that mail comes from.
    MailAddress, shown, "an e-mail address such as crm@example.com",
    |text| mail::Sender::parse(text).map(|_| text)
}

checked_text! {
    /// The beginning of names that are shared with others.
    Prefix, shown, "1 to 64 letters of a to z, A to Z, digits, and - _ . :",
    |text| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        ((1..=64).contains(&text.len()) && text.bytes().all(good)).then_some(text)
    }
}

checked_text! {
    /// An address on the web, without a slash at the end.
    WebUrl, shown, "an address that begins with http:// or https:// and has no user, query or fragment",
    |text| web_address(text).map(|_| text.trim_end_matches('/'))
}

checked_text! {
    /// The origin of a web application, as browsers send it.
    WebOrigin, shown, "an origin such as https://app.example.com, without a path",
    |text| web_address(text).filter(|(_, path)| path.is_empty()).map(|_| text)
}

checked_text! {
    /// What is logged.
    LogFilter, shown, "a level such as info, or levels by module such as info,sqlx=warn",
    |text| (!text.is_empty() && EnvFilter::try_new(text).is_ok()).then_some(text)
}

/// A key of 32 bytes, which is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// The bytes of the key.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("…")
    }
}

setting!(
    SecretKey,
    "64 hexadecimal digits",
    |text| {
        let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
        let (pairs, []) = digits.as_chunks::<2>() else { return None };
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        bytes.try_into().ok().map(Self)
    },
    HAS_FLAG: bool = false
);

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    Auto,
    /// One JSON object a line.
    Json,
    /// Lines for people.
    Text,
}

impl LogFormat {
    /// Whether to write JSON, given whether the log goes to a terminal.
    pub fn is_json(self, on_terminal: bool) -> bool {
        match self {
            Self::Auto => !on_terminal,
            Self::Json => true,
            Self::Text => false,
        }
    }
}

setting!(LogFormat, "json, text or auto", |text| match text {
    "auto" => Some(Self::Auto),
    "json" => Some(Self::Json),
    "text" => Some(Self::Text),
    _ => None,
});

setting!(SocketAddr, "an address and a port, such as 127.0.0.1:8080", |text| text.parse().ok());
setting!(PathBuf, "a path", |text| (!text.is_empty() && !text.contains('\0')).then(|| Self::from(text)));
setting!(IpNet, "a network such as 10.0.0.0/8, or an address", |text| {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(Self::from))
});
setting!(bool, "true or false", |text| text.parse().ok(), SHAPE: Shape = Shape::Boolean);
setting!(u32, "a whole number", |text| text.parse().ok(), SHAPE: Shape = Shape::Number);
setting!(usize, "a whole number", |text| text.parse().ok(), SHAPE: Shape = Shape::Number);

impl<T: Setting> Setting for Option<T> {
    const SHAPE: Shape = T::SHAPE;
    const HAS_FLAG: bool = T::HAS_FLAG;

    fn expects() -> String {
        T::expects()
    }

    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Setting> Setting for Vec<T> {
    const SHAPE: Shape = Shape::List;

    fn expects() -> String {
        format!("a list, each entry {}", T::expects())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let entries = text.split(',').map(str::trim).enumerate().filter(|(_, entry)| !entry.is_empty());
        entries
            .map(|(index, entry)| T::parse(entry).map_err(|_| format!("{}; entry {} is not", Self::expects(), index + 1)))
            .collect()
    }
}
