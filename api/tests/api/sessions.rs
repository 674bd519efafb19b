//! Refresh tokens, signing out, and what ends a session.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Text, eventually, platform, tenant};

/// The refresh cookie that a response sets, as a browser sends it back.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").expect("the response sets a cookie").split(';').next().unwrap().to_owned()
}

fn refresh(cookie: &str) -> Answer {
    platform().anonymous().with("cookie", cookie).post("/api/v1/auth/refresh", json!({}))
}

fn sign_in(email: &str, password: &str) -> Answer {
    platform().anonymous().post("/api/v1/auth/login", json!({"email": email, "password": password}))
}

/// Creates a user and returns their id.
fn create_user(admin: &Client, email: &str) -> String {
    let body = json!({"email": email, "name": "Ada", "password": "long enough", "role": "operator"});
    admin.post("/api/v1/users", body).created()["user"]["id"].text()
}

fn token(answer: &Answer) -> String {
    answer["accessToken"].text()
}

/// Waits for a 401: tokens are refused as soon as the process has read the event that ended them.
fn assert_refused(client: &Client, detail: &str) {
    let answer = eventually("the refusal of the token", || {
        let answer = client.get("/api/v1/devices");
        (answer.status != 200).then_some(answer)
    });
    let answer = answer.problem(401, "unauthenticated");
    assert!(answer["detail"].text().contains(detail), "{}", answer.text);
}

#[test]
fn the_refresh_token_is_in_a_cookie_and_is_exchanged_for_the_next_one() {
    let tenant = tenant("Sessions");
    create_user(&tenant.admin, "ada@sessions.example");
    let first = sign_in("ada@sessions.example", "long enough").ok();
    let set = first.header("set-cookie").unwrap();
    assert!(set.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{set}");
    // Thirty days, minus the moment that has passed.
    assert!(set.contains("; Path=/api/v1/auth; Max-Age=2592000;") || set.contains("; Max-Age=2591999;"), "{set}");
    assert!(!first.text.contains("argr_"), "{}", first.text);
    let second = refresh(&cookie(&first)).ok();
    assert_eq!(second["user"], first["user"]);
    assert_ne!(cookie(&second), cookie(&first));
    platform().anonymous().bearing(&token(&second)).get("/api/v1/devices").ok();
    refresh(&cookie(&second)).ok();
}

#[test]
fn a_reused_refresh_token_ends_the_session() {
    let tenant = tenant("Reuse");
    create_user(&tenant.admin, "ada@reuse.example");
    let first = sign_in("ada@reuse.example", "long enough").ok();
    let second = refresh(&cookie(&first)).ok();
    refresh(&cookie(&first)).problem(401, "unauthenticated");
    refresh(&cookie(&second)).problem(401, "unauthenticated");
}

#[test]
fn an_invalid_refresh_token_is_refused() {
    platform().anonymous().post("/api/v1/auth/refresh", json!({})).problem(401, "unauthenticated");
    for wrong in ["argusiq_refresh=", "argusiq_refresh=argr_AAAA", "other=argr_AAAA"] {
        refresh(wrong).problem(401, "unauthenticated");
    }
}

#[test]
fn signing_out_ends_the_session_and_removes_the_cookie() {
    let tenant = tenant("Out");
    create_user(&tenant.admin, "ada@out.example");
    let signed_in = sign_in("ada@out.example", "long enough").ok();
    let client = platform().anonymous().with("cookie", &cookie(&signed_in));
    let signed_out = client.post("/api/v1/auth/logout", json!({})).ok();
    assert!(signed_out.header("set-cookie").unwrap().starts_with("argusiq_refresh=; Path=/api/v1/auth; Max-Age=0;"));
    refresh(&cookie(&signed_in)).problem(401, "unauthenticated");
    platform().anonymous().post("/api/v1/auth/logout", json!({})).ok();
}

#[test]
fn access_tokens_and_sessions_expire() {
    let tenant = tenant("Expiry");
    create_user(&tenant.admin, "ada@expiry.example");
    let signed_in = sign_in("ada@expiry.example", "long enough").ok();
    let later = platform().second_api(TimeDelta::seconds(901), api::Limits::default());
    later.bearing(&token(&signed_in)).get("/api/v1/auth/me").problem(401, "unauthenticated");
    let much_later = platform().second_api(TimeDelta::days(30), api::Limits::default());
    let client = much_later.with("cookie", &cookie(&signed_in));
    client.post("/api/v1/auth/refresh", json!({})).problem(401, "unauthenticated");
}

#[test]
fn a_tampered_token_is_refused() {
    let admin = tenant("Tampered").admin;
    let token = admin.token.clone().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    // The claims of another user with this signature.
    let other = platform().root_admin().token.unwrap();
    let claims = other.split('.').nth(1).unwrap();
    let (head, signature) = (parts[0], parts[2]);
    for wrong in [
        format!("{head}.{claims}.{signature}"),
        format!("{head}.{}.", parts[1]),
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]),
        token.to_lowercase(),
    ] {
        admin.bearing(&wrong).get("/api/v1/auth/me").problem(401, "unauthenticated");
    }
    admin.get("/api/v1/auth/me").ok();
}

