//! The rules, tried in a town kept in memory: named cases, and histories at random against a naive model.

mod accounts;
mod alley;
mod certificates;
mod devices;
mod driver;
mod edges;
mod edges_of_groups;
mod edges_of_returns;
mod histories;
mod joining;
mod model;
mod parts;
mod passes;
mod refusals;
mod settlement;
mod staff;
mod standing;
mod trade;
mod waiting;
