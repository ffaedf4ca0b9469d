//! A server for mail, and what it can do to a message.

use chrono::Duration;
use harness::{Session, TestApp};
use serde_json::json;

use super::sink::{Sink, Way};
use super::{invite, read, state, until, until_so, working};

async fn through(sink: &Sink) -> TestApp {
    let way = sink.url();
    working(move |config| config.mail.way = way).await
}

/// How many attempts there were, once the last one has ended.
async fn attempted(app: &TestApp, times: i64) {
    let ended = format!("mail_message WHERE attempts = {times} AND last_problem IS NOT NULL");
    let waits = "job WHERE kind = 'send_mail' AND state IN ('waiting', 'dead')";
    until_so(&format!("{times} attempts"), async || app.count(&ended).await == 1 && app.count(waits).await == 1).await;
}

#[tokio::test]
async fn a_mail_goes_to_the_server_in_the_recipients_language_under_an_id_that_stays() {
    let sink = Sink::start();
    let app = through(&sink).await;
    invite(&app, "nikos@example.com").await;
    until(&app, "nikos@example.com", "sent").await;
    let taken = sink.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].from.as_str(), taken[0].to.as_str()), ("no-reply@crm.example", "nikos@example.com"));
    // what goes on the way is encoded so that any server takes it
    assert!(taken[0].message.is_ascii());
    let mail = read(taken[0].message.as_bytes());
    assert_eq!(mail.subject, "Σας προσκαλούν στον χώρο Main");
    assert!(mail.text.contains("Γεια σας Νίκος Γεωργίου"), "{}", mail.text);
    assert_eq!(app.db.scalar("SELECT message_id FROM mail_message").await.unwrap(), mail.message_id);
    assert_eq!(app.mails(), [""; 0], "nothing lies in a folder");
    let metrics = app.get("/metrics", &Session::nobody()).await.expect(200).text;
    assert!(metrics.contains(r#"pelatis_mails_total{kind="invitation",outcome="sent"} 1"#), "{metrics}");
}

/// The one fault that makes mail arrive twice. Seen to fail with an id, and with a date, that was made for each attempt.
#[tokio::test]
async fn where_the_connection_is_lost_before_the_answer_or_no_answer_comes_the_same_message_is_sent_again() {
    for way in [Way::TakesAndDrops, Way::TakesAndStalls] {
        let sink = Sink::start();
        sink.behave(way);
        let app = through(&sink).await;
        invite(&app, "nikos@example.com").await;
        attempted(&app, 1).await;
        assert_eq!(state(&app, "nikos@example.com").await, "waiting");
        let problem = app.db.scalar("SELECT last_problem FROM mail_message").await.unwrap();
        assert!(problem.contains("whether it arrived is not known"), "{way:?}: {problem}");
        sink.behave(Way::Takes);
        app.clock.advance(Duration::seconds(2));
        until(&app, "nikos@example.com", "sent").await;
        let taken = sink.taken();
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0], taken[1], "byte for byte the same message");
    }
}

#[tokio::test]
async fn what_a_server_refuses_for_now_is_tried_five_times_and_then_has_failed_and_can_be_run_again() {
    let sink = Sink::start();
    sink.behave(Way::Says("RCPT", "451 4.3.0 later, nikos@example.com"));
    let app = through(&sink).await;
    invite(&app, "nikos@example.com").await;
    for attempt in 1..=5 {
        attempted(&app, attempt).await;
        let expected = if attempt < 5 { "waiting" } else { "failed" };
        assert_eq!(state(&app, "nikos@example.com").await, expected, "after attempt {attempt}");
        app.clock.advance(Duration::hours(2));
    }
    let admin = app.sign_in("admin@example.com").await;
    let jobs = app.get("/v1/admin/jobs?state=dead", &admin).await.expect(200).body;
    // what a server says may quote anything, so it stands with the mail alone
    assert_eq!(jobs["data"][0]["last_error"], "mail_not_sent: RCPT TO was answered 451");
    let mail = app.get("/v1/mail-messages?state=failed", &admin).await.expect(200).body;
    assert!(mail["data"][0]["last_problem"].as_str().unwrap().contains("later, nikos@example.com"), "{mail}");
    assert_eq!(app.count("mail_suppression").await, 0);

    sink.behave(Way::Takes);
    app.act(&format!("/v1/admin/jobs/{}/retry", jobs["data"][0]["id"].as_str().unwrap()), &admin).await.expect(200);
    until(&app, "nikos@example.com", "sent").await;
    assert_eq!(sink.taken().len(), 1);
}

/// Seen to fail while nobody told the mail, which then waited for ever.
#[tokio::test]
async fn a_mail_whose_job_is_called_off_has_failed_and_goes_out_when_the_job_is_run_again() {
    let sink = Sink::start();
    sink.behave(Way::Says("RCPT", "451 4.3.0 later"));
    let app = through(&sink).await;
    invite(&app, "nikos@example.com").await;
    attempted(&app, 1).await;
    let jobs = app.get("/v1/admin/jobs?kind=send_mail&state=waiting", &app.admin).await.expect(200).body;
    let path = format!("/v1/admin/jobs/{}", jobs["data"][0]["id"].as_str().unwrap());
    app.act(&format!("{path}/cancel"), &app.admin).await.expect(200);
    let mail = app.get("/v1/mail-messages?state=failed", &app.admin).await.expect(200).body;
    assert_eq!(
        (&mail["data"][0]["to"], &mail["data"][0]["last_problem"]),
        (&json!("nikos@example.com"), &json!("it was called off"))
    );
    sink.behave(Way::Takes);
    app.act(&format!("{path}/retry"), &app.admin).await.expect(200);
    until(&app, "nikos@example.com", "sent").await;
    assert_eq!(sink.taken().len(), 1);
}

