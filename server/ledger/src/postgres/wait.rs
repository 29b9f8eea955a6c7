//! Waiting for a future on a thread of the caller's.
//!
//! The store's traits are synchronous, and are called from the committer's thread, from tokio's blocking threads, and, while a
//! server starts, from a worker of its runtime, where tokio's own `block_on` panics. Connections are driven by the store's
//! runtime; whoever asks parks its thread until the answer is there, which is legal anywhere.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits until a future is ready; none if it is not in time.
pub(super) fn until<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::sync::oneshot;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[tokio::test]
    async fn an_answer_from_another_thread_is_waited_for_on_a_runtimes_own_thread_too() {
        let (answer, asked) = oneshot::channel();
        let answering = thread::spawn(move || answer.send(7));
        assert_eq!(until(soon(), asked), Some(Ok(7)));
        answering.join().unwrap().unwrap();
    }

    #[test]
    fn what_does_not_come_is_given_up() {
        let never = std::future::pending::<()>();
        assert_eq!(until(Instant::now() + Duration::from_millis(1), never), None);
    }
}
