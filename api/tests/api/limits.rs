//! Rate limits on requests and on failed sign-in attempts.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Answer, Client, platform, tenant};

fn client_with_limits(limits: api::Limits) -> Client {
    platform().second_api(TimeDelta::zero(), limits)
}

#[track_caller]
fn assert_rate_limited(answer: Answer, limit: &str) {
    let answer = answer.problem(429, "too-many-requests");
    assert_eq!(answer.header("ratelimit-limit"), Some(limit));
    assert_eq!(answer.header("ratelimit-remaining"), Some("0"));
    let seconds = |name: &str| answer.header(name).and_then(|text| text.parse::<u64>().ok()).expect("seconds");
    assert!((1..=900).contains(&seconds("retry-after")), "{}", seconds("retry-after"));
    assert_eq!(seconds("retry-after"), seconds("ratelimit-reset"));
}

#[test]
fn a_user_over_the_rate_limit_is_refused_and_others_are_not() {
    let tenant = tenant("Busy");
    let client = client_with_limits(api::Limits { requests_per_minute: 3, ..api::Limits::default() });
    let busy = client.bearing(tenant.admin.token.as_deref().unwrap());
    for remaining in ["2", "1", "0"] {
        let answer = busy.get("/api/v1/auth/me").ok();
        assert_eq!(answer.header("ratelimit-limit"), Some("3"));
        assert_eq!(answer.header("ratelimit-remaining"), Some(remaining));
    }
    assert_rate_limited(busy.get("/api/v1/auth/me"), "3");
    client.bearing(tenant.user_with_role("viewer").token.as_deref().unwrap()).get("/api/v1/auth/me").ok();
}

#[test]
fn an_ip_address_over_the_rate_limit_is_refused_for_every_user() {
    let client = client_with_limits(api::Limits { requests_per_minute_per_address: 2, ..api::Limits::default() });
    client.get("/api/v1/devices").problem(401, "unauthenticated");
    client.get("/api/v1/devices").problem(401, "unauthenticated");
    assert_rate_limited(client.get("/api/v1/devices"), "2");
    client.get("/health").ok();
}

#[test]
fn failed_sign_ins_lock_an_e_mail_address_even_for_the_right_password() {
    let tenant = tenant("Guessed");
    for name in ["ada", "eve"] {
        let email = format!("{name}@guessed.example");
        let body = json!({"email": email, "name": "Ada", "password": "long enough", "role": "viewer"});
        tenant.admin.post("/api/v1/users", body).created();
    }
    let client = client_with_limits(api::Limits { failed_sign_ins_per_email: 3, ..api::Limits::default() });
    let attempt =
        |email: &str, password: &str| client.post("/api/v1/auth/login", json!({"email": email, "password": password}));
    attempt("ada@guessed.example", "wrong").problem(401, "wrong-credentials");
    attempt("ada@guessed.example", "long enough").ok();
    for _ in 0..3 {
        attempt("Ada@Guessed.example", "wrong").problem(401, "wrong-credentials");
    }
    assert_rate_limited(attempt("ada@guessed.example", "wrong"), "3");
    assert_rate_limited(attempt("ada@guessed.example", "long enough"), "3");
    attempt("eve@guessed.example", "long enough").ok();
}

#[test]
fn failed_sign_ins_lock_their_ip_address_and_successful_ones_do_not_count() {
    let limits = api::Limits { failed_sign_ins_per_address: 2, ..api::Limits::default() };
    let client = client_with_limits(limits);
    let attempt =
        |email: &str, password: &str| client.post("/api/v1/auth/login", json!({"email": email, "password": password}));
    for _ in 0..4 {
        attempt("root@example.com", "battery staple").ok();
    }
    for name in ["a", "b"] {
        attempt(&format!("{name}@nowhere.example"), "wrong").problem(401, "wrong-credentials");
    }
    assert_rate_limited(attempt("root@example.com", "battery staple"), "2");
}
