//! Sales and grants to a phone number. The op lasts for ever and says a salted hash only; the number is kept here until the server
//! has answered, and travels beside it. (docs/rules.md S19)

use moa_rules::id::OpId;
use moa_rules::member::Buyer;
use moa_rules::op::OpBody;
use moa_rules::refusal::Refusal;
use moa_rules::sale::check_amount;
use moa_wire::api::Base64;
use moa_wire::number::{MAX_TYPED, SALT_BYTES, TypedNumber, hash};

use crate::error::PhoneError;
use crate::phone::Phone;
use crate::sale::{Purchase, sold};
use crate::store::outbox::Effect;
use crate::store::{numbers, sales};

/// Digits that a phone number has, with or without a country code.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

impl Phone {
    /// Records a sale to whoever has this phone number, as typed. On disk before it returns. If the number's owner is
    /// not signed up, the sale waits for that, seven days at most; the shop is not told which.
    ///
    /// # Errors
    /// `no_merchant`, `amount_not_positive`, `amount_too_large`, `bad_number`; [`PhoneError::StorageFull`].
    pub fn record_sale_to_number(
        &self,
        purchase: impl Into<Purchase>,
        number: &str,
    ) -> Result<OpId, PhoneError> {
        let Purchase { amount, redemption } = purchase.into();
        check_amount(amount)?;
        let merchant = self.selling(amount)?;
        let typed = Typed::new(self, number)?;
        let sealing = self.sealing()?;
        let op = self.submit(
            OpBody::SellTo { amount, buyer: typed.buyer(), redemption },
            |_| Effect::default(),
            |db, op| {
                numbers::put(db, &sealing, &typed.beside(op.value().id))?;
                sales::put(db, &sold(op.value(), merchant))
            },
        )?;
        Ok(op.value().id)
    }
}

/// A phone number as typed, and the salt under which one op names it.
pub(crate) struct Typed {
    number: String,
    salt: [u8; SALT_BYTES],
}

impl Typed {
    /// Draws the salt.
    ///
    /// # Errors
    /// `bad_number`.
    pub(crate) fn new(phone: &Phone, number: &str) -> Result<Self, Refusal> {
        let number = number.trim();
        check(number)?;
        let mut salt = [0; SALT_BYTES];
        phone.environment().random(&mut salt);
        Ok(Self { number: number.to_owned(), salt })
    }

    /// What the op says.
    pub(crate) fn buyer(&self) -> Buyer {
        Buyer::Number(hash(&self.salt, &self.number))
    }

    /// What travels beside the op.
    pub(crate) fn beside(&self, op: OpId) -> TypedNumber {
        TypedNumber { op, salt: Base64(self.salt.to_vec()), number: self.number.clone() }
    }
}

/// Refuses what cannot be a phone number, as far as that can be told without the world's numbering plans.
pub(crate) fn check(number: &str) -> Result<(), Refusal> {
    let known = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')');
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let rest = number.strip_prefix('+').unwrap_or(number);
    if number.len() > MAX_TYPED || !rest.chars().all(known) || !DIGITS.contains(&digits) {
        return Err(Refusal::BadNumber);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_as_people_type_them_pass_and_slips_do_not() {
        for number in ["010-1234-5678", "01012345678", "+82 (0)10 1234 5678", "02.123.4567"] {
            assert_eq!(check(number), Ok(()), "{number}");
        }
        for number in ["", "1234", "010-1234-56781234567", "010_1234_5678", "hello", "++82 10 1234 5678"] {
            assert_eq!(check(number), Err(Refusal::BadNumber), "{number}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(number in ".{0,90}") {
            let _ = check(&number);
        }
    }
}
