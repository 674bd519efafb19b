//! Stores the keys of personal data. Events hold each person's name and address encrypted under the person's own key,
//! so that deleting the key erases them everywhere at once.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use data_encoding::BASE64;
use domain::EncryptedText;
use domain::ids::UserId;

use super::store::Vault;
use super::write_once::write_once;
use crate::error::{Cause, Error};
use crate::random;

/// Which of a person's texts is sealed. It is part of the associated data, so that one text cannot be passed off as
/// another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Email,
    Name,
}

/// One person's key: AES-256-GCM with a random nonce for each text.
pub(crate) struct PersonKey {
    key: RandomizedNonceKey,
    user: UserId,
}

impl Vault {
    /// Returns a person's key; creates it first if there is none.
    pub(crate) async fn ensure_person_key(&self, user: UserId) -> Result<PersonKey, Error> {
        if let Some(key) = self.person_key(user).await? {
            return Ok(key);
        }
        write_once(self.secrets()?, &name(user), &random::bytes::<32>()?).await?;
        // Another process may have stored a key first: load the stored one.
        let made = self.person_key(user).await?;
        made.ok_or_else(|| Error::Internal(Cause::from("a person's key disappeared while it was being created")))
    }

    /// Returns a person's key; `None` if it was deleted or never created.
    pub(crate) async fn person_key(&self, user: UserId) -> Result<Option<PersonKey>, Error> {
        let Some(bytes) = self.secrets()?.get(&name(user)).await? else { return Ok(None) };
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| failed("a person's key is damaged"))?;
        Ok(Some(PersonKey { key, user }))
    }

    /// Deletes a person's key: the texts it sealed can never be decrypted again.
    pub(crate) async fn forget_person(&self, user: UserId) -> Result<(), Error> {
        Ok(self.secrets()?.delete(&name(user)).await?)
    }
}

impl PersonKey {
    /// Encrypts a text to base64 of nonce, ciphertext and tag.
    pub(crate) fn seal(&self, field: Field, text: &str) -> Result<EncryptedText, Error> {
        let mut bytes = text.as_bytes().to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(self.associated_data(field), &mut bytes)
            .map_err(|_| failed("cannot encrypt personal data"))?;
        Ok(EncryptedText(BASE64.encode(&[nonce.as_ref().as_slice(), &bytes].concat())))
    }

    /// Decrypts a text; `None` if this key did not seal it as this field.
    pub(crate) fn open(&self, field: Field, sealed: &EncryptedText) -> Option<String> {
        let bytes = BASE64.decode(sealed.0.as_bytes()).ok()?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = ciphertext.to_vec();
        let opened = self.key.open_in_place(nonce, self.associated_data(field), &mut text).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }

    fn associated_data(&self, field: Field) -> Aad<String> {
        let field = match field {
            Field::Email => "email",
            Field::Name => "name",
        };
        Aad::from(format!("{}/{field}", self.user))
    }
}

fn name(user: UserId) -> String {
    format!("person.{user}")
}

fn failed(what: &'static str) -> Error {
    Error::Internal(Cause::from(what))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn key(user: u128) -> PersonKey {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &[7; 32]).unwrap();
        PersonKey { key, user: UserId(Uuid::from_u128(user)) }
    }

    #[test]
    fn a_sealed_text_opens_for_its_person_and_field_only() {
        let sealed = key(1).seal(Field::Name, "Ada").unwrap();
        assert!(!sealed.0.contains("Ada"));
        assert_eq!(key(1).open(Field::Name, &sealed).as_deref(), Some("Ada"));
        assert_eq!(key(1).open(Field::Email, &sealed), None);
        assert_eq!(key(2).open(Field::Name, &sealed), None);
        assert_eq!(key(1).open(Field::Name, &EncryptedText("AAAA".into())), None);
        assert_eq!(key(1).open(Field::Name, &EncryptedText("no base64".into())), None);
    }

    #[test]
    fn sealing_a_text_twice_gives_two_different_ciphertexts() {
        assert_ne!(key(1).seal(Field::Name, "Ada").unwrap(), key(1).seal(Field::Name, "Ada").unwrap());
    }
}
