//! What of the phone's data nobody else may read, and what becomes of it with another device or a locked one.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moa_phone::sync::Failure;
use moa_phone::{Data, DeviceKeys, Fate, KeyStoreError, PhoneError, SignedIn, SoftwareKeys};
use moa_rules::quantity::Money;
use moa_wire::api::{Base64, Ops};
use moa_wire::keys::{SignError, Signer, SoftwareKey};
use moa_wire::number::TypedNumber;
use rusqlite::Connection;
use support::{NOON, Person, Server, Town, member_secret, offline, profile};

const NUMBER: &str = "010-2222-3333";

/// A key store that says what it is told to.
struct Moody {
    keys: SoftwareKeys,
    mood: AtomicUsize,
}

const WELL: usize = 0;
const LOCKED: usize = 1;
const GONE: usize = 2;

impl Moody {
    fn new() -> Arc<Self> {
        let keys = SoftwareKeys::new(Arc::new(SoftwareKey::generate().unwrap().0), &[5; 32]);
        Arc::new(Self { keys, mood: AtomicUsize::new(WELL) })
    }

    fn is(&self, mood: usize) {
        self.mood.store(mood, Ordering::Relaxed);
    }

    fn says(&self) -> Result<(), KeyStoreError> {
        match self.mood.load(Ordering::Relaxed) {
            LOCKED => Err(KeyStoreError::Locked("before the first unlock".into())),
            GONE => Err(KeyStoreError::Gone("a finger was added".into())),
            _ => Ok(()),
        }
    }
}

impl Signer for Moody {
    fn public_key(&self) -> Vec<u8> {
        self.keys.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.says()?;
        self.keys.sign(message)
    }
}

impl DeviceKeys for Moody {
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        self.says()?;
        self.keys.seal(plain)
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        match self.mood.load(Ordering::Relaxed) {
            // What it sealed last it opens: only what was there before is gone.
            GONE => self.keys.unseal(sealed).and_then(|key| {
                self.is(WELL);
                Err(KeyStoreError::Gone(format!("{} bytes", key.len())))
            }),
            _ => self.says().and_then(|()| self.keys.unseal(sealed)),
        }
    }
}

fn with(directory: &Path, keys: &Arc<Moody>, seed: u64) -> Person {
    let keys: Arc<dyn DeviceKeys> = keys.clone();
    Person::with_keys(Data::Directory(directory.to_owned()), Some(keys), seed, NOON)
}

/// A shop that has sold to a phone number without signal.
fn shop(directory: &Path, server: &mut Server) -> Person {
    let mut shop = Person::on_disk(directory, 1);
    open_shop(&mut shop, server);
    shop
}

fn open_shop(shop: &mut Person, server: &mut Server) {
    shop.enrol(server);
    shop.phone.register_merchant(profile("골목 카페")).unwrap();
    shop.sync(server).unwrap();
    shop.phone.record_sale_to_number(Money(20_000), NUMBER).unwrap();
}

/// What goes out with the next sync: tokens, and numbers beside ops.
fn sent(person: &mut Person, server: &mut Server) -> (Vec<String>, Vec<TypedNumber>) {
    let (mut tokens, mut numbers) = (Vec::new(), Vec::new());
    let result = person.sync_over(server, |server, request| {
        let headers = request.headers.iter();
        tokens.extend(headers.filter(|(name, _)| *name == "authorization").map(|(_, value)| value.clone()));
        if request.path == "/v1/ops" {
            let ops: Ops = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
            numbers.extend(ops.numbers);
        }
        offline(server, request)
    });
    assert!(result.is_err());
    (tokens, numbers)
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn no_secret_is_in_the_bytes_of_the_database_or_of_its_log() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new(NOON);
    let mut shop = shop(directory.path(), &mut server);
    let (tokens, numbers) = sent(&mut shop, &mut server);
    let account = shop.phone.account().unwrap();
    let token = tokens[0].strip_prefix("DPoP ").unwrap();
    let [TypedNumber { salt: Base64(salt), .. }] = &numbers[..] else { panic!("no number") };
    let member = serde_json::to_vec(&member_secret(account)).unwrap();
    let (member, base64) =
        (&member[1..member.len() - 1], serde_json::to_string(&Base64(salt.clone())).unwrap());
    let check = |when: &str| {
        let mut bytes = Vec::new();
        for file in ["phone.db", "phone.db-wal"] {
            bytes.extend(std::fs::read(directory.path().join(file)).unwrap_or_default());
        }
        assert!(holds(&bytes, "골목 카페".as_bytes()), "{when}: what is no secret is found");
        let secrets: [(&str, &[u8]); 7] = [
            ("token", token.as_bytes()),
            ("number", NUMBER.as_bytes()),
            ("half of the number", b"2222-3333"),
            ("salt", salt),
            ("salt in text", base64.trim_matches('"').as_bytes()),
            ("member secret", &[7; 32]),
            ("member secret in text", member),
        ];
        for (name, secret) in secrets {
            assert!(secret.len() > 6 && !holds(&bytes, secret), "{when}: {name}");
        }
    };
    check("with the log");
    drop(shop);
    check("closed");
    let mut shop = Person::on_disk(directory.path(), 2);
    assert_eq!(sent(&mut shop, &mut server), (tokens, numbers), "opened again, it has them all");
}

