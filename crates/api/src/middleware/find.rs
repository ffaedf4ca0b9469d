//! Which path a request is for: looked up once, in a tree of all paths, before anything else asks.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse, Url};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _};

use crate::registry::Paths;

/// Leads a request to where its path is mounted, and notes the ids in the path.
pub(crate) async fn find(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let paths = request.app_data::<Data<Paths>>().cloned();
    if let Some((place, ids)) = paths.and_then(|paths| paths.find(request.match_info().as_str())) {
        request.match_info_mut().set(Url::new(place));
        request.extensions_mut().insert(ids);
    }
    next.call(request).await
}
