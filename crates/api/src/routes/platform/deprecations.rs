//! `/v1/deprecations`.

use kernel::DateTime;
use platform::deprecated_uses::{self, DeprecatedCaller};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::context::Context;
use crate::deprecation::{OLD_NAMES, write_down};
use crate::problem::ApiResult;
use crate::registry::Registry;

/// A name that goes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeprecatedName {
    /// The old path. What is below it goes with it.
    name: String,
    /// The path that replaces it.
    replacement: String,
    /// Since when it is to go.
    since: DateTime,
    /// When it goes.
    sunset: DateTime,
    /// How often it was used in the workspace.
    uses: i64,
    /// By how many callers.
    caller_count: i64,
    /// The hundred of them who used it last, the last one first.
    callers: Vec<DeprecatedCaller>,
}

/// All names that go.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Deprecations {
    /// Them.
    data: Vec<DeprecatedName>,
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_deprecations, _, _>(get_deprecations);
}

/// See which names go, and who still uses them
///
/// In the workspace. Whatever is called under an old name answers with `Deprecation`, `Sunset` and a `Link` to what replaces it. What other
/// nodes have counted is here within a minute.
#[utoipa::path(get, path = "/v1/deprecations", tag = "audit",
    responses((status = 200, description = "The names", body = Deprecations)))]
async fn get_deprecations(context: Context) -> ApiResult {
    let [] = context.parameters([])?;
    write_down(&context.state).await;
    let read = async |conn: &mut store::Conn, caller: &kernel::Caller| {
        let mut data = Vec::with_capacity(OLD_NAMES.len());
        for going in OLD_NAMES {
            let used = deprecated_uses::of(conn, caller, going.old).await?;
            data.push(DeprecatedName {
                name: going.old.to_owned(),
                replacement: going.successor.to_owned(),
                since: going.since(),
                sunset: going.sunset(),
                uses: used.uses,
                caller_count: used.callers,
                callers: used.last,
            });
        }
        Ok(Deprecations { data })
    };
    context.plain(&context.read(read).await?)
}
