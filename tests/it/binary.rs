//! The program itself, as an operator starts it: on SQLite, with a folder of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use harness::{Database, PASSWORD};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The program that was built beside this test.
fn program() -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_path_buf();
    let program = folder.join("pelatis");
    assert!(program.exists(), "build it first: cargo build --workspace --bin pelatis");
    program
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(folder).env_clear().env("PELATIS_LISTEN", "127.0.0.1:0").env("PELATIS_LOG", "debug");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server that runs; killed where a test ends early. What it logged holds no secret.
struct Served {
    log: PathBuf,
    child: Child,
    base: String,
    code: Option<String>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap();
            assert!(log.contains("pelatis::request") || self.code.is_none(), "it logged nothing");
            assert_eq!(harness::logs::secrets_in(&log), Vec::<String>::new());
        }
    }
}

fn serve(folder: &Path) -> Served {
    let log = folder.join("log");
    let to_log = std::fs::File::options().create(true).append(true).open(&log).unwrap();
    let mut child = command(folder, &["serve"]).stdout(Stdio::piped()).stderr(to_log).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut base, mut code) = (String::new(), None);
    for line in lines.by_ref().map_while(Result::ok) {
        if let Some(rest) = line.split_once("listens on ").map(|(_, rest)| rest) {
            base = rest.split(' ').next().unwrap().to_owned();
        }
        if line.starts_with("Reached at ") && folder.join("done").exists() {
            break;
        }
        if let Some(rest) = line.strip_prefix("Set-up code: ") {
            code = Some(rest.to_owned());
            break;
        }
    }
    Served { log, child, base, code }
}

async fn post(base: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("{base}{path}")).json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

async fn set_up(served: &Served, folder: &Path) -> String {
    let body = json!({
        "code": served.code, "email": "maria@example.com", "password": PASSWORD, "given_name": "Maria", "family_name": "Papa",
        "workspace": { "slug": "athens", "name": "Athens" },
    });
    assert_eq!(post(&served.base, "/v1/setup", None, &body).await.0, 201);
    std::fs::write(folder.join("done"), "").unwrap();
    let (_, tokens) =
        post(&served.base, "/v1/auth/login", None, &json!({ "email": "maria@example.com", "password": PASSWORD })).await;
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn get(base: &str, path: &str, token: &str) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(format!("{base}{path}")).bearer_auth(token).send().await.unwrap().json().await.unwrap()
}

async fn total_of_clients(base: &str, token: &str) -> i64 {
    get(base, "/v1/clients?count=exact&limit=1", token).await["page"]["total"].as_i64().unwrap()
}

#[tokio::test]
async fn a_stranger_serves_sets_up_imports_reads_mail_and_stops_without_any_configuration() {
    let folder = TempDir::new().unwrap();
    let served = serve(folder.path());
    let token = set_up(&served, folder.path()).await;
    assert!(folder.path().join("data/pelatis.db").exists());
    let secret = std::fs::metadata(folder.path().join("data/keys/secret.key")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&secret.permissions()) & 0o777, 0o600);

    let invitation = json!({ "email": "nikos@example.com", "role": "sales_agent" });
    assert_eq!(post(&served.base, "/v1/invitations", Some(&token), &invitation).await.0, 201);
    let mail = run(folder.path(), &["mail"]);
    assert!(text(&mail.stdout).contains("nikos@example.com") && text(&mail.stdout).contains("pli_"), "{mail:?}");

    let mut csv = String::from("name;email;contact first name\n");
    for number in 0..700 {
        csv.push_str(&format!("Πελάτης {number};c{number}@example.com;Ελένη\n"));
    }
    csv.push_str(";nobody@example.com;\nWrong;not-an-address;\n");
    std::fs::write(folder.path().join("clients.csv"), csv).unwrap();
    let first = run(folder.path(), &["import", "csv", "clients.csv", "--as", "maria@example.com"]);
    let said = text(&first.stdout);
    assert!(first.status.success(), "{first:?}");
    assert!(said.contains("702 rows read: 700 created, 0 changed, 0 unchanged, 2 wrong"), "{said}");
    assert!(said.contains("line 702, column name:") && said.contains("line 703, column email:"), "{said}");
    let second = run(folder.path(), &["import", "csv", "clients.csv"]);
    assert!(text(&second.stdout).contains("0 created, 0 changed, 700 unchanged, 2 wrong"), "{second:?}");
    assert_eq!(total_of_clients(&served.base, &token).await, 700);

    let imports = get(&served.base, "/v1/imports?sort=created_at", &token).await;
    assert_eq!((&imports["data"][0]["created"], &imports["data"][1]["unchanged"]), (&json!(700), &json!(700)));
    let run = imports["data"][0]["id"].as_str().unwrap();
    let issues = get(&served.base, &format!("/v1/imports/{run}/issues"), &token).await;
    let noted: Vec<_> =
        issues["data"].as_array().unwrap().iter().map(|issue| (issue["line"].clone(), issue["column"].clone())).collect();
    assert_eq!(noted, [(json!(702), json!("name")), (json!(703), json!("email"))]);

    let mut served = served;
    let pid = served.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(served.child.wait().unwrap().success(), "it stops by itself, and well");
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_finishes_what_runs_and_one_that_is_told_twice_does_not() {
    let folder = TempDir::new().unwrap();
    let mut served = serve(folder.path());
    set_up(&served, folder.path()).await;
    let address = served.base.strip_prefix("http://").unwrap().to_owned();
    // a request whose body does not come, so that it runs for as long as a body may take
    let mut waits = std::net::TcpStream::connect(&address).unwrap();
    let head = "POST /v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n";
    waits.write_all(head.as_bytes()).unwrap();
    let mut asked_for = [0; 25];
    waits.read_exact(&mut asked_for).unwrap();
    assert_eq!(&asked_for, b"HTTP/1.1 100 Continue\r\n\r\n", "the server waits for the body");
    let tell = |pid: u32| assert!(Command::new("kill").args(["-INT", &pid.to_string()]).status().unwrap().success());
    tell(served.child.id());
    while std::net::TcpStream::connect(&address).is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(served.child.try_wait().unwrap().is_none(), "it waits for what runs");
    tell(served.child.id());
    assert!(served.child.wait().unwrap().success());
    let mut rest = Vec::new();
    // ended, or reset
    let _ = waits.read_to_end(&mut rest);
    assert_eq!(String::from_utf8_lossy(&rest), "", "it was broken off, and not answered");
}

