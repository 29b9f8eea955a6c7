//! What is reported of policies in a town.
