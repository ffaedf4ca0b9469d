//! What a handler works with: who asks, and the ways to read and write for them.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use auth::Identity;
use kernel::error::codes;
use kernel::{Caller, Error, Page, Result};
use serde::Serialize;
use serde_json::Value;
use store::list::{ListQuery, ListSpec, RecordQuery};
use store::{Conn, Once, Outcome, UnitOfWork};
use tokio::sync::OwnedSemaphorePermit;

use crate::answer::{Answer, replay};
use crate::body::{Body, Input};
use crate::problem::{ApiResult, Failure, body_of, status_of};
use crate::registry::PathIds;
use crate::state::State;
use crate::{etag, query};

mod tell;
mod upload;

pub use upload::Parts;

/// What the gate found out.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub caller: Arc<Caller>,
    pub identity: Option<Arc<Identity>>,
}

/// What a handler works with. There is none without the gate: it is what the gate let through.
#[derive(Clone)]
pub struct Context {
    request: HttpRequest,
    /// What every request can reach.
    pub state: Data<State>,
    admitted: Admitted,
}

impl FromRequest for Context {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = request.extensions().get::<Admitted>().cloned();
        let state = request.app_data::<Data<State>>().cloned();
        ready(match admitted.zip(state) {
            Some((admitted, state)) => Ok(Self { request: request.clone(), state, admitted }),
            None => Err(Failure::new(Error::internal("the request did not pass the gate"), request)),
        })
    }
}

impl Context {
    /// Who asks.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.admitted.caller
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// `unauthenticated` where there is none.
    pub fn identity(&self) -> Result<&Arc<Identity>> {
        self.admitted.identity.as_ref().ok_or_else(|| Error::new(&codes::UNAUTHENTICATED))
    }

    /// A failure of this request.
    pub fn fail(&self, error: Error) -> Failure {
        Failure::new(error, &self.request)
    }

