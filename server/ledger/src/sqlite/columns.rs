//! A row of SQLite's, by its columns.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::doing;
use crate::rows::{Columns, corrupt};
use crate::store::StoreError;

impl Columns for Row<'_> {
    fn integer(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        match self.get_ref(column).map_err(doing("reading a column"))? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(corrupt(column)),
        }
    }

    fn bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError> {
        match self.get_ref(column).map_err(doing("reading a column"))? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(value) | ValueRef::Text(value) => Ok(Some(value)),
            _ => Err(corrupt(column)),
        }
    }

    fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.integer(column)?.ok_or_else(|| corrupt(column))? != 0)
    }
}