#[tokio::test]
async fn an_address_that_does_not_exist_gets_no_more_mail_and_one_whose_server_refuses_us_does() {
    let sink = Sink::start();
    let app = through(&sink).await;
    sink.behave(Way::Says("RCPT", "550 5.1.1 no such user"));
    invite(&app, "nobody@example.com").await;
    until(&app, "nobody@example.com", "failed").await;
    assert_eq!(app.db.rows("SELECT address || ' ' || reason FROM mail_suppression").await, ["nobody@example.com bounce"]);
    // the job has done what there was to do
    assert_eq!(app.count("job WHERE kind = 'send_mail' AND state = 'done'").await, 1);
    assert_eq!(app.count("mail_message WHERE body <> ''").await, 0, "nothing opens anything");

    for (refusal, email) in [
        (Way::Says("RCPT", "550 5.7.1 we do not talk to you"), "policy@example.com"),
        (Way::Says("MAIL", "550 5.1.8 bad sender"), "sender@example.com"),
        (Way::Says(".", "554 5.6.0 bad content"), "content@example.com"),
    ] {
        sink.behave(refusal);
        invite(&app, email).await;
        until(&app, email, "failed").await;
    }
    assert_eq!(app.count("mail_suppression").await, 1);

    sink.behave(Way::Takes);
    let before = sink.connections();
    app.delete(&format!("/v1/invitations/{}", invitation(&app, "nobody@example.com").await), &app.admin).await.expect(204);
    invite(&app, "nobody@example.com").await;
    until(&app, "nobody@example.com", "suppressed").await;
    assert_eq!(sink.connections(), before, "nobody was asked");
}

async fn invitation(app: &TestApp, email: &str) -> String {
    let list = app.get(&format!("/v1/invitations?email_key={email}"), &app.admin).await.expect(200);
    list.body["data"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn servers_that_stall_cut_or_do_not_answer_keep_nothing_and_mail_goes_out_when_they_are_back() {
    let sink = Sink::start();
    let way = sink.url();
    let app = working(move |config| {
        config.mail.way = way;
        config.mail.timeout = std::time::Duration::from_millis(300);
    })
    .await;
    for (attempt, (way, said)) in [
        (Way::Stalls, "connecting was not answered in time"),
        (Way::Away, "connecting failed"),
        (Way::Cuts, "whether it arrived is not known"),
    ]
    .into_iter()
    .enumerate()
    {
        sink.behave(way);
        if attempt == 0 {
            invite(&app, "nikos@example.com").await;
        }
        attempted(&app, i64::try_from(attempt).unwrap() + 1).await;
        let problem = app.db.scalar("SELECT last_problem FROM mail_message").await.unwrap();
        assert!(problem.contains(said), "{way:?}: {problem}");
        let ready = app.get("/health/ready", &Session::nobody()).await.expect(200).body;
        if way != Way::Cuts {
            assert_eq!(ready["status"], "degraded", "{way:?}: {ready}");
        }
        let admin = app.sign_in("admin@example.com").await;
        app.get("/v1/clients", &admin).await.expect(200);
        if attempt < 2 {
            sink.behave([Way::Away, Way::Cuts][attempt]);
        } else {
            sink.behave(Way::Takes);
        }
        app.clock.advance(Duration::minutes(10));
    }
    until(&app, "nikos@example.com", "sent").await;
    assert_eq!(sink.taken().len(), 1);
    let ready = app.get("/health/ready", &Session::nobody()).await.expect(200).body;
    assert_eq!(ready["status"], "healthy", "{ready}");
}

/// Whoever stands between could take the offer of STARTTLS away.
#[tokio::test]
async fn nothing_is_sent_in_the_clear_where_encryption_is_wanted() {
    let sink = Sink::start();
    let way = sink.url_with_starttls();
    let app = working(move |config| config.mail.way = way).await;
    invite(&app, "nikos@example.com").await;
    attempted(&app, 1).await;
    assert_eq!(sink.taken(), []);
    let problem = app.db.scalar("SELECT last_problem FROM mail_message").await.unwrap();
    assert!(problem.contains("STARTTLS"), "{problem}");
}

#[tokio::test]
async fn mail_over_the_limit_of_an_address_waits_and_then_goes_out() {
    let sink = Sink::start();
    let way = sink.url();
    let app = working(move |config| {
        config.mail.way = way;
        config.mail.per_hour = 1;
    })
    .await;
    let other = app.second_workspace("other").await;
    let body = json!({ "email": "nikos@example.com", "role": "viewer" });
    invite(&app, "nikos@example.com").await;
    until(&app, "nikos@example.com", "sent").await;
    // each workspace has its own
    app.post("/v1/invitations", &other, &body).await.expect(201);
    until_so("both", async || sink.taken().len() == 2).await;

    app.delete(&format!("/v1/invitations/{}", invitation(&app, "nikos@example.com").await), &app.admin).await.expect(204);
    app.post("/v1/invitations", &app.admin, &body).await.expect(201);
    // put off, and not just there: a job that is at work while hours pass is taken for lost
    let later = "job WHERE kind = 'send_mail' AND state = 'waiting' AND NOT is_due";
    until_so("it waits", async || app.count(later).await == 1).await;
    assert_eq!((state(&app, "nikos@example.com").await.as_str(), sink.taken().len()), ("waiting", 2));
    app.clock.advance(Duration::hours(2));
    until(&app, "nikos@example.com", "sent").await;
}
