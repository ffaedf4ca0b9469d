//! A tour of everything that is secret or personal, with what must not be found in the log afterwards.

use harness::{Answer, PASSWORD};
use reqwest::Method;
use serde_json::{Value, json};

use super::program::{Program, command};

/// What was sent and answered.
pub(super) struct Tour {
    pub program: Program,
    http: reqwest::Client,
    /// Each with what it is.
    pub secrets: Vec<(&'static str, String)>,
    /// The ids of the requests that were answered, with their statuses.
    pub requests: Vec<(String, u16)>,
}

impl Tour {
    fn secret(&mut self, what: &'static str, text: &str) -> String {
        assert!(text.len() >= 6, "{what}: {text} is no secret");
        self.secrets.push((what, text.to_owned()));
        text.to_owned()
    }

    async fn send(&mut self, request: reqwest::RequestBuilder, expected: u16) -> Answer {
        let response = request.header("cookie", "session=crumbs-in-the-jar").send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer { status, headers, body, text }.expect(expected);
        self.requests.push((answer.header("x-request-id").expect("an id").to_owned(), status));
        answer
    }

    async fn call(&mut self, method: Method, path: &str, token: &str, body: Option<Value>, expected: u16) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.program.base));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request, expected).await
    }

    async fn post(&mut self, path: &str, token: &str, body: Value, expected: u16) -> Answer {
        self.call(Method::POST, path, token, Some(body), expected).await
    }

    /// Goes through it all.
    pub(super) async fn make() -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let program = Program::start().await;
        let mut tour = Self { program, http, secrets: Vec::new(), requests: Vec::new() };
        tour.secret("a password", PASSWORD);
        tour.secret("a cookie", "crumbs-in-the-jar");
        tour.secret("the password of the database", super::program::DATABASE_PASSWORD);
        let token = tour.coming_in().await;
        tour.invitation(&token).await;
        let token = tour.passwords().await;
        tour.second_factor(&token).await;
        tour.api_token(&token).await;
        tour.client(&token).await;
        tour.portal(&token).await;
        tour.refusals(&token).await;
        tour.import();
        tour.failure(&token).await;
        tour
    }

    async fn coming_in(&mut self) -> String {
        let code = self.program.code.clone();
        self.secret("the set-up code", &code);
        let body = |code: &str, password: &str| {
            json!({
                "code": code, "email": "maria@secret.example", "password": password, "given_name": "Maria", "family_name": "Papa",
                "workspace": { "slug": "athens", "name": "Athens" },
            })
        };
        self.post("/v1/setup", "", body("wrong-set-up-code", PASSWORD), 403).await;
        self.secret("a wrong set-up code", "wrong-set-up-code");
        self.post("/v1/setup", "", body(&code, "password1234"), 422).await;
        self.secret("a weak password", "password1234");
        self.post("/v1/setup", "", body(&code, PASSWORD), 201).await;
        let login = |password: &str| json!({ "email": "maria@secret.example", "password": password });
        let wrong = self.secret("a wrong password", "not what it was");
        self.post("/v1/auth/login", "", login(&wrong), 401).await;
        // the members in the wrong places, as a hurried frontend sends them
        let misplaced = json!({ "email": wrong, "pasword": PASSWORD });
        self.post("/v1/auth/login", "", misplaced, 422).await;
        let misread = json!({ "email": "maria@secret.example", "password": [PASSWORD] });
        self.post("/v1/auth/login", "", misread, 422).await;
        let signed_in = self.post("/v1/auth/login", "", login(PASSWORD), 200).await.body;
        let refresh = self.secret("a refresh token", signed_in["refresh_token"].as_str().unwrap());
        self.secret("an access token", signed_in["access_token"].as_str().unwrap());
        let refreshed = self.post("/v1/auth/refresh", "", json!({ "refresh_token": refresh }), 200).await.body;
        self.secret("a refresh token", refreshed["refresh_token"].as_str().unwrap());
        self.secret("an access token", refreshed["access_token"].as_str().unwrap());
        // stolen: the session ends
        self.post("/v1/auth/refresh", "", json!({ "refresh_token": refresh }), 401).await;
        let signed_in = self.post("/v1/auth/login", "", login(PASSWORD), 200).await.body;
        self.secret("a refresh token", signed_in["refresh_token"].as_str().unwrap());
        self.secret("the address of an account", "maria@secret.example");
        self.secret("an access token", signed_in["access_token"].as_str().unwrap())
    }

    async fn invitation(&mut self, token: &str) {
        let body =
            json!({ "email": "nikos@secret.example", "role": "sales_agent", "given_name": "Nikos", "family_name": "Agent" });
        self.post("/v1/invitations", token, body, 201).await;
        let mails = self.program.folder.path().join("data/mail");
        let invitation = harness::mailed_token(&mails, "nikos@secret.example", "pli_").await;
        let mail = command(self.program.folder.path(), &self.program.db, &["mail"]).output().unwrap();
        assert!(String::from_utf8(mail.stdout).unwrap().contains(&invitation), "the operator sees it");
        self.secret("an invitation", &invitation);
        self.secret("the body of a mail", "σας προσκαλεί να συνεργαστείτε");
        self.secret("the subject of a mail", "Σας προσκαλούν στον χώρο");
        self.secret("the address of a mail", "nikos@secret.example");
        let accept = |password: &str| json!({ "token": invitation, "password": password });
        self.post("/v1/auth/accept-invitation", "", accept("nikos"), 422).await;
        self.post("/v1/auth/accept-invitation", "", accept(PASSWORD), 200).await;
        self.post("/v1/auth/accept-invitation", "", accept(PASSWORD), 409).await;
    }

    /// A password that was forgotten, and one that is changed.
    async fn passwords(&mut self) -> String {
        let email = json!({ "email": "maria@secret.example" });
        self.post("/v1/auth/forgot-password", "", email, 202).await;
        self.post("/v1/auth/forgot-password", "", json!({ "email": "nobody@secret.example" }), 202).await;
        self.secret("the address of nobody", "nobody@secret.example");
        let mails = self.program.folder.path().join("data/mail");
        let token = harness::mailed_token(&mails, "maria@secret.example", "plp_").await;
        self.secret("a token to set a new password with", &token);
        let next = self.secret("a new password", "seven grey owls nod twice");
        self.post("/v1/auth/reset-password", "", json!({ "token": token, "password": "owls" }), 422).await;
        self.post("/v1/auth/reset-password", "", json!({ "token": token, "password": next }), 204).await;
        self.post("/v1/auth/reset-password", "", json!({ "token": token, "password": next }), 409).await;
        let login = json!({ "email": "maria@secret.example", "password": next });
        let signed_in = self.post("/v1/auth/login", "", login, 200).await.body;
        let access = self.secret("an access token", signed_in["access_token"].as_str().unwrap());
        let change = json!({ "current_password": next, "new_password": PASSWORD });
        self.post("/v1/me/password", &access, change, 204).await;
        access
    }

    /// A second factor that is begun, switched on, guessed at and signed in with.
    async fn second_factor(&mut self, token: &str) {
        let begun = self.post("/v1/me/second-factor", token, json!({ "password": PASSWORD }), 200).await.body;
        self.secret("the secret of an app", begun["secret"].as_str().unwrap());
        let url = self.secret("the address of an app", begun["otpauth_url"].as_str().unwrap());
        // six digits are among those of a moment now and then, so they are not looked for
        self.post("/v1/me/second-factor/confirm", token, json!({ "code": "271828" }), 422).await;
        let now = kernel::Runtime::system().now().timestamp().unsigned_abs();
        let code = totp_rs::Totp::from_url(&url).unwrap().generate(now).to_string();
        let codes = self.post("/v1/me/second-factor/confirm", token, json!({ "code": code }), 200).await.body;
        for code in codes["recovery_codes"].as_array().unwrap() {
            self.secret("a recovery code", code.as_str().unwrap());
        }
        let login = |code: &Value| json!({ "email": "maria@secret.example", "password": PASSWORD, "code": code });
        self.post("/v1/auth/login", "", login(&json!("nobodys-code-at-all")), 401).await;
        self.secret("a wrong recovery code", "nobodys-code-at-all");
        let signed_in = self.post("/v1/auth/login", "", login(&codes["recovery_codes"][0]), 200).await.body;
        self.secret("an access token", signed_in["access_token"].as_str().unwrap());
        let off = json!({ "password": PASSWORD, "code": codes["recovery_codes"][1] });
        self.post("/v1/me/second-factor/disable", token, off, 204).await;
    }

    /// A contact who is invited into the portal, sets a password and signs in.
    async fn portal(&mut self, token: &str) {
        let address = self.secret("the address of a contact", "takis@secret.example");
        let client = self.post("/v1/clients", token, json!({ "kind": "company", "name": "Portal" }), 201).await.id();
        let contact = json!({ "given_name": "Takis", "emails": [{ "kind": "work", "address": address }] });
        let contact = self.post("/v1/contacts", token, contact, 201).await.id();
        self.post(&format!("/v1/clients/{client}/contacts"), token, json!({ "contact_id": contact }), 201).await;
        let clients = json!({ "clients": [{ "client_id": client, "permissions": ["invoices"] }] });
        self.post(&format!("/v1/contacts/{contact}/portal/invitation"), token, clients, 200).await;
        let mails = self.program.folder.path().join("data/mail");
        let invitation = harness::mailed_token(&mails, &address, "pli_").await;
        self.secret("an invitation into the portal", &invitation);
        let chosen = self.secret("a password of the portal", "nine tin bells ring low");
        self.post("/v1/portal/set-password", "", json!({ "token": invitation, "password": chosen }), 204).await;
        let login = |password: &str| json!({ "workspace": "athens", "email": address, "password": password });
        self.post("/v1/portal/login", "", login("not the bells at all"), 401).await;
        self.secret("a wrong password of the portal", "not the bells at all");
        let signed_in = self.post("/v1/portal/login", "", login(&chosen), 200).await.body;
        self.secret("an access token of the portal", signed_in["access_token"].as_str().unwrap());
        let refresh = self.secret("a refresh token of the portal", signed_in["refresh_token"].as_str().unwrap());
        let refreshed = self.post("/v1/portal/refresh", "", json!({ "refresh_token": refresh }), 200).await.body;
        self.secret("a refresh token of the portal", refreshed["refresh_token"].as_str().unwrap());
    }

    async fn api_token(&mut self, token: &str) {
        let body = json!({ "name": "integration", "scopes": ["clients.view_all", "contacts.view"] });
        let made = self.post("/v1/tokens", token, body, 201).await;
        let secret = self.secret("an API token", made.body["secret"].as_str().unwrap());
        self.call(Method::GET, "/v1/clients", &secret, None, 200).await;
        self.call(Method::GET, "/v1/users", &secret, None, 403).await;
        let replayed = self.http.post(format!("{}/v1/tokens", self.program.base)).bearer_auth(token);
        let body = json!({ "name": "once", "scopes": ["clients.view_all"] });
        let made = self.send(replayed.header("idempotency-key", "once").json(&body), 201).await;
        self.secret("an API token", made.body["secret"].as_str().unwrap());
        self.call(Method::DELETE, &format!("/v1/tokens/{}", made.id()), token, None, 204).await;
        let gone = made.body["secret"].as_str().unwrap().to_owned();
        self.call(Method::GET, "/v1/clients", &gone, None, 401).await;
        let forged = self.secret("a forged token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.forged");
        self.call(Method::GET, "/v1/clients", &forged, None, 401).await;
    }

    async fn client(&mut self, token: &str) {
        let (mail, phone) =
            (self.secret("an e-mail address", "eleni@secret.example"), self.secret("a phone", "+30 210 555 7788"));
        let name = self.secret("a name", "Αφοί Κρυφοί");
        let body = json!({ "kind": "company", "name": name, "emails": [{ "kind": "work", "address": mail }], "phone": phone });
        let client = self.post("/v1/clients", token, body, 201).await.id();
        let contact = json!({ "given_name": name, "emails": [{ "kind": "work", "address": mail }], "phone": phone });
        let contact = self.post("/v1/contacts", token, contact, 201).await.id();
        self.post(&format!("/v1/clients/{client}/contacts"), token, json!({ "contact_id": contact }), 201).await;
        let note = self.secret("the text of a note", "owes the tavern");
        self.post(&format!("/v1/clients/{client}/notes"), token, json!({ "body": note }), 201).await;
        // what is searched for, and filtered by, is personal too
        let found = self.call(Method::GET, "/v1/clients?q=%CE%BA%CF%81%CF%85%CF%86%CE%BF%CE%B9", token, None, 200).await;
        assert_eq!(found.body["data"][0]["id"], client.as_str());
        self.secret("what was searched for", "%CE%BA%CF%81%CF%85%CF%86%CE%BF%CE%B9");
        self.call(Method::GET, "/v1/clients?email=eleni@secret.example&name[like]=Αφοί", token, None, 200).await;
        self.call(Method::GET, "/v1/clients?colour=eleni@secret.example", token, None, 422).await;
        self.call(Method::PATCH, &format!("/v1/clients/{client}"), token, Some(json!({ "phone": phone })), 200).await;
    }

    async fn refusals(&mut self, token: &str) {
        let wrong = self.secret("what is no address", "eleni-at-secret-example");
        let body = json!({ "kind": "company", "name": "x", "emails": [{ "kind": "work", "address": wrong }] });
        self.post("/v1/clients", token, body, 422).await;
        self.post("/v1/clients", token, json!({ "kind": wrong, "name": "x", "secret_member": wrong }), 422).await;
        let unreadable = self.http.post(format!("{}/v1/clients", self.program.base)).bearer_auth(token);
        let unreadable = unreadable.header("content-type", "application/json").body(format!("{{\"name\": \"{wrong}"));
        self.send(unreadable, 400).await;
        // a text that no PostgreSQL takes
        let name = self.secret("a name that is refused", "before-nothing");
        self.post("/v1/clients", token, json!({ "kind": "company", "name": format!("{name}\u{0}after") }), 422).await;
        let tag = self.secret("a name that is taken", "very private tag");
        self.post("/v1/tags", token, json!({ "name": tag }), 201).await;
        self.post("/v1/tags", token, json!({ "name": tag }), 409).await;
        let external = self.secret("an id that is taken", "old-system-4711");
        let body = json!({ "kind": "company", "name": "x", "external_source": "old", "external_id": external });
        self.post("/v1/clients", token, body.clone(), 201).await;
        self.post("/v1/clients", token, body, 409).await;
        self.call(Method::GET, "/v1/clients/01900000-0000-7000-8000-000000000000", token, None, 404).await;
        self.call(Method::GET, "/v1/nothing-of-the-kind", token, None, 404).await;
        self.call(Method::PUT, "/v1/clients", token, None, 405).await;
    }

    fn import(&mut self) {
        let cell = self.secret("a cell of a file", "petros@secret.example");
        let wrong = self.secret("a wrong cell of a file", "petros-at-secret");
        let file = format!("name;email\nPetros;{cell}\nWrong;{wrong}\n");
        std::fs::write(self.program.folder.path().join("clients.csv"), file).unwrap();
        let mut import = command(self.program.folder.path(), &self.program.db, &["import", "csv", "clients.csv"]);
        let imported = import.output().unwrap();
        assert!(imported.status.success(), "{imported:?}");
    }

    /// Failures of ours: a table is gone, another one changes under a statement.
    async fn failure(&mut self, token: &str) {
        let client = self.post("/v1/clients", token, json!({ "kind": "company", "name": "Whole" }), 201).await.id();
        let note = self.secret("the text of a note that failed", "meets him on Tuesdays");
        self.program.db.execute("ALTER TABLE note RENAME TO note_that_is_gone").await.unwrap();
        self.post(&format!("/v1/clients/{client}/notes"), token, json!({ "body": note }), 500).await;
        self.program.db.execute("ALTER TABLE note_that_is_gone RENAME TO note").await.unwrap();
        // a constraint that the program does not know: the database's message may quote the row
        let rule = match self.program.db.engine {
            harness::Engine::Postgres => "ALTER TABLE note ADD CONSTRAINT short CHECK (length(body) < 3) NOT VALID",
            harness::Engine::Sqlite => "CREATE TRIGGER short BEFORE INSERT ON note BEGIN SELECT json(NEW.body); END",
        };
        self.program.db.execute(rule).await.unwrap();
        self.post(&format!("/v1/clients/{client}/notes"), token, json!({ "body": note }), 500).await;
    }
}
