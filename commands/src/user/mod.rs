//! Commands on users: register, sign in, set the password, read and erase personal data.

mod erase;
mod password;
mod profile;
mod register;
mod sign_in;

pub use profile::UserProfile;
pub use register::{NewUser, RegisteredUser};
pub use sign_in::{SignInError, SignedIn};

/// Why a command on a user is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The user's own rules forbid it.
    #[error(transparent)]
    User(domain::user::Error),
    /// The organisation is unknown or suspended.
    #[error(transparent)]
    Organization(domain::organization::Error),
    /// The address is not of the shape `local@domain`.
    #[error("the e-mail address must have the shape local@domain and at most 254 characters")]
    InvalidEmail,
    /// Another user has this address; the message does not say who.
    #[error("the e-mail address is already in use")]
    EmailTaken,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The password is too short or too long.
    #[error("the password must have 8 to 200 characters")]
    InvalidPassword,
}
