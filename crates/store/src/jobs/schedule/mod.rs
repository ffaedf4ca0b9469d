//! Recurring jobs. When each is next due stands in a row; whoever moves that row on enqueues the job in the same transaction, so that it runs
//! once however many nodes there are. What was missed while nothing ran is caught up once.

mod when;

use std::collections::HashMap;

use kernel::{Caller, DateTime, Result, WorkspaceId};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};

pub use when::When;

use super::enqueue::Job;
use crate::field::Field as _;
use crate::store::Store;

/// For whom a job recurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// For the installation, in UTC.
    Installation,
    /// For each workspace in use, in its time zone.
    Workspaces,
}

/// Something that recurs.
pub(crate) struct Schedule {
    pub name: &'static str,
    pub when: When,
    pub place: Where,
    pub make: Box<dyn Fn() -> Job>,
}

/// Where something recurs.
struct Place {
    workspace: Option<WorkspaceId>,
    timezone: chrono_tz::Tz,
}

impl Place {
    fn key(&self) -> String {
        self.workspace.map(|id| id.to_string()).unwrap_or_default()
    }
}

/// Writes when everything is next due that has no row yet, or whose times are no longer those that its row was made from.
pub(crate) async fn prepare(store: &Store, caller: &std::sync::Arc<Caller>, schedules: &[Schedule]) -> Result<()> {
    let places = places(store, caller).await?;
    let mut known = HashMap::new();
    let mut select = Query::select();
    select.columns(["name", "place", "basis"]).from("job_schedule");
    let mut reader = store.reader(caller).await?;
    for row in reader.rows(&select).await? {
        known.insert((row.get::<String>(0)?, row.get::<String>(1)?), row.get::<String>(2)?);
    }
    reader.close().await?;
    for schedule in schedules {
        for place in of(schedule, &places) {
            let basis = format!("{} {}", schedule.when, place.timezone);
            if known.get(&(schedule.name.to_owned(), place.key())) == Some(&basis) {
                continue;
            }
            store
                .write(caller, async |uow| {
                    let next = schedule.when.after(uow.now(), place.timezone);
                    let mut insert = Query::insert();
                    insert.into_table("job_schedule").columns(["name", "place", "basis", "next_due"]).values_panic(
                        [schedule.name.to_owned().value(), place.key().value(), basis.clone().value(), next.value()]
                            .map(Expr::value),
                    );
                    insert.on_conflict(
                        OnConflict::columns(["name", "place"])
                            .update_columns(["basis", "next_due"])
                            .action_and_where(Expr::col(("job_schedule", "basis")).ne(basis.as_str()))
                            .to_owned(),
                    );
                    uow.execute(&insert).await.map(|_| ())
                })
                .await?;
        }
    }
    Ok(())
}

fn of<'a>(schedule: &Schedule, places: &'a [Place]) -> impl Iterator<Item = &'a Place> {
    let own = schedule.place == Where::Installation;
    places.iter().filter(move |place| place.workspace.is_none() == own)
}

/// The installation, and the workspaces in use.
async fn places(store: &Store, caller: &Caller) -> Result<Vec<Place>> {
    let mut select = Query::select();
    select.columns(["id", "timezone"]).from("workspace").and_where(Expr::col("is_active").eq(true));
    let mut reader = store.reader(caller).await?;
    let rows = reader.rows(&select).await?;
    reader.close().await?;
    let mut places = vec![Place { workspace: None, timezone: chrono_tz::UTC }];
    for row in rows {
        // names are checked when they are set; one that a later build of the zones has dropped counts as UTC
        let timezone = row.get::<String>(1)?.parse().unwrap_or(chrono_tz::UTC);
        places.push(Place { workspace: Some(row.get(0)?), timezone });
    }
    Ok(places)
}

/// Enqueues what is due, and says so in its row, in one transaction each. Of several nodes one moves the row.
pub(crate) async fn enqueue_due(store: &Store, caller: &std::sync::Arc<Caller>, schedules: &[Schedule]) -> Result<()> {
    let now = store.runtime().now();
    let mut select = Query::select();
    select.columns(["name", "place", "next_due"]).from("job_schedule").and_where(Expr::col("next_due").lte(now.value()));
    let mut reader = store.reader(caller).await?;
    let rows = reader.rows(&select).await?;
    reader.close().await?;
    if rows.is_empty() {
        return Ok(());
    }
    let places = places(store, caller).await?;
    for row in rows {
        let (name, key, due): (String, String, DateTime) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // another build may know it; a workspace that is out of use rests
        let Some(schedule) = schedules.iter().find(|schedule| schedule.name == name) else { continue };
        let Some(place) = of(schedule, &places).find(|place| place.key() == key) else { continue };
        store
            .write(caller, async |uow| {
                let next = schedule.when.after(uow.now(), place.timezone);
                let mut update = Query::update();
                update
                    .table("job_schedule")
                    .value("next_due", next.value())
                    .and_where(Expr::col("name").eq(name.as_str()))
                    .and_where(Expr::col("place").eq(key.as_str()))
                    .and_where(Expr::col("next_due").eq(due.value()));
                if uow.execute(&update).await? == 0 {
                    return Ok(());
                }
                uow.enter(place.workspace).await?;
                // one that still waits from the last time will do for this time too
                uow.enqueue((schedule.make)().unique(format!("recurring:{name}"))).await?;
                uow.enter(None).await
            })
            .await?;
    }
    Ok(())
}
