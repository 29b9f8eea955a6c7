//! The phone: store, outbox, sync, queries for screens.
