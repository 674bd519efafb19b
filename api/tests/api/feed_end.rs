//! The end of the live feed, and of long responses, when a credential no longer counts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::feed::{Socket, blocking, publish};
use crate::support::{Client, Tenant, Text, eventually, platform, tenant, unique};

/// Creates a key; returns its text and id.
fn create_key(admin: &Client, role: &str) -> (String, String) {
    let created = admin.post("/api/v1/api-keys", json!({"name": "Dashboard", "role": role})).created();
    (created["key"].text(), created["apiKey"]["id"].text())
}

/// Subscribes a new socket to a device.
async fn subscribed(address: &str, token: &str, device: &str) -> Socket {
    let mut socket = Socket::open_at(address, token).await.unwrap();
    assert_eq!(socket.ack("subscribe", json!({"deviceId": device})).await["ok"], true);
    socket
}

async fn tenant_with_device(name: &'static str) -> (Tenant, String) {
    blocking(move || {
        let tenant = tenant(name);
        let device = tenant.device("E-1");
        (tenant, device)
    })
    .await
}

fn temperatures(frames: &[Value]) -> Vec<&Value> {
    let batches = frames.iter().filter(|frame| frame["event"] == "telemetry:batch");
    batches.flat_map(|frame| frame["data"].as_array().unwrap()).map(|one| &one["metrics"]["temperature"]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_api_key_ends_its_live_feed() {
    let (tenant, device) = tenant_with_device("Feed of a key").await;
    let admin = tenant.admin.clone();
    let (key, id) = blocking(move || create_key(&admin, "viewer")).await;
    let mut of_key = subscribed(&platform().address, &key, &device).await;
    let mut of_admin = subscribed(&platform().address, &tenant.admin.token.clone().unwrap(), &device).await;
    let (organization, source) = (tenant.organization.clone(), device.clone());
    blocking(move || publish(&organization, &source, 0, 1.0)).await;
    assert_eq!(of_key.wait_for("telemetry:batch").await["data"][0]["metrics"]["temperature"], 1.0);
    let (organization, admin) = (tenant.organization, tenant.admin);
    blocking(move || {
        admin.delete(&format!("/api/v1/api-keys/{id}")).ok();
        publish(&organization, &device, 1, 2.0);
    })
    .await;
    // The reading reaches the one who still may read it, and never the other.
    while of_admin.wait_for("telemetry:batch").await["data"][0]["metrics"]["temperature"] != 2.0 {}
    let frames = of_key.rest().await;
    let last = json!({"event": "feed:ended", "data": {"code": "revoked", "reason": "the API key was revoked"}});
    assert_eq!(frames.last(), Some(&last));
    assert_eq!(temperatures(&frames), Vec::<&Value>::new(), "{frames:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_revoked_at_one_process_ends_the_feed_at_another() {
    let (tenant, device) = tenant_with_device("Feeds of two processes").await;
    let (key, id, second) = blocking(move || {
        let second = platform().second_api(TimeDelta::zero(), api::Limits::default());
        let (key, id) = create_key(&tenant.admin, "viewer");
        (key, (tenant.admin, id), second)
    })
    .await;
    let socket = subscribed(&second.address, &key, &device).await;
    let (admin, id) = id;
    blocking(move || admin.delete(&format!("/api/v1/api-keys/{id}")).ok()).await;
    assert_eq!(socket.rest().await.last().unwrap()["data"]["code"], "revoked");
}

/// Creates an operator; returns their id and token.
fn operator(admin: &Client) -> (String, String) {
    let email = format!("{}@feed.example", unique());
    let body = json!({"email": email, "name": "Ada", "password": "long enough", "role": "operator"});
    let id = admin.post("/api/v1/users", body).created()["user"]["id"].text();
    (id, platform().sign_in(&email, "long enough").token.unwrap())
}

type Act = fn(&Client, &str, &str);

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_session_ends_its_live_feed() {
    let new_password: Act = |_, _, token| {
        let passwords = json!({"currentPassword": "long enough", "newPassword": "longer than before"});
        platform().anonymous().bearing(token).post("/api/v1/auth/password", passwords).ok();
    };
    let new_role: Act = |admin, id, _| {
        admin.put(&format!("/api/v1/users/{id}"), json!({"role": "viewer"})).ok();
    };
    let suspended: Act = |admin, id, _| {
        admin.post(&format!("/api/v1/users/{id}/suspend"), json!({"reason": "left"})).ok();
    };
    let erased: Act = |admin, id, _| {
        admin.delete(&format!("/api/v1/users/{id}")).ok();
    };
    let (tenant, device) = tenant_with_device("Feeds of people").await;
    for (act, code) in [
        (new_password, "access_changed"),
        (new_role, "access_changed"),
        (suspended, "user_deactivated"),
        (erased, "user_deactivated"),
    ] {
        let admin = tenant.admin.clone();
        let (id, token) = blocking(move || operator(&admin)).await;
        let socket = subscribed(&platform().address, &token, &device).await;
        let admin = tenant.admin.clone();
        blocking(move || act(&admin, &id, &token)).await;
        assert_eq!(socket.rest().await.last().unwrap()["data"]["code"], code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_organisation_ends_all_its_live_feeds_and_no_others() {
    let (tenant, device) = tenant_with_device("Suspended feeds").await;
    let (other, theirs) = tenant_with_device("Other feeds").await;
    let admin = tenant.admin.clone();
    let (key, _) = blocking(move || create_key(&admin, "viewer")).await;
    let of_key = subscribed(&platform().address, &key, &device).await;
    let of_admin = subscribed(&platform().address, &tenant.admin.token.clone().unwrap(), &device).await;
    let mut of_other = subscribed(&platform().address, &other.admin.token.clone().unwrap(), &theirs).await;
    blocking(move || {
        let path = format!("/api/v1/organizations/{}/suspend", tenant.organization);
        platform().root_admin().post(&path, json!({"reason": "unpaid"})).ok();
    })
    .await;
    for socket in [of_key, of_admin] {
        assert_eq!(socket.rest().await.last().unwrap()["data"]["code"], "organization_suspended");
    }
    blocking(move || publish(&other.organization, &theirs, 0, 3.0)).await;
    assert_eq!(of_other.wait_for("telemetry:batch").await["data"][0]["metrics"]["temperature"], 3.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_ends_with_its_access_token() {
    let (tenant, device) = tenant_with_device("Short feed").await;
    let token = tenant.admin.token.clone().unwrap();
    // Tokens last 900 s.
    let later = blocking(|| platform().second_api(TimeDelta::seconds(896), api::Limits::default())).await;
    let socket = subscribed(&later.address, &token, &device).await;
    assert_eq!(socket.rest().await.last().unwrap()["data"]["code"], "expired");
}

#[test]
fn an_import_stops_when_its_key_is_revoked() {
    const ROWS: usize = 5_000;
    let tenant = tenant("Stopped import");
    let (kind, (key, id)) = (tenant.device_type(), create_key(&tenant.admin, "admin"));
    let rows: String = (0..ROWS).map(|row| format!("{{\"serialNumber\":\"R-{row}\"}}\n")).collect();
    let mut connection = TcpStream::connect(&platform().address).unwrap();
    let head = format!(
        "POST /api/v1/devices/import?deviceTypeId={kind} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
        rows.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(rows.as_bytes()).unwrap();
    let mut answer = BufReader::new(connection);
    let mut line = String::new();
    while !line.contains("created") {
        line.clear();
        assert_ne!(answer.read_line(&mut line).unwrap(), 0, "no device was created");
    }
    tenant.admin.delete(&format!("/api/v1/api-keys/{id}")).ok();
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert!(rest.matches("created").count() < ROWS - 1);
    // Nothing is registered any more: the count settles below the number of rows.
    let count = || tenant.admin.get("/api/v1/devices").ok()["total"].as_u64().unwrap();
    let mut before = 0;
    let settled = eventually("the end of the import", || {
        let now = count();
        (std::mem::replace(&mut before, now) == now && now > 0).then_some(now)
    });
    assert!(settled < ROWS as u64, "{settled}");
}
