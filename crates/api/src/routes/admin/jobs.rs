//! `/v1/admin/jobs` and `/v1/admin/queues`.

use platform::jobs::{self, JOB_LIST, JobId, JobView, QueueList};

use crate::FOLLOWERS;
use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of jobs.
    JobPage of JobView
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_jobs, _, _>(list_jobs).list(&JOB_LIST);
    registry.add::<__path_get_job, _, _>(get_job).record(&JOB_LIST);
    registry.add::<__path_retry_job, _, _>(retry_job);
    registry.add::<__path_cancel_job, _, _>(cancel_job);
    registry.add::<__path_discard_job, _, _>(discard_job);
    registry.add::<__path_get_queues, _, _>(get_queues);
}

/// List jobs
///
/// Background work of the workspace, newest first. A super admin of the installation sees its own too, which have no workspace.
#[utoipa::path(get, path = "/v1/admin/jobs", tag = "admin", responses((status = 200, description = "A page of jobs", body = JobPage)))]
async fn list_jobs(context: Context) -> ApiResult {
    let query = context.list_query(&JOB_LIST)?;
    let page = context.read(async |conn, caller| jobs::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Get a job
#[utoipa::path(get, path = "/v1/admin/jobs/{job_id}", tag = "admin", responses((status = 200, description = "The job", body = JobView)))]
async fn get_job(context: Context) -> ApiResult {
    let id: JobId = context.id("job_id")?;
    let query = context.record_query(&JOB_LIST)?;
    let job = context.read(async |conn, caller| jobs::get(conn, caller, id).await).await?;
    context.record(&job, job.version, &query)
}

/// Try a job again
///
/// One that failed for good or was called off has all its attempts again; one that is put off is due at once.
#[utoipa::path(post, path = "/v1/admin/jobs/{job_id}/retry", tag = "admin",
    responses((status = 200, description = "The job, which waits", body = JobView)))]
async fn retry_job(context: Context, body: Body) -> ApiResult {
    let id: JobId = context.id("job_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen| {
        let job = jobs::retry(uow, id, seen).await?;
        Ok(Answer::ok(&job)?.version(job.version))
    };
    context.act(body, work).await
}

/// Call a job off
///
/// One that waits ends at once, and what it was to do is not done: a mail is not sent, a backup not made. One that runs is told, and stops
/// as soon as it can.
#[utoipa::path(post, path = "/v1/admin/jobs/{job_id}/cancel", tag = "admin",
    responses((status = 200, description = "The job, which is called off", body = JobView)))]
async fn cancel_job(context: Context, body: Body) -> ApiResult {
    let id: JobId = context.id("job_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen| {
        let job = jobs::cancel(uow, FOLLOWERS, id, seen).await?;
        Ok(Answer::ok(&job)?.version(job.version))
    };
    context.act(body, work).await
}

/// Throw a job away
///
/// Not one that runs.
#[utoipa::path(delete, path = "/v1/admin/jobs/{job_id}", tag = "admin", responses((status = 204, description = "Thrown away")))]
async fn discard_job(context: Context) -> ApiResult {
    let id: JobId = context.id("job_id")?;
    context.delete(async |uow, seen| jobs::discard(uow, FOLLOWERS, id, seen).await).await
}

/// See what stands in the queues
#[utoipa::path(get, path = "/v1/admin/queues", tag = "admin", responses((status = 200, description = "All queues", body = QueueList)))]
async fn get_queues(context: Context) -> ApiResult {
    context.record_query(&store::list::ListSpec::EMPTY)?;
    let now = context.state.store.runtime().now();
    let queues = context.read(async |conn, caller| jobs::queues(conn, caller, now).await).await?;
    context.plain(&queues)
}
