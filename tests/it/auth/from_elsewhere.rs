//! Accounts whose passwords were hashed by PHP.

use harness::{Session, TestApp};
use serde_json::json;

/// Each of `τρία άλογα` but the portable one, which is phpass's own example of `test12345`.
const HASHES: [(&str, &str); 4] = [
    ("τρία άλογα", "$2a$08$abcdefghijklmnopqrstuuSj.cz8SsTJ26tbCYjxEp60b3Z0evqB."),
    ("τρία άλογα", "$2y$10$abcdefghijklmnopqrstuu0TAt9y36DC4x/1lww9F6tfS2NrIIpqe"),
    ("test12345", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"),
    ("test12345", "$H$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"),
];

async fn keep(app: &TestApp, session: &Session, hash: &str) {
    let user = app.db.uuid(&session.user_id);
    let sql = format!("UPDATE credential SET hash = '{hash}' WHERE user_id = {user}");
    assert_eq!(app.db.execute(&sql).await, Ok(1));
}

async fn kept(app: &TestApp, session: &Session) -> String {
    let user = app.db.uuid(&session.user_id);
    app.db.scalar(&format!("SELECT hash FROM credential WHERE user_id = {user}")).await.unwrap()
}

#[tokio::test]
async fn a_hash_from_php_lets_its_owner_in_and_is_replaced_by_one_of_ours() {
    let app = TestApp::spawn_with(|config| config.auth.hashing_cost = auth::HashingCost::OWASP).await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    for (password, hash) in HASHES {
        keep(&app, &nikos, hash).await;
        let wrong = json!({ "email": "nikos@example.com", "password": "τρία γαϊδούρια" });
        app.post("/v1/auth/login", &Session::nobody(), &wrong).await.expect_problem(401, "invalid_credentials");
        assert_eq!(kept(&app, &nikos).await, hash);
        let right = json!({ "email": "nikos@example.com", "password": password });
        app.post("/v1/auth/login", &Session::nobody(), &right).await.expect(200);
        let ours = kept(&app, &nikos).await;
        assert!(ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{ours}");
        app.post("/v1/auth/login", &Session::nobody(), &right).await.expect(200);
        assert_eq!(kept(&app, &nikos).await, ours);
    }
}

#[tokio::test]
async fn of_two_who_sign_in_with_it_at_once_both_are_let_in() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let (password, hash) = HASHES[0];
    keep(&app, &nikos, hash).await;
    let right = json!({ "email": "nikos@example.com", "password": password });
    let nobody = Session::nobody();
    let (one, other) = tokio::join!(app.post("/v1/auth/login", &nobody, &right), app.post("/v1/auth/login", &nobody, &right));
    one.expect(200);
    other.expect(200);
    app.post("/v1/auth/login", &nobody, &right).await.expect(200);
    assert!(kept(&app, &nikos).await.starts_with("$argon2id$"));
}

#[tokio::test]
async fn one_who_came_without_a_password_asks_for_one_by_mail() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let user = app.db.uuid(&nikos.user_id);
    assert_eq!(app.db.execute(&format!("DELETE FROM credential WHERE user_id = {user}")).await, Ok(1));
    let login = json!({ "email": "nikos@example.com", "password": harness::PASSWORD });
    app.post("/v1/auth/login", &Session::nobody(), &login).await.expect_problem(401, "invalid_credentials");
    let token = "plp_from-elsewhere";
    let hash = store::digest(token.as_bytes());
    let late = "(SELECT expires_at FROM session LIMIT 1)";
    let sql = format!(
        "INSERT INTO password_reset (user_id, token_hash, expires_at, created_at) VALUES ({user}, '{hash}', {late}, {late})"
    );
    assert_eq!(app.db.execute(&sql).await, Ok(1));
    let reset = json!({ "token": token, "password": harness::PASSWORD });
    app.post("/v1/auth/reset-password", &Session::nobody(), &reset).await.expect(204);
    app.post("/v1/auth/login", &Session::nobody(), &login).await.expect(200);
}
