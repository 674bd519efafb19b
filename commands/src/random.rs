//! Randomness for keys, salts and generated passwords, from the operating system. Ids are derived, never drawn.

use crate::error::{Cause, Error};

/// Draws random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Internal(Cause::from("no random bytes to be had")))?;
    Ok(bytes)
}
