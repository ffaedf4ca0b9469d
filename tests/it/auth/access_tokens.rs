//! Access tokens: who signs them, and which are refused.

use chrono::Duration;
use harness::{Session, TestApp};
use serde_json::Value;

use super::uuid_sql;

/// The public key of RFC 8037, appendix A. The tokens below were signed once with its private key, for an account and a session with
/// fixed ids, until the year 2100.
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const ACCOUNT: &str = "11111111-1111-7111-8111-111111111111";
const SESSION: &str = "22222222-2222-7222-8222-222222222222";
const GOOD: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6InJmYzgwMzcifQ.eyJzdWIiOiIxMTExMTExMS0xMTExLTcxMTEtODExMS0xMTExMTExMTExMTEiLCJzaWQiOiIyMjIyMjIyMi0yMjIyLTcyMjItODIyMi0yMjIyMjIyMjIyMjIiLCJhdWQiOiJzdGFmZiIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo0MTAyNDQ0ODAwfQ.9tF7fvFI2Uisu0utj8Yc0Jo2bsc8_tJQsq89wuiIhfEDvimazE9kafji6h2Hm_grpuvls1chFJiBGtitj4V8Cg";
/// As the good one, each with one thing that is wrong.
const BAD: [(&str, &str); 8] = [
    (
        "of the audience portal",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6InJmYzgwMzcifQ.eyJzdWIiOiIxMTExMTExMS0xMTExLTcxMTEtODExMS0xMTExMTExMTExMTEiLCJzaWQiOiIyMjIyMjIyMi0yMjIyLTcyMjItODIyMi0yMjIyMjIyMjIyMjIiLCJhdWQiOiJwb3J0YWwiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6NDEwMjQ0NDgwMH0.1T0d5QJTj460TW59_JIxaPl8WCh6UccyL0Y9LXhfzbrgf5f25Q-QTvacSqgrx6mY7YWc2HBXKJM0mGExCoMWBg",
    ),
    (
        "of no audience",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6InJmYzgwMzcifQ.eyJzdWIiOiIxMTExMTExMS0xMTExLTcxMTEtODExMS0xMTExMTExMTExMTEiLCJzaWQiOiIyMjIyMjIyMi0yMjIyLTcyMjItODIyMi0yMjIyMjIyMjIyMjIiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6NDEwMjQ0NDgwMH0.mhQ9tvvRWMx4ceSpEQCJce5ik6ByQ4jHZK3u9OG3d8KbPc4wpH8MC3fRB-v3c4Nwdr9ZgnikHC6oKatflaikCg",
    ),
    (
        "expired in 2023",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6InJmYzgwMzcifQ.eyJzdWIiOiIxMTExMTExMS0xMTExLTcxMTEtODExMS0xMTExMTExMTExMTEiLCJzaWQiOiIyMjIyMjIyMi0yMjIyLTcyMjItODIyMi0yMjIyMjIyMjIyMjIiLCJhdWQiOiJzdGFmZiIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAwOTAwfQ.DFDM22RD7lzPUKzwLN29pAr_JdMc0Hm_zI4Ob_fhxDhpbP-Al0xbxnqL7e_lVm53ri5ZVFQT_0kApL2CvkNoBg",
    ),
    (
        "without a key id",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxMTExMTExMS0xMTExLTcxMTEtODExMS0xMTExMTExMTExMTEiLCJzaWQiOiIyMjIyMjIyMi0yMjIyLTcyMjItODIyMi0yMjIyMjIyMjIyMjIiLCJhdWQiOiJzdGFmZiIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo0MTAyNDQ0ODAwfQ.vFJ9s9Pc1IYtJlaBEGYgkrSN0aOy9sfx_4_mKQdEqjYKaqBjyQ61SNsjxG7fUswe2uI0wi61i3CYCDxh_ah8BA",
    ),
    (
        "of an unknown key",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6Im5vYm9keSJ9.eyJzdWIiOiIxMTExMTExMS0xMTExLTcxMTEtODExMS0xMTExMTExMTExMTEiLCJzaWQiOiIyMjIyMjIyMi0yMjIyLTcyMjItODIyMi0yMjIyMjIyMjIyMjIiLCJhdWQiOiJzdGFmZiIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo0MTAyNDQ0ODAwfQ.7D82cU9uS1qZBNfDuhkIAq8esG7aD-fOT_vPbUpj4sVMcLEuGfi0YMMmH4XYr03aG0t81PHrG6FMsNWWYHSfAA",
    ),
    (
        "HS256 with the public key's text",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6InJmYzgwMzcifQ.eyJzdWIiOiIxMTExMTExMS0xMTExLTcxMTEtODExMS0xMTExMTExMTExMTEiLCJzaWQiOiIyMjIyMjIyMi0yMjIyLTcyMjItODIyMi0yMjIyMjIyMjIyMjIiLCJhdWQiOiJzdGFmZiIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo0MTAyNDQ0ODAwfQ.W0hE9lAuIPD1ye4ry6jOdeeJiMiTvQWJJLC6H5mrWQA",
    ),
    (
        "HS256 with the public key's bytes",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6InJmYzgwMzcifQ.eyJzdWIiOiIxMTExMTExMS0xMTExLTcxMTEtODExMS0xMTExMTExMTExMTEiLCJzaWQiOiIyMjIyMjIyMi0yMjIyLTcyMjItODIyMi0yMjIyMjIyMjIyMjIiLCJhdWQiOiJzdGFmZiIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo0MTAyNDQ0ODAwfQ.GRlc6Hbs_uP_MVKf2Excxpx2tVZ4n6R3XAuWjEtu7F4",
    ),
    (
        "alg none",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIiwia2lkIjoicmZjODAzNyJ9.eyJzdWIiOiIxMTExMTExMS0xMTExLTcxMTEtODExMS0xMTExMTExMTExMTEiLCJzaWQiOiIyMjIyMjIyMi0yMjIyLTcyMjItODIyMi0yMjIyMjIyMjIyMjIiLCJhdWQiOiJzdGFmZiIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo0MTAyNDQ0ODAwfQ.",
    ),
];

