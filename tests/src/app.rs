//! The server under test.

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use api::{ApiConfig, Parts, Stopper};
use auth::{Auth, AuthConfig, HashingCost};
use backup::archive::Recipients;
use backup::{BackupConfig, Backups};
use files::{Files, FilesConfig, StorageUrl};
use kernel::Runtime;
use mail::{Mail, MailConfig, MailWay, Sender};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::json;
use store::jobs::{Handlers, Worker, WorkerOptions};
use store::shared::Shared;
use store::{Secret, Store};
use tempfile::TempDir;

use crate::clock::{TestClock, TestEntropy};
use crate::{Database, Session, logs};

/// The password of every account that the harness makes.
pub const PASSWORD: &str = "five red ships sail by";
/// What a password costs to hash here. What is about that cost asks for [`HashingCost::OWASP`], as the program does.
pub const CHEAP: HashingCost = HashingCost { memory_kib: 64, passes: 1 };

/// What a test can change before the server starts.
#[derive(Clone, Debug)]
pub struct TestConfig {
    /// How the edge behaves; the limit of requests is out of the way unless set.
    pub api: ApiConfig,
    /// How long things last.
    pub auth: AuthConfig,
    /// How files are kept; links lead to the server itself unless said otherwise.
    pub files: FilesConfig,
    /// How backups are kept.
    pub backups: BackupConfig,
    /// How mail goes out: into the folder `mail` unless set.
    pub mail: MailConfig,
    /// Through which Redis nodes share; none for one node by itself.
    pub redis: Option<String>,
    /// Whether it works jobs, which is off unless set: most tests want nothing to happen by itself.
    pub worker: bool,
    /// Handlers beside those of the program.
    pub handlers: MoreHandlers,
}

/// Handlers that a test brings.
#[derive(Clone, Default)]
pub struct MoreHandlers(Option<Arc<Register>>);

type Register = dyn Fn(&mut Handlers) + Send + Sync;

impl MoreHandlers {
    /// These.
    pub fn new(register: impl Fn(&mut Handlers) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(register)))
    }
}

impl std::fmt::Debug for MoreHandlers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("MoreHandlers")
    }
}

fn token_in(text: &str, prefix: &str) -> Option<String> {
    text.split(char::is_whitespace).find(|word| word.starts_with(prefix)).map(str::to_owned)
}

/// The mails in a folder, oldest first.
pub fn mails_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
    // named by time, kind and id; the ids rise
    files.sort_by_key(|path| {
        path.file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .chars()
            .rev()
            .take(36)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<String>()
    });
    files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The token in the newest mail to an address that lies in a folder, once there is one.
