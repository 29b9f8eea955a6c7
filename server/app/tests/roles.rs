//! Every cell of the table of roles, over HTTP: each op, by everyone, on what is theirs, on what is another's, and on what does
//! not exist.

mod support;

use moa_ledger::system;
use moa_rules::account::MergeConsent;
use moa_rules::adjustment::{Grantee, Reason};
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::invitation::{Invited, Ticket, TokenHash};
use moa_rules::member::{Buyer, MemberCode};
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::{Op, OpBody};
use moa_rules::pass::PassToken;
use moa_rules::quantity::{Currency, Money, Units};
use moa_rules::role::{May, Role, TABLE};
use moa_rules::standing::StandingChoice;
use moa_rules::terms::{Admission, Profile, Scope, Terms};
use moa_rules::time::Timestamp;
use moa_wire::api::Verdict;
use moa_wire::keys::{Signer, SoftwareKey, sha256};
use moa_wire::token::Checked;
use support::subjects::{NO_GROUP, NO_SHOP, Street, Subject, Who, founding, show, stranger, terms, tomorrow};
use support::{fresh_id, refused};

/// Whose the thing is that an op names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Another,
    /// Nobody's: there is no such thing.
    Nothing,
}

const WHOSE: [Whose; 3] = [Whose::Own, Whose::Another, Whose::Nothing];

/// What someone is answered who may do an op to their own things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The op names no thing that could be another's or missing: there is no such cell.
    NoCell,
    Applied,
    /// A refusal with one of these codes.
    Refused(&'static [&'static str]),
}

use Answer::{Applied, NoCell, Refused};

/// What "may not" sounds like: to a key, to a key without a shop, to one that has a shop, to one that has to leave it first, to a
/// key that nobody knows.
const MAY_NOT: [&str; 5] = ["not_allowed", "no_merchant", "key_has_merchant", "has_shop", "unknown_key"];

