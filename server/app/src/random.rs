//! Randomness from the system.

use ring::rand::{SecureRandom, SystemRandom};

/// The system has no randomness to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system has no randomness to give")]
pub struct NoRandomness;

/// Fresh random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// A random number in `0..=most`. The bias is below 2⁻³² for any `most` that fits 32 bits.
pub(crate) fn up_to(most: u32) -> Result<u32, NoRandomness> {
    let random = u64::from_be_bytes(bytes()?);
    // The remainder is at most `most`.
    Ok(u32::try_from(random % (u64::from(most) + 1)).unwrap_or(most))
}
