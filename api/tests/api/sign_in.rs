//! Signing in.

use serde_json::json;

use crate::support::{Text, platform, tenant};

#[test]
fn the_right_password_yields_a_token_that_identifies_the_user() {
    let platform = platform();
    let body = json!({"email": "root@example.com", "password": "battery staple"});
    let answer = platform.anonymous().post("/api/v1/auth/login", body).ok();
    assert_eq!((answer["tokenType"].text(), answer["expiresIn"].as_i64()), ("Bearer".to_owned(), Some(900)));
    let user = &answer["user"];
    assert_eq!(user["email"], "root@example.com");
    assert_eq!(user["role"], "platform_admin");
    assert!(user["organizationId"].as_str().is_some_and(|id| id.len() == 36), "{user}");
    let mut client = platform.anonymous();
    client.token = Some(answer["accessToken"].text());
    assert_eq!(&client.get("/api/v1/auth/me").ok().json, user);
}

#[test]
fn wrong_passwords_and_unknown_addresses_get_the_same_refusal() {
    let anonymous = platform().anonymous();
    let refused = |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        let answer = anonymous.post("/api/v1/auth/login", body).problem(401, "wrong-credentials");
        assert!(answer.header("www-authenticate").is_some());
        answer.text
    };
    assert_eq!(refused("root@example.com", "wrong"), refused("nobody@example.com", "battery staple"));
}

#[test]
fn a_missing_or_invalid_token_is_refused() {
    let mut client = platform().anonymous();
    let missing = client.get("/api/v1/devices").problem(401, "unauthenticated");
    assert_eq!(missing.header("www-authenticate"), Some("Bearer realm=\"argusiq\""));
    client.token = Some("eyJhbGciOiJIUzI1NiJ9.e30.AAAA".to_owned());
    client.get("/api/v1/devices").problem(401, "unauthenticated");
}

#[test]
fn users_are_listed_and_cannot_grant_a_role_above_their_own() {
    let tenant = tenant("People");
    let new = |role: &str, email: &str| json!({"email": email, "name": "Ada", "password": "long enough", "role": role});
    let added = tenant.admin.post("/api/v1/users", new("operator", "ada@people.example")).created();
    assert_eq!(added["user"]["name"], "Ada");
    assert_eq!(added["user"]["organizationId"], tenant.organization);
    let listed = tenant.admin.get("/api/v1/users").ok();
    assert_eq!(listed["total"], 2);
    assert!(listed["users"].as_array().unwrap().contains(&added["user"]), "{}", listed.text);
    tenant.admin.post("/api/v1/users", new("platform_admin", "eve@people.example")).problem(403, "forbidden");
    tenant.admin.post("/api/v1/users", new("viewer", "Ada@People.example")).problem(409, "already-exists");
    let invalid = json!({"email": "no address", "name": "Ada", "password": "long enough", "role": "viewer"});
    assert_eq!(tenant.admin.post("/api/v1/users", invalid).problem(422, "invalid-fields").fields(), ["email"]);
    let unknown_organization = json!({"email": "x@people.example", "name": "X", "password": "long enough",
        "role": "viewer", "organizationId": uuid::Uuid::nil()});
    tenant.admin.post("/api/v1/users", unknown_organization).problem(404, "not-found");
}