#[test]
fn a_session_that_was_changed_or_moved_is_noticed_and_the_device_vouches_for_another() {
    let spoilt = [
        "UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'member') WHERE name = 'session'",
        "UPDATE secret SET sealed = zeroblob(40) WHERE name = 'session'",
        "UPDATE secret SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE name = 'session'",
        "UPDATE secret SET sealed = x'' WHERE name = 'session'",
    ];
    for spoil in spoilt {
        let directory = tempfile::tempdir().unwrap();
        let mut server = Server::new(NOON);
        let mut shop = shop(directory.path(), &mut server);
        let account = shop.phone.account().unwrap();
        let db = Connection::open(directory.path().join("phone.db")).unwrap();
        assert_eq!(db.execute(spoil, []).unwrap(), 1);
        shop.sync(&mut server).unwrap();
        assert_eq!(server.begun, 2, "{spoil}");
        assert_eq!(shop.phone.signed_in().unwrap(), SignedIn::Yes(account));
        assert_eq!(server.numbers[0].number, NUMBER);
    }
}

#[test]
fn a_number_that_was_moved_to_another_sale_is_not_sent_and_holds_nothing_up() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new(NOON);
    let mut shop = shop(directory.path(), &mut server);
    let moved = shop.phone.record_sale_to_number(Money(1_000), "010-4444-5555").unwrap();
    let db = Connection::open(directory.path().join("phone.db")).unwrap();
    let swap =
        "UPDATE typed_number SET sealed = (SELECT sealed FROM typed_number WHERE op <> ?1) WHERE op = ?1";
    assert_eq!(db.execute(swap, [moved.0]).unwrap(), 1);
    shop.sync(&mut server).unwrap();
    assert_eq!(server.numbers.len(), 1);
    assert_eq!(server.numbers[0].number, NUMBER);
    let Some(Fate::Refused(refused)) = shop.phone.fate(moved).unwrap() else { panic!("taken") };
    assert_eq!(refused.code, "number_missing");
}

#[test]
fn a_locked_key_store_is_told_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new(NOON);
    let keys = Moody::new();
    let mut shop = with(directory.path(), &keys, 1);
    open_shop(&mut shop, &mut server);
    let waiting = shop.phone.outbox().unwrap();
    drop(shop);

    keys.is(LOCKED);
    let mut shop = with(directory.path(), &keys, 2);
    assert!(matches!(shop.phone.signed_in().unwrap(), SignedIn::Yes(_)));
    assert_eq!(shop.phone.outbox().unwrap(), waiting);
    let told = KeyStoreError::Locked("before the first unlock".into());
    assert_eq!(shop.sync(&mut server), Err(Failure::Key(told)));
    assert!(matches!(shop.phone.member_code(), Err(PhoneError::Key(KeyStoreError::Locked(_)))));
    let sale = shop.phone.record_sale_to_number(Money(1_000), NUMBER);
    assert!(matches!(sale, Err(PhoneError::Key(KeyStoreError::Locked(_)))), "{sale:?}");
    assert!(matches!(shop.phone.record_sale(Money(1_000), None), Err(PhoneError::Key(_))));
    assert_eq!(shop.phone.outbox().unwrap(), waiting);
    assert_eq!(shop.machine.next_wakeup(), Some(NOON.plus(5_000)), "it is asked again soon");

    keys.is(WELL);
    shop.sync(&mut server).unwrap();
    assert_eq!(server.numbers[0].number, NUMBER);
    assert!(shop.phone.outbox().unwrap().is_empty());
}

#[test]
fn a_sealing_key_that_is_gone_takes_the_secrets_with_it_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new(NOON);
    let keys = Moody::new();
    let mut shop = with(directory.path(), &keys, 1);
    open_shop(&mut shop, &mut server);
    let (account, waiting) = (shop.phone.account().unwrap(), shop.phone.outbox().unwrap());
    drop(shop);
    keys.is(GONE);
    let mut shop = with(directory.path(), &keys, 2);
    shop.sync(&mut server).unwrap();
    assert_eq!(
        shop.phone.signed_in().unwrap(),
        SignedIn::Yes(account),
        "the device vouches for another session"
    );
    let Some(Fate::Refused(refused)) = shop.phone.fate(waiting[0].op).unwrap() else { panic!("taken") };
    assert_eq!(refused.code, "number_missing", "the number was a secret too: the shop is told");
    shop.phone.member_code().unwrap();
    shop.phone.record_sale_to_number(Money(1_000), NUMBER).unwrap();
    shop.sync(&mut server).unwrap();
}

#[test]
fn a_backup_brought_to_another_device_keeps_its_data_and_asks_to_sign_in_again() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut town = Town::with_buyer(Person::on_disk(first.path(), 3));
    town.earn(45_000);
    let waits = town.buy(10_000);
    let (account, balances) = (town.account, town.buyer.phone.balances().unwrap());
    let Town { mut server, buyer, .. } = town;
    drop(buyer);
    std::fs::copy(first.path().join("phone.db"), second.path().join("phone.db")).unwrap();

    let mut other = Person::on_disk(second.path(), 4);
    assert_eq!(other.phone.signed_in().unwrap(), SignedIn::Again(account));
    assert_eq!(other.phone.balances().unwrap(), balances);
    assert!(matches!(other.phone.member_code(), Err(PhoneError::NotHere)));
    assert_eq!(other.sync(&mut server), Err(Failure::SignInAgain));
    assert_eq!(other.phone.fate(waits).unwrap(), Some(Fate::Applied), "it was signed by the device before");
    server.enrols_as = Some(account);
    other.enrol(&mut server);
    assert_eq!(other.phone.balances().unwrap()[0].confirmed.get(), 5_500);
    other.phone.member_code().unwrap();
}
