//! A library made like Moa's, whose calls panic: the tests of both languages see what becomes of it. Nothing of it is in
//! `libmoa`, where no call panics that anyone knows of.

use std::fmt;

/// What no call gives: they panic before.
#[derive(Debug, uniffi::Error)]
#[uniffi::export(Display)]
pub enum Impossible {
    /// Never.
    Never,
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("impossible")
    }
}

/// Panics.
#[uniffi::export]
pub fn panics(why: String) -> Result<(), Impossible> {
    panic!("{why}")
}

/// Panics where a call waits.
#[uniffi::export]
pub async fn panics_while_waiting(why: String) -> Result<(), Impossible> {
    std::future::ready(()).await;
    panic!("{why}")
}

/// Works, still.
#[uniffi::export]
pub fn twice(number: u32) -> u32 {
    number * 2
}

uniffi::setup_scaffolding!("panicking");
