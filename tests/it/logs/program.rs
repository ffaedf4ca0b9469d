//! The program at its most talkative, its log in a file.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use harness::{Database, Engine};
use tempfile::TempDir;

/// Stands in the URL of the database.
pub(super) const DATABASE_PASSWORD: &str = "kept-out-of-every-log";

/// A program that serves, with a database of its own on the engine that was chosen.
pub(super) struct Program {
    pub folder: TempDir,
    pub db: Database,
    pub base: String,
    pub code: String,
    child: Child,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With a password, which the test's server does not ask for.
fn with_password(url: &str) -> String {
    match url.split_once('@') {
        Some((user, host)) => format!("{user}:{DATABASE_PASSWORD}@{host}"),
        None => url.to_owned(),
    }
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// A run of the program, its log added to the others'.
pub(super) fn command(folder: &Path, db: &Database, arguments: &[&str]) -> Command {
    let program = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("pelatis");
    assert!(program.exists(), "build it first: cargo build --workspace --bin pelatis");
    let log = File::options().create(true).append(true).open(log_of(folder)).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env_clear().stderr(log).stdout(Stdio::piped());
    command.env("PELATIS_LISTEN", "127.0.0.1:0").env("PELATIS_LOG", "debug").env("PELATIS_LOG_FORMAT", "json");
    command.env("DATABASE_URL", with_password(&db.config.url)).env("PELATIS_RATE_LIMIT_PER_MINUTE", "100000");
    if let Some(owner) = &db.config.owner_url {
        command.env("DATABASE_OWNER_URL", with_password(owner));
    }
    if db.engine == Engine::Postgres
        && let Ok(redis) = std::env::var("PELATIS_TEST_REDIS")
    {
        command.env("REDIS_URL", redis).env("PELATIS_REDIS_PREFIX", kernel::Runtime::system().uuid().to_string());
    }
    command
}

impl Program {
    pub(super) async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let db = Database::fresh(&folder).await;
        let mut child = command(folder.path(), &db, &["serve"]).spawn().unwrap();
        let (mut base, mut code) = (String::new(), String::new());
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once("listens on ") {
                base = rest.split(' ').next().unwrap().to_owned();
            }
            if let Some(rest) = line.strip_prefix("Set-up code: ") {
                code = rest.to_owned();
                break;
            }
        }
        assert!(!code.is_empty(), "it did not start: {}", std::fs::read_to_string(log_of(folder.path())).unwrap());
        Self { folder, db, base, code, child }
    }

    /// Stops it and returns everything that was logged.
    pub(super) fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        std::fs::read_to_string(log_of(self.folder.path())).unwrap()
    }
}
