//! A PostgreSQL of one test's own, which may be killed; the one that tests share may not.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::Database;
use tempfile::TempDir;

/// A PostgreSQL that keeps what it has committed when its processes die.
pub struct Cluster {
    url: String,
    folder: TempDir,
}

fn services() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("services")
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // what stands still cannot be stopped
        self.signal_all("CONT");
        let _ = Command::new(services()).arg("stop").arg(self.at()).stderr(Stdio::null()).status();
    }
}

impl Cluster {
    /// Starts one.
    pub fn start() -> Self {
        Self::within(&[])
    }

    /// Starts one by a command that comes to be `tests/services`: its words stand before those of the latter.
    pub fn within(around: &[String]) -> Self {
        let folder = TempDir::new().unwrap();
        // it works as another user, who must get there
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let mut cluster = Self { url: String::new(), folder };
        let mut words = around.to_vec();
        words.extend([services().to_str().unwrap().to_owned(), "start".to_owned(), cluster.at().to_str().unwrap().to_owned()]);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env("PELATIS_SERVICES_DURABLE", "processes").env("PELATIS_SERVICES_REDIS", "0");
        assert!(command.status().unwrap().success(), "PostgreSQL starts");
        let env = std::fs::read_to_string(cluster.at().join("env")).unwrap();
        cluster.url = env.split_once('=').expect("the URL of PostgreSQL").1.trim().to_owned();
        cluster
    }

    fn at(&self) -> PathBuf {
        self.folder.path().join("services")
    }

    /// The URL of its superuser, without a database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A migrated database on it.
    pub async fn database(&self) -> Database {
        Database::fresh_on(&self.url).await
    }

    /// Its first process.
    pub fn pid(&self) -> u32 {
        std::fs::read_to_string(self.at().join("postgres.pid")).unwrap().trim().parse().unwrap()
    }

    /// Sends a signal to its first process: `KILL`, or `QUIT`, by which it stops at once and leaves everything as it is.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([format!("-{signal}"), self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// All its processes stand still: connections stay, and nothing is answered on them or on new ones.
    pub fn stall(&self) {
        self.signal_all("STOP");
    }

    /// After [`stall`](Self::stall).
    pub fn go_on(&self) {
        self.signal_all("CONT");
    }

    /// The first process before its children, so that it makes no more of them.
    fn signal_all(&self, signal: &str) {
        let first = self.pid().to_string();
        let _ = Command::new("kill").args([&format!("-{signal}"), &first]).status();
        let _ = Command::new("pkill").args([&format!("-{signal}"), "-P", &first]).status();
    }

    /// Starts it again where it was.
    pub fn revive(&self) {
        assert!(Command::new(services()).arg("revive").arg(self.at()).status().unwrap().success(), "PostgreSQL starts again");
    }
}