    /// The content of a file, whole or in part.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn content(&self, readable: &files::files::Readable, shown: files::Shown) -> ApiResult {
        crate::download::send(&self.request, &self.state.files, readable, shown).await.map_err(|error| self.fail(error))
    }

    /// Has the objects of files removed that were purged, meanwhile; what cannot be removed now stays noted.
    pub fn remove_objects(&self) {
        let (files, caller) = (self.state.files.clone(), self.state.auth.installation());
        actix_web::rt::spawn(self.state.answering.until(async move {
            if let Err(error) = files::files::sweep(&files, &caller).await {
                tracing::warn!(?error, "objects of purged files are removed later");
            }
        }));
    }

    /// The parameters of the query string, of which there are these and no others.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong.
    pub fn parameters<const N: usize>(&self, names: [&str; N]) -> Result<[Option<String>; N], Failure> {
        self.pairs().and_then(|pairs| query::named(pairs, names)).map_err(|error| self.fail(error))
    }

    /// An id in the path.
    ///
    /// # Errors
    /// `invalid_id` when it is no UUID.
    pub fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Failure> {
        let extensions = self.request.extensions();
        let text = extensions.get::<PathIds>().and_then(|ids| ids.get(name)).unwrap_or_default();
        text.parse().map_err(|_| self.fail(Error::new(&codes::INVALID_ID).with_detail(format!("{name} must be a UUID."))))
    }

    /// The method of the request.
    pub(crate) fn method(&self) -> &actix_web::http::Method {
        self.request.method()
    }

    /// The parameters of the query string, in order.
    pub(crate) fn pairs(&self) -> Result<Vec<(String, String)>> {
        query::pairs(self.request.query_string())
    }

    /// The query string of a list.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong.
    pub fn list_query(&self, spec: &'static ListSpec) -> Result<ListQuery, Failure> {
        self.pairs().and_then(|pairs| ListQuery::parse(spec, &pairs)).map_err(|error| self.fail(error))
    }

    /// The query string of a single record.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong.
    pub fn record_query(&self, spec: &ListSpec) -> Result<RecordQuery, Failure> {
        self.pairs().and_then(|pairs| RecordQuery::parse(spec, &pairs)).map_err(|error| self.fail(error))
    }

    /// Refuses any query string.
    fn no_query(&self) -> Result<()> {
        RecordQuery::parse(&ListSpec::EMPTY, &self.pairs()?).map(|_| ())
    }

    /// Runs a query.
    ///
    /// # Errors
    /// What the query returns.
    pub async fn read<T>(&self, work: impl AsyncFnOnce(&mut Conn, &Caller) -> Result<T>) -> Result<T, Failure> {
        self.read_inner(work).await.map_err(|error| self.fail(error))
    }

    async fn read_inner<T>(&self, work: impl AsyncFnOnce(&mut Conn, &Caller) -> Result<T>) -> Result<T> {
        self.read_as(self.caller(), work).await
    }

    /// As [`read`](Self::read), as this caller, and where there is no answer that the failure could be of.
    pub(crate) async fn read_as<T>(&self, caller: &Caller, work: impl AsyncFnOnce(&mut Conn, &Caller) -> Result<T>) -> Result<T> {
        let _turn = self.turn().await?;
        let mut reader = self.state.store.reader(caller).await?;
        let read = work(&mut reader, caller).await?;
        reader.close().await?;
        Ok(read)
    }

    /// Waits until it is the caller's turn to work with the database. Whoever nobody knows is bounded by the minute, for their address.
    async fn turn(&self) -> Result<Option<OwnedSemaphorePermit>> {
        match self.admitted.identity {
            Some(_) => self.state.turns.take(self.caller()).await.map(Some),
            None => Ok(None),
        }
    }

    /// Answers with one record, or 304 where the caller has it already.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn record<T: Serialize>(&self, value: &T, version: i64, query: &RecordQuery) -> ApiResult {
        let body = self.body(value, query)?;
        let tag = if query.is_plain() { etag::of_version(version) } else { etag::of_version_and_body(version, &body) };
        Ok(self.tagged(body, &tag))
    }

    /// Answers with one record of which something changes without counting as a change (when a token was last used, say), so that its
    /// version alone does not tell whether the caller has it already.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn living_record<T: Serialize>(&self, value: &T, version: i64, query: &RecordQuery) -> ApiResult {
        let body = self.body(value, query)?;
        let tag = etag::of_version_and_body(version, &body);
        Ok(self.tagged(body, &tag))
    }

    /// Answers with anything else, or 304 where the caller has it already.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn plain<T: Serialize>(&self, value: &T) -> ApiResult {
        let body = self.body(value, &RecordQuery::default())?;
        let tag = etag::of_body(&body);
        Ok(self.tagged(body, &tag))
    }

    /// Answers with a page, or 304 where the caller has it already.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn page<T: Serialize>(&self, page: &Page<T>, query: &ListQuery) -> ApiResult {
        if query.record.fields.is_empty() {
            return self.plain(page);
        }
        let shown = page.data.iter().map(|record| chosen(record, &query.record)).collect::<Result<Vec<_>>>();
        let data = shown.map_err(|error| self.fail(error))?;
        self.plain(&Page { data, page: page.page.clone() })
    }

    fn body<T: Serialize>(&self, value: &T, query: &RecordQuery) -> Result<Vec<u8>, Failure> {
        let written = if query.fields.is_empty() {
            serde_json::to_vec(value).map_err(Error::internal)
        } else {
            chosen(value, query).and_then(|value| serde_json::to_vec(&value).map_err(Error::internal))
        };
        written.map_err(|error| self.fail(error))
    }

    fn tagged(&self, body: Vec<u8>, tag: &str) -> HttpResponse {
        if etag::is_known(self.request.headers(), tag) {
            return HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish();
        }
        HttpResponse::Ok().insert_header((header::ETAG, tag)).content_type("application/json").body(body)
    }

    /// Creates: the body parsed, the work done once for an idempotency key.
    ///
    /// # Errors
    /// What is wrong with the body, and what the work returns.
    pub async fn post<I: Input>(&self, body: Body, work: impl AsyncFn(&mut UnitOfWork, I) -> Result<Answer>) -> ApiResult {
        let parse = || self.no_query().and_then(|()| body.parse::<I>(&self.state.schemas, &["application/json"]));
        match self.once(&body).map_err(|error| self.fail(error))? {
            None => {
                let input = parse().map_err(|error| self.fail(error))?;
                self.write(self.caller(), async |uow| work(uow, input.clone()).await).await
            }
            Some(once) => self.write_once(self.caller(), &once, async |uow| work(uow, parse()?).await).await,
        }
    }

    /// Takes in something that is not JSON, done once for an idempotency key.
    ///
    /// # Errors
    /// `unsupported_media_type` for another type, and what the work returns.
    pub async fn post_bytes(
        &self,
        body: Body,
        media: &str,
        work: impl AsyncFn(&mut UnitOfWork, &[u8]) -> Result<Answer>,
    ) -> ApiResult {
        let parse = || self.no_query().and_then(|()| body.of_type(media));
        match self.once(&body).map_err(|error| self.fail(error))? {
            None => {
                let bytes = parse().map_err(|error| self.fail(error))?;
                self.write(self.caller(), async |uow| work(uow, bytes).await).await
            }
            Some(once) => self.write_once(self.caller(), &once, async |uow| work(uow, parse()?).await).await,
        }
    }

    /// Does something to a record that needs no body: restore, purge, sign out.
    ///
    /// # Errors
    /// `validation_failed` when there is a body after all, and what the work returns.
    pub async fn act(&self, body: Body, work: impl AsyncFn(&mut UnitOfWork, Option<i64>) -> Result<Answer>) -> ApiResult {
        let seen = etag::seen(self.request.headers());
        let empty = || {
            self.no_query()?;
            body.check_blank()
        };
        match self.once(&body).map_err(|error| self.fail(error))? {
            None => {
                empty().map_err(|error| self.fail(error))?;
                self.write(self.caller(), async |uow| work(uow, seen).await).await
            }
            Some(once) => {
                let work = async |uow: &mut UnitOfWork| {
                    empty()?;
                    work(uow, seen).await
                };
                self.write_once(self.caller(), &once, work).await
            }
        }
    }

    /// Changes: a merge patch, guarded by `If-Match`.
    ///
    /// # Errors
    /// What is wrong with the body, and what the work returns.
    pub async fn patch<I: Input>(
        &self,
        body: Body,
        work: impl AsyncFn(&mut UnitOfWork, Option<i64>, I) -> Result<Answer>,
    ) -> ApiResult {
        let types = ["application/merge-patch+json", "application/json"];
        let parsed = self.no_query().and_then(|()| body.parse::<I>(&self.state.schemas, &types));
        let patch = parsed.map_err(|error| self.fail(error))?;
        let seen = self.seen().map_err(|error| self.fail(error))?;
        self.write(self.caller(), async |uow| work(uow, seen, patch.clone()).await).await
    }

    /// Deletes or archives, guarded by `If-Match`.
    ///
    /// # Errors
    /// What the work returns.
    pub async fn delete(&self, work: impl AsyncFn(&mut UnitOfWork, Option<i64>) -> Result<()>) -> ApiResult {
        let seen = self.seen().map_err(|error| self.fail(error))?;
        self.remove(async |uow| work(uow, seen).await).await
    }

    /// Takes something away that has no ETag of its own.
    ///
    /// # Errors
    /// What the work returns.
    pub async fn remove(&self, work: impl AsyncFn(&mut UnitOfWork) -> Result<()>) -> ApiResult {
        self.no_query().map_err(|error| self.fail(error))?;
        let work = async |uow: &mut UnitOfWork| {
            work(uow).await?;
            Ok(Answer::nothing())
        };
        self.write(self.caller(), work).await
    }

    /// The version that `If-Match` names, for what is done to a record with a body of its own.
    pub fn if_match(&self) -> Option<i64> {
        etag::seen(self.request.headers())
    }

    /// The version that `If-Match` names. Where the workspace asks for one, whoever names none is refused.
    fn seen(&self) -> Result<Option<i64>> {
        if self.requires_if_match() && !self.request.headers().contains_key(header::IF_MATCH) {
            return Err(Error::new(&codes::IF_MATCH_REQUIRED));
        }
        Ok(etag::seen(self.request.headers()))
    }

    /// Whether the workspace wants every change to name the state that it is meant for.
    pub(crate) fn requires_if_match(&self) -> bool {
        let place = self.caller().workspace.zip(self.admitted.identity.as_ref());
        place.is_some_and(|(workspace, identity)| identity.settings_in(workspace).require_if_match)
    }

    /// Creates for one who is not known yet, as the installation: slow work such as hashing a password is done in `prepare`,
    /// before the transaction begins.
    ///
    /// # Errors
    /// What is wrong with the body, and what `prepare` and the work return.
    pub async fn post_prepared<I: Input, P>(
        &self,
        body: Body,
        prepare: impl AsyncFnOnce(I) -> Result<P>,
        work: impl AsyncFn(&mut UnitOfWork, &P) -> Result<Answer>,
    ) -> ApiResult {
        let installation = self.state.auth.installation_for(&self.caller().origin);
        self.post_prepared_by(&installation, body, prepare, work).await
    }

    /// As [`post_prepared`](Self::post_prepared), by the caller, who is known.
    ///
    /// # Errors
    /// What is wrong with the body, and what `prepare` and the work return.
    pub async fn post_own_prepared<I: Input, P>(
        &self,
        body: Body,
        prepare: impl AsyncFnOnce(I) -> Result<P>,
        work: impl AsyncFn(&mut UnitOfWork, &P) -> Result<Answer>,
    ) -> ApiResult {
        self.post_prepared_by(self.caller(), body, prepare, work).await
    }

    async fn post_prepared_by<I: Input, P>(
        &self,
        caller: &Arc<Caller>,
        body: Body,
        prepare: impl AsyncFnOnce(I) -> Result<P>,
        work: impl AsyncFn(&mut UnitOfWork, &P) -> Result<Answer>,
    ) -> ApiResult {
        let parsed = self.no_query().and_then(|()| body.parse::<I>(&self.state.schemas, &["application/json"]));
        let once = self.once(&body).map_err(|error| self.fail(error))?;
        let input = parsed.map_err(|error| self.fail(error))?;
        let prepared = prepare(input).await;
        match (once, prepared) {
            (None, Ok(prepared)) => self.write(caller, async |uow| work(uow, &prepared).await).await,
            (Some(once), Ok(prepared)) => self.write_once(caller, &once, async |uow| work(uow, &prepared).await).await,
            // what was done already can often not be prepared again: the invitation is used, the answer is kept
            (Some(once), Err(error)) if self.kept_failure(&error).is_some() => {
                self.write_once(caller, &once, async |_| Err(again(&error))).await
            }
            (_, Err(error)) => Err(self.fail(error)),
        }
    }

    async fn write(&self, caller: &Arc<Caller>, work: impl AsyncFnMut(&mut UnitOfWork) -> Result<Answer>) -> ApiResult {
        let _turn = self.turn().await.map_err(|error| self.fail(error))?;
        let answer = self.state.store.write(caller, work).await.map_err(|error| self.fail(error))?;
        Ok(answer.respond())
    }

    async fn write_once(
        &self,
        caller: &Arc<Caller>,
        once: &Once,
        work: impl AsyncFnMut(&mut UnitOfWork) -> Result<Answer>,
    ) -> ApiResult {
        let _turn = self.turn().await.map_err(|error| self.fail(error))?;
        let keep = |result: &Result<Answer>| self.kept(result);
        match self.state.store.write_once(caller, once, keep, work).await.map_err(|error| self.fail(error))? {
            Outcome::Done(answer) => Ok(answer.respond()),
            Outcome::Replayed(kept) => Ok(replay(kept)),
        }
    }

    fn kept(&self, result: &Result<Answer>) -> Option<store::KeptAnswer> {
        match result {
            Ok(answer) => answer.kept(),
            Err(error) => self.kept_failure(error),
        }
    }

    /// A failure as it is kept: not where trying again may help, nor where it says nothing of the request itself.
    fn kept_failure(&self, error: &Error) -> Option<store::KeptAnswer> {
        let status = status_of(error.kind()).as_u16();
        if !(400..500).contains(&status) || matches!(status, 401 | 429) {
            return None;
        }
        let id = crate::middleware::request_id::request_id_of(&self.request);
        let body = body_of(error, id.as_deref()).to_string().into_bytes();
        Some(store::KeptAnswer { status, headers: Vec::new(), body })
    }

    /// The idempotency key, with a digest of what it came with.
    fn once(&self, body: &Body) -> Result<Option<Once>> {
        self.once_with(&body.bytes)
    }

    /// The idempotency key, if there is one.
    fn idempotency_key(&self) -> Result<Option<&str>> {
        let Some(key) = self.request.headers().get("idempotency-key") else { return Ok(None) };
        let wrong = || {
            let field = kernel::FieldError::new("Idempotency-Key", "invalid_key", "must be 1 to 255 visible ASCII characters");
            Error::new(&codes::UNREADABLE).with_field(field)
        };
        let key = key.to_str().map_err(|_| wrong())?;
        if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong());
        }
        Ok(Some(key))
    }

    fn once_with(&self, came_with: &[u8]) -> Result<Option<Once>> {
        let Some(key) = self.idempotency_key()? else { return Ok(None) };
        let workspace = self.caller().workspace.map(|id| id.to_string()).unwrap_or_default();
        // a body can hold a password, so its digest tells nothing to one who lacks the installation's secret
        let mut content = self.state.store.secret().derive("idempotency")?.to_vec();
        content.extend_from_slice(format!("{} {} {workspace}\n", self.request.method(), self.request.uri()).as_bytes());
        content.extend_from_slice(came_with);
        let fingerprint = store::digest(&content);
        // row security hides the keys of one workspace from another, so they have nothing to do with each other; who is not known yet
        // is told apart by address
        let place = match (self.caller().workspace, self.caller().origin.ip) {
            (None, Some(ip)) if self.admitted.identity.is_none() => ip.to_string(),
            _ => workspace,
        };
        Ok(Some(Once { owner: format!("{}@{place}", self.caller().key()), key: key.to_owned(), fingerprint }))
    }
}

/// The same failure once more: a unit of work may be tried several times, and each ends with an error of its own.
fn again(error: &Error) -> Error {
    let mut same = Error::new(error.code());
    for field in error.fields() {
        same = same.with_field(field.clone());
    }
    match error.detail() {
        Some(detail) => same.with_detail(detail),
        None => same,
    }
}

/// A record with the members that were asked for, and what was included.
fn chosen<T: Serialize>(record: &T, query: &RecordQuery) -> Result<Value> {
    let mut value = serde_json::to_value(record).map_err(Error::internal)?;
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| query.fields.contains(&name.as_str()) || query.include.contains(&name.as_str()));
    }
    Ok(value)
}
