//! Power cuts, one after the other, of a server at work.

use std::path::Path;

use moa_world::network;
use tempfile::TempDir;

use crate::Failure;
use crate::disk::{self, Files, after_power_cut};
use crate::random::Random;
use crate::server::{Server, verify};
use crate::shim::{Shim, Trouble};
use crate::witness::Witness;

/// Steps that the disk takes for a commit of one claim, about: how much load is prepared for a cut.
const STEPS_OF_A_CLAIM: u64 = 8;

/// A server's folder, its clients, and the seed of what befalls it.
pub struct Cuts {
    data: TempDir,
    beside: TempDir,
    witness: Witness,
    random: Random,
    lies: bool,
}

/// What a cut was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Steps that the disk had taken.
    pub steps: usize,
    /// Whether the server had begun to listen.
    pub listened: bool,
    /// What was acknowledged altogether, before the cut.
    pub acknowledged: usize,
}

impl Cuts {
    /// An empty folder. A disk that lies does not sync the database when asked to.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn new(seed: u64, lies: bool) -> Result<Self, Failure> {
        Ok(Self {
            data: TempDir::new()?,
            beside: TempDir::new()?,
            witness: Witness::default(),
            random: Random::new(seed),
            lies,
        })
    }

    fn data(&self) -> &Path {
        self.data.path()
    }

    /// Runs the server until the power goes at a step of the seed's choice, then on what the disk kept: all that was
    /// acknowledged is there once, with its answer; nothing else has half an effect; the books are right.
    ///
    /// # Errors
    /// Whatever is not so.
    pub async fn cut(&mut self) -> Result<Cut, Failure> {
        let before = Files::read(self.data())?;
        // Small numbers as often as large ones: the server's start and the first commits as well as checkpoints.
        let span = 16 << self.random.below(8);
        let cut_at = 1 + self.random.below(span);
        let (shim, trouble) =
            (Shim::new(self.beside.path()), Trouble { cut_at: Some(cut_at), lies: self.lies });
        let data = self.data().canonicalize()?;
        let started = Server::start(&data, |command| shim.around(command, &data, trouble))?;
        let listened = started.is_ok();
        if let Ok(server) = started {
            let way = network::http(server.url())?;
            self.witness.move_to(&way);
            // Broken off by the cut, as a rule.
            if self.witness.set_up(&way, &data).await.is_ok() {
                let count = usize::try_from(20 + cut_at / STEPS_OF_A_CLAIM)?;
                self.witness.load(count, &mut self.random).await?;
            }
            // Gone by itself, or now: one moment is as good as another.
            drop(server.kill());
        }
        let log = shim.log()?;
        let acknowledged = self.witness.acknowledged();
        after_power_cut(&before, &log, &mut self.random)?.write(&data)?;
        self.restart().await?;
        Ok(Cut { steps: disk::steps(&log)?, listened, acknowledged })
    }

    /// Starts a server in an empty folder and cuts the power at this step of its start; then it has to start on what the
    /// disk kept. Gives whether it listened before the cut: then there are no such steps any more.
    ///
    /// # Errors
    /// If it does not start.
    pub fn cut_first_start(&mut self, step: u64) -> Result<bool, Failure> {
        let data = self.data().canonicalize()?;
        let before = Files::default();
        before.write(&data)?;
        let (shim, trouble) =
            (Shim::new(self.beside.path()), Trouble { cut_at: Some(step), lies: self.lies });
        let started = Server::start(&data, |command| shim.around(command, &data, trouble))?;
        let listened = started.is_ok();
        drop(started);
        after_power_cut(&before, &shim.log()?, &mut self.random)?.write(&data)?;
        Server::must_start(&data)?.stop()?;
        must_be_clean(&data)?;
        Ok(listened)
    }

    async fn restart(&mut self) -> Result<(), Failure> {
        let data = self.data().canonicalize()?;
        if self.witness.acknowledged() > 0 {
            must_be_clean(&data)?;
        }
        let server = Server::must_start(&data)?;
        self.ask(&server, &data).await.map_err(|error| format!("{error}\n{}", server.stderr()))?;
        // A server that was killed leaves its WAL to the next one, a server that was stopped does not.
        if self.random.coin() {
            server.kill()?;
        } else {
            server.stop().map(drop)?;
        }
        must_be_clean(&data)
    }

    async fn ask(&mut self, server: &Server, data: &Path) -> Result<(), Failure> {
        let way = network::http(server.url())?;
        self.witness.move_to(&way);
        self.witness.ask_again().await?;
        self.witness.set_up(&way, data).await?;
        self.witness.check(data)
    }
}

fn must_be_clean(data: &Path) -> Result<(), Failure> {
    let verified = verify(data)?;
    if verified.status.success() {
        return Ok(());
    }
    let (out, err) = (String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&verified.stderr));
    Err(format!("verify: {}: {out}{err}", verified.status).into())
}