/// By the op's number: what it is answered for another's thing, and for none, by those who may do it to their own.
#[rustfmt::skip]
const OTHERS: [[Answer; 2]; TABLE.len()] = [
    /* 0 enrol device */      [Applied, Applied], // another's account; one that begins
    /* 1 register merchant */ [NoCell, NoCell],
    /* 2 found group */       [NoCell, NoCell],
    /* 3 join group */        [NoCell, Refused(&["unknown_group"])], // whoever joins joins for the own shop
    /* 4 record sale */       [NoCell, NoCell], // a key sells for one shop, unnamed
    /* 5 claim */             [Refused(&["not_addressee"]), Refused(&["unknown_key"])], // a voucher for another; of nobody's key
    /* 6 redeem */            [Refused(&["shop_not_in_group"]), Refused(&["unknown_key"])], // of others' group; nobody's code
    /* 7 expire lots */       [Applied, Refused(&["unknown_group"])],
    /* 8 sell to */           [NoCell, Refused(&["member_code_unknown"])], // a code of nobody's
    /* 9 claim waiting */     [Refused(&["not_your_sale"]), Refused(&["unknown_sale"])],
    /* 10 lapse sale */       [Applied, Refused(&["unknown_sale"])],
    /* 11 set standing */     [NoCell, Refused(&["unknown_group"])],
    /* 12 take best */        [Applied, Refused(&["unknown_sale"])],
    /* 13 offer again */      [Applied, Refused(&["unknown_sale"])],
    /* 14 revoke device */    [Refused(&["unknown_device", "not_allowed"]), Refused(&["unknown_device"])],
    /* 15 admit device */     [Refused(&["unknown_device"]), Refused(&["unknown_device"])],
    /* 16 join staff */       [Refused(&["invitation_used"]), Refused(&["unknown_key"])], // another's invitation; nobody's
    /* 17 remove staff */     [Refused(&["not_staff"]), Refused(&["not_staff"])],
    /* 18 renew certificate */[NoCell, NoCell],
    /* 19 pay */              [NoCell, Refused(&["shop_not_in_group"])],
    /* 20 reserve pass */     [Refused(&["wrong_till"]), Refused(&["wrong_till"])], // a till of another shop; no till
    /* 21 redeem pass */      [Refused(&["unknown_pass"]), Refused(&["unknown_pass"])], // for another's till; never given
    /* 22 release pass */     [Applied, Refused(&["unknown_pass"])],
    /* 23 add key */          [Refused(&["not_allowed"]), NoCell], // another's key
    /* 24 act for */          [Refused(&["not_allowed"]), Refused(&["no_merchant"])],
    /* 25 set allowance */    [Applied, Refused(&["no_merchant"])],
    /* 26 appoint admin */    [Refused(&["not_allowed"]), Refused(&["unknown_group"])],
    /* 27 appoint operator */ [Applied, Applied], // whether a person is there, the command looks up
    /* 28 close account */    [NoCell, NoCell],
    /* 29 merge account */    [Refused(&["revoked_key"]), Refused(&["unknown_key"])], // one merged already; nobody's word
    /* 30 amend terms */      [Refused(&["not_allowed"]), Refused(&["unknown_group"])],
    /* 31 answer amendment */ [Refused(&["shop_not_in_group"]), Refused(&["unknown_amendment"])], // of others' group
    /* 32 decide amendment */ [Applied, Refused(&["unknown_amendment"])],
    /* 33 leave group */      [Refused(&["shop_not_in_group"]), Refused(&["unknown_group"])],
    /* 34 expel member */     [Refused(&["not_allowed"]), Refused(&["unknown_group"])],
    /* 35 freeze member */    [Applied, Refused(&["shop_not_in_group"])],
    /* 36 close group */      [Refused(&["not_allowed"]), Refused(&["unknown_group"])],
    /* 37 end group */        [Applied, Refused(&["unknown_group"])],
    /* 38 hold */             [Refused(&["shop_not_in_group"]), Refused(&["unknown_key"])], // of others' group; nobody's code
    /* 39 capture hold */     [Refused(&["unknown_hold"]), Refused(&["unknown_hold"])], // another shop's; never made
    /* 40 void hold */        [Refused(&["unknown_hold"]), Refused(&["unknown_hold"])],
    /* 41 lapse hold */       [Applied, Refused(&["unknown_hold"])],
    /* 42 reverse redemption */[Refused(&["unknown_redemption"]), Refused(&["unknown_redemption"])],
    /* 43 refund sale */      [Refused(&["unknown_sale"]), Refused(&["unknown_sale"])], // another shop's; never made
    /* 44 void sale */        [Refused(&["unknown_sale"]), Refused(&["unknown_sale"])],
    /* 45 grant */            [Refused(&["shop_not_in_group"]), Refused(&["unknown_group"])], // mileage of others' group
    /* 46 take away */        [Refused(&["not_so_much_issued"]), Refused(&["unknown_group"])], // another shop's mileage
    /* 47 invite */           [Refused(&["shop_not_in_group"]), Refused(&["unknown_group"])], // into others' group
    /* 48 revoke invitation */[Refused(&["invitation_void"]), Refused(&["invitation_void"])], // another shop's; never made
    /* 49 decline invitation */[Refused(&["invitation_void"]), Refused(&["invitation_void"])], // told to another shop
    /* 50 answer join */      [Refused(&["shop_not_in_group"]), Refused(&["unknown_request"])], // to join others' group
    /* 51 amend profile */    [Refused(&["not_allowed"]), Refused(&["unknown_group"])],
    /* 52 amend merchant */   [NoCell, NoCell],
    /* 53 set marketing */    [NoCell, NoCell],
];

/// What the server may do only when it is due, which takes days.
const DUE: [usize; 8] = [7, 10, 12, 13, 22, 32, 37, 41];

/// What a cell is to be answered.
fn expected(who: Who, number: usize, whose: Whose) -> Answer {
    let [another, nothing] = OTHERS[number];
    let row = |role: Role| TABLE[number].1[role as usize];
    let may = match who {
        Who::Nobody => May::No,
        // A group's admin owns a shop, and an operator is a person.
        Who::Role(Role::GroupAdmin) => most(row(Role::GroupAdmin), row(Role::Owner)),
        Who::Role(Role::Operator) => most(row(Role::Operator), row(Role::Buyer)),
        Who::Role(role) => row(role),
        Who::BuyersBrowser => {
            if row(Role::Buyer) == May::No {
                May::No
            } else {
                row(Role::Browser)
            }
        }
    };
    let named = match whose {
        // The server is nobody, and owns nothing.
        Whose::Own if who == Who::Role(Role::Server) => return NoCell,
        Whose::Own => Applied,
        Whose::Another => another,
        Whose::Nothing => nothing,
    };
    match (may, named, whose) {
        (_, NoCell, _) => NoCell,
        (May::No, ..) => Refused(&MAY_NOT),
        (May::Any, Refused(_), Whose::Another) => Applied,
        (_, named, _) => named,
    }
}

fn most(one: May, other: May) -> May {
    match (one, other) {
        (May::Any, _) | (_, May::Any) => May::Any,
        (May::Own, _) | (_, May::Own) => May::Own,
        _ => May::No,
    }
}

