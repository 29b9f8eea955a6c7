//! Refusals of invitations, requests to join, and of how shops and groups present themselves.

use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::invitation::{INVITATIONS_A_DAY, Invited, MOST_USES, Ticket, TicketMac, TokenHash};
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::{Carried, OpBody};
use moa_rules::quantity::Currency;
use moa_rules::terms::{Admission, Profile, Scope, Terms};
use moa_rules::time::Timestamp;

use super::{Case, Scene};
use crate::driver::{Parcel, Shop, points};

const NOWHERE: GroupId = GroupId([9; 16]);
const NOBODY: MerchantId = MerchantId([9; 16]);
const NOTHING: OpId = OpId([7; 16]);

impl Scene {
    fn invites(&mut self, by: Shop, to: Invited, spoil: impl FnOnce(&mut OpBody)) -> Parcel {
        let number = self.town.number();
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        let expires = self.town.now.plus(14 * Timestamp::DAY).seconds();
        let mut body = OpBody::Invite { to, hash: Some(TokenHash(hash)), shop: None, uses: 1, expires };
        spoil(&mut body);
        self.op(by.owner.key, body)
    }

    fn invites_to_group(&mut self, spoil: impl FnOnce(&mut OpBody)) -> Parcel {
        let (shop, group) = (self.shop, self.group);
        self.invites(shop, Invited::Group(group), spoil)
    }

    /// A ticket of an invitation into the group.
    fn ticket(&mut self) -> Ticket {
        let parcel = self.invites_to_group(|_| {});
        self.town.send(&parcel).unwrap();
        let (issuer, invitation) = (self.shop.merchant, parcel.op.id);
        Ticket { issuer, invitation, mac: Some(TicketMac([1; 16])) }
    }

    fn follows(&mut self, ticket: Ticket) -> Parcel {
        let group = self.group;
        let body = OpBody::JoinGroup { group, terms_version: 1, invitation: Some(ticket) };
        Parcel { carried: Carried::Ticket, ..self.op(self.loner.owner.key, body) }
    }

    fn declines(&mut self, by: Shop, ticket: Ticket) -> Parcel {
        let body = OpBody::DeclineInvitation { ticket };
        Parcel { carried: Carried::Ticket, ..self.op(by.owner.key, body) }
    }

    /// The loner asks to join a group of the shop's that lets in whom its admin admits.
    fn asked(&mut self) -> OpId {
        self.group =
            self.town.group(self.shop, Terms { admission: Some(Admission::Admin), ..points(100, 0) });
        let asks = self.join(self.group, 1);
        self.town.send(&asks).unwrap();
        asks.op.id
    }

    fn answers(&mut self, by: Shop, request: OpId, admits: bool) -> Parcel {
        let (group, merchant) = (self.group, self.loner.merchant);
        self.op(by.owner.key, OpBody::AnswerJoin { group, merchant, request, admits })
    }
}

