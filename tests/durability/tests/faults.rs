//! A full disk, a disk that cannot be written, a database of a newer program, damaged pages: what a person reads, and
//! what is kept.

use std::path::Path;
use std::sync::Arc;

use moa_durability::Failure;
use moa_durability::random::Random;
use moa_durability::server::{NotStarted, Server, rebuild, verify};
use moa_durability::shim::{Shim, Spell, Trouble};
use moa_durability::witness::Witness;
use moa_phone::Transport;
use moa_world::network;
use rusqlite::Connection;
use tempfile::TempDir;

/// A server on a disk with a switch, and a shop with buyers.
struct Shaky {
    data: TempDir,
    _beside: TempDir,
    shim: Shim,
    server: Server,
    way: Arc<dyn Transport>,
    witness: Witness,
    random: Random,
}

impl Shaky {
    async fn new() -> Result<Self, Failure> {
        let (data, beside) = (TempDir::new()?, TempDir::new()?);
        let shim = Shim::new(beside.path());
        let started =
            Server::start(data.path(), |command| shim.around(command, data.path(), Trouble::default()))?;
        let server = started.map_err(|ended| ended.stderr)?;
        let way = network::http(server.url())?;
        let mut witness = Witness::default();
        witness.set_up(&way, data.path()).await?;
        Ok(Self { data, _beside: beside, shim, server, way, witness, random: Random::new(1) })
    }

    async fn load(&mut self, count: usize) -> Result<(), Failure> {
        self.witness.load(count, &mut self.random).await
    }