/// Whoever is refused whatever they name need not be made anew for each cell, and what is theirs need not exist.
struct Cell<'a> {
    street: &'a Street,
    subject: &'a Subject,
    whose: Whose,
    /// Whether the op is to be applied, and so needs what it takes.
    applied: bool,
}

impl Cell<'_> {
    /// The op of a kind that names such a thing.
    async fn body(&self, number: usize) -> OpBody {
        let Self { street, subject, whose, .. } = *self;
        let (town, device) = (&street.town, &subject.device);
        let (now, own) = (town.now(), whose == Whose::Own);
        let (choice, group) =
            (Some(street.choice()), if whose == Whose::Nothing { NO_GROUP } else { street.groups[0] });
        let amount = Money(500_000);
        match number {
            0 => {
                let key = SoftwareKey::generate().unwrap().0;
                let account = self.account(AccountId([0xed; 16]));
                let (key, public_key) = (key.key_id(), key.public_key());
                OpBody::EnrolDevice { account, key, public_key, proved: Some(true) }
            }
            1 => OpBody::RegisterMerchant { profile: MerchantProfile::new("Own", Currency::KRW, None) },
            2 => founding(),
            3 => {
                let group = if own { self.others_group().await } else { NO_GROUP };
                OpBody::JoinGroup { group, terms_version: 1, invitation: None }
            }
            4 => OpBody::RecordSale { amount, addressee: None, redemption: None },
            5 => {
                let addressee = (!own).then_some(street.regular.account);
                let body = OpBody::RecordSale { amount, addressee, redemption: None };
                let nobody = stranger();
                let seller = if whose == Whose::Nothing { &nobody } else { &street.florist.device };
                OpBody::Claim { sale: seller.op(now, body).bytes().to_vec(), choice }
            }
            6 => {
                let group = if own { street.groups[0] } else { self.others_group().await };
                let nobody = stranger();
                let buyer = if whose == Whose::Nothing { &nobody } else { &street.regular };
                let units = Units::new(1_000).unwrap();
                OpBody::Redeem { code: buyer.code(now, group, units).bytes().to_vec(), units }
            }
            7 => OpBody::ExpireLots { group, account: self.account(AccountId([0xed; 16])) },
            8 => {
                let nobody = MemberCode { tag: [0xee; 16], step: 1, mac: [0; 8] };
                let buyer =
                    if own { street.member_code(&street.regular).await } else { Buyer::Member(nobody) };
                OpBody::SellTo { amount, buyer, redemption: None }
            }
            9 | 10 | 12 | 13 => {
                let (merchant, sale) = self.waiting_sale().await;
                match number {
                    9 => OpBody::ClaimWaiting { merchant, sale, choice },
                    10 => OpBody::LapseSale { merchant, sale },
                    12 => OpBody::TakeBest { merchant, sale },
                    _ => OpBody::OfferAgain { merchant, sale },
                }
            }
            11 => OpBody::SetStanding { choice: StandingChoice { groups: vec![group], best: true } },
            14 | 15 => {
                let key = self.key(number).await;
                if number == 14 { OpBody::RevokeDevice { key } } else { OpBody::AdmitDevice { key } }
            }
            16 => OpBody::JoinStaff { invitation: self.invitation().await },
            17 => self.removal().await,
            18 => OpBody::RenewCertificate,
            19 => {
                self.earn().await;
                let merchant = if own { street.florist.merchant } else { NO_SHOP };
                let (group, units) = (street.groups[0], Units::new(1_000).unwrap());
                OpBody::Pay {
                    merchant,
                    group,
                    units,
                    expires: now.plus(Timestamp::MINUTE).seconds(),
                    unit: None,
                }
            }
            20 => {
                self.earn().await;
                let nobody = stranger();
                let till = match whose {
                    Whose::Own => &street.florist.device,
                    Whose::Another => &street.baker.device,
                    Whose::Nothing => &nobody,
                };
                street.reservation(street.florist.merchant, till)
            }
            21 => {
                let units = Units::new(1_000).unwrap();
                OpBody::RedeemPass { code: self.pass_code().await, units }
            }
            22 => OpBody::ReleasePass { merchant: street.florist.merchant, pass: OpId([0xee; 16]) },
            23 => {
                let fresh = SoftwareKey::generate().unwrap().0;
                let key = if own { &fresh } else { &street.regular.key };
                let (key, public_key) = (key.key_id(), key.public_key());
                OpBody::AddKey { key, public_key, kind: street.browser() }
            }
            24 => OpBody::ActFor {
                merchant: match whose {
                    // Of a person whose other phone opened it, where the op may hold; see `fresh`.
                    Whose::Own => subject.merchant.unwrap_or(street.florist.merchant),
                    Whose::Another => street.florist.merchant,
                    Whose::Nothing => NO_SHOP,
                },
            },
            25 => OpBody::SetAllowance {
                merchant: match whose {
                    Whose::Own => subject.merchant.unwrap_or(street.florist.merchant),
                    Whose::Another => street.florist.merchant,
                    Whose::Nothing => NO_SHOP,
                },
                most: Money(900_000_000),
            },
            26 => {
                let merchant = street.florist.merchant;
                let group = match (whose, subject.group) {
                    (Whose::Own, Some(group)) => {
                        town.join(&street.florist, group).await;
                        group
                    }
                    (Whose::Nothing, _) => NO_GROUP,
                    _ => street.groups[0],
                };
                OpBody::AppointAdmin { group, merchant }
            }
            27 => OpBody::AppointOperator { account: self.account(device.account), operator: true },
            28 => OpBody::CloseAccount,
            29 => OpBody::MergeAccount { consent: self.consent().await },
            30..=37 => self.of_group(number).await,
            38..=44 => self.of_till(number).await,
            45 => OpBody::Grant {
                group: if whose == Whose::Another { self.others_group().await } else { group },
                to: Grantee::Account(street.regular.account),
                units: Units::new(1_000).unwrap(),
                reason: Reason::Goodwill,
                last_day: None,
            },
            46 => {
                let (account, units) = (street.regular.account, Units::new(1_000).unwrap());
                if self.applied {
                    let (to, reason) = (Grantee::Account(account), Reason::Goodwill);
                    let gives = OpBody::Grant { group, to, units, reason, last_day: None };
                    town.applied(&[&device.op(now, gives)]).await;
                }
                OpBody::TakeAway { group, account, units, reason: Reason::Correction, unit: None }
            }
            47..=52 => self.of_joining(number).await,
            53 => OpBody::SetMarketing { agreed: None },
            _ => panic!("op {number} is not tried: give it a body here, and a row in OTHERS"),
        }
    }

    /// The op of a kind about a group and its members.
    async fn of_group(&self, number: usize) -> OpBody {
        let Self { street, subject, whose, applied } = *self;
        let (town, now) = (&street.town, street.town.now());
        let administered = match whose {
            Whose::Own => subject.group.unwrap_or(street.groups[0]),
            Whose::Another => street.groups[0],
            Whose::Nothing => NO_GROUP,
        };
        match number {
            30 => OpBody::AmendTerms { group: administered, terms: terms(), from: tomorrow(now) },
            31 => match whose {
                Whose::Own => street.proposal(&street.baker, street.groups[0]).await,
                Whose::Another => {
                    let shop = street.shop().await;
                    let group = street.found(&shop).await;
                    street.proposal(&shop, group).await
                }
                Whose::Nothing => {
                    let amendment = OpId([0xee; 16]);
                    OpBody::AnswerAmendment { group: street.groups[0], amendment, agrees: true }
                }
            },
            32 => OpBody::DecideAmendment { group: administered, amendment: OpId([0xee; 16]) },
            33 => OpBody::LeaveGroup {
                group: match whose {
                    Whose::Own => street.groups[0],
                    Whose::Another => self.others_group().await,
                    Whose::Nothing => NO_GROUP,
                },
            },
            34 => {
                let merchant = street.florist.merchant;
                if applied {
                    town.join(&street.florist, administered).await;
                }
                OpBody::ExpelMember { group: administered, merchant }
            }
            35 => {
                let merchant = match whose {
                    Whose::Own => subject.merchant.unwrap_or(street.florist.merchant),
                    // One that nobody needs afterwards, where the op may hold.
                    Whose::Another if applied => street.shop().await.merchant,
                    Whose::Another => street.florist.merchant,
                    Whose::Nothing => NO_SHOP,
                };
                OpBody::FreezeMember { group: street.groups[0], merchant, frozen: true }
            }
            36 => OpBody::CloseGroup { group: administered },
            _ => OpBody::EndGroup { group: administered },
        }
    }

    /// The op of a kind about what a till does: with the own shop's hold, redemption or sale, another's, or none.
    async fn of_till(&self, number: usize) -> OpBody {
        let Self { street, subject, whose, applied } = *self;
        let (town, now) = (&street.town, street.town.now());
        let (units, florist) = (Units::new(1_000).unwrap(), &street.florist.device);
        let code = |buyer: &support::Device, group| buyer.code(now, group, units).bytes().to_vec();
        if number == 38 {
            let group = if whose == Whose::Another { self.others_group().await } else { street.groups[0] };
            let nobody = stranger();
            let buyer = if whose == Whose::Nothing { &nobody } else { &street.regular };
            return OpBody::Hold { code: code(buyer, group), units, seconds: None };
        }
        let earlier = match number {
            39..=41 => OpBody::Hold { code: code(&street.regular, street.groups[0]), units, seconds: None },
            42 => OpBody::Redeem { code: code(&street.regular, street.groups[0]), units },
            _ => OpBody::RecordSale { amount: Money(500_000), addressee: None, redemption: None },
        };
        let by = match whose {
            Whose::Own if applied => Some(&subject.device),
            Whose::Own | Whose::Nothing => None,
            Whose::Another => Some(florist),
        };
        let mut named = OpId([0xee; 16]);
        if let Some(by) = by {
            let earlier = by.op(now, earlier);
            town.applied(&[&earlier]).await;
            named = earlier.value().id;
        }
        match number {
            39 => OpBody::CaptureHold { hold: named, units },
            40 => OpBody::VoidHold { hold: named },
            41 => OpBody::LapseHold { merchant: street.florist.merchant, hold: named },
            42 => OpBody::ReverseRedemption { redemption: named },
            43 => OpBody::RefundSale { sale: named, amount: Money(500_000) },
            _ => OpBody::VoidSale { sale: named },
        }
    }

    /// The op of a kind about who is invited, who asks, and how shops and groups present themselves.
    async fn of_joining(&self, number: usize) -> OpBody {
        let Self { street, subject, whose, applied } = *self;
        let (town, now) = (&street.town, street.town.now());
        let expires = now.plus(Timestamp::DAY).seconds();
        let invite = |to, shop| {
            let hash = Some(TokenHash(sha256(&[&fresh_id()])));
            OpBody::Invite { to, hash, shop, uses: 1, expires }
        };
        match number {
            47 => {
                let group = match whose {
                    Whose::Own => street.groups[0],
                    Whose::Another => self.others_group().await,
                    Whose::Nothing => NO_GROUP,
                };
                invite(Invited::Group(group), None)
            }
            48 | 49 => {
                let florist = &street.florist;
                let (by, shop) = match (number, whose) {
                    (_, Whose::Nothing) => (None, None),
                    (48, Whose::Own) => (applied.then_some(&subject.device), None),
                    (48, _) => (Some(&florist.device), None),
                    (_, Whose::Own) => (applied.then_some(&florist.device), subject.merchant),
                    _ => (Some(&florist.device), Some(street.baker.merchant)),
                };
                let mut invitation = OpId([0xee; 16]);
                if let Some(by) = by {
                    let invites = by.op(now, invite(Invited::App, shop));
                    town.applied(&[&invites]).await;
                    invitation = invites.value().id;
                }
                let ticket = Ticket { issuer: florist.merchant, invitation, mac: None };
                if number == 48 {
                    OpBody::RevokeInvitation { invitation }
                } else {
                    OpBody::DeclineInvitation { ticket }
                }
            }
            50 => {
                let (mut group, mut merchant, mut request) =
                    (street.groups[0], street.florist.merchant, OpId([0xee; 16]));
                let host = street.shop().await;
                let founder = match whose {
                    Whose::Own if applied => Some(&subject.device),
                    Whose::Another => Some(&host.device),
                    _ => None,
                };
                if let Some(founder) = founder {
                    let approving = Terms { admission: Some(Admission::Admin), ..terms() };
                    let profile = Profile::new("Closed", Scope::Area);
                    let founds = founder.op(now, OpBody::FoundGroup { profile, terms: approving });
                    let guest = street.shop().await;
                    group = founds.value().id.as_group();
                    let joins = OpBody::JoinGroup { group, terms_version: 1, invitation: None };
                    let asks = guest.device.op(now, joins);
                    town.applied(&[&founds, &asks]).await;
                    (merchant, request) = (guest.merchant, asks.value().id);
                }
                OpBody::AnswerJoin { group, merchant, request, admits: true }
            }
            51 => {
                let group = match whose {
                    Whose::Own => subject.group.unwrap_or(street.groups[0]),
                    Whose::Another => street.groups[0],
                    Whose::Nothing => NO_GROUP,
                };
                OpBody::AmendProfile { group, profile: Profile::new("Anew", Scope::Area) }
            }
            _ => OpBody::AmendMerchant { profile: MerchantProfile::new("Anew", Currency::KRW, None) },
        }
    }

    fn account(&self, nobody: AccountId) -> AccountId {
        match self.whose {
            Whose::Own => self.subject.device.account,
            Whose::Another => self.street.regular.account,
            Whose::Nothing => nobody,
        }
    }

    /// The phone that pays gets something to pay with, where the op may hold.
    async fn earn(&self) {
        if self.applied {
            self.street.earn(self.subject.payer()).await;
        }
    }

    async fn others_group(&self) -> GroupId {
        self.street.found(&self.street.shop().await).await
    }

    async fn waiting_sale(&self) -> (MerchantId, OpId) {
        let buyer = if self.applied { &self.subject.device } else { &self.street.regular };
        let sale = match self.whose {
            Whose::Nothing => OpId([0xee; 16]),
            _ => self.street.waiting_sale(buyer).await.value().id,
        };
        (self.street.florist.merchant, sale)
    }

    /// A key to be revoked or admitted.
    async fn key(&self, number: usize) -> KeyId {
        let (street, device) = (self.street, &self.subject.device);
        match self.whose {
            // A browser answers for itself alone.
            Whose::Own if number == 14 && self.subject.phone.is_some() => device.key_id(),
            Whose::Own if self.applied => street.further(device.account).await.key_id(),
            Whose::Own => device.key_id(),
            Whose::Another => street.enrol().await.key_id(),
            Whose::Nothing => stranger().key_id(),
        }
    }

    async fn invitation(&self) -> Vec<u8> {
        let street = self.street;
        let owner = street.shop().await.device;
        match self.whose {
            Whose::Own => street.invitation(&owner),
            Whose::Another => {
                let invitation = street.invitation(&owner);
                let clerk = street.enrol().await;
                let joins = OpBody::JoinStaff { invitation: invitation.clone() };
                street.town.applied(&[&clerk.op(street.town.now(), joins)]).await;
                invitation
            }
            Whose::Nothing => street.invitation(&stranger()),
        }
    }

    /// Another account's word that it ends and all goes to whoever shows that.
    async fn consent(&self) -> Vec<u8> {
        let (street, now) = (self.street, self.street.town.now());
        let from = if self.whose == Whose::Nothing { stranger() } else { street.enrol().await };
        let (key, counter) = (from.key_id(), from.next_counter());
        let expires = now.plus(5 * Timestamp::MINUTE).seconds();
        let consent = MergeConsent { version: 1, key, counter, expires };
        let consent = Checked::sign(consent, &from.key).unwrap().bytes().to_vec();
        if self.whose == Whose::Another {
            let merges = OpBody::MergeAccount { consent: consent.clone() };
            street.town.applied(&[&street.enrol().await.op(now, merges)]).await;
        }
        consent
    }

    /// A clerk to be sent away: oneself, or one of the own shop; for another, one of another's shop, or a fellow clerk.
    async fn removal(&self) -> OpBody {
        let (street, subject) = (self.street, self.subject);
        let staff = subject.who == Who::Role(Role::Staff);
        let merchant = subject.merchant.unwrap_or(street.florist.merchant);
        let (merchant, account) = match self.whose {
            Whose::Own if staff || !self.applied => (merchant, subject.device.account),
            Whose::Own => (merchant, self.clerk_of(subject.payer()).await),
            Whose::Another => match &subject.owner {
                Some(owner) => (merchant, self.clerk_of(owner).await),
                None => {
                    let shop = street.shop().await;
                    (shop.merchant, self.clerk_of(&shop.device).await)
                }
            },
            Whose::Nothing => (merchant, street.regular.account),
        };
        OpBody::RemoveStaff { merchant, account }
    }

    async fn clerk_of(&self, owner: &support::Device) -> AccountId {
        let clerk = self.street.enrol().await;
        let invitation = self.street.invitation(owner);
        let joins = clerk.op(self.street.town.now(), OpBody::JoinStaff { invitation });
        self.street.town.applied(&[&joins]).await;
        clerk.account
    }

    async fn pass_code(&self) -> Vec<u8> {
        let (street, subject, now) = (self.street, self.subject, self.street.town.now());
        let buyer = street.enrol().await;
        street.earn(&buyer).await;
        match (self.whose, subject.merchant) {
            (Whose::Nothing, _) => {
                let (merchant, till) = (subject.merchant.unwrap_or(NO_SHOP), subject.device.key_id());
                let (group, units) = (street.groups[0], Units::new(1_000).unwrap());
                let (pass, public_key) = (OpId([0xee; 16]), buyer.key.public_key());
                let expires = now.plus(Timestamp::HOUR).seconds();
                let token = PassToken {
                    version: 1,
                    pass,
                    merchant,
                    till,
                    group,
                    units,
                    expires,
                    public_key,
                    unit: None,
                };
                show(&buyer, Checked::sign(token, &street.server).unwrap().bytes().to_vec(), now)
            }
            (Whose::Own, Some(merchant)) if self.applied => {
                street.pass_code(&buyer, merchant, &subject.device).await
            }
            _ => street.pass_code(&buyer, street.florist.merchant, &street.florist.device).await,
        }
    }
}

