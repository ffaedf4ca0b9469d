//! What is told once and kept nowhere.

use kernel::Result;
use store::{Outcome, UnitOfWork};

use super::Context;
use crate::body::Body;
use crate::problem::Failure;

impl Context {
    /// As [`act`](Self::act), where what is answered is too much to be kept for the caller's key, or would lie in another place then: done once
    /// more, it is done anew. The query string was read already.
    ///
    /// # Errors
    /// `validation_failed` when there is a body after all, and what the work returns.
    pub(crate) async fn tell<T>(
        &self,
        body: &Body,
        work: impl AsyncFn(&mut UnitOfWork) -> Result<T>,
    ) -> Result<Outcome<T>, Failure> {
        let told = async {
            let _turn = self.turn().await?;
            match self.once(body)? {
                None => {
                    body.check_blank()?;
                    self.state.store.write(self.caller(), async |uow| work(uow).await).await.map(Outcome::Done)
                }
                Some(once) => {
                    let keep = |result: &Result<T>| result.as_ref().err().and_then(|error| self.kept_failure(error));
                    let work = async |uow: &mut UnitOfWork| {
                        body.check_blank()?;
                        work(uow).await
                    };
                    self.state.store.write_once(self.caller(), &once, keep, work).await
                }
            }
        };
        told.await.map_err(|error| self.fail(error))
    }
}
