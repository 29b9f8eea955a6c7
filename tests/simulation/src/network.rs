//! The network and the way through the server: what becomes of a request and of its answer.

use std::rc::Rc;

use moa_phone::{Request, Response, TransportError};
use moa_rules::event::Inbox;
use moa_rules::time::Timestamp;
use moa_wire::api::MAX_WAIT_S;

use crate::Step;
use crate::reads;
use crate::server::{Job, Server, Taken, problem};
use crate::world::{Event, Sender, Waiting, World};

/// What a hotspot answers, whatever was asked.
const PAGE: &[u8] = b"<!doctype html><html><body>Welcome! Please accept our terms.</body></html>";
/// For how long the committer gathers, at most, in milliseconds.
const GATHER: i64 = 30;

impl World {
    /// A phone sends a request.
    pub(crate) fn send(&mut self, from: Sender, request: Rc<Request>) {
        self.count("requests");
        let someone = &self.people[from.person];
        let (offline, hotspot) = (someone.offline_until > self.now, someone.hotspot_until > self.now);
        if offline {
            self.count("requests offline");
            let wait = self.rng.between(5, 3_000);
            return self
                .after(wait, Event::Answer(from, Err(TransportError::Unreachable("no signal".to_owned()))));
        }
        if hotspot {
            self.count("hotspot pages");
            return self.after(100, Event::Answer(from, Ok(page())));
        }
        let timeout = i64::try_from(request.timeout.as_millis()).unwrap_or(i64::MAX);
        self.after(timeout, Event::Answer(from, Err(TransportError::TimedOut)));
        if self.strikes(|faults| faults.request_lost, "requests lost") {
            return;
        }
        let slow = self.strikes(|faults| faults.slow, "requests slow");
        let delay = self.rng.between(10, if slow { 50_000 } else { 300 });
        if self.strikes(|faults| faults.duplicated, "requests duplicated") {
            let days = if self.rng.chance(500) { 4 * Timestamp::DAY } else { 2 * Timestamp::MINUTE };
            let later = self.rng.between(0, days);
            self.after(delay + later, Event::Arrive(None, Rc::clone(&request)));
        }
        self.after(delay, Event::Arrive(Some(from), request));
    }

    /// A request arrives at the server.
    pub(crate) fn arrive(&mut self, from: Option<Sender>, request: Rc<Request>) -> Step {
        if !self.server_up {
            self.count("requests to a server that is down");
            let down = if self.rng.chance(5_000) { Ok(bad_gateway()) } else { Err(refused()) };
            if let Some(from) = from {
                self.after(20, Event::Answer(from, down));
            }
            return Ok(());
        }
        if self.strikes(|faults| faults.busy, "busy with Retry-After") {
            let status = if self.rng.chance(5_000) { 429 } else { 503 };
            let retry_after_s = u32::try_from(self.rng.between(1, 120)).ok();
            self.reply(from, Response { retry_after_s, ..problem(status, "server_busy") });
            return Ok(());
        }
        if self.strikes(|faults| faults.trouble, "5xx before") {
            let answer = if self.rng.chance(5_000) { bad_gateway() } else { problem(500, "internal") };
            self.reply(from, answer);
            return Ok(());
        }
        let is_changes = request.path.starts_with("/v1/changes");
        if is_changes && self.strikes(|faults| faults.cursor_gone, "cursors gone") {
            self.reply(from, problem(410, "cursor_gone"));
            return Ok(());
        }
        if is_changes && self.strikes(|faults| faults.token_void, "tokens void") {
            self.reply(from, problem(401, "unauthorized"));
            return Ok(());
        }
        let begins = request.path == "/v1/sessions";
        if begins && self.strikes(|faults| faults.token_void, "devices forgotten") {
            self.reply(from, problem(401, "unauthorized"));
            return Ok(());
        }
        match self.server.take(&request, self.now)? {
            Taken::Answer(response) => self.reply(from, response),
            Taken::Ops(job) => self.gather(from, job),
            Taken::Wait(inboxes) => {
                if let Some(from) = from {
                    self.count("long polls");
                    let wait = i64::try_from(MAX_WAIT_S * 1_000).unwrap_or(i64::MAX);
                    self.after(wait, Event::WaitOver(from));
                    self.waiting.push(Waiting { from, request, inboxes });
                }
            }
        }
        Ok(())
    }

