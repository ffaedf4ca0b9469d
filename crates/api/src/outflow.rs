//! What is made while it is sent: by a task of its own, one piece ahead of the sending.

use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use kernel::{Error, Result};
use tokio::sync::mpsc;

/// How long a reader may take over a piece.
const PATIENCE: Duration = Duration::from_mins(2);
/// Pieces that are ready before they are sent.
const AHEAD: usize = 1;

/// Why the making ends before its end.
pub(crate) enum Cut {
    /// Nobody takes it any more.
    BrokenOff,
    /// It cannot be made.
    Failed(Error),
}

impl From<Error> for Cut {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Where the pieces are given.
pub(crate) struct Outflow(mpsc::Sender<Result<Bytes>>);

/// Where pieces are given, and the body that they are.
pub(crate) fn outflow() -> (Outflow, impl Stream<Item = Result<Bytes>>) {
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    (Outflow(sender), futures::stream::poll_fn(move |task| receiver.poll_recv(task)))
}

impl Outflow {
    /// Gives a piece, as soon as there is room for it.
    pub async fn give(&self, piece: Vec<u8>) -> Result<(), Cut> {
        if piece.is_empty() {
            return Ok(());
        }
        // whoever takes nothing for so long has gone without a word, and would keep a connection and two pieces for ever
        match tokio::time::timeout(PATIENCE, self.0.send(Ok(Bytes::from(piece)))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Cut::BrokenOff),
        }
    }

    /// Whether nobody takes it any more.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Breaks the answer off: what was sent must not pass for all of it. Who has gone needs no word.
    pub async fn fail(&self, error: Error) {
        let _ = self.0.send(Err(error)).await;
    }
}
