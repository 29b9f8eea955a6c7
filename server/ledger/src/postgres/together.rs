//! Several requests on the way at once, on one connection.
//!
//! The database answers in the order in which it was asked, and once one request of a transaction has failed those behind it
//! fail with `25P02`, which says nothing. So all are waited for, and what is told is what failed first in that order: which
//! answer is noticed first is chance.

use futures_util::FutureExt;
use futures_util::future::{join_all, try_join};

use crate::store::StoreError;

/// Two, the first sent first. The second is given up if the first fails.
pub(super) async fn both<A, B>(
    first: impl Future<Output = Result<A, StoreError>>,
    second: impl Future<Output = Result<B, StoreError>>,
) -> Result<(A, B), StoreError> {
    // On the heap: futures grow with every level at which two are together.
    let (first, second) = Box::pin(try_join(first, second.map(Ok))).await?;
    Ok((first, second?))
}

/// Any number, sent in this order.
pub(super) async fn every<T, F: Future<Output = Result<T, StoreError>>>(
    asked: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, StoreError> {
    join_all(asked).await.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Poll;

    /// Fails after having been looked at so often.
    async fn fails(after: u32, why: &str) -> Result<(), StoreError> {
        let mut looked = 0;
        std::future::poll_fn(|context| {
            looked += 1;
            context.waker().wake_by_ref();
            if looked > after { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Err(StoreError::Unfit(why.to_owned()))
    }

    fn said(done: Result<impl Sized, StoreError>) -> String {
        done.map(drop).unwrap_err().to_string()
    }

    #[tokio::test]
    async fn what_failed_first_is_told_though_what_followed_from_it_is_heard_before() {
        let cause = said(fails(0, "the cause").await);
        assert_eq!(said(both(fails(3, "the cause"), fails(0, "in a failed transaction")).await), cause);
        assert_eq!(said(both(fails(0, "the cause"), fails(3, "in a failed transaction")).await), cause);
        let asked = [fails(5, "the cause"), fails(0, "in a failed transaction"), fails(2, "so did this")];
        assert_eq!(said(every(asked).await), cause);
        // More than are looked at one by one.
        let many = (0..100).map(|at| fails(100 - at, if at == 0 { "the cause" } else { "in a failed one" }));
        assert_eq!(said(every(many).await), cause);
    }
}
