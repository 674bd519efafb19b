//! Hashes and verifies passwords with argon2id (RFC 9106) as PHC strings, off the async threads.

use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{Cause, Error};
use crate::random;

/// 19 MiB, two passes, one lane: the minimum that OWASP's Password Storage Cheat Sheet recommends for argon2id, and the
/// crate's default.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// A dummy hash with the same parameters, so that verifying the password of an unknown user takes as long as any other.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

/// Hashes and verifies passwords; limits concurrency to the number of processors, since each takes 19 MiB.
pub(crate) struct PasswordHasher {
    slots: Arc<Semaphore>,
}

impl PasswordHasher {
    pub(super) fn new() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self { slots: Arc::new(Semaphore::new(processors)) }
    }

    /// Hashes a password with a fresh salt.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Error> {
        let salt = SaltString::encode_b64(&random::bytes::<16>()?).map_err(failed)?;
        let password = password.to_owned();
        self.run(move || {
            let hash = argon2()?.hash_password(password.as_bytes(), &salt).map_err(failed)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Returns whether the password matches the hash; without a hash returns `false` after the same time.
    pub(crate) async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, Error> {
        let password = password.to_owned();
        self.run(move || {
            let known = hash.is_some();
            let phc = hash.as_deref().unwrap_or(DUMMY_HASH);
            let parsed = PasswordHash::new(phc).map_err(failed)?;
            Ok(argon2()?.verify_password(password.as_bytes(), &parsed).is_ok() && known)
        })
        .await
    }

    /// Runs `work` on a blocking thread as soon as a slot is free.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let slot = self.slots.clone().acquire_owned().await.map_err(|error| Error::Internal(error.into()))?;
        // The task owns its slot: it keeps running, and keeps its memory, even if the caller is cancelled.
        let work = move || {
            let _slot = slot;
            work()
        };
        spawn_blocking(work).await.map_err(|error| Error::Internal(error.into()))?
    }
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Internal(Cause::from(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let passwords = PasswordHasher::new();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse", Some(hash.clone())).await.unwrap());
        assert_ne!(passwords.hash("correct horse").await.unwrap(), hash, "each hash has its own salt");
    }

    #[tokio::test]
    async fn without_a_hash_no_password_matches_and_the_dummy_hash_costs_the_same() {
        let passwords = PasswordHasher::new();
        assert!(!passwords.verify("anything", None).await.unwrap());
        let parsed = PasswordHash::new(DUMMY_HASH).unwrap();
        let params = Params::try_from(&parsed).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
    }
}
