//! From the configuration to the open store and the services on it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use auth::{Auth, AuthConfig, HashingCost};
use backup::archive::Recipients;
use backup::{BackupConfig, Backups};
use files::{Files, FilesConfig, Scanner};
use kernel::{Error, Result, Runtime};
use mail::{Mail, MailConfig, MailWay, Sender};
use store::jobs::{Handlers, Worker, WorkerOptions};
use store::shared::Shared;
use store::{DatabaseConfig, Secret, Store};

use crate::config::Config;

/// What the configuration says of the database.
pub fn database(config: &Config) -> DatabaseConfig {
    DatabaseConfig {
        url: config.database_url.expose().to_owned(),
        owner_url: config.database_owner_url.as_ref().map(|url| url.expose().to_owned()),
        connections: config.database_connections,
    }
}

/// Whether this process may migrate: always on SQLite; on PostgreSQL where the owner is given, or where one URL is all there is.
pub async fn migrate(config: &Config) -> Result<()> {
    fs::create_dir_all(&config.data_dir).map_err(Error::internal)?;
    migration::migrate(&database(config)).await
}

/// Opens the store of a database that is migrated.
pub async fn open_store(config: &Config) -> Result<Store> {
    let runtime = Runtime::system();
    let shared = match &config.redis_url {
        Some(url) => Shared::through_redis(url.expose(), config.redis_prefix.as_str(), runtime.clone())?,
        None => Shared::in_process(runtime.clone()),
    };
    Store::open(&database(config), secret(config, &runtime)?, shared, runtime).await
}

/// Takes the way out for mail into use. It need not be there.
fn open_mail(config: &Config, store: &Store) -> Result<Mail> {
    let unread = || Error::internal("the way of mail was not checked with the configuration");
    let way = match &config.smtp_url {
        Some(url) => MailWay::Smtp(url.server().ok_or_else(unread)?),
        None => MailWay::Folder(config.data_dir.join("mail")),
    };
    let sender = match &config.mail_from {
        Some(address) => Sender::parse(address.as_str()).ok_or_else(unread)?,
        None => Sender::of_host(config.public_url.as_str()),
    };
    let mail = MailConfig {
        way,
        sender,
        own_certificates: config.smtp_ca.clone(),
        timeout: Duration::from_secs(config.smtp_timeout_seconds.into()),
        per_hour: config.mails_per_hour,
        frontend_url: config.frontend_url.as_str().to_owned(),
    };
    Mail::open(store.clone(), mail)
}

/// Opens the store, mail, and who comes in.
pub async fn open(config: &Config) -> Result<(Store, Auth)> {
    let store = open_store(config).await?;
    let mail = open_mail(config, &store)?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let auth = Auth::open(
        store.clone(),
        mail,
        AuthConfig {
            access_token_minutes: config.access_token_minutes.into(),
            refresh_token_days: config.refresh_token_days.into(),
            browser_session_hours: config.browser_session_hours.into(),
            invitation_days: config.invitation_days.into(),
            login_attempts: config.login_attempts,
            hashing_at_once: match config.password_hash_concurrency {
                // a flood of sign-ins leaves the other half of the cores to everybody else
                0 => (cores / 2).max(1),
                given => usize::try_from(given).unwrap_or(cores),
            },
            hashing_cost: HashingCost::OWASP,
            resets_per_hour: config.password_resets_per_hour,
        },
    );
    Ok((store, auth.await?))
}

/// What the configuration says of the storages of files.
pub fn files_config(config: &Config) -> Result<FilesConfig> {
    Ok(FilesConfig {
        storage: config.storage_url.storage().ok_or_else(unread)?,
        further: config.further_storage_urls.iter().map(|url| url.storage().ok_or_else(unread)).collect::<Result<_>>()?,
        spool: config.data_dir.join("spool"),
        storage_timeout: Duration::from_secs(config.storage_timeout_seconds.into()),
        most_bytes: u64::try_from(config.upload_limit_bytes).map_err(Error::internal)?,
        scanner: config.clamd_url.as_ref().and_then(|url| Scanner::parse(url.as_str())),
        public_url: config.public_url.as_str().to_owned(),
    })
}

