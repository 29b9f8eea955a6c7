//! Real visits.
