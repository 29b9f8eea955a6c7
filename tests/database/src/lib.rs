//! A PostgreSQL of the tests' own: in a temporary folder, on a free port of this machine, gone with the process that started it.
//!
//! One a process, started by the first test that wants a database; each test gets a fresh one. The server runs under a shell
//! that ends it when our end of a pipe closes, which it does however this process ends. PostgreSQL does not run as root; then
//! it runs as `postgres`, who comes with the package. Whatever is waited for is given up after a while, and says so.

mod proxy;

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub use proxy::{Fault, Proxy};

/// Who owns the databases. Nobody else can reach them: the server listens on loopback and lives as long as the tests.
const USER: &str = "moa";
/// Where Debian has the programs, by version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Ports that may be taken between finding one and listening on it.
const TRIES: u32 = 5;

/// Makes a cluster for the server whose programs are in the folder `$1`, for port `$2` and user `$3`; `$4` is how it is served.
/// For each line of its input it starts the server, after the one before has ended, and says its process's id, or says what is
/// wrong and ends. When its input ends, it ends the server and removes the folder. Signals of the terminal are left to the end of
/// the pipe.
///
/// A server that was killed leaves processes that take a moment to notice; as long as they are there another does not start.
const GUARD: &str = r#"
trap '' INT TERM HUP
folder=$(mktemp -d "${TMPDIR:-/tmp}/moa-postgres.XXXXXX") || exit 1
server=
gone() { # waits until the server has ended; after a minute it is made to
    tries=0
    while [ -n "$server" ] && kill -0 "$server" 2>/dev/null; do
        tries=$((tries + 1)); [ $tries -le 1200 ] || kill -KILL "$server"
        sleep 0.05
    done
}
end() { [ -z "$server" ] || kill -QUIT "$server" 2>/dev/null; gone; rm -rf "$folder"; exit "$1"; }
fail() { cat "$folder/log" >&2; end 1; }
"$1/initdb" --pgdata="$folder/data" --username="$3" --auth=trust --encoding=UTF8 --locale=C --no-sync >"$folder/log" 2>&1 || fail
while read -r _; do
    gone
    server=
    tries=0 starts=0
    until [ -n "$server" ] && "$1/pg_isready" --quiet --host=127.0.0.1 --port="$2"; do
        tries=$((tries + 1)); [ $tries -le 1200 ] || fail
        if [ -z "$server" ] || ! kill -0 "$server" 2>/dev/null; then
            starts=$((starts + 1)); [ $starts -le 100 ] || fail
            "$1/postgres" -D "$folder/data" -c listen_addresses=127.0.0.1 -c port="$2" -c unix_socket_directories="$folder" \
                -c max_connections=300 -c shared_buffers=64MB -c max_pred_locks_per_transaction=256 $4 \
                </dev/null >>"$folder/log" 2>&1 &
            server=$!
        fi
        sleep 0.05
    done
    echo "$server"
done
end 0
"#;
/// For a server whose databases end with it.
const FLEETING: &str = "-c fsync=off -c full_page_writes=off";
/// For one that has to come back with what it answered: as a small machine would serve people with it.
const LASTING: &str =
    "-c fsync=on -c synchronous_commit=on -c full_page_writes=on -c shared_buffers=512MB -c max_wal_size=4GB";
/// For how long anything is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server.
pub struct Server {
    programs: PathBuf,
    port: u16,
    process: AtomicU32,
    made: AtomicU32,
    template: OnceLock<String>,
    guard: Mutex<Guard>,
}

/// The shell over it.
struct Guard {
    // Closed when this process ends, and with it the server ends.
    pipe: ChildStdin,
    said: BufReader<ChildStdout>,
    child: Child,
}

impl Guard {
    /// Has the server started; its process's id.
    fn start(&mut self) -> Result<u32, NoServer> {
        self.pipe.write_all(b"start\n")?;
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        line.trim_end().parse().map_err(|_| {
            // It has said why, and ended.
            drop(self.child.wait());
            NoServer("PostgreSQL did not start; what it said stands above".to_owned())
        })
    }
}

/// Why there is no server.
#[derive(Debug)]
pub struct NoServer(String);

impl fmt::Display for NoServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoServer {}