#[test]
fn changing_the_password_ends_all_other_sessions() {
    let tenant = tenant("Passwords");
    create_user(&tenant.admin, "ada@passwords.example");
    let this_session = sign_in("ada@passwords.example", "long enough").ok();
    let other_session = sign_in("ada@passwords.example", "long enough").ok();
    let client = platform().anonymous().bearing(&token(&this_session));
    let change = |current: &str, new: &str| {
        client.post("/api/v1/auth/password", json!({"currentPassword": current, "newPassword": new}))
    };
    assert_eq!(change("wrong", "longer than before").problem(422, "invalid-fields").fields(), ["currentPassword"]);
    assert_eq!(change("long enough", "short").problem(422, "invalid-fields").fields(), ["newPassword"]);
    let changed = change("long enough", "longer than before").ok();
    client.bearing(&token(&changed)).get("/api/v1/devices").ok();
    refresh(&cookie(&changed)).ok();
    assert_refused(&client, "changed since you signed in");
    refresh(&cookie(&other_session)).problem(401, "unauthenticated");
    sign_in("ada@passwords.example", "long enough").problem(401, "wrong-credentials");
    sign_in("ada@passwords.example", "longer than before").ok();
}

#[test]
fn a_changed_role_ends_sessions_and_tokens() {
    let tenant = tenant("Demoted");
    let ada = create_user(&tenant.admin, "ada@demoted.example");
    let signed_in = sign_in("ada@demoted.example", "long enough").ok();
    tenant.admin.put(&format!("/api/v1/users/{ada}"), json!({"role": "viewer"})).ok();
    assert_refused(&platform().anonymous().bearing(&token(&signed_in)), "changed since you signed in");
    refresh(&cookie(&signed_in)).problem(401, "unauthenticated");
    assert_eq!(sign_in("ada@demoted.example", "long enough").ok()["user"]["role"], "viewer");
}

#[test]
fn a_suspended_user_loses_access_until_reactivated() {
    let tenant = tenant("Suspended user");
    let ada = create_user(&tenant.admin, "ada@suspended.example");
    let signed_in = sign_in("ada@suspended.example", "long enough").ok();
    let suspend = |body: Value| tenant.admin.post(&format!("/api/v1/users/{ada}/suspend"), body);
    assert_eq!(suspend(json!({})).problem(422, "invalid-fields").fields(), ["reason"]);
    assert_eq!(suspend(json!({"reason": "left"})).ok()["user"]["active"], false);
    assert_refused(&platform().anonymous().bearing(&token(&signed_in)), "deactivated");
    refresh(&cookie(&signed_in)).problem(403, "forbidden");
    sign_in("ada@suspended.example", "long enough").problem(403, "forbidden");
    let reactivated = tenant.admin.post(&format!("/api/v1/users/{ada}/reactivate"), json!({})).ok();
    assert_eq!(reactivated["user"]["active"], true);
    refresh(&cookie(&signed_in)).problem(401, "unauthenticated");
    sign_in("ada@suspended.example", "long enough").ok();
}

#[test]
fn a_suspended_organisation_loses_access_until_reactivated() {
    let (tenant, root) = (tenant("Suspended"), platform().root_admin());
    create_user(&tenant.admin, "ada@shut.example");
    let signed_in = sign_in("ada@shut.example", "long enough").ok();
    let organization = format!("/api/v1/organizations/{}", tenant.organization);
    let suspended = root.post(&format!("{organization}/suspend"), json!({"reason": "unpaid"})).ok();
    assert_eq!(
        (&suspended["organization"]["status"], &suspended["organization"]["suspendedReason"]),
        (&json!("suspended"), &json!("unpaid"))
    );
    assert_refused(&platform().anonymous().bearing(&token(&signed_in)), "organisation is suspended");
    assert_refused(&tenant.admin, "organisation is suspended");
    refresh(&cookie(&signed_in)).problem(403, "forbidden");
    sign_in("ada@shut.example", "long enough").problem(403, "forbidden");
    assert_eq!(root.post(&format!("{organization}/reactivate"), json!({})).ok()["organization"]["status"], "active");
    let again = refresh(&cookie(&signed_in)).ok();
    eventually("the organisation to be reactivated", || {
        let answer = platform().anonymous().bearing(&token(&again)).get("/api/v1/devices");
        (answer.status == 200).then_some(())
    });
}
