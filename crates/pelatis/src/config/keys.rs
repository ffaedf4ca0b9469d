//! The table of keys. Everything else follows from it: what is read, the flags, the faults, and `deploy/pelatis.toml`.
//!
//! To add a key:
//! 1. Add a row to [`settings!`] below. Its doc comment is what people read in the file and in `--help`.
//! 2. If no type in `setting.rs` fits, write one there.
//! 3. If it must agree with another key, add that to `checks.rs`.
//! 4. Rewrite the file: `UPDATE=1 cargo nextest run -p pelatis the_committed_file`.
//!
//! To rename a key, give it its new name here and `renamed_from` with the old one and its environment name.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::IpNet;

use super::reader::Reader;
use super::setting::{
    BackupRecipient, DatabaseUrl, LogFilter, LogFormat, MailAddress, PostgresUrl, Prefix, RedisUrl, ScannerUrl, SecretKey,
    Setting, Shape, SmtpUrl, StorageUrl, WebOrigin, WebUrl,
};

/// A key of the configuration: one row of the table.
#[derive(Debug)]
pub struct Key {
    /// The name in the file.
    pub name: &'static str,
    /// The name in the environment.
    pub env: &'static str,
    /// The text of the default, none if the key may be left out. `<key>` stands for the value of a key further up.
    pub default: Option<&'static str>,
    /// A value for the commented file, where there is no default.
    pub example: Option<&'static str>,
    /// The whole numbers that are allowed, both ends included.
    pub range: Option<RangeInclusive<usize>>,
    /// The old name in the file and the old name in the environment, which go on working with a warning.
    pub renamed_from: Option<(&'static str, &'static str)>,
    /// What it is, line by line.
    pub doc: &'static [&'static str],
    /// How it is written in the file.
    pub shape: Shape,
    /// Whether there is a flag; not for keys, as everybody on the machine sees the flags of a process.
    pub has_flag: bool,
}

macro_rules! or_none {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident: $type:ty {
            env: $env:literal
            $(, default: $default:literal)?
            $(, example: $example:literal)?
            $(, range: $range:expr)?
            $(, renamed_from: $renamed_from:expr)?
        }
    )+) => {
        /// The configuration, valid as a whole. Nothing secret in it is ever printed.
        #[derive(Clone, Debug)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        /// What could be read so far; none where there is a fault.
        pub(super) struct Draft {
            $(pub(super) $name: Option<$type>,)+
        }

        impl Draft {
            /// Reads every key, so that every fault is noted.
            pub(super) fn read(reader: &mut Reader) -> Self {
                Self { $($name: reader.take(stringify!($name)),)+ }
            }

            /// The configuration, unless there was a fault.
            pub(super) fn finish(self) -> Option<Config> {
                Some(Config { $($name: self.$name?,)+ })
            }
        }

        /// Every key, in the order of the file.
        pub static KEYS: &[Key] = &[$(Key {
            name: stringify!($name),
            env: $env,
            default: or_none!($($default)?),
            example: or_none!($($example)?),
            range: or_none!($($range)?),
            renamed_from: or_none!($($renamed_from)?),
            doc: &[$($doc),+],
            shape: <$type as Setting>::SHAPE,
            has_flag: <$type as Setting>::HAS_FLAG,
        }),+];
    };
}

