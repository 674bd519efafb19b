//! The refresh token's cookie: hidden from scripts, never sent cross-site, and sent only to the endpoints below
//! `/api/v1/auth`.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use commands::Session;
use poem::http::header;
use poem::{FromRequest, Request, RequestBody};

/// The cookie's name.
const NAME: &str = "argusiq_refresh";
/// The path to which browsers send it.
const PATH: &str = "/api/v1/auth";

/// The refresh token of a request; `None` if it has no such cookie.
pub struct RefreshCookie(pub Option<String>);

impl<'a> FromRequest<'a> for RefreshCookie {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let headers = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = headers.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        Ok(Self(pairs.find(|(name, _)| *name == NAME).map(|(_, value)| value.to_owned())))
    }
}

/// Returns the `Set-Cookie` value of a session.
pub fn refresh_cookie(session: &Session, secure: bool, now: DateTime<Utc>) -> String {
    cookie(session.refresh_token.expose(), (session.expires_at - now).num_seconds().max(0), secure)
}

/// Returns the `Set-Cookie` value that removes the cookie.
pub fn without_cookie(secure: bool) -> String {
    cookie("", 0, secure)
}

fn cookie(value: &str, max_age: i64, secure: bool) -> String {
    let mut text = format!("{NAME}={value}; Path={PATH}; Max-Age={max_age}; HttpOnly; SameSite=Strict");
    if secure {
        // Writing to a string cannot fail.
        let _ = write!(text, "; Secure");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(cookies: &[&str]) -> Option<String> {
        let request = cookies.iter().fold(Request::builder(), |request, text| request.header(header::COOKIE, *text));
        let (request, mut body) = request.finish().split();
        RefreshCookie::from_request(&request, &mut body).await.unwrap().0
    }

    #[tokio::test]
    async fn the_cookie_is_found_among_others() {
        assert_eq!(read(&["a=1; argusiq_refresh=argr_x; b=2"]).await.as_deref(), Some("argr_x"));
        assert_eq!(read(&["a=1", "argusiq_refresh=argr_x"]).await.as_deref(), Some("argr_x"));
        assert_eq!(read(&["xargusiq_refresh=1", "argusiq_refresh"]).await, None);
        assert_eq!(read(&[]).await, None);
    }

    #[test]
    fn the_cookie_is_hidden_from_scripts_other_sites_and_other_paths() {
        let expected = "argusiq_refresh=; Path=/api/v1/auth; Max-Age=0; HttpOnly; SameSite=Strict; Secure";
        assert_eq!(without_cookie(true), expected);
        assert!(!without_cookie(false).contains("Secure"));
    }
}
