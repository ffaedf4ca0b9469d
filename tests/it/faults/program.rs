//! The program itself as a process of its own, which can be killed and started again on the same database.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use harness::{Answer, Database, PASSWORD};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The server as an operator runs it, with an administrator of the workspace `main`. Whatever becomes of the test, it ends with it.
pub struct Program {
    /// Where it listens; another port after each start.
    pub base: String,
    /// The administrator's access token, which outlives a restart.
    pub token: String,
    /// The client.
    pub http: reqwest::Client,
    child: Child,
    folder: TempDir,
    settings: Vec<(String, String)>,
    around: Vec<String>,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program that was built beside this test.
pub fn built() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_path_buf();
    let program = folder.join("pelatis");
    assert!(program.exists(), "build it first: cargo build --workspace --bin pelatis");
    program
}

impl Program {
    /// Starts it on a database, with limits out of the way, and sets it up.
    pub async fn on(db: &Database, settings: &[(&str, &str)]) -> Self {
        Self::within(db, settings, &[]).await
    }

    /// As [`on`](Self::on), with a command that comes to be the program: its words stand before those of the program.
    pub async fn within(db: &Database, settings: &[(&str, &str)], around: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut all = vec![
            ("PELATIS_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("DATABASE_URL".to_owned(), db.config.url.clone()),
            ("PELATIS_RATE_LIMIT_PER_MINUTE".to_owned(), "1000000".to_owned()),
            ("PELATIS_WORKERS".to_owned(), "2".to_owned()),
        ];
        all.extend(db.config.owner_url.iter().map(|url| ("DATABASE_OWNER_URL".to_owned(), url.clone())));
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let around: Vec<String> = around.iter().map(|word| (*word).to_owned()).collect();
        let (child, base, code) = launch(folder.path(), &all, &around, true);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut program = Self { base, token: String::new(), http, child, folder, settings: all, around };
        let body = json!({
            "code": code, "email": "admin@example.com", "password": PASSWORD, "given_name": "Ada", "family_name": "Admin",
            "workspace": { "slug": "main", "name": "Main" },
        });
        program.post("/v1/setup", &body).await.expect(201);
        program.token = program.sign_in("admin@example.com").await;
        program
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.ended().is_none()
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kills it: it can do nothing any more, not even write what it holds.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again.
    pub fn start(&mut self) {
        (self.child, self.base, _) = launch(self.folder.path(), &self.settings, &self.around, false);
    }

    /// Runs another command of the program beside it, with its settings and in its folder; whether it did well, and what it said.
    pub fn run(&self, words: &[&str]) -> (bool, String) {
        let done = self.command(words).wait_with_output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// As [`run`](Self::run), while it runs.
    pub fn command(&self, words: &[&str]) -> Child {
        self.prepared(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Starts `pelatis worker` beside it. Whoever starts it ends it.
    pub fn worker(&self) -> Child {
        self.prepared(&["worker"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn prepared(&self, words: &[&str]) -> Command {
        let mut command = Command::new(built());
        command.args(words).current_dir(self.folder.path()).env_clear().env("PATH", std::env::var("PATH").unwrap());
        command.envs(self.settings.iter().cloned()).stdin(Stdio::null());
        command
    }

    /// The folder that it works in; what it keeps itself is in `data`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Has it work on another database from its next start on.
    pub fn moved_to(&mut self, db: &Database) {
        self.set("DATABASE_URL", &db.config.url);
        self.settings.retain(|(name, _)| name != "DATABASE_OWNER_URL");
        self.settings.extend(db.config.owner_url.iter().map(|url| ("DATABASE_OWNER_URL".to_owned(), url.clone())));
    }

    /// Has it work with another setting from its next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// What it has logged since it was first started.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Where its mail lies.
    pub fn mails(&self) -> PathBuf {
        self.folder.path().join("data/mail")
    }

    /// The most memory that it ever held since it was started, in MB.
    pub fn most_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line for the peak");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// A request of the administrator, or of nobody before there is one.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await.expect("an answer")
    }

    /// POST.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await.expect("an answer")
    }

    /// POST with an idempotency key; an error where no answer came.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Result<Answer, reqwest::Error> {
        send(self.request(Method::POST, path).header("idempotency-key", key).json(body)).await
    }

    /// An upload that can still be changed.
    pub fn uploading(&self, name: &str, content: Vec<u8>) -> RequestBuilder {
        let part = reqwest::multipart::Part::bytes(content).file_name(name.to_owned());
        self.request(Method::POST, "/v1/files").multipart(reqwest::multipart::Form::new().part("file", part))
    }

    /// Puts in a file.
    pub async fn upload(&self, name: &str, content: Vec<u8>) -> Answer {
        send(self.uploading(name, content)).await.expect("an answer")
    }

    /// The content of a file, whole.
    pub async fn content(&self, id: &str) -> Vec<u8> {
        let answer = self.request(Method::GET, &format!("/v1/files/{id}/content")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", self.log());
        answer.bytes().await.unwrap().to_vec()
    }

    /// The access token of an account.
    pub async fn sign_in(&self, email: &str) -> String {
        let login = json!({ "email": email, "password": PASSWORD });
        let tokens = self.post("/v1/auth/login", &login).await.expect(200);
        tokens.body["access_token"].as_str().unwrap().to_owned()
    }
}

/// Sends a request and reads the whole answer.
pub async fn send(request: RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer { status, headers, body, text })
}

/// Starts the process and waits until it says where it listens and, the first time, its set-up code.
fn launch(folder: &Path, settings: &[(String, String)], around: &[String], first: bool) -> (Child, String, Option<String>) {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut words = around.to_vec();
    words.extend([built().to_str().unwrap().to_owned(), "serve".to_owned()]);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder).env_clear().env("PATH", std::env::var("PATH").unwrap());
    command.envs(settings.iter().cloned());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut base = None;
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        if let Some((_, rest)) = line.split_once("listens on ") {
            base = rest.split(' ').next().map(str::to_owned);
        }
        let code = line.strip_prefix("Set-up code: ").map(str::to_owned);
        if code.is_some() || (!first && line.starts_with("Reached at ")) {
            return (child, base.expect("an address"), code);
        }
    }
    let said = std::fs::read_to_string(folder.join("log")).unwrap();
    panic!("the program ended before it served: {:?}\n{said}", child.wait());
}