/// Makes the account, the session and the key of the tokens above; the key verifies and does not sign.
async fn plant(app: &TestApp) {
    let (account, session, admin) = (uuid_sql(app, ACCOUNT), uuid_sql(app, SESSION), uuid_sql(app, &app.admin.user_id));
    for sql in [
        format!(
            "INSERT INTO user_account (id, email, email_key, given_name, family_name, name_key, timezone, locale, is_super_admin, \
             is_active, version, created_at, updated_at) SELECT {account}, 'p@example.com', 'p@example.com', 'P', 'P', 'p p', timezone, \
             locale, is_super_admin, is_active, version, created_at, updated_at FROM user_account WHERE id = {admin}"
        ),
        format!(
            "INSERT INTO session (id, user_id, kind, expires_at, version, created_at, updated_at) \
             SELECT {session}, {account}, kind, expires_at, version, created_at, updated_at FROM session WHERE user_id = {admin}"
        ),
        format!(
            "INSERT INTO signing_key (id, public_key, private_key_sealed, created_at, retired_at) \
             SELECT 'rfc8037', '{PUBLIC}', private_key_sealed, created_at, created_at FROM signing_key"
        ),
    ] {
        assert_eq!(app.db.execute(&sql).await, Ok(1), "{sql}");
    }
    // keys are read again for a key id that is not known, and not every time
    app.clock.advance(Duration::seconds(6));
}

#[tokio::test]
async fn only_a_token_of_a_known_key_its_algorithm_and_this_audience_is_good() {
    let app = TestApp::spawn().await;
    plant(&app).await;
    let me = app.get("/v1/me", &Session::bearer(GOOD)).await.expect(200);
    assert_eq!(me.body["user"]["id"], ACCOUNT);
    for (what, token) in BAD {
        let refused = app.get("/v1/me", &Session::bearer(token)).await;
        assert_eq!((refused.status, refused.code()), (401, "unauthenticated"), "a token {what} is good: {}", refused.text);
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"), "{what}");
    }
}

