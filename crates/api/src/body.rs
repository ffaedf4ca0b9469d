//! The body of a request: read up to the limit, then checked against its schema, then as a type of our own.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures::StreamExt as _;
use kernel::error::codes;
use kernel::{Error, Result, validation};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use validator::Validate;

use crate::problem::Failure;
use crate::schema::{Schemas, read_json};
use crate::state::State;

/// What a body can become.
pub trait Input: DeserializeOwned + Validate + ToSchema + Clone {}

impl<T: DeserializeOwned + Validate + ToSchema + Clone> Input for T {}

/// A body that was read and not parsed yet.
#[derive(Clone, Debug)]
pub struct Body {
    /// The bytes.
    pub bytes: Bytes,
    content_type: Option<String>,
}

/// Bytes of a table at most: a hundred thousand rows with a long address each.
const TABLE_LIMIT: usize = 8 * 1024 * 1024;

/// A body that is a table, of which more is read than of JSON.
#[derive(Clone, Debug)]
pub struct TableBody(pub Body);

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

impl FromRequest for Body {
    type Error = Failure;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Box::pin(read(request.clone(), payload.take(), json_limit(request)))
    }
}

impl FromRequest for TableBody {
    type Error = Failure;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = read(request.clone(), payload.take(), json_limit(request).max(TABLE_LIMIT));
        Box::pin(async move { reading.await.map(Self) })
    }
}

fn json_limit(request: &HttpRequest) -> usize {
    request.app_data::<Data<State>>().map_or(0, |state| state.config.json_limit)
}

async fn read(request: HttpRequest, mut payload: Payload, limit: usize) -> Result<Body, Failure> {
    let too_large = || {
        let error = Error::new(&codes::TOO_LARGE).with_detail(format!("At most {limit} bytes are read here."));
        Failure::new(error, &request)
    };
    let content_type =
        request.headers().get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::with_capacity(declared.unwrap_or(0));
    while let Some(chunk) = payload.next().await {
        let cut_off = |_| Failure::new(Error::new(&codes::UNREADABLE).with_detail("The body was cut off."), &request);
        let chunk = chunk.map_err(cut_off)?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Body { bytes: bytes.freeze(), content_type })
}

impl Body {
    /// Fails where there is one: what is done needs none. An empty object is as good as none.
    ///
    /// # Errors
    /// `validation_failed`.
    pub fn check_blank(&self) -> Result<()> {
        let blank = self.bytes.iter().all(u8::is_ascii_whitespace) || self.bytes.as_ref() == b"{}";
        if blank { Ok(()) } else { Err(Error::invalid_field("", "unexpected_body", "must be empty")) }
    }

    /// The body as an input.
    ///
    /// # Errors
    /// `unsupported_media_type`, `unreadable`, or `validation_failed` with everything that is wrong.
    pub fn parse<I: Input>(&self, schemas: &Schemas, types: &[&str]) -> Result<I> {
        self.check_type(types)?;
        parse_value(schemas, read_json(&self.bytes)?)
    }

    /// The bytes, if they are of this type.
    ///
    /// # Errors
    /// `unsupported_media_type`.
    pub fn of_type(&self, media: &str) -> Result<&[u8]> {
        self.check_type(&[media])?;
        Ok(&self.bytes)
    }

    fn check_type(&self, types: &[&str]) -> Result<()> {
        let given = self.content_type.as_deref().unwrap_or_default();
        let media = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if types.contains(&media.as_str()) {
            return Ok(());
        }
        let detail = format!("Send {}.", types.join(" or "));
        Err(Error::new(&codes::UNSUPPORTED_MEDIA_TYPE).with_detail(detail))
    }
}

/// A JSON value as an input.
///
/// # Errors
/// `validation_failed` with everything that is wrong.
pub fn parse_value<I: Input>(schemas: &Schemas, value: serde_json::Value) -> Result<I> {
    let fits = schemas.check::<I>(&value);
    let input: I = match (fits, serde_json::from_value(value)) {
        (Ok(()), Ok(input)) => input,
        (Ok(()), Err(error)) => {
            return Err(Error::invalid_field("", "invalid", "does not fit its schema").with_source(error));
        }
        // what the schema says nothing of is told too, where it can be
        (Err(misfit), Ok(input)) => return Err(with_shape(misfit, &input)),
        (Err(misfit), Err(_)) => return Err(misfit),
    };
    validation::check_shape(&input)?;
    Ok(input)
}

/// What does not fit the schema, with what is wrong beyond it, in the order of the members.
fn with_shape(misfit: Error, input: &impl Validate) -> Error {
    let Err(shape) = input.validate() else { return misfit };
    let mut fields = misfit.fields().to_vec();
    let further = validation::field_errors(&shape);
    fields.extend(further.into_iter().filter(|field| misfit.fields().iter().all(|known| known.pointer != field.pointer)));
    fields.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    Error::invalid(fields)
}
