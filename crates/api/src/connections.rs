//! Connections that never finish what they send.
//!
//! actix gives the head of the first request of a connection a time, and none to that of the next: whoever sends one whole request and
//! then a single byte would keep the connection for ever, and enough of them all connections. So a connection on which nothing was asked
//! and nothing was answered for longer than an idle one may stay is cut from here.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Extensions;
use actix_web::web::Bytes;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// How often connections are looked at.
const ROUND: Duration = Duration::from_secs(1);

/// One connection, as long as it is open.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: TcpStream,
    use_of_it: Mutex<Use>,
}

#[derive(Debug)]
struct Use {
    running: u32,
    /// Answers of which the body is not taken whole yet.
    answering: u32,
    last: Instant,
}

impl Connection {
    fn note(&self, change: impl FnOnce(&mut Use)) {
        let mut use_of_it = self.use_of_it.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut use_of_it);
        use_of_it.last = Instant::now();
    }

    fn is_stuck(&self, after: Duration) -> bool {
        let use_of_it = self.use_of_it.lock().unwrap_or_else(PoisonError::into_inner);
        use_of_it.running == 0 && use_of_it.last.elapsed() > after
    }

    fn is_idle(&self, since: Duration) -> bool {
        let use_of_it = self.use_of_it.lock().unwrap_or_else(PoisonError::into_inner);
        use_of_it.running == 0 && use_of_it.answering == 0 && use_of_it.last.elapsed() >= since
    }
}

/// A request that runs on a connection, until it is dropped.
pub(crate) struct Running(Arc<Connection>);

impl Running {
    pub(crate) fn on(connection: &Arc<Connection>) -> Self {
        connection.note(|use_of_it| use_of_it.running += 1);
        Self(connection.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.note(|use_of_it| use_of_it.running = use_of_it.running.saturating_sub(1));
    }
}

/// A body that tells its connection each time that some of it was taken. It is taken as fast as the client reads, so one that reads slowly
/// keeps its connection, and one that has stopped does not.
pub(crate) struct Watched<B> {
    body: B,
    answered: Answered,
}

impl<B> Watched<B> {
    pub(crate) fn new(body: B, connection: Option<Arc<Connection>>, answer: Option<TaskTrackerToken>) -> Self {
        if let Some(connection) = &connection {
            connection.note(|use_of_it| use_of_it.answering += 1);
        }
        Self { body, answered: Answered { connection, _answer: answer } }
    }
}

/// An answer whose body is being taken, until it is dropped.
struct Answered {
    connection: Option<Arc<Connection>>,
    _answer: Option<TaskTrackerToken>,
}

impl Drop for Answered {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.note(|use_of_it| use_of_it.answering = use_of_it.answering.saturating_sub(1));
        }
    }
}

impl<B: MessageBody + Unpin> MessageBody for Watched<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
        let taken = Pin::new(&mut self.body).poll_next(context);
        if let (Poll::Ready(_), Some(connection)) = (&taken, &self.answered.connection) {
            connection.note(|_| ());
        }
        taken
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let answered = self.answered;
        self.body.try_into_bytes().map_err(|body| Self { body, answered })
    }
}

/// The connections that are open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Mutex<Vec<Weak<Connection>>>>);

impl Connections {
    /// Takes note of a new one. It belongs to its own requests, so that it is forgotten with them.
    pub(crate) fn add(&self, io: &dyn Any, extensions: &mut Extensions) {
        let Some(stream) = io.downcast_ref::<actix_web::rt::net::TcpStream>() else { return };
        // one that cannot be had twice is not watched: then there are no more of them to be had anyway
        let Ok(socket) = stream.as_fd().try_clone_to_owned() else { return };
        let use_of_it = Mutex::new(Use { running: 0, answering: 0, last: Instant::now() });
        let connection = Arc::new(Connection { socket: socket.into(), use_of_it });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&connection));
        extensions.insert(connection);
    }

    /// Ends those on which nothing is being answered, for so long: what has come is read, and nothing after it. On one that is younger
    /// a request may be on its way.
    pub(crate) fn end_idle(&self, since: Duration) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for connection in open.iter().filter_map(Weak::upgrade).filter(|connection| connection.is_idle(since)) {
            // it may be gone already
            let _ = connection.socket.shutdown(Shutdown::Read);
        }
    }

    /// Cuts those on which nothing was asked for so long, for as long as the server runs.
    pub(crate) async fn watch(self, after: Duration) {
        loop {
            tokio::time::sleep(ROUND).await;
            let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|connection| {
                let Some(connection) = connection.upgrade() else { return false };
                if connection.is_stuck(after) {
                    tracing::debug!("a connection that finished no request was cut");
                    // it may be gone already
                    let _ = connection.socket.shutdown(Shutdown::Both);
                    return false;
                }
                true
            });
        }
    }
}