impl From<io::Error> for NoServer {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl Server {
    /// The server of this process.
    ///
    /// # Panics
    /// If it does not start, or PostgreSQL is not installed; says what to install.
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| match Self::start() {
            Ok(server) => server,
            Err(error) => panic!("{error}"),
        })
    }

    /// Starts one.
    ///
    /// # Errors
    /// [`NoServer`].
    pub fn start() -> Result<Self, NoServer> {
        Self::served(FLEETING)
    }

    /// Starts one that has on disk what it answered, with the memory of a small machine: to be killed and to go on, and to be
    /// measured.
    ///
    /// # Errors
    /// [`NoServer`].
    pub fn lasting() -> Result<Self, NoServer> {
        Self::served(LASTING)
    }

    fn served(how: &str) -> Result<Self, NoServer> {
        let programs = programs()?;
        let mut last = NoServer::from(io::Error::other("PostgreSQL did not start"));
        for _ in 0..TRIES {
            match Self::start_at(&programs, how) {
                Ok(server) => return Ok(server),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn start_at(programs: &Path, how: &str) -> Result<Self, NoServer> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = shell()?;
        command.args([OsStr::new(GUARD), OsStr::new("guard"), programs.as_os_str()]);
        command.args([port.to_string().as_str(), USER, how]).current_dir("/");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(pipe), Some(said)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(NoServer("the shell has no pipes".to_owned()));
        };
        let mut guard = Guard { pipe, said: BufReader::new(said), child };
        let process = AtomicU32::new(guard.start()?);
        let (programs, template) = (programs.to_owned(), OnceLock::new());
        Ok(Self { programs, port, process, made: AtomicU32::new(0), template, guard: Mutex::new(guard) })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process's id.
    pub fn process(&self) -> u32 {
        self.process.load(Ordering::SeqCst)
    }

    /// Ends it at once, as `pg_ctl stop -m immediate` does: nothing is tidied up.
    ///
    /// # Panics
    /// If it can't be told to.
    pub fn crash(&self) {
        self.signal("-QUIT");
    }

    /// Kills its first process. Those that serve connections notice by themselves.
    ///
    /// # Panics
    /// If it can't be.
    pub fn kill(&self) {
        self.signal("-KILL");
    }

    fn signal(&self, signal: &str) {
        let killed = Command::new("kill").args([signal, &self.process().to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()), "kill {signal}");
        until("PostgreSQL to end", || {
            !self.program("pg_isready").arg("--quiet").status().is_ok_and(|status| status.success())
        });
    }

    /// Starts it again on what it has on disk, once it has ended.
    ///
    /// # Panics
    /// If it does not start.
    pub fn resume(&self) {
        let process = self.guard.lock().unwrap_or_else(PoisonError::into_inner).start();
        self.process.store(process.unwrap_or_else(|error| panic!("{error}")), Ordering::SeqCst);
    }

    /// A program of this version: `psql`, `pgbench`. It is told where the server is.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string()).env("PGUSER", USER);
        command
    }

    /// A fresh database, gone when it is let go of.
    ///
    /// # Panics
    /// If it can't be made.
    pub fn database(&self) -> Database<'_> {
        self.made("template0")
    }

    /// A fresh database with in it what `prepare` put into the first one that was asked for.
    ///
    /// # Panics
    /// If it can't be made.
    pub fn prepared(&self, prepare: impl FnOnce(&Database<'_>)) -> Database<'_> {
        let template = self.template.get_or_init(|| {
            let database = self.database();
            prepare(&database);
            let others = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", database.name);
            // A connection that was closed ends a little later, and while it is there nothing can be copied.
            until("connections to close", || self.run("postgres", &others) == "0");
            // It stays as long as the server.
            std::mem::ManuallyDrop::new(database).name.clone()
        });
        self.made(template)
    }

    fn made(&self, template: &str) -> Database<'_> {
        let name = format!("moa_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'"));
        Database { server: self, name }
    }

    /// Runs SQL as the owner of everything; what it answers, a line a row, columns parted by `|`.
    ///
    /// # Panics
    /// If it fails.
    pub fn run(&self, database: &str, sql: &str) -> String {
        let mut psql = self.program("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        let output = psql.args(["--dbname", database, "--command", sql]).output().unwrap_or_else(|error| {
            panic!("psql: {error}");
        });
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}

/// A database of a test's own.
pub struct Database<'a> {
    server: &'a Server,
    name: String,
}

impl<'a> Database<'a> {
    /// How a server is told of it.
    pub fn url(&self) -> String {
        self.url_at(self.server.port)
    }

    /// The same by way of another port: that of a proxy.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://{USER}@127.0.0.1:{port}/{}", self.name)
    }

    /// Its server.
    pub fn server(&self) -> &'a Server {
        self.server
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL; what it answers, a line a row, columns parted by `|`.
    ///
    /// # Panics
    /// If it fails.
    pub fn run(&self, sql: &str) -> String {
        self.server.run(&self.name, sql)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.server.run("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

/// Looks again until it is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A shell as who may run a database server.
fn shell() -> Result<Command, NoServer> {
    let id = Command::new("id").arg("-u").output()?;
    let mut command = Command::new(if id.stdout == b"0\n" { "runuser" } else { "sh" });
    if id.stdout == b"0\n" {
        command.args(["-u", "postgres", "--", "sh"]);
    }
    command.arg("-c");
    Ok(command)
}

/// The folder with the programs of the newest version there is.
fn programs() -> Result<PathBuf, NoServer> {
    let debian = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<f32>().ok());
    let mut versions: Vec<PathBuf> = debian.map(|entry| entry.path()).collect();
    versions
        .sort_by(|one, other| version(one).partial_cmp(&version(other)).unwrap_or(std::cmp::Ordering::Equal));
    let debian = versions.into_iter().rev().map(|version| version.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = debian.chain(std::env::split_paths(&path));
    let all = ["initdb", "postgres", "pg_isready", "psql"];
    folders.find(|folder| all.iter().all(|program| folder.join(program).is_file())).ok_or_else(|| {
        NoServer("PostgreSQL is missing: `make need-postgres`, or install it (Debian: postgresql)".to_owned())
    })
}
