//! From a folder to PostgreSQL and back with the binary, as people do it.

mod support;

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use moa_database::{Database, Server};
use moa_rules::id::GroupId;
use moa_rules::op::Op;
use moa_wire::api::Verdict;
use moa_wire::token::Checked;
use support::{Device, Shop, Town, eventually, moa};

const CAFE: &str = "010-1111-1111";
const BUYER: &str = "010-3333-3333";

struct Alley {
    town: Town,
    cafe: Shop,
    buyer: Device,
    group: GroupId,
    claim: Checked<Op>,
}

/// 3,000 points earned.
async fn alley() -> Alley {
    let town = Town::open_on_sqlite().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    let group = town.found(&cafe).await;
    let claim = town.claim(&buyer, &town.sale(&cafe, 100_000), group);
    town.applied(&[&claim]).await;
    assert_eq!(town.balance(&buyer).await, 3_000);
    Alley { town, cafe, buyer, group, claim }
}

impl Alley {
    /// Stops the server, does something to its folder, and starts it on that again.
    async fn stopped(mut self, meanwhile: impl AsyncFnOnce(&Path)) -> Self {
        self.town = self.town.stopped(meanwhile).await;
        self
    }

    /// The same on a database, or on a folder, as it is after a copy; and something is earned there.
    async fn go_on(mut self, folder: Option<&Path>, database: Option<Database<'static>>) -> Self {
        let before = self.town.balance(&self.buyer).await;
        self.town = self.town.moved(folder, database).await;
        let Self { town, cafe, buyer, group, claim } = &self;
        // The phone's session goes on too.
        assert_eq!(town.balance(buyer).await, before);
        assert_eq!(town.submit_one(claim).await, Verdict::Duplicate { refused: None });
        town.applied(&[&town.claim(buyer, &town.sale(cafe, 100_000), *group)]).await;
        assert_eq!(town.balance(buyer).await, before + 3_000);
        self
    }
}