/// Someone of a role for whom a cell holds: what is theirs must be there.
async fn fresh(street: &Street, who: Who, number: usize, whose: Whose) -> Subject {
    let person = matches!(who, Who::Role(Role::Buyer | Role::Owner | Role::GroupAdmin | Role::Operator));
    // Acting for a shop, and having one as an operator, takes a person with two phones, of which the other opened it.
    if whose == Whose::Own && person && matches!(number, 24 | 25 | 35) {
        let shop = street.shop().await;
        let device = street.further(shop.device.account).await;
        let admits = shop.device.op(street.town.now(), OpBody::AdmitDevice { key: device.key_id() });
        street.town.applied(&[&admits]).await;
        if who == Who::Role(Role::Operator) {
            street.appoint(device.account).await;
        }
        let merchant = Some(shop.merchant);
        return Subject { who, device, phone: None, merchant, owner: None, group: None };
    }
    street.subject(who).await
}

/// The op as the subject signs it. The server's own bear ids of another version.
fn signed(street: &Street, subject: &Subject, body: OpBody) -> Checked<Op> {
    let mut op = subject.device.unsigned(street.town.now(), body);
    if subject.who == Who::Role(Role::Server) {
        let id = fresh_id();
        op.counter = (1 << 40) | u64::from_be_bytes(id[8..].try_into().unwrap());
        op.id = OpId(id);
        op.id.0[6] = 0x80;
        op.id.0[8] = 0x80;
    }
    subject.device.sign(op)
}