    /// A spell of trouble under load: nothing new is acknowledged, then everything goes on. What was said meanwhile.
    async fn spell(mut self, spell: Spell) -> Result<String, Failure> {
        self.load(60).await?;
        let before = self.witness.acknowledged();
        self.shim.set(spell, true)?;
        self.load(600).await?;
        assert!(self.witness.open() > 0, "the spell was not felt");
        assert!(self.witness.acknowledged() < before + 600);
        // Reads go on, and the database answers.
        let health: moa_server::http::Health = network::get(&*self.way, "/healthz".to_owned()).await?;
        assert_eq!(health.status, "ok");
        // What can't be written is asked to come again.
        let refused = moa_world::raw::Client::enrol(self.way.clone(), "010-9999-9999").await;
        let told = refused.err().ok_or("an enrolment was kept on a disk that keeps nothing")?.to_string();
        assert!(told.contains("503") && told.contains("server_busy"), "{told}");
        self.shim.set(spell, false)?;
        self.witness.ask_again().await?;
        self.load(60).await?;
        assert_eq!(self.witness.open(), 0, "after the spell all is well");
        self.witness.check(self.data.path())?;
        let said = self.server.stop()?;
        assert!(verify(self.data.path())?.status.success());
        Ok(said)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_makes_ops_wait_and_loses_none() -> Result<(), Failure> {
    let said = Shaky::new().await?.spell(Spell::Full).await?;
    assert!(said.contains("database or disk is full") && said.contains("make room"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_turns_read_only_makes_ops_wait_and_loses_none() -> Result<(), Failure> {
    let said = Shaky::new().await?.spell(Spell::ReadOnly).await?;
    assert!(said.contains("could not be committed"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_fails_makes_ops_wait_and_loses_none() -> Result<(), Failure> {
    let said = Shaky::new().await?.spell(Spell::SyncFails).await?;
    assert!(said.contains("could not be committed"), "{said}");
    Ok(())
}

/// A folder with a shop's books in it, and no server on it.
async fn books() -> Result<(TempDir, Witness), Failure> {
    let mut shaky = Shaky::new().await?;
    shaky.load(300).await?;
    shaky.server.stop()?;
    Ok((shaky.data, shaky.witness))
}

/// Starts a server that has to end before it listens, with status 2.
fn refused(data: &Path, shim: Option<&Shim>) -> Result<String, Failure> {
    let started = Server::start(data, |command| match shim {
        Some(shim) => shim.around(command, data, Trouble::default()),
        None => Ok(()),
    })?;
    let Err(NotStarted { status, stderr }) = started else { return Err("the server started".into()) };
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert!(stderr.starts_with("moa: ") && stderr.trim().lines().count() == 1, "one line: {stderr}");
    Ok(stderr)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_folder_is_named_at_the_start() -> Result<(), Failure> {
    let (data, _) = books().await?;
    let beside = TempDir::new()?;
    let shim = Shim::new(beside.path());
    shim.set(Spell::ReadOnly, true)?;
    let said = refused(data.path(), Some(&shim))?;
    assert!(
        said.contains("Read-only file system") && said.contains(&*data.path().to_string_lossy()),
        "{said}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_database_is_left_alone() -> Result<(), Failure> {
    let (data, _) = books().await?;
    let path = data.path().join("moa.db");
    let later = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
                 VALUES (999, 'later', '2030-01-01T00:00:00Z', '1')";
    Connection::open(&path)?.execute(later, [])?;
    let before = std::fs::read(&path)?;
    let said = refused(data.path(), None)?;
    assert!(said.contains("newer version") && said.contains("update"), "{said}");
    assert!(std::fs::read(&path)? == before, "not a byte was changed");
    Ok(())
}

/// Spoils the page where a table begins, or the middle of it.
fn spoil(path: &Path, table: &str, header: bool) -> Result<(), Failure> {
    let database = Connection::open(path)?;
    let page: i64 =
        database
            .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0))?;
    let size: i64 = database.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    drop(database);
    let mut bytes = std::fs::read(path)?;
    let from = usize::try_from((page - 1) * size + if header { 0 } else { size / 2 })?;
    bytes[from..from + 64].iter_mut().for_each(|byte| *byte ^= 0x5a);
    Ok(std::fs::write(path, bytes)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_page_is_reported_by_verify_whatever_table_it_is_of() -> Result<(), Failure> {
    let (data, _) = books().await?;
    let path = data.path().join("moa.db");
    let good = std::fs::read(&path)?;
    for table in
        ["ops", "events", "inbox_events", "lots", "sales", "devices", "balances", "inboxes", "counters"]
    {
        for header in [true, false] {
            std::fs::write(&path, &good)?;
            spoil(&path, table, header)?;
            if std::fs::read(&path)? == good {
                continue;
            }
            let verified = verify(data.path())?;
            let told = [verified.stdout, verified.stderr].concat();
            assert!(!told.is_empty());
            // The middle of a page may be room that nothing uses yet.
            let told = String::from_utf8_lossy(&told);
            assert!(!verified.status.success() || !header, "{table}: {told}");
            println!("{table} {header}: {} {}", verified.status, told.lines().last().unwrap_or_default());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_a_damaged_database_decides_nothing_it_cannot_keep() -> Result<(), Failure> {
    let (data, mut witness) = books().await?;
    let path = data.path().join("moa.db");
    let good = std::fs::read(&path)?;
    spoil(&path, "lots", true)?;
    let server = Server::must_start(data.path())?;
    let way = network::http(server.url())?;
    witness.move_to(&way);
    let before = witness.acknowledged();
    witness.load(30, &mut Random::new(2)).await?;
    assert!(witness.open() > 0);
    let said = server.stop()?;
    assert!(said.contains("malformed") && said.contains("moa verify"), "{said}");

    // With the pages restored, everything that was acknowledged is there; what was not is decided now.
    for log in ["moa.db-wal", "moa.db-shm"] {
        drop(std::fs::remove_file(data.path().join(log)));
    }
    std::fs::write(&path, good)?;
    assert!(before <= witness.acknowledged());
    let server = Server::must_start(data.path())?;
    let way = network::http(server.url())?;
    witness.move_to(&way);
    if before == witness.acknowledged() {
        witness.ask_again().await?;
        witness.check(data.path())?;
    }
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_with_a_damaged_table_is_written_anew_and_has_all_that_was_acknowledged()
-> Result<(), Failure> {
    let (data, mut witness) = books().await?;
    spoil(&data.path().join("moa.db"), "lots", true)?;
    let beside = TempDir::new()?;
    let new = beside.path().join("new");
    let rebuilt = rebuild(data.path(), &new)?;
    let told = String::from_utf8_lossy(&rebuilt.stdout);
    assert!(rebuilt.status.success() && told.contains("damaged") && told.contains("clean"), "{told}");
    let server = Server::must_start(&new)?;
    witness.move_to(&network::http(server.url())?);
    witness.ask_again().await?;
    witness.check(&new)?;
    server.stop()?;
    assert!(verify(&new)?.status.success());
    Ok(())
}
