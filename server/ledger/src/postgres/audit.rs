//! Reading everything, for proving it.

use moa_rules::state::Row;

use super::load::all;
use super::pool::Connection;
use crate::rows::{self, Columns};
use crate::store::StoreError;
use crate::tables::Tables;

const DEVICES: &str = "SELECT * FROM devices";
const MERCHANTS: &str = "SELECT * FROM merchants";
const SALES: &str = "SELECT * FROM sales";
const GROUPS: &str = "SELECT * FROM groups";
const TERMS: &str = "SELECT * FROM terms";
const MEMBERS: &str = "SELECT * FROM members";
const STANDINGS: &str = "SELECT * FROM standings";
const STAFF: &str = "SELECT * FROM staff";
const STAFF_DAYS: &str = "SELECT * FROM staff_days";
const PASSES: &str = "SELECT * FROM passes";
const CLOSED: &str = "SELECT * FROM closed";
const HOLDS: &str = "SELECT * FROM holds";
const REDEMPTIONS: &str = "SELECT * FROM redemptions";
const DEBTS: &str = "SELECT * FROM debts";
const AMENDMENTS: &str = "SELECT * FROM amendments";
const OPERATORS: &str = "SELECT * FROM operators";
const LOTS: &str = "SELECT * FROM lots";
const COUNTERS: &str = "SELECT * FROM counters";
const BALANCES: &str = "SELECT * FROM balances WHERE amount <> 0";

/// Every live table.
pub(super) async fn tables(tx: &Connection) -> Result<Tables, StoreError> {
    let mut tables = Tables::default();
    let counter = |row: &dyn Columns| {
        let counter = rows::at::<i64>(row, "counter")?.cast_unsigned();
        Ok(Row::Counter(rows::id(row, "key")?, counter))
    };
    let operator =
        |row: &dyn Columns| Ok(Row::Operator { account: rows::id(row, "account")?, operator: true });
    for row in [
        all(tx, DEVICES, &[], |row| rows::device(row).map(Row::Device)).await?,
        all(tx, MERCHANTS, &[], |row| rows::merchant(row).map(Row::Merchant)).await?,
        all(tx, SALES, &[], |row| rows::sale(row).map(Row::Sale)).await?,
        all(tx, GROUPS, &[], |row| rows::group(row).map(Row::Group)).await?,
        all(tx, TERMS, &[], |row| rows::terms(row).map(Row::Terms)).await?,
        all(tx, MEMBERS, &[], |row| rows::member(row).map(Row::Member)).await?,
        all(tx, LOTS, &[], |row| rows::lot(row).map(Row::Lot)).await?,
        all(tx, STANDINGS, &[], |row| rows::standing(row).map(Row::Standing)).await?,
        all(tx, STAFF, &[], rows::staff).await?.into_iter().map(Row::Staff).collect(),
        all(tx, STAFF_DAYS, &[], rows::staff_day).await?,
        all(tx, CLOSED, &[], rows::closed).await?,
        all(tx, PASSES, &[], |row| rows::pass(row).map(Row::Pass)).await?,
        all(tx, HOLDS, &[], |row| rows::hold(row).map(Row::Hold)).await?,
        all(tx, REDEMPTIONS, &[], |row| rows::redemption(row).map(Row::Redemption)).await?,
        all(tx, DEBTS, &[], |row| rows::debt(row).map(Row::Debt)).await?,
        all(tx, AMENDMENTS, &[], |row| rows::amendment(row).map(Box::new).map(Row::Amendment)).await?,
        all(tx, OPERATORS, &[], operator).await?,
        all(tx, COUNTERS, &[], counter).await?,
    ]
    .iter()
    .flatten()
    {
        tables.put(row);
    }
    for (account, amount) in all(tx, BALANCES, &[], rows::balance).await? {
        tables.post(account, amount);
    }
    Ok(tables)
}
