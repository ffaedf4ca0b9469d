//! The server and a worker killed while mail goes out through a real server: every mail that was asked for arrives, and one that arrives
//! twice is the same mail.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::future::join_all;
use harness::Database;
use serde_json::json;
use tempfile::TempDir;

use super::program::Program;
use super::{Dice, expect_sound, kill_after, kills};
use crate::mail::real::Server;

/// Mails that are asked for before each kill.
const AT_ONCE: usize = 3;

fn address(round: usize, number: usize) -> String {
    format!("killed-{round}-{number}@example.com")
}

/// Asks for a mail; whether it was answered.
async fn ask(program: &Program, address: &str) -> bool {
    let body = json!({ "email": address, "role": "viewer", "given_name": "Νίκος", "family_name": "Γεωργίου" });
    match program.post_once("/v1/invitations", address, &body).await {
        Ok(answer) => {
            answer.expect(201);
            true
        }
        Err(_) => false,
    }
}

async fn ask_for_all(program: &Program, round: usize) -> Vec<(String, bool)> {
    let one = async |address: String| {
        let answered = ask(program, &address).await;
        (address, answered)
    };
    join_all((0..AT_ONCE).map(|number| one(address(round, number)))).await
}

async fn until_all_are_sent(db: &Database) {
    let began = Instant::now();
    while db.count("mail_message WHERE state <> 'sent'").await > 0
        || db.count("job WHERE kind = 'send_mail' AND state <> 'done'").await > 0
    {
        let states = db.rows("SELECT state || ' ' || coalesce(last_problem, '') FROM mail_message WHERE state <> 'sent'").await;
        assert!(began.elapsed() < Duration::from_mins(1), "not sent: {states:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A kill counts when a mail was on its way. Seen to fail with an id that was made for each attempt.
#[tokio::test]
async fn mail_of_which_the_server_or_a_worker_is_killed_on_its_way_arrives_and_never_under_two_ids() {
    let Some(server) = Server::start() else {
        println!("left out: a real mail server, as PELATIS_TEST_AIOSMTPD says of none");
        return;
    };
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let settings = [
        ("PELATIS_SECRET_KEY", "07".repeat(32)),
        ("SMTP_URL", server.url()),
        ("PELATIS_SMTP_CA", server.authority().display().to_string()),
        ("PELATIS_MAIL_FROM", "no-reply@crm.example".to_owned()),
        ("PELATIS_WORKER_LEASE_SECONDS", "1".to_owned()),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut program = Program::on(&db, &settings).await;
    // of two that send, one goes on while the other is killed
    let mut worker = program.worker();
    let mut dice = Dice(0x3a11);
    let mut asked = BTreeSet::new();
    // how long it takes here, which only decides how far the points lie apart
    let mut length = Duration::ZERO;
    for round in 0..2 {
        let began = Instant::now();
        asked.extend(ask_for_all(&program, round).await.into_iter().map(|(address, _)| address));
        until_all_are_sent(&db).await;
        length = began.elapsed();
    }

    let wanted = kills();
    let (mut kills, mut round, mut unanswered) = (0, 1, 0);
    while kills < wanted {
        round += 1;
        assert!(round < 6 * wanted, "mail is too quick to be caught");
        program.get("/v1/me").await.expect(200);
        let of_the_server = dice.one_in(2);
        let delay = length * u32::try_from(dice.below(1000)).unwrap() / 1000;
        let killer = kill_after(if of_the_server { program.pid() } else { worker.id() }, delay);
        let answers = ask_for_all(&program, round).await;
        killer.join().unwrap();
        let on_their_way = db.count("job WHERE kind = 'send_mail' AND state = 'running'").await;
        kills += usize::from(on_their_way > 0);
        if of_the_server {
            program.kill();
            program.start();
        } else {
            worker.wait().unwrap();
            worker = program.worker();
        }
        for (address, is_answered) in answers {
            if !is_answered {
                unanswered += 1;
                assert!(ask(&program, &address).await);
            }
            asked.insert(address);
        }
    }
    until_all_are_sent(&db).await;
    worker.kill().unwrap();
    worker.wait().unwrap();

    let rows = db.rows("SELECT to_address || '|' || message_id FROM mail_message").await;
    let expected: BTreeMap<String, String> =
        rows.iter().map(|row| row.split_once('|').unwrap()).map(|(to, id)| (to.to_owned(), id.to_owned())).collect();
    assert_eq!(rows.len(), asked.len(), "each was written once");
    assert!(expected.keys().eq(&asked), "{expected:?}");
    let arrived = server.mails();
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for mail in &arrived {
        ids.entry(mail.to.clone()).or_default().insert(mail.message_id.clone());
    }
    let once = expected.into_iter().map(|(to, id)| (to, BTreeSet::from([id]))).collect::<BTreeMap<_, _>>();
    assert_eq!(ids, once, "each arrived, under its own id");
    for (event, count) in [("mail.written", asked.len()), ("mail.sent", asked.len())] {
        let entries = db.count(&format!("journal_entry WHERE record_type = 'mail_message' AND event = '{event}'")).await;
        assert_eq!(usize::try_from(entries).unwrap(), count, "{event}");
    }
    let lost = db.count("job WHERE lost > 0").await;
    println!(
        "{round} rounds, {kills} kills: {} mails, {unanswered} of them asked for again, {lost} of their jobs taken over, {} arrived twice",
        asked.len(),
        arrived.len() - asked.len()
    );
    assert!(lost > 0, "no kill met a job");
    expect_sound(&db).await;
}
