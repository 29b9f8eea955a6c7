//! What the server has heard of a till, and what of it has not arrived, on every store.

mod town;

use moa_ledger::store::Heard;
use moa_rules::id::AccountId;
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::staff::sales_day;
use town::stores::{Subject, conformance};
use town::{START, Town};

conformance!(numbers_that_have_not_arrived_are_counted_and_a_leap_is_not);

mod suite {
    use super::*;

    pub fn numbers_that_have_not_arrived_are_counted_and_a_leap_is_not<S: Subject>(town: &mut Town<S>) {
        let shop = town.shop("Cafe");
        let (till, store) = (&shop.actor, &town.store);
        let missing = || store.heard_of(till.key_id()).unwrap().missing;
        let sale = OpBody::RecordSale { amount: Money(4_500), addressee: None, redemption: None };
        town.apply(till, sale.clone());
        assert_eq!(store.heard_of(till.key_id()).unwrap(), Heard { last: Some(START), missing: 0 });

        // Two sales stay on the till; what came after shows it.
        let late = [town.sale(&shop, 1_000), town.sale(&shop, 2_000)];
        assert_eq!(missing(), 0);
        town.apply(till, sale.clone());
        assert_eq!(missing(), 2);
        town.submit(&late[0]);
        assert_eq!(missing(), 1);

        // What was refused has arrived.
        town.refuse(till, OpBody::RecordSale { amount: Money(0), addressee: None, redemption: None });
        town.apply(till, sale.clone());
        assert_eq!(missing(), 1);
        town.submit(&late[1]);
        assert_eq!(missing(), 0);

        // A phone that came back from a backup goes on far above: that is no gap of so many sales.
        for _ in 0..65_536 {
            till.next_counter();
        }
        town.apply(till, sale);
        assert_eq!(missing(), 0);
        assert_eq!(store.heard_of(town.enrol().key_id()).unwrap(), Heard::default());
        let today = sales_day(START.seconds());
        assert_eq!(store.sold_on(shop.id, AccountId([1; 16]), today).unwrap(), Money(0));
    }
}
