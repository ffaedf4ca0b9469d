//! Load that the server cannot refuse: others are answered as always, memory stays within a bound, nothing ends.
//!
//! The bound is for the whole process at its highest: what an idle one takes, 19 MiB for each password that is hashed at a time, and
//! what some hundred connections hold. How fast others are answered meanwhile is measured by `tests/load/flood`, not here.

use std::cell::{Cell, RefCell};

use futures::future::join_all;
use harness::{Database, PASSWORD};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::company;
use super::line::{self, Line};
use super::program::Program;

/// MB that the process may ever hold while it is flooded.
pub const MOST_MEMORY: u64 = 200;

/// Lets `flood` run while somebody else reads, and sees to it that each read is answered well.
pub async fn while_others_read<T>(program: &Program, flood: impl Future<Output = T>) -> T {
    let over = Cell::new(false);
    let reading = async {
        while !over.get() {
            program.get("/v1/clients?limit=5").await.expect(200);
        }
    };
    let flood = async {
        let done = flood.await;
        over.set(true);
        done
    };
    // boxed, because a future of hundreds of requests is large
    futures::join!(reading, Box::pin(flood)).1
}

/// The server is there, has held no more than it may, and has met nothing that it did not expect.
pub fn expect_well(program: &mut Program) {
    let most = program.most_memory();
    println!("{most} MB at most");
    assert!(most <= MOST_MEMORY, "{most} MB");
    assert!(program.runs());
    assert!(!program.log().contains("\"level\":\"ERROR\"") && !program.log().contains("panicked"), "{}", program.log());
}

/// Sends requests over so many connections, each as soon as the last is answered, and returns the statuses in the order of the requests.
/// What is refused for a while must say for how long.
async fn flood(program: &Program, count: usize, at_once: usize, request: impl Fn(usize) -> String) -> Vec<u16> {
    let (next, statuses) = (Cell::new(0), RefCell::new(vec![0; count]));
    join_all((0..at_once).map(|_| async {
        let mut line = Line::open(&program.base).await;
        loop {
            let number = next.replace(next.get() + 1);
            if number >= count {
                break;
            }
            let reply = line.ask(&request(number)).await;
            if matches!(reply.status, 429 | 503) {
                assert!(reply.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{}", reply.status);
            }
            statuses.borrow_mut()[number] = reply.status;
        }
    }))
    .await;
    statuses.take()
}

fn how_many(statuses: &[u16], wanted: u16) -> usize {
    statuses.iter().filter(|status| **status == wanted).count()
}

/// Refusals are logged, and ten thousand lines of them are not what is looked at here.
const QUIET: (&str, &str) = ("PELATIS_LOG", "error");

#[tokio::test]
async fn two_hundred_connections_at_once_are_all_served() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[]).await;
    // all of them are open before the first is used, and stay so
    let mut lines = join_all((0..200).map(|_| Line::open(&program.base))).await;
    let read = line::request("GET", "/v1/clients", &program.token, &Value::Null);
    let served = join_all(lines.iter_mut().enumerate().map(|(number, line)| {
        let (program, read) = (&program, &read);
        async move {
            let make = line::request("POST", "/v1/clients", &program.token, &company(&format!("Made {number}")));
            [line.ask(read).await.status, line.ask(&make).await.status, line.ask(read).await.status]
        }
    }))
    .await;
    assert_eq!(served, vec![[200, 201, 200]; 200]);
    assert_eq!(db.count("client").await, 200);
    expect_well(&mut program);
}

/// Of ten thousand attempts few are tried, most are told to come back, and these are not counted against anybody. Seen to fail when an
/// attempt is counted before there is a place for it; without a bound to the queue it does not end in time.
#[tokio::test]
async fn ten_thousand_attempts_to_sign_in_are_tried_or_told_to_come_back_and_others_read_on() {
    const ADDRESSES: usize = 500;
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[QUIET]).await;
    let attempt = |number: usize| {
        let login = json!({ "email": format!("nobody{}@example.com", number % ADDRESSES), "password": "wrong-wrong-wrong" });
        line::request("POST", "/v1/auth/login", "", &login)
    };
    let statuses = while_others_read(&program, flood(&program, 10_000, 200, attempt)).await;
    let (tried, told) = (how_many(&statuses, 401), how_many(&statuses, 503));
    println!("{tried} tried, {told} told to come back");
    assert!(tried > 0 && told > 0 && statuses.iter().all(|status| matches!(status, 401 | 429 | 503)));
    for address in 0..ADDRESSES {
        let own: Vec<u16> = statuses.iter().copied().skip(address).step_by(ADDRESSES).collect();
        assert!(how_many(&own, 429) == 0 || how_many(&own, 401) == 5, "locked out without having tried: {own:?}");
    }
    // the journal keeps thirty failures a minute of one address
    let noted = db.count("journal_entry WHERE event = 'user.sign_in_failed'").await;
    assert!((1..=240).contains(&noted), "{noted}");
    program.sign_in("admin@example.com").await;
    expect_well(&mut program);
}

#[tokio::test]
async fn a_flood_of_what_is_forbidden_is_refused_each_time_and_fills_neither_journal_nor_memory() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[QUIET]).await;
    let invitation = json!({ "email": "viewer@example.com", "role": "viewer", "given_name": "Nikos", "family_name": "Viewer" });
    program.post("/v1/invitations", &invitation).await.expect(201);
    let token = harness::mailed_token(&program.mails(), "viewer@example.com", "pli_").await;
    program.post("/v1/auth/accept-invitation", &json!({ "token": token, "password": PASSWORD })).await.expect(200);
    let viewer = program.sign_in("viewer@example.com").await;

    let forbidden = |number: usize| line::request("POST", "/v1/clients", &viewer, &company(&format!("Forbidden {number}")));
    let statuses = while_others_read(&program, flood(&program, 5_000, 50, forbidden)).await;
    assert_eq!(how_many(&statuses, 403), 5_000);
    assert_eq!(db.count("client").await, 0);
    // ten a minute are written down
    let noted = db.count("journal_entry WHERE event = 'permission.denied'").await;
    assert!((10..=60).contains(&noted), "{noted}");
    expect_well(&mut program);
}

/// Under the limit that it has by itself the same flood is cut short for the one who makes it, and for nobody else.
#[tokio::test]
async fn a_caller_who_floods_is_told_to_come_back_and_another_one_is_not() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[QUIET, ("PELATIS_RATE_LIMIT_PER_MINUTE", "120")]).await;
    let token = program.post("/v1/tokens", &json!({ "name": "flood", "scopes": ["clients.view_all"] })).await.expect(201);
    let request = line::request("POST", "/v1/clients", token.body["secret"].as_str().unwrap(), &company("Forbidden"));
    let statuses = flood(&program, 2_000, 50, |_| request.clone()).await;
    let (forbidden, limited) = (how_many(&statuses, 403), how_many(&statuses, 429));
    assert_eq!(forbidden + limited, 2_000);
    // the window may turn, and turn again
    assert!((1..=360).contains(&forbidden), "{forbidden} came through");
    program.get("/v1/clients").await.expect(200);
    expect_well(&mut program);
}
