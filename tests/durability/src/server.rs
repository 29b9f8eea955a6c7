//! `moa` as a process of its own, with what it says to a person kept.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use moa_world::program::moa;

use crate::Failure;

/// A `moa serve` that listens. Killed when dropped.
pub struct Server {
    child: Child,
    url: String,
    stderr: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// A server that ended before it listened.
#[derive(Debug)]
pub struct NotStarted {
    /// How it ended.
    pub status: ExitStatus,
    /// What it said.
    pub stderr: String,
}

impl Server {
    /// Starts a server with its data in `data` and waits until it listens or ends. `prepare` may change its environment.
    ///
    /// # Errors
    /// If there is no program to start.
    pub fn start(
        data: &Path,
        prepare: impl FnOnce(&mut Command) -> Result<(), Failure>,
    ) -> Result<Result<Self, NotStarted>, Failure> {
        let mut command = Command::new(moa()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--trace", "warn", "--data"]).arg(data);
        prepare(&mut command)?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (said, mut errors) =
            (Arc::new(Mutex::new(String::new())), child.stderr.take().ok_or("no stderr")?);
        let kept = said.clone();
        let reader = std::thread::spawn(move || {
            let mut lines = BufReader::new(&mut errors);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            let status = child.wait()?;
            drop(reader.join());
            let stderr = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return Ok(Err(NotStarted { status, stderr }));
        };
        let url = url.to_owned();
        // Read on, so that the pipe never fills.
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        Ok(Ok(Self { child, url, stderr: said, reader: Some(reader) }))
    }

    /// The same, when it has to start.
    ///
    /// # Errors
    /// What it said, if it does not.
    pub fn must_start(data: &Path) -> Result<Self, Failure> {
        Self::start(data, |_| Ok(()))?.map_err(|ended| format!("{}: {}", ended.status, ended.stderr).into())
    }

    /// Where it is reached.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it has said on stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn wait(mut self) -> Result<(ExitStatus, String), Failure> {
        let status = self.child.wait()?;
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
        Ok((status, self.stderr()))
    }

    /// Kills it, as the system does when memory runs out.
    ///
    /// # Errors
    /// If it was gone already.
    pub fn kill(mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.wait().map(drop)
    }

    /// Ends it as an operator does, and waits.
    ///
    /// # Errors
    /// If it does not end well.
    pub fn stop(self) -> Result<String, Failure> {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let (status, stderr) = self.wait()?;
        if !killed.success() || !status.success() {
            return Err(format!("the server ended with {status}: {stderr}").into());
        }
        Ok(stderr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What `moa verify` says about a folder.
///
/// # Errors
/// If there is no program to start.
pub fn verify(data: &Path) -> Result<Output, Failure> {
    Ok(Command::new(moa()?).arg("verify").arg("--data").arg(data).output()?)
}

/// Writes a new folder from the journal of another, and gives what `moa rebuild` says about it.
///
/// # Errors
/// If there is no program to start.
pub fn rebuild(data: &Path, to: &Path) -> Result<Output, Failure> {
    Ok(Command::new(moa()?).arg("rebuild").arg("--data").arg(data).arg("--to").arg(to).output()?)
}
