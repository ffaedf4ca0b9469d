//! The server killed while it works: what it answered is there, what it did not answer is done once when it is asked for again.

use std::time::{Duration, Instant};

use futures::future::join_all;
use harness::{Answer, Database};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

use super::program::Program;
use super::{Dice, company, expect_each_once, expect_sound, kill_after, kills};

/// Requests that run when the server is killed, so that one kill meets several points.
const AT_ONCE: usize = 4;

fn name(round: usize, number: usize) -> String {
    format!("Killed-{round}-{number}")
}

/// Sends one request for each place, each with a key of its own, all at once.
async fn send(program: &Program, round: usize) -> Vec<Option<Answer>> {
    let all = (0..AT_ONCE).map(|number| async move {
        let name = name(round, number);
        program.post_once("/v1/clients", &name, &company(&name)).await.ok()
    });
    join_all(all).await
}

/// A kill counts when it left a request without an answer. Seen to fail when what was done under a key is done anew.
#[tokio::test]
async fn a_server_killed_at_random_points_has_lost_nothing_that_it_answered_and_does_the_rest_once() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[]).await;
    let mut dice = Dice(0x5eed);
    let mut names = Vec::new();
    // how long such requests take here, which only decides how far the points lie apart
    send(&program, 0).await;
    let began = Instant::now();
    let mut answers = send(&program, 1).await;
    answers.extend(send(&program, 2).await);
    let length = began.elapsed() / 2;
    assert!(answers.iter().all(|answer| answer.as_ref().is_some_and(|answer| answer.status == 201)));
    names.extend((0..3).flat_map(|round| (0..AT_ONCE).map(move |number| name(round, number))));

    let wanted = kills();
    let (mut kills, mut round, mut answered, mut done_unanswered) = (0, 2, 0, 0);
    while kills < wanted {
        round += 1;
        assert!(round < 4 * wanted, "the server is too quick to be caught");
        // the connection and what the server keeps of the caller are there, so that it is the request that is hit
        program.get("/v1/me").await.expect(200);
        let delay = length * u32::try_from(dice.below(1000)).unwrap() / 1000;
        let killer = kill_after(program.pid(), delay);
        let first = send(&program, round).await;
        killer.join().unwrap();
        program.kill();
        kills += usize::from(first.iter().any(Option::is_none));
        program.start();

        for (number, answer) in first.into_iter().enumerate() {
            let name = name(round, number);
            let kept = db.count(&format!("client WHERE name = '{name}'")).await;
            let again = program.post_once("/v1/clients", &name, &company(&name)).await.unwrap().expect(201);
            match answer {
                Some(answer) => {
                    answered += 1;
                    assert_eq!((kept, answer.status, &answer.text), (1, 201, &again.text), "{name} was answered");
                }
                None => done_unanswered += kept,
            }
            assert_eq!(again.header("idempotency-replayed").is_some(), kept == 1, "{name} was there: {kept}");
            let there = program.get(&format!("/v1/clients/{}", again.id())).await.expect(200).body;
            let mut made = again.body.clone();
            // whom it may be the same as is told once
            made.as_object_mut().unwrap().remove("duplicates");
            assert_eq!(there, made);
            names.push(name);
        }
        expect_each_once(&db, names.clone()).await;
        expect_sound(&db).await;
    }
    println!("{round} rounds, {kills} kills: {answered} requests answered before them, {done_unanswered} done and not answered");
}

/// What the kills above meet by chance, for certain: the row is there, and nobody was told.
#[tokio::test]
async fn a_request_that_was_done_and_whose_answer_was_lost_with_the_server_is_answered_and_not_done_again() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[]).await;
    let body = company("Unheard").to_string();
    let mut line = tokio::net::TcpStream::connect(program.base.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /v1/clients HTTP/1.1\r\nhost: pelatis\r\nauthorization: Bearer {}\r\nidempotency-key: unheard\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        program.token,
        body.len()
    );
    line.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    while db.count("client").await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    program.kill();
    drop(line);
    program.start();
    let answer = program.post_once("/v1/clients", "unheard", &company("Unheard")).await.unwrap().expect(201);
    assert_eq!(answer.header("idempotency-replayed"), Some("true"));
    expect_each_once(&db, vec!["Unheard".to_owned()]).await;
    expect_sound(&db).await;
}
