//! Randomness for keys, salts and generated passwords, from the operating system. Ids are derived, never drawn.

use crate::error::{Cause, Error};

/// Draws random octets.
pub(crate) fn octets<const N: usize>() -> Result<[u8; N], Error> {
    let mut octets = [0; N];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| Error::Internal(Cause::from("no random octets to be had")))?;
    Ok(octets)
}
