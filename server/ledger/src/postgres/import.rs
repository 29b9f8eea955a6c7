//! A database that is filled from another store, all of it in one transaction.

use moa_rules::books::Account;
use moa_rules::event::Inbox;
use moa_rules::id::MerchantId;
use moa_rules::state::Row;
use moa_rules::time::Timestamp;
use tokio_postgres::types::{ToSql, Type};

use super::audit::PostgresJournal;
use super::pool::{Connection, Pool, answer, answer_slowly, persist};
use super::together::every;
use super::{configured, migrate, save, search};
use crate::batch::{Changes, OpRow};
use crate::copy::{Import, PeopleTable, Searched, Value};
use crate::journal::{Journal, KeptEntry, KeptOp};
use crate::store::{InboxHead, StoreError};

const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = on";
const ANYTHING: &str = "SELECT 1 FROM devices LIMIT 1";

const COPYING: &str = "copying";

/// An empty database that is being filled. Nobody sees what is in it before it is whole.
pub struct PostgresImport {
    connection: Connection,
    // After the connection: it drives it.
    _pool: Pool,
}

impl PostgresImport {
    /// Begins to fill a database in which there is nothing, or only empty tables of this program.
    ///
    /// # Errors
    /// [`StoreError`] if it can't be reached or is not empty.
    pub fn create(url: &str) -> Result<Self, StoreError> {
        let pool = Pool::new(configured(url)?, None)?;
        persist(|| migrate(&pool))?;
        let connection = pool.connect_alone(COPYING)?;
        let begun = answer(COPYING, async {
            connection.plain(COPYING, BEGIN).await?;
            connection.rows(ANYTHING, &[]).await
        })?;
        if !begun.is_empty() {
            let advice = "there is something in that database already: copy to an empty one (createdb NAME)";
            return Err(StoreError::Unfit(advice.to_owned()));
        }
        Ok(Self { connection, _pool: pool })
    }

    fn save(&self, changes: &Changes) -> Result<(), StoreError> {
        answer_slowly(COPYING, save::save(&self.connection, changes))
    }
}

impl Import for PostgresImport {
    fn ops(&mut self, ops: &[KeptOp]) -> Result<(), StoreError> {
        let rows: Vec<(OpRow, Timestamp)> =
            ops.iter().map(|op| Ok((op.row()?, op.decided_at))).collect::<Result<_, StoreError>>()?;
        answer_slowly(COPYING, save::save_ops(&self.connection, &rows))
    }

    fn heads(&mut self, heads: &[(Inbox, InboxHead)]) -> Result<(), StoreError> {
        self.save(&Changes { heads: heads.iter().copied().collect(), ..Changes::default() })
    }

    fn entries(&mut self, entries: &[KeptEntry]) -> Result<(), StoreError> {
        answer_slowly(COPYING, save::save_entries(&self.connection, entries))
    }

    fn rows(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        self.save(&Changes { rows: rows.to_vec(), ..Changes::default() })
    }

    fn changed(&mut self, changed: &[(MerchantId, Timestamp)]) -> Result<(), StoreError> {
        answer_slowly(COPYING, save::save_changed(&self.connection, changed))
    }

    fn searched(&mut self, entries: &[Searched]) -> Result<(), StoreError> {
        let new = |((target, id), entry): &Searched| search::Change {
            target: *target,
            id: *id,
            before: None,
            after: Some(entry.clone()),
        };
        let changes: Vec<search::Change> = entries.iter().map(new).collect();
        answer_slowly(COPYING, search::write(&self.connection, &changes))
    }

    fn balances(&mut self, balances: &[(Account, i64)]) -> Result<(), StoreError> {
        self.save(&Changes { balances: balances.iter().copied().collect(), ..Changes::default() })
    }

    fn people(&mut self, table: &PeopleTable, rows: &[Vec<Value>]) -> Result<(), StoreError> {
        let places: Vec<String> = (1..=table.columns.len()).map(|at| format!("${at}")).collect();
        let (columns, places) = (table.columns.join(", "), places.join(", "));
        let sql = format!("INSERT INTO {} ({columns}) VALUES ({places})", table.name);
        answer_slowly(COPYING, async {
            let statement = self.connection.prepared(&sql).await?;
            let insert = async |row: &Vec<Value>| {
                let values: Vec<Box<dyn ToSql + Sync>> =
                    row.iter().zip(statement.params()).map(|(value, ty)| sent(value, ty)).collect();
                let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(AsRef::as_ref).collect();
                self.connection.execute(&statement, &values).await
            };
            every(rows.iter().map(insert)).await.map(drop)
        })
    }

    fn journal(&mut self) -> Result<Box<dyn Journal + '_>, StoreError> {
        // What it is planned by is what is there now.
        answer_slowly(COPYING, self.connection.plain("counting what was copied", "ANALYZE"))?;
        Ok(Box::new(PostgresJournal::on(&self.connection)))
    }

    fn finish(self: Box<Self>) -> Result<(), StoreError> {
        answer_slowly(COPYING, self.connection.end("keeping what was copied"))
    }
}

/// A value of people as the column of this database takes it.
fn sent(value: &Value, ty: &Type) -> Box<dyn ToSql + Sync> {
    match (value, ty) {
        (Value::Null, &Type::INT8) => Box::new(None::<i64>),
        (Value::Null, &Type::BOOL) => Box::new(None::<bool>),
        (Value::Null, _) => Box::new(None::<Vec<u8>>),
        (Value::Int(value), &Type::BOOL) => Box::new(*value != 0),
        (Value::Int(value), _) => Box::new(*value),
        (Value::Text(text), _) => Box::new(text.clone().into_bytes()),
        (Value::Bytes(bytes), _) => Box::new(bytes.clone()),
    }
}
