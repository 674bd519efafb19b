//! Claim codes: the one-time secret with which a device, or the person who installs it, enrols. Only its digest is
//! stored. Validity and ownership of a code live in `commands::device::claim_code`.

use std::fmt;

use aws_lc_rs::rand;
use data_encoding::{Encoding, Specification};
use zeroize::Zeroizing;

use crate::token::{Error, sha256};

/// Alphabet of Crockford's base 32, which leaves out letters that are easily confused when read aloud or typed.
const LETTERS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Random bytes of a code.
const RANDOM_BYTES: usize = 15;
/// Letters of a code, and of each of its groups.
const LENGTH: usize = 24;
const GROUP: usize = 4;

/// A claim code in clear text: 120 random bits as six groups of four letters. `Debug` is redacted, there is no
/// `Display` or serde implementation, and the memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimCode(Zeroizing<String>);

impl ClaimCode {
    /// Generates a code from the operating system's random source.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
        rand::fill(&mut bytes[..]).map_err(|_| Error)?;
        let encoding = encoding().ok_or(Error)?;
        let letters = Zeroizing::new(encoding.encode(&bytes[..]));
        let groups: Vec<&str> = (0..LENGTH).step_by(GROUP).filter_map(|at| letters.get(at..at + GROUP)).collect();
        Ok(Self(Zeroizing::new(groups.join("-"))))
    }

    /// Returns the code in clear text, for the one response that discloses it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClaimCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClaimCode(redacted)")
    }
}

/// Returns the SHA-256 digest of a presented code in lower-case hex, or `None` if the text is not a claim code. Case,
/// dashes and white space are ignored; `O`, `I` and `L` are read as the digits they resemble. A plain hash suffices
/// because 120 random bits cannot be guessed.
pub fn digest_of(presented: &str) -> Option<String> {
    if presented.len() > 4 * LENGTH {
        return None;
    }
    let read = |letter: char| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        letter => letter,
    };
    let letters = presented.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').map(read);
    let code = Zeroizing::new(letters.collect::<String>());
    let whole = code.len() == LENGTH && code.chars().all(|letter| LETTERS.contains(letter));
    whole.then(|| sha256(&code))
}

fn encoding() -> Option<Encoding> {
    let mut specification = Specification::new();
    specification.symbols.push_str(LETTERS);
    specification.encoding().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_ignores_how_a_code_is_typed_and_debug_is_redacted() {
        let code = ClaimCode::random().unwrap();
        let digest = digest_of(code.expose()).unwrap();
        assert_eq!((code.expose().len(), digest.len()), (29, 64));
        let typed = code.expose().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(digest_of(&typed), Some(digest.clone()));
        assert!(!format!("{code:?}").contains(&code.expose()[..4]));
        assert_ne!(digest_of(ClaimCode::random().unwrap().expose()), Some(digest));
    }

    #[test]
    fn text_that_is_not_a_code_has_no_digest() {
        let code = ClaimCode::random().unwrap();
        let long = code.expose().repeat(100);
        for text in ["", "ABCD", &code.expose()[1..], &format!("{}A", code.expose()), "U".repeat(24).as_str(), &long] {
            assert_eq!(digest_of(text), None, "{text}");
        }
    }
}