/// What a command says, and its status.
fn says(arguments: &[&OsStr]) -> (Option<i32>, String) {
    let output = moa().args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn copying(from: &OsStr, to: &OsStr, data: &Path) -> Command {
    let mut command = moa();
    command.arg("copy").arg("--from").arg(from).arg("--to").arg(to).arg("--data").arg(data);
    command
}

fn copy(from: impl AsRef<OsStr>, to: impl AsRef<OsStr>, data: &Path) -> (Option<i32>, String) {
    let output = copying(from.as_ref(), to.as_ref(), data).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[tokio::test]
async fn from_a_folder_to_postgres_and_back_people_go_on() {
    let alley = alley().await;
    let old = alley.town.folder();
    let (beside, database) = (tempfile::tempdir().unwrap(), Server::shared().database());
    let (url, nothing) = (database.url(), beside.path().join("nothing"));

    let (code, text) = copy(&old, &url, &nothing);
    assert!(code == Some(2) && text.contains("in use by another server"), "{text}");
    let alley = alley.stopped(async |_| {
        let (code, text) = copy(&old, &url, &nothing);
        assert_eq!(code, Some(0), "{text}");
        assert!(
            text.contains("clean: everything agrees") && text.contains("key and pepper stay in"),
            "{text}"
        );
        let (code, text) = says(&["verify".as_ref(), "--database".as_ref(), url.as_ref()]);
        assert!(code == Some(0) && text.contains("clean"), "{text}");
        // What is there is not written over.
        let (code, text) = copy(&old, &url, &nothing);
        assert!(code == Some(2) && text.contains("there is something in that database"), "{text}");
    });
    let alley = alley.await.go_on(None, Some(database)).await;

    let new = beside.path().join("new");
    let alley = alley.stopped(async |data| {
        let (code, text) = copy(&url, &new, &nothing);
        assert!(code == Some(2) && text.contains("nothing") && !new.exists(), "{text}");
        let (code, text) = copy(&url, &new, data);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("key and pepper are in it too"), "{text}");
        let (code, text) = copy(&url, &new, data);
        assert!(code == Some(2) && text.contains("is not empty"), "{text}");
    });
    let alley = alley.await.go_on(Some(&new), None).await;
    alley.town.close().await;
}

#[tokio::test]
async fn damaged_tables_on_postgres_are_written_anew_in_another_database() {
    let alley = alley().await;
    let [first, second] = [(); 2].map(|()| Server::shared().database());
    let (url, new) = (first.url(), second.url());
    let folder = alley.town.folder();
    let (code, text) = says(&["rebuild", "--data", folder.to_str().unwrap(), "--to", &url].map(OsStr::new));
    assert_eq!(code, Some(0), "{text}");
    first.run("UPDATE lots SET remaining = 1");
    let (code, text) = says(&["verify", "--database", &url].map(OsStr::new));
    assert!(code == Some(1) && text.contains("differs: lot"), "{text}");
    let rebuild = ["rebuild", "--data", folder.to_str().unwrap(), "--database", &url, "--to", &new];
    let (code, text) = says(&rebuild.map(OsStr::new));
    assert!(code == Some(0) && text.contains("differs: lot"), "{text}");
    let alley = alley.go_on(None, Some(second)).await;
    alley.town.close().await;
}

#[tokio::test]
async fn a_folder_without_the_key_that_the_database_names_is_told() {
    let alley = alley().await;
    let (beside, database) = (tempfile::tempdir().unwrap(), Server::shared().database());
    let (folder, url) = (alley.town.folder(), database.url());
    let others = Town::open_on_sqlite().await;
    let stranger = beside.path().join("stranger");
    std::fs::create_dir(&stranger).unwrap();
    for secret in ["server-key.p8", "pepper"] {
        std::fs::copy(others.folder().join(secret), stranger.join(secret)).unwrap();
    }
    others.close().await;
    let alley = alley.stopped(async |_| {
        std::fs::rename(folder.join("server-key.p8"), beside.path().join("mine")).unwrap();
        let (code, text) = copy(&folder, &url, &folder);
        assert!(code == Some(2) && text.contains("server-key.p8"), "{text}");
        std::fs::rename(beside.path().join("mine"), folder.join("server-key.p8")).unwrap();
        assert_eq!(copy(&folder, &url, &folder).0, Some(0));
        let (code, text) = copy(&url, beside.path().join("new"), &stranger);
        assert!(code == Some(2) && text.contains("--data"), "{text}");
        assert!(!beside.path().join("new").exists());
    });
    alley.await.town.close().await;
    let (code, text) = copy("postgres://moa@127.0.0.1:1/moa", beside.path().join("new"), &stranger);
    assert!(code == Some(2) && text.contains("is PostgreSQL running"), "{text}");
    let (code, text) = says(&["verify", "--database", "postgres://moa:hunter2@"].map(OsStr::new));
    assert!(code == Some(2) && !text.contains("hunter2"), "{text}");
}

/// A session that keeps everyone else from a table until it is let go of.
struct Lock(Child);

impl Lock {
    async fn on(database: &Database<'static>, table: &str) -> Self {
        let mut psql = database.server().program("psql");
        psql.args(["--no-psqlrc", "--quiet", "--dbname", database.name()]);
        let mut child = psql.stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.as_mut().unwrap();
        writeln!(stdin, "BEGIN; LOCK TABLE {table};").unwrap();
        stdin.flush().unwrap();
        let held = format!(
            "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock'
            AND relation = '{table}'::regclass"
        );
        eventually(async || (database.run(&held) == "1").then_some(())).await;
        Self(child)
    }

    /// Once somebody else waits for it.
    async fn waited_for(&self, database: &Database<'static>, table: &str) {
        let waits =
            format!("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass");
        eventually(async || (database.run(&waits) != "0").then_some(())).await;
    }

    fn release(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn what_was_interrupted_is_nowhere_and_is_done_the_second_time() {
    let alley = alley().await;
    let (folder, database) = (alley.town.folder(), Server::shared().database());
    let url = database.url();
    let beside = tempfile::tempdir().unwrap();
    let new = beside.path().join("new");
    let alley = alley.stopped(async |_| {
        // The tables are there, and empty.
        let nowhere = copying(folder.as_ref(), url.as_ref(), &folder).output().unwrap();
        assert!(nowhere.status.success());
        let tables = database.run(
            "SELECT string_agg(table_name, ', ') FROM information_schema.tables
            WHERE table_schema = 'public' AND table_name <> 'refinery_schema_history'",
        );
        database.run(&format!("TRUNCATE {tables}"));
        let lock = Lock::on(&database, "effects").await;
        let mut killed = copying(folder.as_ref(), url.as_ref(), &folder).spawn().unwrap();
        lock.waited_for(&database, "effects").await;
        killed.kill().unwrap();
        killed.wait().unwrap();
        lock.release();
        assert_eq!(database.run("SELECT count(*) FROM ops"), "0");
        let (code, text) = copy(&folder, &url, &folder);
        assert_eq!(code, Some(0), "{text}");

        // Now in the other direction.
        let lock = Lock::on(&database, "effects").await;
        let mut killed = copying(url.as_ref(), new.as_ref(), &folder).spawn().unwrap();
        lock.waited_for(&database, "effects").await;
        killed.kill().unwrap();
        killed.wait().unwrap();
        lock.release();
        assert!(!moa_server::database(&new).exists());
        let serve = ["serve", "--listen", "127.0.0.1:0", "--data", new.to_str().unwrap()];
        let (code, text) = says(&serve.map(OsStr::new));
        assert!(code == Some(2) && text.contains("was interrupted"), "{text}");
        let (code, text) = copy(&url, &new, &folder);
        assert_eq!(code, Some(0), "{text}");
    });
    let alley = alley.await.go_on(Some(&new), None).await;
    alley.town.close().await;
}