settings! {
    /// The address and port that the server listens on.
    listen: SocketAddr { env: "PELATIS_LISTEN", default: "127.0.0.1:8080", renamed_from: ("bind", "PELATIS_BIND") }
    /// The folder of everything that the server keeps itself: the SQLite database, files, keys.
    data_dir: PathBuf { env: "PELATIS_DATA_DIR", default: "./data" }
    /// The database: sqlite:<path> or postgres://user:password@host/database.
    /// Left out, it is pelatis.db in data_dir.
    database_url: DatabaseUrl { env: "DATABASE_URL", default: "sqlite:<data_dir>/pelatis.db" }
    /// The database as the owner of its tables, for migrations; PostgreSQL only.
    /// Left out, migrations run as the user of database_url.
    database_owner_url: Option<PostgresUrl> { env: "DATABASE_OWNER_URL", example: "postgres://owner:password@localhost/pelatis" }
    /// The most connections to the database at a time, from each process. On PostgreSQL one more hears of jobs, and two more
    /// write while data is imported; on SQLite there are four for each processor at most.
    database_connections: u32 { env: "PELATIS_DATABASE_CONNECTIONS", default: "16", range: 1..=500 }
    /// Redis or Valkey, which several servers share their limits, events and caches through.
    /// Left out, each process has its own.
    redis_url: Option<RedisUrl> { env: "REDIS_URL", example: "redis://localhost:6379" }
    /// What every key in Redis begins with, so that installations can share one.
    redis_prefix: Prefix { env: "PELATIS_REDIS_PREFIX", default: "pelatis" }
    /// The key that secrets in the database are encrypted with and tokens are signed with: 64 hexadecimal digits.
    /// Left out, it is read from secret_key_file. There is no flag for it, as flags are seen by everybody on the machine.
    secret_key: Option<SecretKey> { env: "PELATIS_SECRET_KEY" }
    /// The file that holds the key; it is made with a new key if it is not there. Keep a copy apart from the database.
    /// Left out, it is keys/secret.key in data_dir.
    secret_key_file: PathBuf { env: "PELATIS_SECRET_KEY_FILE", default: "<data_dir>/keys/secret.key" }
    /// Where people reach this server, without a slash at the end.
    /// Left out, it is made from listen.
    public_url: WebUrl { env: "PELATIS_PUBLIC_URL", default: "http://<listen>" }
    /// Where links in mails lead: the address of the application that people use, without a slash at the end.
    /// Left out, it is public_url.
    frontend_url: WebUrl { env: "PELATIS_FRONTEND_URL", default: "<public_url>" }
    /// The origins of web applications that may call the API from a browser; in the environment separated by commas.
    cors_origins: Vec<WebOrigin> { env: "PELATIS_CORS_ORIGINS", default: "" }
    /// The networks of reverse proxies, whose word on the client's address is believed; in the environment separated by commas.
    trusted_proxies: Vec<IpNet> { env: "PELATIS_TRUSTED_PROXIES", default: "" }
    /// The threads that answer requests; 0 for one per core.
    workers: u32 { env: "PELATIS_WORKERS", default: "0", range: 0..=1024 }
    /// The requests that a caller may make in a minute.
    rate_limit_per_minute: u32 { env: "PELATIS_RATE_LIMIT_PER_MINUTE", default: "120", range: 1..=1_000_000 }
    /// The failed attempts to sign in that are allowed in 15 minutes.
    login_attempts: u32 { env: "PELATIS_LOGIN_ATTEMPTS", default: "5", range: 1..=1000 }
    /// The bulk operations that a caller may begin in a minute.
    bulk_per_minute: u32 { env: "PELATIS_BULK_PER_MINUTE", default: "5", range: 1..=10_000 }
    /// The most bytes that a JSON body may have, at most 50 MB.
    json_limit_bytes: usize { env: "PELATIS_JSON_LIMIT_BYTES", default: "1048576", range: 1024..=50 * 1024 * 1024 }
    /// Where the content of files is kept: file:<path>, or s3://key:secret@host:port/bucket (s3+http:// without TLS), with
    /// ?region=, &style=virtual, and &name= for what files remember the storage by (local, or the bucket, unless given).
    /// Left out, it is files in data_dir.
    storage_url: StorageUrl { env: "STORAGE_URL", default: "file:<data_dir>/files" }
    /// Storages that files were put in before; they stay readable. In the environment separated by commas.
    further_storage_urls: Vec<StorageUrl> { env: "PELATIS_FURTHER_STORAGE_URLS", default: "" }
    /// The seconds that a storage may take over one step of its work: an answer, a part of a file, the next piece of a download.
    storage_timeout_seconds: u32 { env: "PELATIS_STORAGE_TIMEOUT_SECONDS", default: "15", range: 1..=300 }
    /// The most bytes that an uploaded file may have.
    upload_limit_bytes: usize { env: "PELATIS_UPLOAD_LIMIT_BYTES", default: "52428800", range: 1024..=5 * 1024 * 1024 * 1024 }
    /// The uploads that a caller may make in a minute.
    uploads_per_minute: u32 { env: "PELATIS_UPLOADS_PER_MINUTE", default: "10", range: 1..=10_000 }
    /// Where clamd listens, tcp://host:port or unix:<path>, which then sees every file before it is taken, and none is where it is away.
    /// Left out, nothing is scanned. clamd itself lets through unread what is larger than its limits, unless AlertExceedsMax is on: see the
    /// runbook.
    clamd_url: Option<ScannerUrl> { env: "PELATIS_CLAMD_URL", example: "unix:/run/clamav/clamd.ctl" }
    /// Where backups go: file:<path>, or s3://… as for storage_url. The place must be theirs alone.
    /// Left out, it is backups in data_dir, which is lost with everything else.
    backup_url: StorageUrl { env: "PELATIS_BACKUP_URL", default: "file:<data_dir>/backups" }
    /// Where every backup goes too, for the day on which the first place is lost: a folder of another machine, or a bucket elsewhere.
    second_backup_url: Option<StorageUrl> { env: "PELATIS_SECOND_BACKUP_URL", example: "s3://key:secret@s3.example.com/backups" }
    /// Who can open backups: public keys of age; in the environment separated by commas. Left out, everybody who has the archive can.
    backup_recipients: Vec<BackupRecipient> { env: "PELATIS_BACKUP_RECIPIENTS", default: "" }
    /// Whether the content of files is in backups. Where their storage keeps copies itself, it need not be.
    backup_files: bool { env: "PELATIS_BACKUP_FILES", default: "true" }
    /// Whether a backup is made every night at 02:00 UTC.
    backup_nightly: bool { env: "PELATIS_BACKUP_NIGHTLY", default: "true" }
    /// The days after which a backup is removed; the newest three always stay.
    backup_days: u32 { env: "PELATIS_BACKUP_DAYS", default: "14", range: 1..=3650 }
    /// The hours that the newest backup may be old before /health/ready calls backups degraded.
    backup_age_hours: u32 { env: "PELATIS_BACKUP_AGE_HOURS", default: "26", range: 1..=8760 }
    /// The server that mail goes out through: smtp://user:password@host:587, which is encrypted by STARTTLS, or smtps://user:password@host:465;
    /// for a relay on the own machine smtp://localhost:25?tls=none. User and password may be percent-encoded.
    /// Left out, each mail becomes a file in mail in data_dir.
    smtp_url: Option<SmtpUrl> { env: "SMTP_URL", example: "smtp://user:password@mail.example.com:587" }
    /// A PEM file of certificates that the mail server's may be signed with, beside those that are known everywhere.
    smtp_ca: Option<PathBuf> { env: "PELATIS_SMTP_CA", example: "/etc/pelatis/mail-ca.pem" }
    /// The seconds that the mail server may take over one step of its work.
    smtp_timeout_seconds: u32 { env: "PELATIS_SMTP_TIMEOUT_SECONDS", default: "30", range: 1..=600 }
    /// The address that mail comes from; needed with smtp_url. The name beside it is the workspace's.
    /// Left out, it is no-reply at the host of public_url.
    mail_from: Option<MailAddress> { env: "PELATIS_MAIL_FROM", example: "crm@example.com" }
    /// The mails that one address may get in an hour; more of them wait.
    mails_per_hour: u32 { env: "PELATIS_MAILS_PER_HOUR", default: "30", range: 1..=10_000 }
    /// The mails to set a new password with that may be asked for in an hour for one address; more of them are not sent.
    password_resets_per_hour: u32 { env: "PELATIS_PASSWORD_RESETS_PER_HOUR", default: "5", range: 1..=1000 }
    /// The minutes that an access token is good for.
    access_token_minutes: u32 { env: "PELATIS_ACCESS_TOKEN_MINUTES", default: "15", range: 1..=1440 }
    /// The days that a refresh token is good for.
    refresh_token_days: u32 { env: "PELATIS_REFRESH_TOKEN_DAYS", default: "30", range: 1..=365 }
    /// The hours that a session in a browser lasts.
    browser_session_hours: u32 { env: "PELATIS_BROWSER_SESSION_HOURS", default: "24", range: 1..=8760 }
    /// The days that an invitation is good for.
    invitation_days: u32 { env: "PELATIS_INVITATION_DAYS", default: "7", range: 1..=365 }
    /// The passwords that are hashed at a time, each of which takes a core and memory; 0 for half as many as there are cores, and at least one.
    password_hash_concurrency: u32 { env: "PELATIS_PASSWORD_HASH_CONCURRENCY", default: "0", range: 0..=1024 }
    /// The seconds after which a request is given up.
    request_timeout_seconds: u32 { env: "PELATIS_REQUEST_TIMEOUT_SECONDS", default: "30", range: 1..=3600 }
    /// The seconds that what runs is given to finish when the server is stopped. Whatever stops it should wait 20 more.
    shutdown_seconds: u32 { env: "PELATIS_SHUTDOWN_SECONDS", default: "30", range: 0..=3600 }
    /// Whether serve works jobs too; where it does not, pelatis worker must.
    worker: bool { env: "PELATIS_WORKER", default: "true" }
    /// The seconds after which the jobs of a worker that shows no sign of life are taken over by the others.
    worker_lease_seconds: u32 { env: "PELATIS_WORKER_LEASE_SECONDS", default: "15", range: 1..=3600 }
    /// The seconds that a job may be due without being begun before /health/ready calls the queue degraded.
    queue_age_seconds: u32 { env: "PELATIS_QUEUE_AGE_SECONDS", default: "300", range: 1..=604_800 }
    /// What is logged: a level (error, warn, info, debug, trace), or levels by module, such as info,sqlx=warn.
    log: LogFilter { env: "PELATIS_LOG", default: "info" }
    /// How it is logged: json, text, or auto, which is text on a terminal and json elsewhere.
    log_format: LogFormat { env: "PELATIS_LOG_FORMAT", default: "auto" }
}
