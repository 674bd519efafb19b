//! Changing, suspending and erasing users, and who can do so.

use serde_json::json;

use crate::support::{Client, Text, platform, tenant, unique};

/// Creates a user and returns their id.
fn create_user(admin: &Client, role: &str) -> String {
    let email = format!("{}@people.example", unique());
    let body = json!({"email": email, "name": "Ada", "password": "long enough", "role": role});
    admin.post("/api/v1/users", body).created()["user"]["id"].text()
}

fn user_path(id: &str) -> String {
    format!("/api/v1/users/{id}")
}

#[test]
fn a_user_is_shown_and_changed() {
    let admin = tenant("Changes").admin;
    let ada = create_user(&admin, "viewer");
    let change = json!({"name": "Ada Lovelace", "role": "engineer", "workRoles": ["technician", "night shift"]});
    let changed = admin.put(&user_path(&ada), change).ok();
    assert_eq!(changed["user"]["name"], "Ada Lovelace");
    assert_eq!(changed["user"]["role"], "engineer");
    assert_eq!(changed["user"]["workRoles"], json!(["technician", "night shift"]));
    assert!(changed.header("x-log-position").is_some());
    assert_eq!(admin.get(&user_path(&ada)).ok()["user"], changed["user"]);
    assert_eq!(admin.put(&user_path(&ada), json!({})).ok()["user"], changed["user"]);
    assert_eq!(admin.put(&user_path(&ada), json!({"name": " "})).problem(422, "invalid-fields").fields(), ["name"]);
    let roles = json!({"workRoles": [""]});
    assert_eq!(admin.put(&user_path(&ada), roles).problem(422, "invalid-fields").fields(), ["workRoles"]);
}

#[test]
fn nobody_can_change_a_higher_role_their_own_role_or_suspend_themselves() {
    let tenant = tenant("Above");
    let (admin, root) = (&tenant.admin, platform().root_admin().with("x-organization", &tenant.organization));
    let above = create_user(&root, "platform_admin");
    let reason = json!({"reason": "x"});
    admin.put(&user_path(&above), json!({"name": "Eve"})).problem(403, "forbidden");
    admin.post(&format!("{}/suspend", user_path(&above)), reason.clone()).problem(403, "forbidden");
    admin.post(&format!("{}/reactivate", user_path(&above)), json!({})).problem(403, "forbidden");
    admin.delete(&user_path(&above)).problem(403, "forbidden");
    let other = create_user(admin, "viewer");
    admin.put(&user_path(&other), json!({"role": "platform_admin"})).problem(403, "forbidden");
    let own = admin.get("/api/v1/auth/me").ok()["id"].text();
    admin.put(&user_path(&own), json!({"role": "viewer"})).problem(403, "forbidden");
    admin.post(&format!("{}/suspend", user_path(&own)), reason).problem(403, "forbidden");
    admin.delete(&user_path(&own)).problem(403, "forbidden");
    admin.put(&user_path(&own), json!({"name": "Myself"})).ok();
}

#[test]
fn an_erased_user_has_no_name_and_their_address_is_free() {
    let admin = tenant("Erased").admin;
    let email = "gone@people.example";
    let body = json!({"email": email, "name": "Ada", "password": "long enough", "role": "viewer"});
    let ada = admin.post("/api/v1/users", body.clone()).created()["user"]["id"].text();
    let erased = admin.delete(&user_path(&ada)).ok();
    assert_eq!((&erased["user"]["name"], &erased["user"]["email"]), (&json!(""), &json!("")));
    assert_eq!((&erased["user"]["active"], &erased["user"]["erased"]), (&json!(false), &json!(true)));
    let credentials = json!({"email": email, "password": "long enough"});
    platform().anonymous().post("/api/v1/auth/login", credentials).problem(401, "wrong-credentials");
    admin.put(&user_path(&ada), json!({"name": "Back"})).problem(409, "wrong-state");
    admin.post(&format!("{}/reactivate", user_path(&ada)), json!({})).problem(409, "wrong-state");
    assert_ne!(admin.post("/api/v1/users", body).created()["user"]["id"].text(), ada);
}
