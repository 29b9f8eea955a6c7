//! The rules, tried in a town kept in memory: named cases, and histories at random against a naive model.

mod accounts;
mod certificates;
mod devices;
mod driver;
mod edges;
mod histories;
mod model;
mod parts;
mod passes;
mod refusals;
mod settlement;
mod staff;
mod standing;
mod trade;
mod waiting;
