//! Random bytes from the operating system for keys, salts, tokens and generated passwords. Ids that a command creates
//! are derived instead, so that a repeat creates the same ones.

use crate::error::{Cause, Error};

/// Returns random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Error::Internal(Cause::from("the operating system's random source failed")))?;
    Ok(bytes)
}
