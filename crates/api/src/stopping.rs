//! Stopping: nobody new is let in, what runs is answered, and only then do the threads end that serve.
//!
//! The order matters because connections belong to threads: a socket to the database or to a storage of files is heard by the thread that
//! opened it, while any of the others may use it. actix ends each thread that has no connection of a client left, and a request that runs
//! on another would fail with the socket that it was using. So all of them, and the jobs beside them, end before the first thread does.

use std::net::{Shutdown, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::connections::Connections;

/// How long the last bytes of answers may be on their way when everything is answered.
pub(crate) const LAST_BYTES: Duration = Duration::from_secs(5);
/// How long the thread that accepts may take to hear that it accepts no more; then the system refuses in its place.
const PAUSES_WITHIN: Duration = Duration::from_millis(100);
/// How long notes that were kept in memory may take to be written; a database that does not answer holds nobody up.
pub(crate) const WRITES_DOWN_WITHIN: Duration = Duration::from_secs(3);

/// What is being answered, and whether the server is to stop. Clones are of the same server.
#[derive(Clone, Debug, Default)]
pub struct Answering {
    answers: TaskTracker,
    stopper: Stopper,
}

impl Answering {
    /// One more, until what is returned is dropped.
    pub(crate) fn begin(&self) -> TaskTrackerToken {
        self.answers.token()
    }

    /// What is done beside an answer, and ended before the server's threads as the answer is.
    pub(crate) fn until<W: Future>(&self, work: W) -> impl Future<Output = W::Output> + use<W> {
        self.answers.track_future(work)
    }

    /// Whether this is the last answer on its connection.
    pub(crate) fn is_last(&self) -> bool {
        self.stopper.soon.is_cancelled()
    }

    pub(crate) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Waits until somebody stops the server, and then until `jobs` have ended and everything is answered, or it is to
    /// stop at once.
    pub(crate) async fn end(
        &self,
        server: &ServerHandle,
        listener: &TcpListener,
        connections: &Connections,
        most: Duration,
        jobs: impl Future<Output = ()>,
    ) {
        self.stopper.soon.cancelled().await;
        server.pause().await;
        connections.end_idle(PAUSES_WITHIN);
        self.answers.close();
        let answered = async {
            // what is begun meanwhile on a connection that is open is answered too
            tokio::select! {
                () = self.answers.wait() => {}
                () = tokio::time::sleep(most) => {}
                () = self.stopper.at_once.cancelled() => {}
            }
        };
        let refused = async {
            tokio::select! {
                () = tokio::time::sleep(PAUSES_WITHIN) => {}
                () = self.stopper.at_once.cancelled() => {}
            }
            refuse(listener);
            // those that were too young before
            connections.end_idle(Duration::ZERO);
        };
        futures::future::join3(refused, answered, jobs).await;
        connections.end_idle(Duration::ZERO);
    }
}

/// Whoever knocks is refused from now on, rather than kept waiting: a proxy then asks another node. A system on which a socket that
/// listens cannot be shut keeps them waiting until the server has stopped.
fn refuse(listener: &TcpListener) {
    let _unable = socket2::SockRef::from(listener).shutdown(Shutdown::Both);
}

/// Stops a server from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Stopper {
    soon: CancellationToken,
    at_once: CancellationToken,
}

impl Stopper {
    /// What runs is finished.
    pub fn stop(&self) {
        self.soon.cancel();
    }

    /// Requests that run are broken off; jobs have the time that is theirs.
    pub fn stop_at_once(&self) {
        self.at_once.cancel();
        self.soon.cancel();
    }

    pub(crate) fn is_at_once(&self) -> bool {
        self.at_once.is_cancelled()
    }
}
