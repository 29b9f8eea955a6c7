//! What goes wrong, and how often: drawn by each seed for itself, some kinds not at all, so that seeds differ in
//! character and not in detail only.

use crate::rng::Rng;

/// How often each fault strikes, in ten thousand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    // Of requests.
    pub(crate) request_lost: u32,
    pub(crate) answer_lost: u32,
    pub(crate) answer_halved: u32,
    /// A proxy or a hotspot answers with a page and status 200.
    pub(crate) page: u32,
    /// 500, 502, 503, before the request was looked at or after it was done.
    pub(crate) trouble: u32,
    /// 429 or 503 with `Retry-After`.
    pub(crate) busy: u32,
    pub(crate) duplicated: u32,
    pub(crate) slow: u32,
    // Of requests that reach the server.
    /// The store can't commit: `retry` for every op.
    pub(crate) put_off: u32,
    pub(crate) cursor_gone: u32,
    pub(crate) token_void: u32,
    /// The server is killed before, in or after a commit.
    pub(crate) killed_at_commit: u32,
    // Of a phone's steps: polls, answers, actions.
    pub(crate) phone_killed: u32,
    // Of signatures.
    pub(crate) key_says_no: u32,
    // Of a phone's days.
    pub(crate) offline: u32,
    pub(crate) hotspot: u32,
    pub(crate) clock_jump: u32,
    pub(crate) restart: u32,
    /// The app is installed anew, with its key or without.
    pub(crate) reinstalled: u32,
    pub(crate) phone_restored: u32,
    // Of a run.
    /// The server is restored from yesterday's backup, once.
    pub(crate) server_restored: bool,
    // Of the server's hours.
    pub(crate) server_restart: u32,
}

impl Faults {
    /// Those of a seed.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let mut draw = |most: i64| {
            if rng.chance(2_500) { 0 } else { u32::try_from(rng.between(1, most)).unwrap_or(1) }
        };
        Self {
            request_lost: draw(600),
            answer_lost: draw(800),
            answer_halved: draw(300),
            page: draw(200),
            trouble: draw(400),
            busy: draw(200),
            duplicated: draw(800),
            slow: draw(600),
            put_off: draw(400),
            cursor_gone: draw(60),
            token_void: draw(20),
            killed_at_commit: draw(300),
            phone_killed: draw(40),
            key_says_no: draw(300),
            offline: draw(4_000),
            hotspot: draw(1_500),
            clock_jump: draw(2_000),
            restart: draw(3_000),
            reinstalled: draw(300),
            phone_restored: draw(600),
            server_restored: draw(3) == 1,
            server_restart: draw(600),
        }
    }
}
