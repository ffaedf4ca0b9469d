//! A disk that is full: writes are refused as such and leave nothing, reads go on, and with room again everything does.

use harness::{Answer, Database, Engine, PASSWORD};
use serde_json::json;
use sqlx::Connection as _;
use tempfile::TempDir;

use super::cluster::Cluster;
use super::disk::Disk;
use super::program::Program;
use super::{company, expect_each_once, expect_sound};

/// Requests at most until the last page with some room is full too.
const PATIENCE: usize = 3000;

fn is_refusal(answer: &Answer) -> bool {
    match (answer.status, answer.code()) {
        (507, "storage_full") => true,
        (503, _) => answer.header("retry-after").is_some(),
        _ => false,
    }
}

/// Writes until the disk takes no more, and goes on a little; returns the names that were answered and those that were refused.
async fn write_until_full(program: &Program) -> (Vec<String>, Vec<String>) {
    let (mut made, mut refused) = (Vec::new(), Vec::new());
    for number in 0..PATIENCE {
        let name = format!("Full {number} {}", "πολύ ".repeat(30)).trim().to_owned();
        let answer = program.post_once("/v1/clients", &format!("full-{number}"), &company(&name)).await.unwrap();
        if answer.status == 201 {
            made.push(name);
            continue;
        }
        assert!(is_refusal(&answer), "{} {}\n{}", answer.status, answer.text, program.log());
        refused.push(name);
        if refused.len() == 5 {
            return (made, refused);
        }
    }
    panic!("the disk is never full: {} were made", made.len());
}

/// What goes on while the disk is full: reads, and whoever is signed in.
async fn expect_reads(program: &Program, made: usize) {
    let list = "/v1/clients?count=exact&limit=5&include=contacts,owner&sort=name";
    let answers = futures::future::join_all((0..20).map(|_| program.get(list))).await;
    for answer in answers {
        assert_eq!(answer.expect(200).body["page"]["total"], made);
    }
    for path in ["/v1/me", "/v1/clients?q=full", "/v1/roles", "/health/live"] {
        program.get(path).await.expect(200);
    }
    // a bulk is refused whole too, though each of its operations would stand for itself
    let operations: Vec<_> =
        (0..500).map(|number| json!({ "op": "create", "data": company(&format!("Bulk {number}")) })).collect();
    let bulk = program.post("/v1/clients/bulk", &json!({ "operations": operations })).await;
    assert!(is_refusal(&bulk), "{} {}\n{}", bulk.status, bulk.text, program.log());
    // signing in writes a session
    let login = json!({ "email": "admin@example.com", "password": PASSWORD });
    let answer = program.post("/v1/auth/login", &login).await;
    assert!(answer.status == 200 || is_refusal(&answer), "{} {}", answer.status, answer.text);
}

async fn retry(program: &Program, refused: &[String], all: usize) {
    for (place, name) in refused.iter().enumerate() {
        let key = format!("full-{}", all + place);
        let done = program.post_once("/v1/clients", &key, &company(name)).await.unwrap().expect(201);
        assert_eq!(done.header("idempotency-replayed"), None);
        let again = program.post_once("/v1/clients", &key, &company(name)).await.unwrap().expect(201);
        assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &done.text));
    }
}

/// Seen to fail when what SQLite says of a full disk is not told apart, and while the one connection that writes was of no use after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_whole_lets_reads_go_on_and_is_forgotten_once_there_is_room() {
    let folder = TempDir::new().unwrap();
    match Engine::chosen() {
        Engine::Sqlite => sqlite(&folder).await,
        Engine::Postgres => postgres(&folder).await,
    }
}

async fn sqlite(folder: &TempDir) {
    let small = folder.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let disk = Disk::at(&small);
    let db = Database::sqlite_at(&small.join("test.db"));
    let around = disk.around();
    let mut program = Program::within(&db, &[], &around.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let pid = program.pid();
    let as_after_a_power_cut = |name: &str| {
        let to = folder.path().join(name);
        std::fs::create_dir(&to).unwrap();
        disk.copy(pid, &["test.db", "test.db-wal"], &to);
        Database::sqlite_at(&to.join("test.db"))
    };
    program.post("/v1/clients", &company("Before")).await.expect(201);
    disk.fill(pid);
    let (mut made, refused) = write_until_full(&program).await;
    let answered = made.len();
    made.push("Before".to_owned());
    expect_reads(&program, made.len()).await;
    let left = as_after_a_power_cut("full");
    expect_each_once(&left, made.clone()).await;
    expect_sound(&left).await;

    disk.make_room(pid);
    retry(&program, &refused, answered).await;
    let left = as_after_a_power_cut("room");
    expect_each_once(&left, [made, refused].concat()).await;
    expect_sound(&left).await;
    assert!(program.runs());
}

/// The database is put on the small disk and the write-ahead log is not: without room for the latter PostgreSQL stops, which is what
/// `postgres_away` is about.
async fn postgres(folder: &TempDir) {
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let small = folder.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let disk = Disk::at(&small);
    if !disk.is_mounted() {
        println!("left out: PostgreSQL on a full disk");
        return;
    }
    let cluster = Cluster::within(&disk.around());
    let (db, pid) = (cluster.database().await, cluster.pid());
    let space = disk.seen_from(pid).join("space");
    std::fs::create_dir(&space).unwrap();
    let owner = std::fs::metadata(format!("/proc/{pid}")).unwrap();
    std::os::unix::fs::chown(&space, Some(std::os::unix::fs::MetadataExt::uid(&owner)), None).unwrap();
    let mut admin = sqlx::PgConnection::connect(&format!("{}/postgres", cluster.url())).await.unwrap();
    let name = db.config.url.rsplit('/').next().unwrap();
    for sql in [
        format!("CREATE TABLESPACE small LOCATION '{}'", small.join("space").display()),
        format!("ALTER DATABASE {name} SET TABLESPACE small"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    }
    admin.close().await.unwrap();

    let mut program = Program::on(&db, &[]).await;
    program.post("/v1/clients", &company("Before")).await.expect(201);
    disk.fill(pid);
    let (mut made, refused) = write_until_full(&program).await;
    let answered = made.len();
    made.push("Before".to_owned());
    expect_reads(&program, made.len()).await;
    expect_each_once(&db, made.clone()).await;
    disk.make_room(pid);
    retry(&program, &refused, answered).await;
    expect_each_once(&db, [made, refused].concat()).await;
    assert!(program.runs());
}
