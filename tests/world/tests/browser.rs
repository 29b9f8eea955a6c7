//! A browser is signed in by a phone: the page in Chromium, a phone that scans what it shows, the real server.

use std::path::{Path, PathBuf};
use std::process::Command;

use moa_browser::Browser;
use moa_phone::Code;
use moa_rules::quantity::{BasisPoints, Units};
use moa_rules::terms::{Scope, Terms};
use moa_rules::time::Validity;
use moa_server::{Config, start, system_clock};
use moa_world::network::LINK_BASE;
use moa_world::resident::Resident;
use moa_world::town::{Town, number};

/// Where pictures of the page are left for people to look at.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The code on a picture, as a camera reads it.
fn scan(picture: &Path) -> String {
    let read = Command::new("zbarimg").args(["--raw", "-q"]).arg(picture).output();
    let read = read.unwrap_or_else(|error| {
        panic!("zbarimg does not run ({error}); install it: `apt-get install zbar-tools`")
    });
    String::from_utf8(read.stdout).unwrap().trim().to_owned()
}

/// The phone scans the page's code, and its person says yes.
async fn lets_in(phone: &Resident, browser: &mut Browser, picture: &Path) -> Vec<u8> {
    browser.until("document.body.dataset.state && document.getElementById('code').naturalWidth").unwrap();
    browser.save_picture(picture).unwrap();
    let text = scan(picture);
    let Code::Browser(public_key) = phone.phone().read_code(&text).unwrap() else { panic!("{text}") };
    phone.phone().let_in_browser(public_key.clone(), 31).unwrap();
    phone.sync().await.unwrap();
    public_key
}

const LOOKS: &str = "document.documentElement.scrollWidth <= window.innerWidth";

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_signs_a_browser_in_and_out() {
    let (folder, profile) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = Config { link_base: Some(LINK_BASE.to_owned()), ..Config::local(folder.path()) };
    let server = start(&config, system_clock()).await.unwrap();
    let town = Town::at(&server.url()).unwrap();
    let (shop, buyer) = (town.newcomer(&number(1)).await.unwrap(), town.newcomer(&number(2)).await.unwrap());
    shop.open_shop("모퉁이 카페").await.unwrap();
    let terms = Terms::points(BasisPoints::new(500).unwrap(), Validity::Months(6), Units::ZERO);
    shop.found_group("감나무 골목", Scope::Building, terms).await.unwrap();
    let voucher = shop.sell(64_000).unwrap();
    buyer.claim_best(&voucher.text).unwrap();
    buyer.sync().await.unwrap();

    let mut browser = Browser::start(profile.path(), "ko").unwrap();
    browser.set_width(320).unwrap();
    browser.open(&format!("{}/sign-in", server.url())).unwrap();
    browser.until("document.body.dataset.state === 'waiting'").unwrap();
    assert_eq!(browser.value("document.documentElement.lang").unwrap(), "ko");
    assert_eq!(browser.value(LOOKS).unwrap(), true, "nothing is cut off at 320 px");
    assert_eq!(browser.value("document.getElementById('status').textContent.length > 10").unwrap(), true);
    let exported = "keys('readonly', (store) => store.get('browser')).then((pair) => \
        crypto.subtle.exportKey('pkcs8', pair.privateKey)).then(() => 'out', (error) => error.name)";
    assert_eq!(browser.value(exported).unwrap(), "InvalidAccessError", "the key does not leave the browser");

    let public_key = lets_in(&buyer, &mut browser, &pictures().join("asking.png")).await;
    browser.until("document.body.dataset.state === 'signed-in'").unwrap();
    let balance = browser.value("document.getElementById('balance').innerText").unwrap();
    let balance = balance.as_str().unwrap();
    assert!(balance.contains("감나무 골목") && balance.contains("3,200"), "{balance}");
    assert_eq!(browser.value(LOOKS).unwrap(), true);
    browser.save_picture(&pictures().join("inside.png")).unwrap();

    // Loaded again it is still in: the key stayed.
    browser.open(&format!("{}/sign-in", server.url())).unwrap();
    browser.until("document.body.dataset.state === 'signed-in'").unwrap();
    let devices = buyer.client().devices().await.unwrap();
    let of_browser = devices.iter().find(|device| device.key == moa_wire::keys::key_id(&public_key)).unwrap();
    assert_eq!(of_browser.name, "브라우저");

    // Ended on the phone, it is out at its next read, and shows the code of a new key.
    buyer.phone().revoke_device(of_browser.key).unwrap();
    buyer.sync().await.unwrap();
    browser.until("document.body.dataset.state === 'ended'").unwrap();
    browser
        .until("!document.getElementById('asking').hidden && document.getElementById('code').complete")
        .unwrap();
    assert_eq!(browser.value("document.getElementById('inside').hidden").unwrap(), true);
    browser.save_picture(&pictures().join("ended.png")).unwrap();

    // In again with the new key, and out by the button, with the keyboard alone.
    let second = lets_in(&buyer, &mut browser, &pictures().join("again.png")).await;
    assert_ne!(second, public_key);
    browser.until("document.body.dataset.state === 'signed-in'").unwrap();
    browser.value("document.activeElement.blur()").unwrap();
    browser.press("Tab", 9).unwrap();
    assert_eq!(browser.value("document.activeElement.id").unwrap(), "out");
    browser.save_picture(&pictures().join("focus.png")).unwrap();
    browser.press("Enter", 13).unwrap();
    browser.until("document.body.dataset.state === 'ended'").unwrap();
    let devices = buyer.client().devices().await.unwrap();
    let of_second = devices.iter().find(|device| device.key == moa_wire::keys::key_id(&second)).unwrap();
    assert!(of_second.revoked_at.is_some(), "signing out ends the key itself");

    // Whoever is not in is told so, and a browser looks for an icon by itself.
    let expected = |text: &&String| !text.contains("401") && !text.contains("favicon.ico");
    assert_eq!(browser.complaints().iter().find(expected), None);
    drop(browser);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_speaks_english_and_loads_nothing_from_elsewhere() {
    let (folder, profile) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = start(&Config::local(folder.path()), system_clock()).await.unwrap();
    let mut browser = Browser::start(profile.path(), "en").unwrap();
    browser.set_width(320).unwrap();
    browser.open(&format!("{}/sign-in", server.url())).unwrap();
    browser.until("document.body.dataset.state === 'waiting'").unwrap();
    assert_eq!(browser.value("document.title").unwrap(), "Sign in with your phone");
    // The policy keeps out what was not written by us.
    let inline = "(() => { const script = document.createElement('script'); script.textContent = 'window.evil = 1'; \
        document.head.append(script); return window.evil === undefined; })()";
    assert_eq!(browser.value(inline).unwrap(), true);
    let away = "fetch('https://moa.example/').then(() => 'out', () => 'kept in')";
    assert_eq!(browser.value(away).unwrap(), "kept in");
    browser.until("document.getElementById('code').naturalWidth").unwrap();
    browser.save_picture(&pictures().join("english.png")).unwrap();
    drop(browser);
    server.shutdown().await;
}