pub async fn mailed_token(folder: &Path, email: &str, prefix: &str) -> String {
    let began = std::time::Instant::now();
    loop {
        let mails = mails_in(folder);
        let own = mails.iter().rev().filter(|mail| mail.lines().any(|line| line.starts_with("To:") && line.contains(email)));
        if let Some(token) = own.into_iter().find_map(|mail| token_in(mail, prefix)) {
            return token;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no mail to {email} brings {prefix}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Mail into a folder below this one.
pub fn mail_config(folder: &Path) -> MailConfig {
    MailConfig {
        way: MailWay::Folder(folder.join("mail")),
        sender: Sender::parse("no-reply@crm.example").unwrap(),
        own_certificates: None,
        timeout: Duration::from_secs(2),
        per_hour: 1000,
        frontend_url: "https://app.example".to_owned(),
    }
}

/// Every handler of the program.
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

/// The real server on a free port, with a database of its own, and an administrator in the workspace `main`.
pub struct TestApp {
    /// `http://127.0.0.1:<port>`.
    pub base: String,
    /// The client.
    pub http: reqwest::Client,
    /// The database.
    pub db: Database,
    /// Time.
    pub clock: TestClock,
    /// The first administrator, a super admin of the installation.
    pub admin: Session,
    /// The id of the workspace `main`.
    pub workspace: String,
    secret: Secret,
    auth_config: AuthConfig,
    files_config: FilesConfig,
    server: Option<Stopper>,
    thread: Option<thread::JoinHandle<()>>,
    /// Where what the server keeps on the disk lies: `files`, `spool` and `mail`.
    pub folder: TempDir,
}

impl TestApp {
    /// Starts a server.
    pub async fn spawn() -> Self {
        Self::spawn_with(|_| {}).await
    }

    /// Starts a server that is configured otherwise.
    pub async fn spawn_with(change: impl FnOnce(&mut TestConfig)) -> Self {
        logs::keep();
        let folder = TempDir::new().unwrap();
        let mut config = TestConfig {
            api: ApiConfig {
                rate_limit_per_minute: 1_000_000,
                bulk_per_minute: 1_000_000,
                uploads_per_minute: 1_000_000,
                workers: 2,
                ..ApiConfig::default()
            },
            auth: AuthConfig {
                access_token_minutes: 15,
                refresh_token_days: 30,
                browser_session_hours: 24,
                invitation_days: 7,
                login_attempts: 5,
                hashing_at_once: 2,
                hashing_cost: CHEAP,
                resets_per_hour: 5,
            },
            mail: mail_config(folder.path()),
            files: FilesConfig {
                storage: StorageUrl::parse(&format!("file:{}/files", folder.path().display())).unwrap(),
                further: Vec::new(),
                spool: folder.path().join("spool"),
                storage_timeout: Duration::from_secs(5),
                most_bytes: 50 * 1024 * 1024,
                scanner: None,
                public_url: String::new(),
            },
            backups: BackupConfig {
                target: StorageUrl::parse(&format!("file:{}/backups", folder.path().display())).unwrap(),
                second: None,
                scratch: folder.path().join("backing-up"),
                recipients: Recipients::default(),
                with_files: true,
                keep_days: 14,
                is_nightly: true,
                overdue: Duration::from_hours(26),
                target_timeout: Duration::from_secs(5),
            },
            redis: std::env::var("PELATIS_TEST_REDIS").ok(),
            worker: false,
            handlers: MoreHandlers::default(),
        };
        change(&mut config);
        let db = Database::fresh(&folder).await;
        let clock = TestClock::default();
        let secret = Secret::new([7; 32]);
        let (auth_config, files_config) = (config.auth.clone(), config.files.clone());
        let (base, code, server, thread) = start(db.clone(), clock.clone(), secret.clone(), config);
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut app = Self {
            base,
            http,
            db,
            clock,
            admin: Session::nobody(),
            workspace: String::new(),
            secret,
            auth_config,
            files_config,
            server: Some(server),
            thread: Some(thread),
            folder,
        };
        app.set_up(&code).await;
        app
    }

    async fn set_up(&mut self, code: &str) {
        let body = json!({
            "code": code, "email": "admin@example.com", "password": PASSWORD, "given_name": "Ada", "family_name": "Admin",
            "workspace": { "slug": "main", "name": "Main" },
        });
        let done = self.post("/v1/setup", &Session::nobody(), &body).await.expect(201);
        self.workspace = done.body["workspace"]["id"].as_str().unwrap().to_owned();
        self.admin = self.sign_in("admin@example.com").await;
    }

    /// Signs in with the harness's password.
    pub async fn sign_in(&self, email: &str) -> Session {
        let body = json!({ "email": email, "password": PASSWORD, "kind": "app" });
        let tokens = self.post("/v1/auth/login", &Session::nobody(), &body).await.expect(200).body;
        Session {
            token: Some(tokens["access_token"].as_str().unwrap().to_owned()),
            workspace: None,
            user_id: tokens["user"]["id"].as_str().unwrap().to_owned(),
            refresh_token: tokens["refresh_token"].as_str().unwrap().to_owned(),
        }
    }

    /// Invites somebody with a role into the workspace that `by` is in, accepts, and signs in.
    pub async fn member(&self, by: &Session, role: &str, email: &str) -> Session {
        let invitation = json!({ "email": email, "role": role, "given_name": "Nikos", "family_name": role });
        self.post("/v1/invitations", by, &invitation).await.expect(201);
        let token = self.invitation_token(email).await;
        let accept = json!({ "token": token, "password": PASSWORD });
        self.post("/v1/auth/accept-invitation", &Session::nobody(), &accept).await.expect(200);
        self.sign_in(email).await
    }

    /// The token in the last invitation to an address. On a server that works jobs it may be sent, and gone from the database; then it is
    /// in the file.
    pub async fn invitation_token(&self, email: &str) -> String {
        self.token_in_mail(email, "pli_").await
    }

    /// A token in the last mail to an address that has one.
    pub async fn token_in_mail(&self, email: &str, prefix: &str) -> String {
        let sql = format!(
            "SELECT body FROM mail_message WHERE to_address = '{email}' AND body LIKE '%{prefix}%' ORDER BY created_at DESC LIMIT 1"
        );
        match self.db.rows(&sql).await.first() {
            Some(body) => token_in(body, prefix).expect("a token"),
            None => mailed_token(&self.folder.path().join("mail"), email, prefix).await,
        }
    }

    /// The mails in the folder, oldest first.
    pub fn mails(&self) -> Vec<String> {
        mails_in(&self.folder.path().join("mail"))
    }

    /// A contact of this client, signed in to the portal of the workspace that the session is in (`main`, where it names none), with these
    /// permissions.
    pub async fn contact_in_portal(&self, by: &Session, client: &str, email: &str, permissions: &[&str]) -> Session {
        let body = json!({ "given_name": "Eleni", "family_name": "Portal", "emails": [{ "kind": "work", "address": email }] });
        let contact = self.post("/v1/contacts", by, &body).await.expect(201).id();
        let link = json!({ "contact_id": contact });
        self.post(&format!("/v1/clients/{client}/contacts"), by, &link).await.expect(201);
        let body = json!({ "clients": [{ "client_id": client, "permissions": permissions }] });
        self.post(&format!("/v1/contacts/{contact}/portal/invitation"), by, &body).await.expect(200);
        let body = json!({ "token": self.invitation_token(email).await, "password": PASSWORD });
        self.post("/v1/portal/set-password", &Session::nobody(), &body).await.expect(204);
        self.sign_in_to_portal(by.workspace.as_deref().unwrap_or("main"), email).await
    }

    /// A session of a contact.
    pub async fn sign_in_to_portal(&self, workspace: &str, email: &str) -> Session {
        let body = json!({ "workspace": workspace, "email": email, "password": PASSWORD });
        let tokens = self.post("/v1/portal/login", &Session::nobody(), &body).await.expect(200);
        let mut session = Session::bearer(tokens.body["access_token"].as_str().expect("a token"));
        session.user_id = tokens.body["contact_id"].as_str().expect("a contact").to_owned();
        session.refresh_token = tokens.body["refresh_token"].as_str().expect("a token").to_owned();
        session
    }

    /// A second workspace, in which the administrator is the only member.
    pub async fn second_workspace(&self, slug: &str) -> Session {
        let body = json!({ "slug": slug, "name": slug });
        self.post("/v1/workspaces", &self.admin.in_workspace("main"), &body).await.expect(201);
        self.admin.in_workspace(slug)
    }

    /// A client of the workspace that the session is in.
    pub async fn client(&self, session: &Session, name: &str) -> String {
        self.post("/v1/clients", session, &json!({ "kind": "company", "name": name })).await.expect(201).id()
    }

    /// An upload that can still be changed.
    pub fn uploading(&self, session: &Session, members: &[(&str, &str)], name: &str, content: &[u8]) -> reqwest::RequestBuilder {
        let mut form = reqwest::multipart::Form::new();
        for (member, value) in members {
            form = form.text((*member).to_owned(), (*value).to_owned());
        }
        let file = reqwest::multipart::Part::bytes(content.to_vec()).file_name(name.to_owned());
        self.request(reqwest::Method::POST, "/v1/files", session).multipart(form.part("file", file))
    }

    /// A form that starts an import of clients.
    pub fn importing(&self, session: &Session, members: &[(&str, &str)], name: &str, content: &[u8]) -> reqwest::RequestBuilder {
        let mut form = reqwest::multipart::Form::new();
        for (member, value) in members {
            form = form.text((*member).to_owned(), (*value).to_owned());
        }
        let file = reqwest::multipart::Part::bytes(content.to_vec()).file_name(name.to_owned());
        self.request(reqwest::Method::POST, "/v1/clients/imports", session).multipart(form.part("file", file))
    }

    /// Puts in a file, with what is said of it.
    pub async fn upload(&self, session: &Session, members: &[(&str, &str)], name: &str, content: &[u8]) -> crate::Answer {
        self.send(self.uploading(session, members, name, content)).await
    }

    /// A contact of the workspace that the session is in.
    pub async fn contact(&self, session: &Session, name: &str) -> String {
        self.post("/v1/contacts", session, &json!({ "given_name": name })).await.expect(201).id()
    }

    /// An API token of the session's account.
    pub async fn token(&self, session: &Session, scopes: &[&str]) -> Session {
        let made = self.post("/v1/tokens", session, &json!({ "name": "test", "scopes": scopes })).await.expect(201);
        Session::bearer(made.body["secret"].as_str().unwrap())
    }

    /// A role of the workspace's own; its id.
    pub async fn role(&self, by: &Session, key: &str, permissions: &[&str]) -> String {
        let role = json!({ "key": key, "name": key, "permissions": permissions });
        self.post("/v1/roles", by, &role).await.expect(201).id()
    }

    /// The id of a role, by its key.
    pub async fn system_role(&self, by: &Session, key: &str) -> String {
        let list = self.get("/v1/roles", by).await.expect(200);
        let role = list.body["data"].as_array().unwrap().iter().find(|role| role["key"] == key).unwrap();
        role["id"].as_str().unwrap().to_owned()
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        self.db.count(table).await
    }

    /// The journal's entries of a record, as `action`, oldest first.
    pub async fn actions_of(&self, record_id: &str) -> Vec<String> {
        let id = self.db.uuid(record_id);
        self.db.rows(&format!("SELECT action FROM journal_entry WHERE record_id = {id} ORDER BY number")).await
    }

    /// The installation's secret.
    pub fn secret(&self) -> Secret {
        self.secret.clone()
    }

    /// The store under the server, opened once more in the test's own runtime.
    pub async fn store(&self) -> Store {
        let runtime = Runtime::new(Arc::new(self.clock.clone()), Arc::new(TestEntropy));
        let shared = Shared::in_process(runtime.clone());
        Store::open(&self.db.config, self.secret.clone(), shared, runtime).await.unwrap()
    }

    /// Who comes in, once more on a store of the test's own.
    pub async fn auth(&self, store: Store) -> Auth {
        let mail = Mail::open(store.clone(), mail_config(self.folder.path())).unwrap();
        Auth::open(store, mail, self.auth_config.clone()).await.unwrap()
    }

    /// The files of the server, once more on a store of the test's own.
    pub fn files(&self, store: Store) -> Files {
        Files::open(store, self.files_config.clone(), api::ATTACHABLES).unwrap()
    }

    /// Asks the server to stop, as it is asked in production.
    pub fn ask_to_stop(&self) {
        if let Some(server) = &self.server {
            server.stop();
        }
    }

    /// Stops the server as it is stopped in production, and waits until it has ended.
    pub async fn stop(&mut self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.take() {
            tokio::task::spawn_blocking(|| thread.join()).await.unwrap().unwrap();
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop_at_once();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if !std::thread::panicking() {
            let secrets = logs::secrets_in(&logs::kept());
            assert!(secrets.is_empty(), "the server logged what is secret:\n{}", secrets.join("\n"));
        }
    }
}

/// Starts the server in a thread of its own, as it runs in production, and returns where it listens and the set-up code.
fn start(
    db: Database,
    clock: TestClock,
    secret: Secret,
    config: TestConfig,
) -> (String, String, Stopper, thread::JoinHandle<()>) {
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let runtime = Runtime::new(Arc::new(clock), Arc::new(TestEntropy));
            let shared = match &config.redis {
                Some(url) => Shared::through_redis(url, &runtime.uuid().to_string(), runtime.clone()).unwrap(),
                None => Shared::in_process(runtime.clone()),
            };
            let store = Store::open(&db.config, secret, shared, runtime).await.unwrap();
            let mail = Mail::open(store.clone(), config.mail).unwrap();
            let auth = Auth::open(store.clone(), mail.clone(), config.auth).await.unwrap();
            let code = auth.offer_setup().await.unwrap().expect("nothing is set up yet");
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let base = format!("http://{}", listener.local_addr().unwrap());
            let metrics = metrics();
            let mut files = config.files;
            if files.public_url.is_empty() {
                files.public_url.clone_from(&base);
            }
            let files = Files::open(store.clone(), files, api::ATTACHABLES).unwrap();
            let backups = Backups::open(store.clone(), files.clone(), config.backups).unwrap();
            let worker = config.worker.then(|| {
                let mut all = handlers(&auth, &files, &backups);
                if let Some(more) = &config.handlers.0 {
                    more(&mut all);
                }
                let options = WorkerOptions { lease: Duration::from_secs(2), shutdown: Duration::from_secs(1) };
                Worker::start(store.clone(), all, options)
            });
            let parts = Parts { store: store.clone(), auth, files, backups, mail, config: config.api, metrics };
            let running = api::serve(listener, parts).unwrap();
            tell.send((base, code, running.stopper())).unwrap();
            let jobs = async {
                if let Some(worker) = worker {
                    worker.stop();
                    worker.ended().await.unwrap();
                }
            };
            running.ended(jobs).await.unwrap();
            store.close().await;
        });
    });
    let (base, code, server) = told.recv().expect("the server started");
    (base, code, server, thread)
}

/// The metrics of this process, which has one recorder for all its servers.
fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap()).clone()
}
