//! A client that speaks HTTP to the server under test.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::TestApp;

/// Who speaks: a bearer token, perhaps with a workspace.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The token; none for nobody.
    pub token: Option<String>,
    /// What is sent as `X-Workspace`.
    pub workspace: Option<String>,
    /// The account's id.
    pub user_id: String,
    /// The refresh token of the session.
    pub refresh_token: String,
}

impl Session {
    /// Nobody.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// A bare token.
    pub fn bearer(token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::default() }
    }

    /// The same in a workspace.
    #[must_use]
    pub fn in_workspace(&self, workspace: &str) -> Self {
        Self { workspace: Some(workspace.to_owned()), ..self.clone() }
    }
}

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; null where it is none.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The ETag.
    pub fn etag(&self) -> String {
        self.header("etag").expect("an ETag").to_owned()
    }

    /// The id of the record in the body.
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text)).to_owned()
    }

    /// The code of the problem in the body.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The pointers of everything that is wrong, sorted.
    pub fn pointers(&self) -> Vec<String> {
        let mut pointers: Vec<String> = self.body["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|error| error["pointer"].as_str().map(str::to_owned))
            .collect();
        pointers.sort();
        pointers
    }

    /// Fails the test unless this is the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Fails the test unless this is the problem: status and code, in the form of RFC 9457.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["status"], status);
        for member in ["type", "title", "request_id"] {
            assert!(self.body[member].is_string(), "{member} in {}", self.text);
        }
        assert_eq!(self.header("x-request-id"), self.body["request_id"].as_str());
        self
    }
}

impl TestApp {
    /// A request that can still be changed.
    pub fn request(&self, method: Method, path: &str, session: &Session) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &session.token {
            request = request.bearer_auth(token);
        }
        if let Some(workspace) = &session.workspace {
            request = request.header("x-workspace", workspace);
        }
        request
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, body, text }
    }

    /// GET.
    pub async fn get(&self, path: &str, session: &Session) -> Answer {
        self.send(self.request(Method::GET, path, session)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, session: &Session, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path, session).json(body)).await
    }

    /// POST with a JSON body and an idempotency key.
    pub async fn post_once(&self, path: &str, session: &Session, key: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path, session).header("idempotency-key", key).json(body)).await
    }

    /// POST without a body.
    pub async fn act(&self, path: &str, session: &Session) -> Answer {
        self.send(self.request(Method::POST, path, session)).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, session: &Session, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path, session).json(body)).await
    }

    /// PATCH with a JSON body and `If-Match`.
    pub async fn patch_if(&self, path: &str, session: &Session, etag: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path, session).header("if-match", etag).json(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str, session: &Session) -> Answer {
        self.send(self.request(Method::DELETE, path, session)).await
    }
}
