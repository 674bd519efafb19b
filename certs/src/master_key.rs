//! The master key: the one secret an installation must keep, which encrypts all other secrets.

use std::{fmt, io, path::Path, path::PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{digest, rand};
use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::atomic_file;

/// Length of a master key in bytes (AES-256).
pub const KEY_BYTES: usize = 32;
const FORMAT: &str = "sealed-v1";

/// A 256-bit key for AES-256-GCM. `Debug` shows its id only; the memory is wiped on drop.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

/// Why a master key cannot be read or created, or a text cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is neither base64 nor hex.
    #[error("the master key is neither base64 nor hex; generate one with `openssl rand -base64 32`")]
    NotBase64OrHex,
    /// The decoded text has the wrong length.
    #[error("the master key has {0} bytes instead of 32")]
    WrongLength(usize),
    /// The environment variable is not set, or is not text.
    #[error("the environment variable {0} contains no master key")]
    Environment(String),
    /// The key's file cannot be read.
    #[error("cannot read the master key from {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The key's file cannot be written; a file that is already there is never replaced.
    #[error("cannot write a new master key to {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// The random source or the cipher failed.
    #[error("the cryptographic library failed to {0}")]
    Cryptography(&'static str),
    /// The text is not a sealed text of a supported version.
    #[error("not a sealed text of version {FORMAT}")]
    UnknownFormat,
    /// The text was sealed with another master key.
    #[error("sealed with the master key {sealed_with}, but the current master key is {current}")]
    OtherMasterKey {
        /// Id of the key that sealed the text.
        sealed_with: String,
        /// Id of the current key.
        current: String,
    },
    /// The text was changed, or belongs to another context.
    #[error("the sealed text cannot be opened as {0:?}: it was changed or belongs to another secret")]
    Tampered(String),
}

impl MasterKey {
    /// Generates a random key.
    pub fn generate() -> Result<MasterKey, Error> {
        let mut bytes = Zeroizing::new([0u8; KEY_BYTES]);
        rand::fill(&mut bytes[..]).map_err(|_| Error::Cryptography("generate random bytes"))?;
        Ok(MasterKey(bytes))
    }

    /// Parses 32 bytes written as base64 or as 64 hex digits; surrounding white space is ignored.
    pub fn parse(text: &str) -> Result<MasterKey, Error> {
        let text = text.trim();
        // Hex first: 64 hex digits are valid base64 too, of a wrong length.
        let hex = (text.len() == 2 * KEY_BYTES).then(|| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()).flatten();
        let bytes = match hex {
            Some(bytes) => bytes,
            None => BASE64.decode(text.as_bytes()).map_err(|_| Error::NotBase64OrHex)?,
        };
        let bytes = Zeroizing::new(bytes);
        let key = bytes.as_slice().try_into().map_err(|_| Error::WrongLength(bytes.len()))?;
        Ok(MasterKey(Zeroizing::new(key)))
    }

    /// Reads the key from a file.
    pub fn from_file(path: &Path) -> Result<MasterKey, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::Read(path.to_owned(), error))?;
        MasterKey::parse(&Zeroizing::new(text))
    }

    /// Reads the key from an environment variable.
    pub fn from_environment(variable: &str) -> Result<MasterKey, Error> {
        let text = std::env::var(variable).map_err(|_| Error::Environment(variable.to_owned()))?;
        MasterKey::parse(&Zeroizing::new(text))
    }

    /// Generates a key and writes it, base64, to a new file that only its owner may read (0600).
    pub fn create_file(path: &Path) -> Result<MasterKey, Error> {
        let key = MasterKey::generate()?;
        let text = Zeroizing::new(BASE64.encode(key.expose()) + "\n");
        atomic_file::create(path, text.as_bytes(), 0o600).map_err(|error| Error::Write(path.to_owned(), error))?;
        Ok(key)
    }

    /// Returns the key itself, for a store that encrypts under the same key.
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Returns an identifier that does not disclose the key: 8 hex digits of a SHA-256 over a label and the key.
    pub fn id(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"argusiq master key id\0");
        context.update(self.expose());
        HEXLOWER.encode(&context.finish().as_ref()[..4])
    }

    /// Encrypts a small secret: `sealed-v1:<key id>:<base64 of nonce, ciphertext and tag>`. `context` names the secret;
    /// it is authenticated, not stored, and needed to open the text again.
    pub fn seal(&self, context: &str, plaintext: &[u8]) -> Result<String, Error> {
        let mut bytes = plaintext.to_vec();
        let nonce = self
            .cipher()?
            .seal_in_place_append_tag(self.associated_data(context), &mut bytes)
            .map_err(|_| Error::Cryptography("seal"))?;
        let body = [nonce.as_ref().as_slice(), &bytes].concat();
        Ok(format!("{FORMAT}:{}:{}", self.id(), BASE64.encode(&body)))
    }

    /// Decrypts a text that [`MasterKey::seal`] encrypted with the same context.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut parts = sealed.trim().splitn(3, ':');
        let (Some(FORMAT), Some(sealed_with), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::UnknownFormat);
        };
        // Without this check, a wrong key would be reported as tampering.
        if sealed_with != self.id() {
            return Err(Error::OtherMasterKey { sealed_with: sealed_with.to_owned(), current: self.id() });
        }
        let body = BASE64.decode(body.as_bytes()).map_err(|_| Error::UnknownFormat)?;
        let (nonce, ciphertext) = body.split_at_checked(NONCE_LEN).ok_or(Error::UnknownFormat)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::UnknownFormat)?;
        let mut bytes = Zeroizing::new(ciphertext.to_vec());
        let length = self
            .cipher()?
            .open_in_place(nonce, self.associated_data(context), &mut bytes)
            .map_err(|_| Error::Tampered(context.to_owned()))?
            .len();
        bytes.truncate(length);
        Ok(bytes)
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, Error> {
        RandomizedNonceKey::new(&AES_256_GCM, self.expose()).map_err(|_| Error::Cryptography("use the master key"))
    }

    fn associated_data(&self, context: &str) -> Aad<String> {
        Aad::from(format!("{FORMAT}:{}:{context}", self.id()))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MasterKey({}, redacted)", self.id())
    }
}