fn check(cell: &str, answer: Answer, verdict: &Verdict) {
    match answer {
        Applied => assert_eq!(*verdict, Verdict::Applied, "{cell}"),
        Refused(codes) => {
            assert!(matches!(verdict, Verdict::Refused(_)), "{cell}: {verdict:?}, not one of {codes:?}");
            let refused = refused(verdict);
            let code = refused["code"].as_str().unwrap();
            assert!(codes.contains(&code), "{cell}: {code}, not one of {codes:?}");
        }
        NoCell => panic!("{cell}: there is no such cell"),
    }
}

#[tokio::test]
async fn every_cell_of_the_table_of_roles_holds_over_http() {
    let street = Street::open().await;
    let (mut tried, mut applied, mut none, mut due) = (0, 0, 0, Vec::new());
    for who in Who::all() {
        // What is refused changes nothing: one subject is enough for all of it.
        let standing = street.subject(who).await;
        for (number, (kind, _)) in TABLE.iter().enumerate() {
            for whose in WHOSE {
                let answer = expected(who, number, whose);
                if answer == NoCell {
                    none += 1;
                    continue;
                }
                tried += 1;
                if who == Who::Role(Role::Server) && answer == Applied && DUE.contains(&number) {
                    due.push(number);
                    continue;
                }
                let made;
                let subject = if matches!(answer, Refused(codes) if codes == MAY_NOT) {
                    &standing
                } else {
                    made = fresh(&street, who, number, whose).await;
                    &made
                };
                let cell = Cell { street: &street, subject, whose, applied: answer == Applied };
                let body = cell.body(number).await;
                assert_eq!(usize::from(body.kind().number), number);
                let verdict = street.town.submit_one(&signed(&street, subject, body)).await;
                let cell = format!("{} by {who:?} to {whose:?}", kind.name);
                let mut answer = answer;
                if let (Refused(codes), [another, nothing]) = (answer, OTHERS[number])
                    && codes == MAY_NOT
                {
                    // A token inside that nobody signed is told before who may.
                    let inside = if whose == Whose::Nothing { nothing } else { another };
                    if matches!(&verdict, Verdict::Refused(no) if !MAY_NOT.contains(&no.reason.code())) {
                        answer = inside;
                    }
                }
                check(&cell, answer, &verdict);
                applied += usize::from(answer == Applied);
            }
        }
    }
    assert_eq!(tried + none, Who::all().count() * TABLE.len() * WHOSE.len());
    // What the table says, counted once by hand, so that a cell that goes missing is missed.
    let no_cells = OTHERS.iter().flatten().filter(|answer| **answer == NoCell).count();
    assert_eq!(none, no_cells * Who::all().count() + TABLE.len());
    assert_eq!(due, DUE, "tried by what_is_due_the_server_does_to_anyones_things");
    println!("{tried} cells tried, {applied} of them applied; {none} do not exist");
    street.town.close().await;
}

