//! Rate limits on requests and on failed sign-in attempts.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Answer, Client, platform, tenant};

fn limited(limits: api::Limits) -> Client {
    platform().second_api(TimeDelta::zero(), limits)
}

#[track_caller]
fn too_many(answer: Answer, limit: &str) {
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
    let door = limited(api::Limits { requests_per_minute: 3, ..api::Limits::default() });
    let busy = door.bearing(tenant.admin.token.as_deref().unwrap());
    for remaining in ["2", "1", "0"] {
        let answer = busy.get("/api/v1/auth/me").ok();
        assert_eq!(answer.header("ratelimit-limit"), Some("3"));
        assert_eq!(answer.header("ratelimit-remaining"), Some(remaining));
    }
    too_many(busy.get("/api/v1/auth/me"), "3");
    door.bearing(tenant.user_with_role("viewer").token.as_deref().unwrap()).get("/api/v1/auth/me").ok();
}

#[test]
fn an_ip_address_over_the_rate_limit_is_refused_for_every_user() {
    let door = limited(api::Limits { requests_per_minute_per_address: 2, ..api::Limits::default() });
    door.get("/api/v1/devices").problem(401, "unauthenticated");
    door.get("/api/v1/devices").problem(401, "unauthenticated");
    too_many(door.get("/api/v1/devices"), "2");
    door.get("/health").ok();
}

#[test]
fn failed_sign_ins_lock_an_e_mail_address_even_for_the_right_password() {
    let tenant = tenant("Guessed");
    for name in ["ada", "eve"] {
        let email = format!("{name}@guessed.example");
        let body = json!({"email": email, "name": "Ada", "password": "long enough", "role": "viewer"});
        tenant.admin.post("/api/v1/users", body).created();
    }
    let door = limited(api::Limits { failed_sign_ins_per_email: 3, ..api::Limits::default() });
    let attempt =
        |email: &str, password: &str| door.post("/api/v1/auth/login", json!({"email": email, "password": password}));
    attempt("ada@guessed.example", "wrong").problem(401, "wrong-credentials");
    attempt("ada@guessed.example", "long enough").ok();
    for _ in 0..3 {
        attempt("Ada@Guessed.example", "wrong").problem(401, "wrong-credentials");
    }
    too_many(attempt("ada@guessed.example", "wrong"), "3");
    too_many(attempt("ada@guessed.example", "long enough"), "3");
    attempt("eve@guessed.example", "long enough").ok();
}

#[test]
fn failed_sign_ins_lock_their_ip_address_and_successful_ones_do_not_count() {
    let limits = api::Limits { failed_sign_ins_per_address: 2, ..api::Limits::default() };
    let door = limited(limits);
    let attempt =
        |email: &str, password: &str| door.post("/api/v1/auth/login", json!({"email": email, "password": password}));
    for _ in 0..4 {
        attempt("root@example.com", "battery staple").ok();
    }
    for name in ["a", "b"] {
        attempt(&format!("{name}@nowhere.example"), "wrong").problem(401, "wrong-credentials");
    }
    too_many(attempt("root@example.com", "battery staple"), "2");
}
