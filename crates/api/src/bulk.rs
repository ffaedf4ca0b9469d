//! Bulk: many operations on records of one type in one request, through the same commands as one by one.

use kernel::error::codes;
use kernel::{Error, FieldError, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::UnitOfWork;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::errors::BULK_ROLLED_BACK;
use crate::problem::{ApiResult, Problem, body_of, status_of};
use crate::schema::Schemas;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkVerb {
    /// Make a record of `data`.
    Create,
    /// Change the record `id` by the merge patch `data`.
    Update,
    /// Put the record `id` away.
    Archive,
    /// Bring the record `id` back.
    Restore,
}

/// One operation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct BulkOperation {
    /// What to do.
    pub op: BulkVerb,
    /// To which record; not for `create`.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The ETag that the record must still have.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<String>,
    /// The record, or the merge patch; for `create` and `update`.
    #[schema(value_type = Object, nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// The body of a bulk request.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// Whether all are done or none; false unless given.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atomic: Option<bool>,
    /// The operations, done in order.
    #[schema(min_items = 1, max_items = 1000)]
    #[validate(length(min = 1, max = 1000))]
    pub operations: Vec<BulkOperation>,
}

/// What became of one operation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BulkResult {
    /// The HTTP status that it would have had alone; 424 for one that was undone because another failed.
    #[schema(minimum = 200, maximum = 599)]
    status: u16,
    /// The record.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// The record's ETag.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// The record as it is now.
    #[schema(value_type = Object, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    /// What went wrong.
    #[schema(value_type = Problem, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

/// What became of each operation, in order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BulkResults {
    /// One for each operation.
    results: Vec<BulkResult>,
}

/// An operation that makes sense.
#[derive(Debug)]
pub enum Step {
    /// Make a record.
    Create {
        /// Of this.
        data: Value,
    },
    /// Change a record.
    Update {
        /// Which.
        id: Uuid,
        /// At this version.
        seen: Option<i64>,
        /// By this merge patch.
        data: Value,
    },
    /// Put a record away.
    Archive {
        /// Which.
        id: Uuid,
        /// At this version.
        seen: Option<i64>,
    },
    /// Bring a record back.
    Restore {
        /// Which.
        id: Uuid,
        /// At this version.
        seen: Option<i64>,
    },
}

/// An operation that was done.
#[derive(Debug)]
pub struct BulkDone(BulkResult);

impl BulkDone {
    fn new(status: u16, id: Uuid, version: Option<i64>, data: Option<Value>) -> Self {
        Self(BulkResult { status, id: Some(id), etag: version.map(crate::etag::of_version), data, error: None })
    }

    /// A record was made.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn created(id: Uuid, version: i64, record: &impl Serialize) -> Result<Self> {
        Ok(Self::new(201, id, Some(version), Some(serde_json::to_value(record).map_err(Error::internal)?)))
    }

    /// A record was changed.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn ok(id: Uuid, version: i64, record: &impl Serialize) -> Result<Self> {
        Ok(Self::new(200, id, Some(version), Some(serde_json::to_value(record).map_err(Error::internal)?)))
    }

    /// A record was put away.
    pub fn nothing(id: Uuid) -> Self {
        Self::new(204, id, None, None)
    }
}

fn step(operation: BulkOperation, requires_if_match: bool) -> Result<Step> {
    let id = || operation.id.ok_or_else(|| Error::invalid_field("/id", "required", "is missing"));
    let data = |data: Option<Value>| data.ok_or_else(|| Error::invalid_field("/data", "required", "is missing"));
    let seen = operation.if_match.as_deref().and_then(crate::etag::seen_in);
    if requires_if_match && operation.if_match.is_none() && matches!(operation.op, BulkVerb::Update | BulkVerb::Archive) {
        return Err(Error::new(&codes::IF_MATCH_REQUIRED));
    }
    match operation.op {
        BulkVerb::Create if operation.id.is_some() => Err(Error::invalid_field("/id", "unexpected", "is given by the server")),
        BulkVerb::Create => Ok(Step::Create { data: data(operation.data)? }),
        BulkVerb::Update => Ok(Step::Update { id: id()?, seen, data: data(operation.data)? }),
        BulkVerb::Archive => Ok(Step::Archive { id: id()?, seen }),
        BulkVerb::Restore => Ok(Step::Restore { id: id()?, seen }),
    }
}

/// Runs a bulk request; `work` does one step, and is undone alone where it fails.
///
/// # Errors
/// What is wrong with the body; `bulk_rolled_back` when an atomic one fails.
pub async fn run(
    context: &Context,
    body: Body,
    work: impl AsyncFn(&mut UnitOfWork, &Schemas, Step) -> Result<BulkDone>,
) -> ApiResult {
    let requires_if_match = context.requires_if_match();
    let all = async |uow: &mut UnitOfWork, bulk: Bulk| {
        let atomic = bulk.atomic.unwrap_or(false);
        let mut results = Vec::with_capacity(bulk.operations.len());
        for operation in bulk.operations {
            let id = operation.id;
            let savepoint = uow.savepoint().await?;
            let done = match step(operation, requires_if_match) {
                Ok(step) => work(uow, &context.state.schemas, step).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(done) => {
                    uow.keep(savepoint).await?;
                    results.push(done.0);
                }
                // what trying again may help is tried again as a whole
                Err(error) if status_of(error.kind()).is_server_error() => return Err(error),
                Err(error) => {
                    uow.back_to(savepoint).await?;
                    results.push(failed(id, &error));
                }
            }
        }
        if atomic && results.iter().any(|result| result.error.is_some()) {
            return Err(rolled_back(results));
        }
        Answer::ok(&BulkResults { results })
    };
    context.post::<Bulk>(body, all).await
}

fn failed(id: Option<Uuid>, error: &Error) -> BulkResult {
    let status = status_of(error.kind()).as_u16();
    BulkResult { status, id, etag: None, data: None, error: Some(body_of(error, None)) }
}

/// The status of an operation that was undone because another failed (RFC 4918, 11.4).
const FAILED_DEPENDENCY: u16 = 424;

fn rolled_back(results: Vec<BulkResult>) -> Error {
    let mut error = Error::new(&BULK_ROLLED_BACK);
    for (place, result) in results.iter().enumerate().filter(|(_, result)| result.error.is_some()) {
        let code = result.error.as_ref().and_then(|error| error.get("code")?.as_str()).unwrap_or_default().to_owned();
        error = error.with_field(FieldError::new(format!("/operations/{place}"), code, "failed"));
    }
    let results: Vec<Value> = results
        .into_iter()
        .map(|result| match result.error {
            Some(_) => result,
            None => BulkResult { status: FAILED_DEPENDENCY, id: None, etag: None, data: None, error: None },
        })
        .filter_map(|result| serde_json::to_value(result).ok())
        .collect();
    error.with_extra("results", results)
}
