//! A row of PostgreSQL's, by its columns; and columns of many rows, as one statement takes them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::errors::doing;
use super::pool::Param;
use crate::rows::{Columns, corrupt};
use crate::store::StoreError;

impl Columns for Row {
    fn integer(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(doing("reading a column"))
    }

    fn bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError> {
        self.try_get(column).map_err(doing("reading a column"))
    }

    fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        self.try_get::<_, Option<bool>>(column)
            .map_err(doing("reading a column"))?
            .ok_or_else(|| corrupt(column))
    }
}

/// A value as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Flag(bool),
    Bytes(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// Bytes that are kept elsewhere: an id, a key, what was signed.
    pub(super) fn of(bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self::Bytes(Cow::Borrowed(bytes.as_ref()))
    }

    /// The same, or null.
    pub(super) fn maybe(bytes: Option<&'a (impl AsRef<[u8]> + ?Sized)>) -> Self {
        bytes.map_or(Self::Null, Self::of)
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(bytes))
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(value) => value.to_sql_checked(ty, out),
            Self::Flag(value) => value.to_sql_checked(ty, out),
            Self::Bytes(value) => value.as_ref().to_sql_checked(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::BOOL | Type::BYTEA)
    }

    to_sql_checked!();
}

/// Rows by their keys, each once, in order of the keys: two transactions that write the same rows come to them in the same order.
pub(super) struct Rows<'a> {
    rows: BTreeMap<Vec<Value<'a>>, Vec<Value<'a>>>,
    key: usize,
}

impl<'a> Rows<'a> {
    /// No rows yet, whose first `key` columns are their key.
    pub(super) fn new(key: usize) -> Self {
        Self { rows: BTreeMap::new(), key }
    }

    /// A row, in place of one with the same key.
    pub(super) fn put(&mut self, row: Vec<Value<'a>>) {
        self.rows.insert(row[..self.key].to_vec(), row);
    }

    /// One list a column.
    pub(super) fn columns(self) -> Vec<Vec<Value<'a>>> {
        let count = self.rows.len();
        let mut columns: Vec<Vec<Value>> = Vec::new();
        for row in self.rows.into_values() {
            columns.resize_with(row.len(), || Vec::with_capacity(count));
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        columns
    }
}

/// Columns as a statement takes them.
pub(super) fn params<'a>(columns: &'a [Vec<Value<'_>>]) -> Vec<Param<'a>> {
    columns.iter().map(|column| column as Param<'a>).collect()
}