#[tokio::test]
async fn what_is_due_the_server_does_to_anyones_things() {
    let street = Street::open().await;
    let (town, server, florist) = (&street.town, &street.server, street.florist.merchant);
    let noon = town.now();
    let [earns, reserves, lapses, agrees, names] = [(); 5].map(|()| street.enrol());
    let (earns, reserves, lapses) = (earns.await, reserves.await, lapses.await);
    let (agrees, names) = (agrees.await, names.await);

    street.earn(&earns).await;
    let lots = town.snapshot(&earns).await.lots;
    let lots: Vec<_> = lots.iter().collect();
    let ended = lots[0].ends_at;
    street.earn(&reserves).await;
    let pass = reserves.op(noon, street.reservation(florist, &street.florist.device));
    town.applied(&[&pass]).await;
    let OpBody::ReservePass { expires, .. } = pass.value().body else { panic!("no pass") };
    let lapse = street.waiting_sale(&lapses).await.value().id;
    let until = town.snapshot(&lapses).await.waiting[0].until;
    let best = street.waiting_sale(&agrees).await;
    let again = street.waiting_sale(&names).await;
    let units = Units::new(1_000).unwrap();
    let code = street.regular.code(noon, street.groups[0], units).bytes().to_vec();
    let holds = street.florist.device.op(noon, OpBody::Hold { code, units, seconds: None });
    let proposes = street.proposes(&street.baker, street.groups[1]);
    let closed = street.found(&street.florist).await;
    let closes = street.florist.device.op(noon, OpBody::CloseGroup { group: closed });
    town.applied(&[&holds, &proposes, &closes]).await;
    let hold = town.snapshot(&street.regular).await.holds.remove(0);
    let entry = async |group| {
        let directory = town.directory(&street.regular, "").await;
        directory.groups.into_iter().find(|entry| entry.group.id == group).unwrap()
    };
    let amendment = entry(street.groups[1]).await.amendment.unwrap();
    let end = entry(closed).await.group.closing.unwrap().ends_at;
    let standing = |groups, best| OpBody::SetStanding { choice: StandingChoice { groups, best } };
    town.applied(&[
        &agrees.op(noon, standing(Vec::new(), true)),
        &names.op(noon, standing(vec![street.groups[1]], false)),
    ])
    .await;

    // Each as the server's own jobs would sign it: if one of those is quicker, it is the same op.
    let does = async |number: usize, due: Timestamp, op: Checked<Op>| {
        assert_eq!(usize::from(op.value().body.kind().number), number);
        let later = due.0 + 1_000 - town.now().0;
        town.pass(later.max(0));
        let verdict = town.submit_one(&op).await;
        assert!(
            matches!(verdict, Verdict::Applied | Verdict::Duplicate { refused: None }),
            "{number}: {verdict:?}"
        );
        number
    };
    let sold = Timestamp::from_seconds(best.value().time);
    let best_at = moa_rules::standing::best_from(best.value().time);
    let back = Timestamp::from_seconds(expires).plus(24 * Timestamp::HOUR);
    let (best, again) = ((florist, best.value().id), (florist, again.value().id));
    let mut done = vec![
        does(13, noon, system::offer_again(server, again, sold).unwrap().op).await,
        does(41, hold.until, system::lapse_hold(server, &hold).unwrap().op).await,
        does(12, best_at, system::take_best(server, best, noon, best_at).unwrap().op).await,
        does(32, amendment.from, system::decide_amendment(server, &amendment).unwrap().op).await,
        does(22, back, system::release_pass(server, (florist, pass.value().id), back).unwrap().op).await,
        does(
            7,
            ended,
            system::expire_lots(server, (earns.account, street.groups[0]), &lots, ended).unwrap().op,
        )
        .await,
        does(10, until, system::lapse_sale(server, (florist, lapse), until).unwrap().op).await,
        does(37, end, system::end_group(server, closed, end).unwrap().op).await,
    ];
    done.sort_unstable();
    assert_eq!(done, DUE);
    street.town.close().await;
}