/// The Message-ID of the one mail in the folder, once it lies there.
async fn message_id(folder: &Path) -> String {
    for _ in 0..500 {
        for entry in std::fs::read_dir(folder.join("data/mail")).into_iter().flatten() {
            let mail = std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
            if let Some(id) = mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")) {
                return id.trim().to_owned();
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no mail came");
}

#[tokio::test]
async fn a_report_that_a_mail_server_pipes_in_is_noted_and_anything_else_is_refused() {
    let folder = TempDir::new().unwrap();
    let served = serve(folder.path());
    let token = set_up(&served, folder.path()).await;
    let invitation = json!({ "email": "nikos@example.com", "role": "sales_agent" });
    assert_eq!(post(&served.base, "/v1/invitations", Some(&token), &invitation).await.0, 201);
    let id = message_id(folder.path()).await;
    let pipe = |message: &str| {
        std::fs::write(folder.path().join("report"), message).unwrap();
        let report = std::fs::File::open(folder.path().join("report")).unwrap();
        command(folder.path(), &["mail", "bounce"]).stdin(report).output().unwrap()
    };
    let refused = pipe("hello");
    assert!(!refused.status.success() && text(&refused.stderr).contains("bounce_unreadable"), "{refused:?}");
    let unknown = pipe(&crate::mail::report("<made-up@crm.example>", "nikos@example.com", "5.1.1"));
    assert!(unknown.status.success() && text(&unknown.stdout).starts_with("unknown"), "{unknown:?}");
    let bounced = "/v1/mail-messages?state=bounced";
    assert_eq!(get(&served.base, bounced, &token).await["data"], json!([]));
    let noted = pipe(&crate::mail::report(&id, "nikos@example.com", "5.1.1"));
    assert!(noted.status.success() && text(&noted.stdout).starts_with("bounced ("), "{noted:?}");
    let list = get(&served.base, bounced, &token).await;
    assert_eq!(list["data"][0]["to"], "nikos@example.com", "{list}");
    assert!(text(&noted.stdout).contains(list["data"][0]["id"].as_str().unwrap()), "{noted:?}");
}

#[tokio::test]
async fn what_was_answered_before_a_kill_is_there_after_it_and_a_cut_off_import_is_started_again() {
    let folder = TempDir::new().unwrap();
    let mut served = serve(folder.path());
    let token = set_up(&served, folder.path()).await;
    for number in 0..20 {
        let client = json!({ "kind": "company", "name": format!("Answered {number}") });
        assert_eq!(post(&served.base, "/v1/clients", Some(&token), &client).await.0, 201);
    }
    served.child.kill().unwrap();
    served.child.wait().unwrap();

    let mut csv = String::from("name,email\n");
    for number in 0..3000 {
        csv.push_str(&format!("Imported {number},i{number}@example.com\n"));
    }
    std::fs::write(folder.path().join("clients.csv"), csv).unwrap();
    let mut import =
        command(folder.path(), &["import", "csv", "clients.csv"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // cut off as soon as the first batch stands
    let database = format!("sqlite:{}", folder.path().join("data/pelatis.db").display());
    loop {
        use sqlx::{Connection as _, Row as _};
        let mut db = sqlx::SqliteConnection::connect(&database).await.unwrap();
        let count: i64 = sqlx::query("SELECT COUNT(*) FROM client").fetch_one(&mut db).await.unwrap().get(0);
        if count > 20 || import.try_wait().unwrap().is_some() {
            break;
        }
    }
    import.kill().unwrap();
    import.wait().unwrap();

    let again = run(folder.path(), &["import", "csv", "clients.csv"]);
    assert!(again.status.success(), "{again:?}");
    let served = serve(folder.path());
    assert_eq!(served.code, None, "it is set up already");
    let (_, tokens) =
        post(&served.base, "/v1/auth/login", None, &json!({ "email": "maria@example.com", "password": PASSWORD })).await;
    assert_eq!(total_of_clients(&served.base, tokens["access_token"].as_str().unwrap()).await, 3020);
}

#[test]
fn a_configuration_with_five_faults_says_all_five_and_starts_nothing() {
    let folder = TempDir::new().unwrap();
    let file =
        "listen = \"nowhere\"\nworkers = \"many\"\nrate_limit_per_minute = 0\ncolour = \"red\"\ndatabase_url = \"mysql://x\"\n";
    std::fs::write(folder.path().join("pelatis.toml"), file).unwrap();
    let mut command = command(folder.path(), &["serve"]);
    let refused = command.env_remove("PELATIS_LISTEN").output().unwrap();
    assert!(!refused.status.success());
    let said = text(&refused.stderr);
    for key in ["listen", "workers", "rate_limit_per_minute", "colour", "database_url"] {
        assert!(said.contains(key), "{key} in {said}");
    }
    assert!(!folder.path().join("data").exists());
}

#[test]
fn the_program_prints_the_committed_document() {
    let folder = TempDir::new().unwrap();
    let printed = run(folder.path(), &["openapi"]);
    let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json")).unwrap();
    assert_eq!(text(&printed.stdout), committed);
}

#[tokio::test]
async fn staff_of_an_old_system_are_brought_in_with_their_passwords_and_told_of_row_by_row() {
    let folder = TempDir::new().unwrap();
    let served = serve(folder.path());
    let set_up = json!({
        "code": served.code.clone().unwrap(), "email": "admin@example.com", "password": PASSWORD, "given_name": "Maria",
        "family_name": "Papa", "workspace": { "slug": "main", "name": "Main" },
    });
    assert_eq!(post(&served.base, "/v1/setup", None, &set_up).await.0, 201);
    let hash = "$2a$08$abcdefghijklmnopqrstuuSj.cz8SsTJ26tbCYjxEp60b3Z0evqB.";
    let table = format!(
        "Email;Given_name;Family_name;Role;Password_hash\n\
         nikos@example.com;Νίκος;Γεωργίου;sales_agent;{hash}\n\
         eleni@example.com;Ελένη;Παπά;viewer;\n\
         admin@example.com;Maria;Papa;viewer;{hash}\n\
         not an address;;X;chief;plain text\n\
         short;row\n"
    );
    std::fs::write(folder.path().join("staff.csv"), table).unwrap();
    let done = run(folder.path(), &["import", "staff", "staff.csv"]);
    let said = text(&done.stdout);
    assert!(done.status.success(), "{said} {}", text(&done.stderr));
    assert!(said.contains("5 rows read: 2 created, 0 added to the workspace, 1 unchanged, 2 wrong"), "{said}");
    for column in ["given_name", "email", "password_hash", "role"] {
        assert!(said.contains(&format!("line 5, column {column}: ")), "{column}: {said}");
    }
    assert!(said.contains("line 6: ") && !said.contains("plain text") && !said.contains(hash), "{said}");
    let login = |email: &str, password: &str| json!({ "email": email, "password": password });
    let (status, tokens) = post(&served.base, "/v1/auth/login", None, &login("nikos@example.com", "τρία άλογα")).await;
    assert_eq!((status, &tokens["user"]["given_name"]), (200, &json!("Νίκος")), "{tokens}");
    // the program keeps it as the OWASP asks at least
    let kept = Database::sqlite_at(&folder.path().join("data/pelatis.db"));
    for hash in kept.rows("SELECT hash FROM credential").await {
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }
    // the password of one who was there stays
    assert_eq!(post(&served.base, "/v1/auth/login", None, &login("admin@example.com", PASSWORD)).await.0, 200);
    assert_eq!(post(&served.base, "/v1/auth/login", None, &login("eleni@example.com", PASSWORD)).await.0, 401);
    // a second run changes nothing, and one who may not may not
    let again = run(folder.path(), &["import", "staff", "staff.csv", "--as", "admin@example.com"]);
    assert!(text(&again.stdout).contains("0 created, 0 added to the workspace, 3 unchanged, 2 wrong"), "{}", text(&again.stdout));
    let refused = run(folder.path(), &["import", "staff", "staff.csv", "--as", "nikos@example.com"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("admin.manage_users"), "{}", text(&refused.stderr));
}
