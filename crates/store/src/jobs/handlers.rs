//! Who does what: one handler for each kind, and what recurs.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use kernel::Result;

use super::claim::Doable;
use super::context::JobContext;
use super::enqueue::Job;
use super::follow::Followers;
use super::kind::JobKind;
use super::queue::Queue;
use super::schedule::{Schedule, When, Where};

type Run = Rc<dyn Fn(JobContext, serde_json::Value) -> LocalBoxFuture<'static, Result<()>>>;

/// A handler, with what its kind says of it.
#[derive(Clone)]
pub(crate) struct Handler {
    pub kind: &'static str,
    pub queue: Queue,
    pub pause: fn(i64) -> Option<Duration>,
    pub run: Run,
}

/// The handlers of a worker. They run on the worker's own thread, so one that computes for long does it in
/// `tokio::task::spawn_blocking`.
#[derive(Default)]
pub struct Handlers {
    by_kind: BTreeMap<&'static str, Handler>,
    schedules: Vec<Schedule>,
    followers: Followers,
}

impl Handlers {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a kind its handler. One that is given twice has the last one.
    pub fn on<K: JobKind, F: Future<Output = Result<()>> + 'static>(&mut self, handler: impl Fn(JobContext, K) -> F + 'static) {
        let handler = Rc::new(handler);
        let run: Run = Rc::new(move |context, payload| {
            let handler = handler.clone();
            async move {
                // what cannot be read now can be read by no other attempt of this build either, but perhaps by the next build
                let payload: K = serde_json::from_value(payload).map_err(kernel::Error::internal)?;
                handler(context, payload).await
            }
            .boxed_local()
        });
        self.by_kind.insert(K::KIND, Handler { kind: K::KIND, queue: K::QUEUE, pause: K::pause, run });
    }

    /// Who hears of jobs that end otherwise than done.
    pub fn followed_by(&mut self, followers: Followers) {
        self.followers = followers;
    }

    pub(crate) fn followers(&self) -> Followers {
        self.followers
    }

    /// Has a job of the installation enqueued whenever it is due, in UTC.
    pub fn recurring<K: JobKind>(&mut self, name: &'static str, when: When, payload: K) {
        let make = Box::new(move || Job::of(&payload));
        self.schedules.push(Schedule { name, when, place: Where::Installation, make });
    }

    /// Has a job of every workspace in use enqueued whenever it is due in the workspace's time zone.
    pub fn recurring_in_workspaces<K: JobKind>(&mut self, name: &'static str, when: When, payload: K) {
        let make = Box::new(move || Job::of(&payload));
        self.schedules.push(Schedule { name, when, place: Where::Workspaces, make });
    }

    /// The kinds that have a handler.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.by_kind.keys().copied()
    }

    /// What recurs, by name, each with when.
    pub fn recurs(&self) -> impl Iterator<Item = (&'static str, When)> {
        self.schedules.iter().map(|schedule| (schedule.name, schedule.when))
    }

    pub(crate) fn find(&self, kind: &str) -> Option<&Handler> {
        self.by_kind.get(kind)
    }

    pub(crate) fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    /// Queues with the kinds that can be done of each.
    pub(crate) fn doable(&self) -> Vec<Doable> {
        let of = |queue: Queue| -> Doable {
            (queue, self.by_kind.values().filter(|handler| handler.queue == queue).map(|handler| handler.kind).collect())
        };
        Queue::ALL.into_iter().map(of).filter(|(_, kinds)| !kinds.is_empty()).collect()
    }
}

impl std::fmt::Debug for Handlers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.kinds()).finish()
    }
}
