//! What the server keeps when the power goes, the disk fills up, or a file is damaged.
//!
//! A process that is killed leaves its writes in the page cache; a power cut does not. So the server runs here under a
//! library that writes down every step it takes on its disk ([`shim`]), dies at a chosen one, and is started again on what
//! a disk would have kept ([`disk`]): what was synced, and of the rest whatever the seed says, torn by the sector. The
//! clients beside it ([`witness`]) remember what was acknowledged.

#![cfg(target_os = "linux")]

pub mod cut;
pub mod disk;
pub mod random;
pub mod server;
pub mod shim;
pub mod witness;

pub use moa_world::Failure;