fn unread() -> Error {
    Error::internal("a storage was not checked with the configuration")
}

/// Takes the storages of files into use. None of them needs to be there.
pub fn open_files(config: &Config, store: &Store) -> Result<Files> {
    Files::open(store.clone(), files_config(config)?, api::ATTACHABLES)
}

/// What the configuration says of backups.
pub fn backup_config(config: &Config) -> Result<BackupConfig> {
    let recipients: Vec<String> = config.backup_recipients.iter().map(|key| key.as_str().to_owned()).collect();
    Ok(BackupConfig {
        target: config.backup_url.storage().ok_or_else(unread)?,
        second: config.second_backup_url.as_ref().map(|url| url.storage().ok_or_else(unread)).transpose()?,
        scratch: config.data_dir.join("backing-up"),
        recipients: Recipients::parse(&recipients)?,
        with_files: config.backup_files,
        keep_days: config.backup_days,
        is_nightly: config.backup_nightly,
        overdue: Duration::from_hours(config.backup_age_hours.into()),
        target_timeout: Duration::from_secs(config.storage_timeout_seconds.into()),
    })
}

/// Takes the targets of backups into use. None of them needs to be there.
pub fn open_backups(config: &Config, store: &Store, files: &Files) -> Result<Backups> {
    Backups::open(store.clone(), files.clone(), backup_config(config)?)
}

/// The handlers of every job that this program knows.
pub fn handlers(auth: &Auth, files: &Files, backups: &Backups) -> Handlers {
    let mut handlers = Handlers::new();
    store::jobs::handle(&mut handlers);
    handlers.followed_by(api::FOLLOWERS);
    auth.handle_jobs(&mut handlers);
    files.handle_jobs(&mut handlers);
    backups.handle_jobs(&mut handlers);
    files::imports::handle_jobs(&mut handlers, files, auth, api::IMPORTERS);
    platform::custom_fields::handle(&mut handlers, api::FIELD_HOLDERS);
    clients::duplicates::handle(&mut handlers);
    handlers
}

/// Starts a worker on this thread.
pub fn work(config: &Config, store: &Store, handlers: Handlers) -> store::jobs::Running {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let options = WorkerOptions { lease: seconds(config.worker_lease_seconds), shutdown: seconds(config.shutdown_seconds) };
    Worker::start(store.clone(), handlers, options)
}

/// The installation's secret: given, or in its file, which is made where it is not there.
fn secret(config: &Config, runtime: &Runtime) -> Result<Secret> {
    match given_secret(config)? {
        Some(secret) => Ok(secret),
        None => make(&config.secret_key_file, runtime),
    }
}

/// The installation's secret, where there is one.
pub fn given_secret(config: &Config) -> Result<Option<Secret>> {
    if let Some(key) = &config.secret_key {
        return Ok(Some(Secret::new(*key.expose())));
    }
    let path = &config.secret_key_file;
    let wrong = || Error::internal(format!("{} does not hold 64 hexadecimal digits", path.display()));
    match fs::read_to_string(path) {
        Ok(text) => parse(text.trim()).map(Some).ok_or_else(wrong),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::internal(error)),
    }
}

fn parse(text: &str) -> Option<Secret> {
    let mut key = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Secret::new(key))
}

/// A new secret in a file that only its owner can read.
fn make(path: &Path, runtime: &Runtime) -> Result<Secret> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let key: [u8; 32] = runtime.random();
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::internal)?;
    }
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(Error::internal)?;
    file.write_all(format!("{text}\n").as_bytes()).map_err(Error::internal)?;
    file.sync_all().map_err(Error::internal)?;
    Ok(Secret::new(key))
}
