//! The engine and its stores.