    fn gather(&mut self, from: Option<Sender>, job: Job) {
        if self.strikes(|faults| faults.put_off, "ops put off") {
            let after_s = u32::try_from(self.rng.between(1, 600)).unwrap_or(1);
            let response = Server::put_off(&job, self.now, after_s);
            return self.reply(from, response);
        }
        if self.jobs.is_empty() {
            let wait = self.rng.between(0, GATHER);
            self.after(wait, Event::Commit);
        }
        self.jobs.push((from, job));
    }

    /// The committer takes everything that waits: one batch, one commit, then the answers.
    pub(crate) fn commit(&mut self) -> Step {
        if !self.server_up || self.jobs.is_empty() {
            return Ok(());
        }
        let (senders, jobs): (Vec<_>, Vec<_>) = std::mem::take(&mut self.jobs).into_iter().unzip();
        let killed = self.strikes(|faults| faults.killed_at_commit, "server killed at a commit");
        if killed && self.rng.chance(5_000) {
            self.note("the server is killed while it commits");
            self.server.kill_in_commit(&jobs, self.now)?;
            self.jobs = senders.into_iter().zip(jobs).collect();
            self.server_is_down();
            return Ok(());
        }
        let (responses, touched) = self.server.commit(&jobs, self.now)?;
        self.note(&format!("committed {} requests", jobs.len()));
        if killed {
            self.note("the server is killed before it answers");
            self.server.ledger.kill()?;
            self.jobs = senders.into_iter().zip(jobs).collect();
            self.server_is_down();
            return Ok(());
        }
        for (from, response) in senders.into_iter().zip(responses) {
            self.reply(from, response);
        }
        self.wake(&touched)
    }

    /// Answers whoever waits for one of these inboxes.
    pub(crate) fn wake(&mut self, touched: &[Inbox]) -> Step {
        let concerned = |waiting: &Waiting| waiting.inboxes.iter().any(|inbox| touched.contains(inbox));
        let (woken, still): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(concerned);
        self.waiting = still;
        for waiting in woken {
            match self.server.take(&waiting.request, self.now)? {
                Taken::Answer(response) => self.reply(Some(waiting.from), response),
                Taken::Wait(inboxes) => self.waiting.push(Waiting { inboxes, ..waiting }),
                Taken::Ops(_) => return Err("ops waited for changes".to_owned()),
            }
        }
        Ok(())
    }

    pub(crate) fn wait_over(&mut self, from: Sender) {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.from == from) else { return };
        let waiting = self.waiting.remove(at);
        let query = waiting.request.path.split_once('?').map_or("", |(_, query)| query);
        let response = reads::nothing_new(query, self.now);
        self.reply(Some(from), response);
    }

    /// An answer goes back, and may not arrive, or not whole.
    fn reply(&mut self, to: Option<Sender>, response: Response) {
        let Some(to) = to else { return };
        if self.strikes(|faults| faults.answer_lost, "answers lost") {
            return;
        }
        let slow = self.strikes(|faults| faults.slow, "answers slow");
        let delay = self.rng.between(10, if slow { 50_000 } else { 300 });
        let mut answer = Ok(response);
        if self.strikes(|faults| faults.answer_halved, "answers halved") {
            answer = answer.map(|mut response| {
                response.body.truncate(self.rng.below(response.body.len().max(1)));
                response
            });
            if self.rng.chance(5_000) {
                answer = Err(TransportError::Broken("half an answer".to_owned()));
            }
        } else if self.strikes(|faults| faults.page, "pages with status 200") {
            answer = Ok(page());
        } else if self.strikes(|faults| faults.trouble, "5xx after") {
            answer = Ok(bad_gateway());
        }
        self.after(delay, Event::Answer(to, answer));
    }

    fn strikes(&mut self, rate: impl Fn(&crate::faults::Faults) -> u32, what: &'static str) -> bool {
        let strikes = self.rng.chance(rate(&self.faults));
        if strikes {
            self.count(what);
        }
        strikes
    }
}

fn page() -> Response {
    Response { status: 200, retry_after_s: None, body: PAGE.to_vec() }
}

fn bad_gateway() -> Response {
    Response { status: 502, retry_after_s: None, body: b"<html>502 Bad Gateway</html>".to_vec() }
}

fn refused() -> TransportError {
    TransportError::Unreachable("connection refused".to_owned())
}
