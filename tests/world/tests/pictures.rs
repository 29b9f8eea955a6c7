//! Codes as pictures: drawn, saved, and read back by another program, `zbarimg`.

use std::path::Path;
use std::process::Command;

use moa_phone::{Code, ToShare};
use moa_rules::certificate::ALLOWANCE;
use moa_rules::quantity::{BasisPoints, Money, Units};
use moa_rules::staff::Limits;
use moa_rules::terms::{MAX_NAME, Scope, Terms};
use moa_rules::time::Validity;
use moa_wire::invitation::InvitationToken;
use moa_wire::link::{self, Destination};
use moa_world::picture::save_qr;
use moa_world::town::{Town, number};

/// Draws the text and has it read: the same text, or this panics.
fn read_back(text: &str, path: &Path) {
    save_qr(text, path).unwrap();
    let read = Command::new("zbarimg").args(["--raw", "-q"]).arg(path).output();
    let read = read.unwrap_or_else(|error| {
        panic!("zbarimg does not run ({error}); install it: `apt-get install zbar-tools`")
    });
    assert!(read.status.success(), "zbarimg found nothing in the picture of {text}");
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim_end_matches('\n'), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_phone_shows_a_camera_reads_and_another_phone_understands() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("code.png");
    let town = Town::start(&folder.path().join("moa-data")).await.unwrap();
    let shop = town.newcomer(&number(1)).await.unwrap();
    shop.open_shop(&"가".repeat(MAX_NAME)).await.unwrap();
    let terms = Terms::points(BasisPoints::new(500).unwrap(), Validity::Months(6), Units::ZERO);
    let group = shop.found_group("감나무 골목", Scope::Building, terms).await.unwrap();
    let buyer = town.newcomer(&number(2)).await.unwrap();

    for won in [1, 64_000, ALLOWANCE.0 / 4] {
        let voucher = shop.sell(won).unwrap();
        read_back(&voucher.text, &picture);
        assert!(matches!(buyer.phone().read_code(&voucher.text), Ok(Code::Voucher(_))));
    }
    for most in [1, 1_200, i64::MAX] {
        let code = buyer.show_code(group, Units::new(most).unwrap()).unwrap();
        read_back(&code.text, &picture);
        assert!(matches!(shop.phone().read_code(&code.text), Ok(Code::Redemption(_))));
    }
    let poster = link::poster(Destination::Group(group), buyer.phone().link_base());
    read_back(&poster, &picture);
    let read = buyer.phone().read_code(&poster).unwrap();
    assert_eq!(read, Code::Link(Destination::Group(group)));

    let token = InvitationToken([0xd7; 16]);
    let limits = Limits { per_sale: Money(30_000), per_day: Money(100_000) };
    let clerk = shop.phone().staff_invitation(limits).unwrap().text;
    for (what, opened) in [
        (ToShare::Group { group, token }, Some(Destination::Invitation(token))),
        (ToShare::App { group: None, token }, Some(Destination::Invitation(token))),
        (ToShare::Staff { code: clerk }, None),
    ] {
        let shared = shop.phone().to_share(&what).unwrap();
        for text in [&shared.qr, &shared.link] {
            read_back(text, &picture);
            match (buyer.phone().read_code(text).unwrap(), opened) {
                (Code::Link(destination), Some(opened)) => assert_eq!(destination, opened),
                (Code::Invitation(invitation), None) => assert_eq!(invitation.limits, limits),
                (other, _) => panic!("{other:?}"),
            }
        }
    }
    town.stop().await;
}
