//! The server as a process of its own, as a shop runs it: to be measured, and to be killed.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::network::LINK_BASE;

/// A `moa serve` of ours. Killed when dropped.
pub struct Program {
    child: Child,
    url: String,
}

/// The `moa` that stands beside this program, if it was built.
pub fn found() -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    let mut folders = here.ancestors().skip(1).take(2);
    folders.find_map(|folder| Some(folder.join("moa")).filter(|path| path.is_file()))
}

/// The same, built if it is not there yet. It is taken as it stands: a test of the whole workspace has just built
/// it; whoever tests this crate alone after a change to the server runs `cargo build -p moa-server` first.
///
/// # Errors
/// If there is none and cargo cannot build it.
pub fn moa() -> Result<PathBuf, Failure> {
    if let Some(path) = found() {
        return Ok(path);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build =
        Command::new(cargo).args(["build", "--quiet", "--package", "moa-server", "--bin", "moa"]).status()?;
    found().ok_or_else(|| format!("there is no `moa` beside this program, and cargo said {build}").into())
}

/// How long `moa verify` takes on a folder, and the most memory that it held at once, in kilobytes.
///
/// # Errors
/// If it finds anything.
pub fn verify(data: &Path) -> Result<(Duration, u64), Failure> {
    let mut child =
        Command::new(moa()?).arg("verify").arg("--data").arg(data).stdout(Stdio::null()).spawn()?;
    let (began, mut most) = (Instant::now(), 0);
    loop {
        most = most_memory_kb(&child).unwrap_or(most);
        if let Some(status) = child.try_wait()? {
            let took = began.elapsed();
            return if status.success() { Ok((took, most)) } else { Err(format!("verify: {status}").into()) };
        }
        // The kernel keeps the most: it only has to be asked before the end.
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Processor time that a process has used so far, in microseconds, by the kernel's count (hundredths of a second).
///
/// # Errors
/// Where there is no `/proc`, or no such process.
pub fn cpu_us(process: u32) -> Result<u64, Failure> {
    let stat = stat(process)?;
    Ok((stat.user + stat.system) * TICK_US)
}

/// The same of a process and its children, present and past: of a database server and all of its connections.
///
/// # Errors
/// Where there is no `/proc`, or no such process.
pub fn cpu_us_of_family(process: u32) -> Result<u64, Failure> {
    let mut ticks = 0;
    for entry in std::fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Whoever is gone by now is counted among its parent's past children.
        let Ok(one) = stat(id) else { continue };
        if id == process {
            ticks += one.of_children;
        }
        if id == process || one.parent == process {
            ticks += one.user + one.system;
        }
    }
    Ok(ticks * TICK_US)
}

/// A tick of the kernel's count, in microseconds.
const TICK_US: u64 = 10_000;

/// What the kernel says of a process: whose child it is, and ticks.
struct Stat {
    parent: u32,
    user: u64,
    system: u64,
    of_children: u64,
}

fn stat(process: u32) -> Result<Stat, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit_once(')').ok_or("no name in stat")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks =
        |nth: usize| fields.get(nth).ok_or("too few fields in stat")?.parse::<u64>().map_err(Failure::from);
    let parent = fields.get(1).ok_or("no parent in stat")?.parse()?;
    Ok(Stat { parent, user: ticks(11)?, system: ticks(12)?, of_children: ticks(13)? + ticks(14)? })
}

/// None once it is gone.
fn most_memory_kb(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

impl Program {
    /// Starts a server on a free port, with its data in `data`, and waits until it listens.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(data: &Path) -> Result<Self, Failure> {
        Self::start_on(data, None)
    }

    /// The same on a PostgreSQL database, if one is named; key and pepper in `data`.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_on(data: &Path, database: Option<&str>) -> Result<Self, Failure> {
        let mut child = Command::new(moa()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--link-base", LINK_BASE, "--data"])
            .arg(data)
            .args(database.iter().flat_map(|url| ["--database", url]))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            let status = child.wait()?;
            return Err(format!("the server did not start ({status}): {line}").into());
        };
        let url = url.to_owned();
        // Read on, so that the pipe never fills.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Ok(Self { child, url })
    }

    /// Where it is reached.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time that it has used so far, in microseconds, by the kernel's count (hundredths of a second).
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn cpu_us(&self) -> Result<u64, Failure> {
        cpu_us(self.child.id())
    }

    /// The most memory that it has held at once so far, in kilobytes.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn most_memory_kb(&self) -> Result<u64, Failure> {
        most_memory_kb(&self.child).ok_or_else(|| "no VmHWM in /proc".into())
    }

    /// Kills it as a power cut would: no warning, no clean-up.
    ///
    /// # Errors
    /// If it was gone already.
    pub fn kill(mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
