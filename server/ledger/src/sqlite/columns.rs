//! A row of SQLite's, by its columns.

use std::cell::{Cell, RefCell};
use std::ptr;

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::doing;
use crate::rows::{Columns, corrupt};
use crate::store::StoreError;

/// Where a statement's columns are. Every row is asked for the same ones in the same order: a name is looked up once a statement,
/// where it was a tenth of all that reading a lot costs.
#[derive(Default)]
pub struct Places {
    known: RefCell<Vec<(&'static str, usize)>>,
    next: Cell<usize>,
}

impl Places {
    fn of(&self, column: &'static str, row: &Row) -> Result<usize, StoreError> {
        let mut known = self.known.borrow_mut();
        let is = |(name, _): &(&str, usize)| ptr::eq(*name, column);
        let next = self.next.get();
        let found = if known.get(next).is_some_and(is) { Some(next) } else { known.iter().position(is) };
        let at = match found {
            Some(at) => at,
            None => {
                let place = row.as_ref().column_index(column).map_err(doing("reading a column"))?;
                known.push((column, place));
                known.len() - 1
            }
        };
        self.next.set(at + 1);
        Ok(known[at].1)
    }
}

/// A row that was read, and where its columns are.
pub struct Named<'a> {
    pub row: &'a Row<'a>,
    pub places: &'a Places,
}

impl Named<'_> {
    fn value(&self, column: &'static str) -> Result<ValueRef<'_>, StoreError> {
        let place = self.places.of(column, self.row)?;
        self.row.get_ref(place).map_err(doing("reading a column"))
    }
}

impl Columns for Named<'_> {
    fn integer(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(corrupt(column)),
        }
    }

    fn bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(value) | ValueRef::Text(value) => Ok(Some(value)),
            _ => Err(corrupt(column)),
        }
    }

    fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.integer(column)?.ok_or_else(|| corrupt(column))? != 0)
    }
}
