//! A shop's own computer over HTTP, as `docs/services.md` tells it: the example there is run as it stands.

mod support;

use std::path::Path;
use std::process::Command;

use data_encoding::BASE64;
use moa_rules::id::KeyId;
use moa_rules::op::OpBody;
use moa_rules::quantity::Units;
use moa_rules::role::Role;
use moa_wire::code::{self, Scanned};
use moa_wire::keys;
use support::subjects::{Street, Who};

/// The program on the page.
fn example() -> String {
    let page = include_str!("../../../docs/services.md");
    let (_, program) = page.split_once("```js\n").expect("the page has a program");
    program.split_once("```").expect("that ends").0.to_owned()
}

/// What the program says: its output, or its trouble.
fn node(folder: &Path, url: &str, words: &[&str]) -> Result<String, String> {
    let mut command = Command::new("node");
    command.current_dir(folder).args(["service.mjs", url, "service.pem"]).args(words);
    let output = command.output();
    let output = output
        .unwrap_or_else(|error| panic!("node does not run ({error}); install it: `apt-get install nodejs`"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_page_sells_and_redeems() {
    let street = Street::open_now().await;
    let owner = street.subject(Who::Role(Role::Owner)).await;
    let (town, folder) = (&street.town, tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("service.mjs"), example()).unwrap();
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "service.pem"])
        .current_dir(folder.path())
        .status();
    assert!(made.unwrap().success());
    let url = town.server.url();
    // The server answers on another thread meanwhile.
    let run = async |words: &[&str]| tokio::task::block_in_place(|| node(folder.path(), &url, words));

    let public_key = BASE64.decode(run(&["key"]).await.unwrap().as_bytes()).unwrap();
    let key: KeyId = keys::key_id(&public_key);
    assert!(run(&["sell", "50000"]).await.unwrap_err().contains("unknown_key"));
    let kind = moa_rules::device::KeyKind::Service;
    let registers = owner.device.op(town.now(), OpBody::AddKey { key, public_key, kind });
    town.applied(&[&registers]).await;

    assert!(run(&["sell", "50000"]).await.unwrap_err().contains("certificate_used"));
    assert_eq!(run(&["certificate"]).await.unwrap(), "applied");
    let sold = run(&["sell", "50000"]).await.unwrap();
    let (verdict, voucher) = sold.split_once(' ').unwrap();
    assert_eq!(verdict, "applied");
    let Scanned::Voucher(sale) = code::read(voucher, &url).unwrap() else { panic!("{voucher}") };
    let buyer = street.enrol().await;
    let claim = OpBody::Claim { sale: sale.bytes().to_vec(), choice: Some(street.choice()) };
    town.applied(&[&buyer.op(town.now(), claim)]).await;
    assert_eq!(town.balance(&buyer).await, 1_500);

    let shown = code::text(buyer.code(town.now(), street.groups[0], Units::new(1_200).unwrap()).bytes());
    assert_eq!(run(&["redeem", &shown, "1200"]).await.unwrap(), "applied");
    assert_eq!(town.balance(&buyer).await, 300);
    assert!(run(&["redeem", &shown, "1200"]).await.unwrap_err().contains("code_used"));

    let revokes = owner.device.op(town.now(), OpBody::RevokeDevice { key });
    town.applied(&[&revokes]).await;
    assert!(run(&["sell", "50000"]).await.unwrap_err().contains("revoked_key"));
    street.town.close().await;
}
