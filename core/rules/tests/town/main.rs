//! The rules, tried in a town kept in memory: named cases, and histories at random against a naive model.

mod accounts;
mod driver;
mod edges;
mod histories;
mod model;
mod refusals;
mod settlement;
mod standing;
mod waiting;
