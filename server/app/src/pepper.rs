//! The server's pepper: a secret outside the database. What is guessable (numbers, six-digit codes) is in the
//! database under HMAC-SHA-256 only, so that a stolen database alone gives neither away.

use std::net::IpAddr;

use moa_rules::id::{AccountId, MerchantId, OpId};
use moa_rules::invitation::TicketMac;
use moa_rules::one_time::OneTimeCode;
use moa_wire::invitation::InvitationCode;
use ring::{aead, hmac};

use crate::phone_number::PhoneNumber;
use crate::random::{self, NoRandomness};
use crate::recovery::RecoveryCode;

/// Bytes of a pepper.
pub(crate) const PEPPER_BYTES: usize = 32;

/// A secret key for HMACs.
pub(crate) struct Pepper(hmac::Key);

impl Pepper {
    pub(crate) fn new(bytes: [u8; PEPPER_BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }

    /// What it is known by in the database.
    pub(crate) fn mark(&self) -> [u8; 32] {
        self.mac(&[b"moa/pepper:"])
    }

    /// Finds a number's account again.
    pub(crate) fn of_phone(&self, phone: &PhoneNumber) -> [u8; 32] {
        self.mac(&[b"moa/phone:", phone.as_str().as_bytes()])
    }

    /// The six-digit code of an enrolment for this key.
    ///
    /// Made again when it is sent, from the enrolment's 74 random bits and the pepper, so that it is written down
    /// nowhere. No code is likelier than another by more than 2⁻⁴⁴.
    pub(crate) fn code(&self, enrolment: [u8; 16], public_key: &[u8]) -> String {
        let mac = self.mac(&[b"moa/code:", &enrolment, public_key]);
        let mut number = [0; 8];
        number.copy_from_slice(&mac[..8]);
        format!("{:06}", u64::from_be_bytes(number) % 1_000_000)
    }

    /// What is kept of a code. The enrolment's row names the key.
    pub(crate) fn of_code(&self, enrolment: [u8; 16], code: &str) -> [u8; 32] {
        self.mac(&[b"moa/typed:", &enrolment, code.as_bytes()])
    }

    /// The recovery code of an account that begins with an enrolment: ten letters and digits, fifty bits. Made again while
    /// that enrolment lasts, should the answer get lost, and written down nowhere.
    pub(crate) fn recovery(&self, enrolment: [u8; 16]) -> RecoveryCode {
        let mac = self.mac(&[b"moa/recovery:", &enrolment]);
        let mut bytes = [0; RecoveryCode::LENGTH];
        bytes.copy_from_slice(&mac[..RecoveryCode::LENGTH]);
        RecoveryCode::of(bytes)
    }

    /// What is kept of a recovery code.
    pub(crate) fn of_recovery(&self, code: &RecoveryCode) -> [u8; 32] {
        self.mac(&[b"moa/shown:", code.as_str().as_bytes()])
    }

    /// What is kept of a network address that asked for a code.
    pub(crate) fn of_address(&self, address: IpAddr) -> [u8; 32] {
        self.mac(&[b"moa/address:", address.to_string().as_bytes()])
    }

    /// What is kept of the digits of a one-time code.
    pub(crate) fn of_digits(&self, digits: OneTimeCode) -> [u8; 32] {
        self.mac(&[b"moa/digits:", digits.digits().as_bytes()])
    }

    /// The secret of a member tag. Made again when it is asked for, so that it is written down nowhere.
    pub(crate) fn of_member(&self, tag: [u8; 16]) -> [u8; 32] {
        self.mac(&[b"moa/member:", &tag])
    }

    /// The eight characters that stand for an invitation. Made again whenever they are asked for, and written down nowhere.
    pub(crate) fn invitation_code(&self, invitation: OpId) -> InvitationCode {
        let mac = self.mac(&[b"moa/invited:", &invitation.0]);
        let mut bits = [0; 8];
        bits.copy_from_slice(&mac[..8]);
        InvitationCode::of(u64::from_be_bytes(bits))
    }

    /// What is kept of those characters.
    pub(crate) fn of_invitation_code(&self, code: InvitationCode) -> [u8; 32] {
        self.mac(&[b"moa/eight:", code.characters().as_bytes()])
    }

    /// The server's word that an account was shown an invitation.
    pub(crate) fn of_ticket(&self, issuer: MerchantId, invitation: OpId, account: AccountId) -> TicketMac {
        let mac = self.mac(&[b"moa/ticket:", &issuer.0, &invitation.0, &account.0]);
        let mut short = [0; 16];
        short.copy_from_slice(&mac[..16]);
        TicketMac(short)
    }

    /// What a mailbox is counted by.
    pub(crate) fn of_mailbox(&self, address: &str) -> [u8; 32] {
        self.mac(&[b"moa/mail:", address.as_bytes()])
    }

    /// A number or an address, sealed for the invitation that it got.
    pub(crate) fn sealed(&self, invitation: OpId, contact: &str) -> Result<Vec<u8>, NoRandomness> {
        let nonce: [u8; aead::NONCE_LEN] = random::bytes()?;
        let mut sealed = contact.as_bytes().to_vec();
        let key = self.sealing().ok_or(NoRandomness)?;
        let nonce_used = aead::Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce_used, aead::Aad::from(invitation.0), &mut sealed)
            .map_err(|_| NoRandomness)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// What was sealed; nothing, if it was not by this pepper for this invitation.
    pub(crate) fn unsealed(&self, invitation: OpId, sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_at_checked(aead::NONCE_LEN)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut opened = sealed.to_vec();
        let opened = self.sealing()?.open_in_place(nonce, aead::Aad::from(invitation.0), &mut opened).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }

    fn sealing(&self) -> Option<aead::LessSafeKey> {
        let key = self.mac(&[b"moa/sealing:"]);
        aead::UnboundKey::new(&aead::AES_256_GCM, &key).ok().map(aead::LessSafeKey::new)
    }

    /// No label is the beginning of another and only the last part varies in length, so that no two lists of parts
    /// run together to the same bytes.
    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        parts.iter().for_each(|part| context.update(part));
        let mut mac = [0; 32];
        mac.copy_from_slice(context.sign().as_ref());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_digits_and_bound_to_its_enrolment_its_key_and_the_pepper() {
        let (one, other) = (Pepper::new([1; 32]), Pepper::new([2; 32]));
        let code = one.code([7; 16], &[4; 65]);
        assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()));
        assert_eq!(code, one.code([7; 16], &[4; 65]));
        let others =
            [one.code([8; 16], &[4; 65]), one.code([7; 16], &[5; 65]), other.code([7; 16], &[4; 65])];
        assert!(others.iter().any(|other| *other != code));
        assert_ne!(one.of_code([7; 16], &code), one.of_code([8; 16], &code));
    }

    #[test]
    fn codes_spread_over_all_six_digits() {
        let pepper = Pepper::new([9; 32]);
        let mut first_digits = [0_u32; 10];
        for enrolment in 0..2_000_u16 {
            let mut id = [0; 16];
            id[..2].copy_from_slice(&enrolment.to_be_bytes());
            first_digits[usize::from(pepper.code(id, &[4; 65]).as_bytes()[0] - b'0')] += 1;
        }
        assert!(first_digits.iter().all(|count| (120..=290).contains(count)), "{first_digits:?}");
    }
}