#[tokio::test]
async fn a_token_that_was_changed_anywhere_or_is_none_is_refused() {
    let app = TestApp::spawn().await;
    let token = app.admin.token.clone().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let other = app.sign_in("admin@example.com").await.token.unwrap();
    let foreign: Vec<&str> = other.split('.').collect();
    let flip = |part: &str| {
        part.char_indices().map(|(at, c)| if at == 5 { if c == 'A' { 'B' } else { 'A' } } else { c }).collect::<String>()
    };
    let wrong = [
        [flip(parts[0]).as_str(), parts[1], parts[2]].join("."),
        [parts[0], flip(parts[1]).as_str(), parts[2]].join("."),
        [parts[0], parts[1], flip(parts[2]).as_str()].join("."),
        [parts[0], parts[1], foreign[2]].join("."),
        [parts[0], parts[1], ""].join("."),
        [parts[0], parts[1]].join("."),
        "nonsense".to_owned(),
        format!("plt_{}", "A".repeat(43)),
        "a".repeat(5000),
    ];
    for token in wrong {
        app.get("/v1/me", &Session::bearer(&token)).await.expect_problem(401, "unauthenticated");
    }
    app.get("/v1/me", &Session::nobody()).await.expect_problem(401, "unauthenticated");
    for scheme in ["Basic", "bearer:", ""] {
        let request = app.request(reqwest::Method::GET, "/v1/me", &Session::nobody());
        app.send(request.header("authorization", format!("{scheme} {token}"))).await.expect_problem(401, "unauthenticated");
    }
    app.get("/v1/me", &app.admin).await.expect(200);
}

fn kids(jwks: &Value) -> Vec<String> {
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_keys_are_published_and_one_that_was_rotated_on_another_node_goes_on_verifying() {
    let app = TestApp::spawn().await;
    let before = app.get("/.well-known/jwks.json", &Session::nobody()).await.expect(200).body;
    let [old] = kids(&before).try_into().unwrap();
    let key = &before["keys"][0];
    for (name, value) in [("kty", "OKP"), ("crv", "Ed25519"), ("use", "sig"), ("alg", "EdDSA")] {
        assert_eq!(key[name], value);
    }
    assert_eq!(key["x"].as_str().unwrap().len(), 43);
    assert!(key["d"].is_null(), "the private key is published");

    let store = app.store().await;
    auth::Keys::open(store.clone()).await.unwrap().rotate().await.unwrap();
    app.clock.advance(Duration::seconds(6));
    app.get("/v1/me", &app.admin).await.expect(200);
    // the token of another node's key makes this one read the keys again
    let config = auth::AuthConfig {
        access_token_minutes: 15,
        refresh_token_days: 30,
        browser_session_hours: 24,
        invitation_days: 7,
        login_attempts: 5,
        hashing_at_once: 1,
        hashing_cost: harness::CHEAP,
        resets_per_hour: 5,
    };
    let mail = mail::Mail::open(store.clone(), harness::mail_config(app.folder.path())).unwrap();
    let other = auth::Auth::open(store.clone(), mail, config).await.unwrap();
    assert_eq!(kids(&serde_json::to_value(other.keys().jwks()).unwrap()).len(), 2);
    let login = auth::sessions::Login {
        email: "admin@example.com".to_owned(),
        password: harness::PASSWORD.to_owned(),
        kind: None,
        code: None,
    };
    let origin = kernel::Origin::default();
    let signed_in = other.check_password(login, &origin).await.unwrap();
    let work = async |uow: &mut store::UnitOfWork| auth::sessions::sign_in(&other, uow, &signed_in).await;
    let tokens = store.write(&other.installation_for(&origin), work).await.unwrap().unwrap();
    app.get("/v1/me", &Session::bearer(&tokens.access_token)).await.expect(200);
    app.get("/v1/me", &app.admin).await.expect(200);
    let after = kids(&app.get("/.well-known/jwks.json", &Session::nobody()).await.expect(200).body);
    assert_eq!((after.len(), &after[1]), (2, &old), "the key that signs comes first, the one before it still verifies");
    store.close().await;
}

#[tokio::test]
async fn whoever_reads_the_published_keys_can_check_a_token_by_themselves() {
    let app = TestApp::spawn().await;
    let published = app.get("/.well-known/jwks.json", &Session::nobody()).await.expect(200).text;
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&published).unwrap();
    let token = app.admin.token.clone().unwrap();
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    rules.set_audience(&["staff"]);
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap().claims;
    assert_eq!(claims["sub"], app.admin.user_id.as_str());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 15 * 60);
    // the last character of an Ed25519 signature carries only four of its six bits, so an earlier one is changed
    let mut forged = token.into_bytes();
    let place = forged.len() - 10;
    forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
    assert!(jsonwebtoken::decode::<Value>(String::from_utf8(forged).unwrap(), &key, &rules).is_err());
}
