//! A real mail server with a mailbox: `aiosmtpd`, which takes mail after STARTTLS and AUTH alone, under a certificate of its own authority.
//! `PELATIS_TEST_AIOSMTPD` is the folder that it is installed in (`tests/run` sees to it); without it these tests have nothing to ask.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use chrono::Duration;
use harness::{Session, TestApp};
use mail::{MailWay, SmtpUrl};
use tempfile::TempDir;

use super::{Read, invite, read, until, until_so, working};

/// The server, which ends with the test.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Server {
    /// None where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let library = std::env::var_os("PELATIS_TEST_AIOSMTPD")?;
        let folder = TempDir::new().unwrap();
        let (child, port) = launch(Path::new(&library), folder.path(), 0);
        Some(Self { folder, port, child })
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn start_again(&mut self) {
        let library = PathBuf::from(std::env::var_os("PELATIS_TEST_AIOSMTPD").unwrap());
        (self.child, self.port) = launch(&library, self.folder.path(), self.port);
    }

    /// The address of the server for one who knows its password.
    pub(crate) fn url(&self) -> String {
        self.url_for("localhost", PASSWORD)
    }

    fn url_for(&self, host: &str, password: &str) -> String {
        format!("smtp://pelatis%40crm.example:{password}@{host}:{}", self.port)
    }

    /// The certificate of its authority.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    async fn app(&self, host: &str, password: &str, knows_authority: bool) -> TestApp {
        let (url, authority) = (self.url_for(host, password), self.authority());
        working(|config| {
            config.mail.way = MailWay::Smtp(SmtpUrl::parse(&url).unwrap());
            config.mail.own_certificates = knows_authority.then_some(authority);
            config.mail.timeout = std::time::Duration::from_secs(5);
        })
        .await
    }

    /// What lies in the mailbox.
    pub(crate) fn mails(&self) -> Vec<Read> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("box/new")) else { return Vec::new() };
        entries.map(|entry| read(&std::fs::read(entry.unwrap().path()).unwrap())).collect()
    }
}

/// The password of the server, as it stands in a URL.
const PASSWORD: &str = "p%3Ass%20w%C3%B6rd";

fn launch(library: &Path, folder: &Path, port: u16) -> (Child, u16) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("mail_server.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(folder).arg(port.to_string()).env("PYTHONPATH", library);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().parse().expect("the mail server starts");
    (child, port)
}

#[tokio::test]
async fn mail_arrives_in_a_real_mailbox_encrypted_and_signed_in() {
    let Some(server) = Server::start() else { return };
    let app = server.app("localhost", PASSWORD, true).await;
    invite(&app, "nikos@example.com").await;
    until(&app, "nikos@example.com", "sent").await;
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, "Σας προσκαλούν στον χώρο Main");
    assert!(mails[0].text.contains("token=pli_") && mails[0].html.contains("token=pli_"));
    assert_eq!(app.db.scalar("SELECT message_id FROM mail_message").await.unwrap(), mails[0].message_id);

    // what the real server refuses is refused
    invite(&app, "nobody@example.com").await;
    until(&app, "nobody@example.com", "failed").await;
    assert_eq!(app.count("mail_suppression WHERE reason = 'bounce'").await, 1);
}

async fn tried(app: &TestApp) -> String {
    until_so("it was tried", async || app.count("mail_message WHERE last_problem IS NOT NULL").await == 1).await;
    app.db.scalar("SELECT last_problem FROM mail_message").await.unwrap()
}

#[tokio::test]
async fn a_server_whose_authority_is_unknown_and_one_that_refuses_the_password_get_nothing() {
    let Some(server) = Server::start() else { return };
    for (password, knows_authority, said) in [(PASSWORD, false, "STARTTLS"), ("wrong-password-77", true, "AUTH was answered 535")]
    {
        let app = server.app("localhost", password, knows_authority).await;
        invite(&app, "nikos@example.com").await;
        let problem = tried(&app).await;
        assert!(problem.contains(said), "{problem}");
        assert!(!problem.contains(password), "{problem}");
        assert!(server.mails().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_stops_degrades_us_and_what_waits_goes_out_when_it_is_back() {
    let Some(mut server) = Server::start() else { return };
    let app = server.app("localhost", PASSWORD, true).await;
    let ready =
        async || app.get("/health/ready", &Session::nobody()).await.expect(200).body["status"].as_str().unwrap().to_owned();
    assert_eq!(ready().await, "healthy");
    server.stop();
    app.clock.advance(Duration::seconds(6));
    assert_eq!(ready().await, "degraded");
    invite(&app, "nikos@example.com").await;
    tried(&app).await;
    server.start_again();
    app.clock.advance(Duration::seconds(6));
    until(&app, "nikos@example.com", "sent").await;
    assert_eq!((server.mails().len(), ready().await.as_str()), (1, "healthy"));
}
