//! `/v1/clients/duplicates`, `/v1/clients/{client_id}/duplicates` and `/v1/client-duplicates`.

use clients::duplicates::{self, CANDIDATE_LIST, CheckDuplicates, ClientDuplicates, DuplicateCandidate, DuplicateSearch};
use clients::{ClientId, DuplicateCandidateId};
use store::UnitOfWork;
use store::list::ListSpec;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of pairs of clients that may be one.
    DuplicateCandidatePage of DuplicateCandidate
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_check_client_duplicates, _, _>(check_client_duplicates);
    registry.add::<__path_find_client_duplicates, _, _>(find_client_duplicates);
    registry.add::<__path_list_client_duplicates, _, _>(list_client_duplicates).list(&CANDIDATE_LIST);
    registry.add::<__path_search_client_duplicates, _, _>(search_client_duplicates);
    registry.add::<__path_get_client_duplicate_search, _, _>(get_client_duplicate_search);
    registry.add::<__path_get_client_duplicate, _, _>(get_client_duplicate).record(&CANDIDATE_LIST);
    registry.add::<__path_dismiss_client_duplicate, _, _>(dismiss_client_duplicate);
    registry.add::<__path_restore_client_duplicate, _, _>(restore_client_duplicate);
}

/// See whether a client is there already
///
/// Before it is made, by what is known of it so far. What is told is what the caller may see, with a score and the reasons. Nothing is changed.
#[utoipa::path(post, path = "/v1/clients/duplicates", tag = "duplicates", request_body = CheckDuplicates,
    responses((status = 200, description = "The clients that it may be", body = ClientDuplicates)))]
async fn check_client_duplicates(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, input| {
        let caller = uow.caller();
        Answer::ok(&duplicates::check(uow, &caller, &input).await?)
    };
    context.post::<CheckDuplicates>(body, work).await
}

/// See which clients a client may be the same as
///
/// As of now, without those that somebody said it is not.
#[utoipa::path(get, path = "/v1/clients/{client_id}/duplicates", tag = "duplicates",
    responses((status = 200, description = "They", body = ClientDuplicates)))]
async fn find_client_duplicates(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    context.record_query(&ListSpec::EMPTY)?;
    let found = context.read(async |conn, caller| duplicates::of_client(conn, caller, id).await).await?;
    context.plain(&found)
}

/// List pairs of clients that may be one
///
/// As they were found when clients were made and by the last search, the likeliest first. `client_id` is either of the two. Of a pair the caller
/// sees both clients, or does not see it.
#[utoipa::path(get, path = "/v1/client-duplicates", tag = "duplicates",
    responses((status = 200, description = "A page of pairs", body = DuplicateCandidatePage)))]
async fn list_client_duplicates(context: Context) -> ApiResult {
    let query = context.list_query(&CANDIDATE_LIST)?;
    let page = context.read(async |conn, caller| duplicates::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Search all clients for those that may be one
///
/// A job does it, which also runs each night where a client changed. What somebody dismissed is not found again.
#[utoipa::path(post, path = "/v1/client-duplicates/search", tag = "duplicates",
    responses((status = 202, description = "It waits for its turn", body = DuplicateSearch)))]
async fn search_client_duplicates(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, _seen| Answer::later(&duplicates::start_search(uow).await?);
    context.act(body, work).await
}

/// See how far the search for clients that may be one has come
#[utoipa::path(get, path = "/v1/client-duplicates/search", tag = "duplicates",
    responses((status = 200, description = "How far", body = DuplicateSearch)))]
async fn get_client_duplicate_search(context: Context) -> ApiResult {
    context.record_query(&ListSpec::EMPTY)?;
    let search = context.read(async |conn, caller| duplicates::get_search(conn, caller).await).await?;
    context.plain(&search)
}

/// Get a pair of clients that may be one
#[utoipa::path(get, path = "/v1/client-duplicates/{client_duplicate_id}", tag = "duplicates",
    responses((status = 200, description = "The pair", body = DuplicateCandidate)))]
async fn get_client_duplicate(context: Context) -> ApiResult {
    let id: DuplicateCandidateId = context.id("client_duplicate_id")?;
    let query = context.record_query(&CANDIDATE_LIST)?;
    let pair = context.read(async |conn, caller| duplicates::get(conn, caller, id).await).await?;
    context.record(&pair, pair.version, &query)
}

/// Say that two clients are two
///
/// The pair is left out of the list and is not found again, and can be restored.
#[utoipa::path(delete, path = "/v1/client-duplicates/{client_duplicate_id}", tag = "duplicates",
    responses((status = 204, description = "Dismissed")))]
async fn dismiss_client_duplicate(context: Context) -> ApiResult {
    let id: DuplicateCandidateId = context.id("client_duplicate_id")?;
    context.delete(async |uow, seen| duplicates::dismiss(uow, id, seen).await).await
}

/// Take back that two clients are two
#[utoipa::path(post, path = "/v1/client-duplicates/{client_duplicate_id}/restore", tag = "duplicates",
    responses((status = 200, description = "The pair", body = DuplicateCandidate)))]
async fn restore_client_duplicate(context: Context, body: Body) -> ApiResult {
    let id: DuplicateCandidateId = context.id("client_duplicate_id")?;
    let work = async |uow: &mut UnitOfWork, seen| {
        let pair = duplicates::restore(uow, id, seen).await?;
        Ok(Answer::ok(&pair)?.version(pair.version))
    };
    context.act(body, work).await
}