/// Each way to be refused.
pub const JOINING: &[Case] = &[
    ("bad_invitation", |s| {
        s.invites_to_group(|body| {
            let OpBody::Invite { hash, .. } = body else { return };
            *hash = None;
        })
    }),
    ("bad_invitation", |s| {
        let own = s.shop.merchant;
        s.invites_to_group(|body| {
            let OpBody::Invite { shop, .. } = body else { return };
            *shop = Some(own);
        })
    }),
    ("bad_invitation", |s| {
        let loner = s.loner.merchant;
        s.invites_to_group(|body| {
            let OpBody::Invite { shop, uses, .. } = body else { return };
            (*shop, *uses) = (Some(loner), 2);
        })
    }),
    ("bad_uses", |s| {
        s.invites_to_group(|body| {
            let OpBody::Invite { uses, .. } = body else { return };
            *uses = 0;
        })
    }),
    ("bad_uses", |s| {
        s.invites_to_group(|body| {
            let OpBody::Invite { uses, .. } = body else { return };
            *uses = MOST_USES + 1;
        })
    }),
    ("bad_date", |s| {
        let now = s.town.now.seconds();
        s.invites_to_group(|body| {
            let OpBody::Invite { expires, .. } = body else { return };
            *expires = now;
        })
    }),
    ("bad_date", |s| {
        s.invites_to_group(|body| {
            let OpBody::Invite { expires, .. } = body else { return };
            *expires = u64::MAX;
        })
    }),
    ("unknown_shop", |s| {
        s.invites_to_group(|body| {
            let OpBody::Invite { shop, .. } = body else { return };
            *shop = Some(NOBODY);
        })
    }),
    ("unknown_group", |s| s.invites(s.shop, Invited::Group(NOWHERE), |_| {})),
    ("shop_not_in_group", |s| s.invites(s.loner, Invited::Group(s.group), |_| {})),
    ("already_member", |s| {
        s.town.join(s.loner, s.group);
        let loner = s.loner.merchant;
        s.invites_to_group(|body| {
            let OpBody::Invite { shop, .. } = body else { return };
            *shop = Some(loner);
        })
    }),
    ("too_many_invitations", |s| {
        for _ in 0..INVITATIONS_A_DAY {
            s.ticket();
        }
        s.invites_to_group(|_| {})
    }),
    ("invitation_void", |s| s.op(s.shop.owner.key, OpBody::RevokeInvitation { invitation: NOTHING })),
    ("invitation_void", |s| {
        let ticket = s.ticket();
        s.op(s.loner.owner.key, OpBody::RevokeInvitation { invitation: ticket.invitation })
    }),
    ("invitation_void", |s| {
        let ticket = Ticket { issuer: s.shop.merchant, invitation: NOTHING, mac: None };
        s.follows(ticket)
    }),
    ("invitation_void", |s| {
        // To buy there, not to join.
        let parcel = s.invites(s.shop, Invited::App, |_| {});
        s.town.send(&parcel).unwrap();
        let (issuer, invitation) = (s.shop.merchant, parcel.op.id);
        s.follows(Ticket { issuer, invitation, mac: None })
    }),
    ("invitation_used", |s| {
        let ticket = s.ticket();
        let declines = s.declines(s.loner, ticket);
        s.town.send(&declines).unwrap();
        s.follows(ticket)
    }),
    ("not_allowed", |s| {
        let ticket = s.ticket();
        s.declines(s.shop, ticket)
    }),
    ("already_asked", |s| {
        s.asked();
        s.join(s.group, 1)
    }),
    ("asked_lately", |s| {
        let request = s.asked();
        let refuses = s.answers(s.shop, request, false);
        s.town.send(&refuses).unwrap();
        s.join(s.group, 1)
    }),
    ("unknown_request", |s| {
        s.asked();
        s.answers(s.shop, NOTHING, true)
    }),
    ("unknown_request", |s| s.answers(s.shop, NOTHING, true)),
    ("request_stale", |s| {
        let request = s.asked();
        s.town.amend(s.group, Terms { admission: Some(Admission::Admin), ..points(200, 0) });
        s.answers(s.shop, request, true)
    }),
    ("bad_name", |s| {
        let profile = Profile { nickname: Some("긴".repeat(21)), ..Profile::new("골목", Scope::Area) };
        s.op(s.shop.owner.key, OpBody::AmendProfile { group: s.group, profile })
    }),
    ("not_allowed", |s| {
        s.town.join(s.loner, s.group);
        let profile = Profile::new("남의 골목", Scope::Area);
        s.op(s.loner.owner.key, OpBody::AmendProfile { group: s.group, profile })
    }),
    ("bad_name", |s| {
        let profile = MerchantProfile {
            area: Some(" 서울".to_owned()),
            ..MerchantProfile::new("모퉁이", Currency::KRW, None)
        };
        s.op(s.shop.owner.key, OpBody::AmendMerchant { profile })
    }),
    ("currency_differs", |s| {
        let dollars = Currency::try_from("USD").unwrap();
        let profile = MerchantProfile::new("모퉁이", dollars, None);
        s.op(s.shop.owner.key, OpBody::AmendMerchant { profile })
    }),
];

/// Reasons that the rules give for them.
pub const REASONS: &[&str] = &[
    "invitation_void",
    "bad_invitation",
    "bad_uses",
    "too_many_invitations",
    "unknown_shop",
    "already_asked",
    "asked_lately",
    "unknown_request",
    "request_stale",
];
