//! Claim codes: what a device, or the person who installs it, shows once to enrol, and its digest, which is all that is
//! ever stored. Whose a code is and whether it still holds is elsewhere.

use std::fmt;

use aws_lc_rs::rand;
use data_encoding::{Encoding, Specification};
use zeroize::Zeroizing;

use crate::token::{Error, sha256};

/// Letters of Crockford's base 32: none is taken for another when read aloud or typed.
const LETTERS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Random octets of a code.
const OCTETS: usize = 15;
/// Letters of a code, and of each of its groups.
const LENGTH: usize = 24;
const GROUP: usize = 4;

/// A claim code in clear: 120 random bits as six groups of four letters. `Debug` shows nothing of it, it has no
/// `Display` and no serde, and its memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimCode(Zeroizing<String>);

impl ClaimCode {
    /// Draws a code from the operating system's randomness.
    pub fn random() -> Result<Self, Error> {
        let mut octets = Zeroizing::new([0; OCTETS]);
        rand::fill(&mut octets[..]).map_err(|_| Error)?;
        let encoding = encoding().ok_or(Error)?;
        let letters = Zeroizing::new(encoding.encode(&octets[..]));
        let groups: Vec<&str> = (0..LENGTH).step_by(GROUP).filter_map(|at| letters.get(at..at + GROUP)).collect();
        Ok(Self(Zeroizing::new(groups.join("-"))))
    }

    /// The code itself: for the one answer that hands it out.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClaimCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClaimCode(redacted)")
    }
}

/// Returns the digest by which a presented code is known: SHA-256 in lower-case hex; none where the text is no code.
/// Case, dashes and white space do not matter, and `O`, `I` and `L` are read as the digits they look like. A plain hash
/// is enough: 120 random bits cannot be guessed.
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
    fn a_code_is_known_however_it_is_typed_and_shows_nothing_of_itself() {
        let code = ClaimCode::random().unwrap();
        let digest = digest_of(code.expose()).unwrap();
        assert_eq!((code.expose().len(), digest.len()), (29, 64));
        let typed = code.expose().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(digest_of(&typed), Some(digest.clone()));
        assert!(!format!("{code:?}").contains(&code.expose()[..4]));
        assert_ne!(digest_of(ClaimCode::random().unwrap().expose()), Some(digest));
    }

    #[test]
    fn what_is_no_code_has_no_digest() {
        let code = ClaimCode::random().unwrap();
        let long = code.expose().repeat(100);
        for text in ["", "ABCD", &code.expose()[1..], &format!("{}A", code.expose()), "U".repeat(24).as_str(), &long] {
            assert_eq!(digest_of(text), None, "{text}");
        }
    }
}
