//! Telemetry over HTTP: authentication, durability of accepted messages, and reporting of refused ones.

use domain::ids::DeviceId;
use domain::telemetry::IngestionSource;
use domain::telemetry::PresenceKind::ConnectionRefused;
use serde_json::{Value, json};

use crate::http_client::{BATCH_PATH, HttpClient, TELEMETRY_PATH, http_door, http_door_with};
use crate::mqtt_client::{is_refused_in_handshake, tls_to};
use crate::test_platform::{Device, TestPlatform, eventually, new_id, now};

const READING: &str = r#"{"ts":1790000000000,"metrics":{"temperature":21.5}}"#;

#[tokio::test]
async fn an_accepted_reading_is_on_disk_byte_for_byte_before_the_answer() {
    let platform = TestPlatform::new().await;
    let (door, device) = (http_door(&platform).await, platform.device().await);
    let mut client = HttpClient::with_certificate(&door, &device).await;
    let answer = client.post(TELEMETRY_PATH, READING).await;
    assert_eq!((answer.status, &answer.json), (202, &json!({"accepted": 1})));
    let raw = platform.raw().await;
    assert_eq!((raw.len(), &raw[0].payload[..]), (1, READING.as_bytes()));
    assert_eq!((raw[0].device, raw[0].source), (DeviceId(device.id), IngestionSource::Http));
    // An array of readings is one message as well.
    let many = format!("[{READING},{READING}]");
    assert_eq!(client.post(TELEMETRY_PATH, many.clone()).await.status, 202);
    assert_eq!(platform.raw_payloads().await, [READING.to_owned(), many]);
    door.door.close().await;
}

#[tokio::test]
async fn a_token_is_accepted_until_it_is_revoked_or_expires() {
    let platform = TestPlatform::new().await;
    let (door, device) = (http_door(&platform).await, platform.device().await);
    let (id, token) = platform.issue_token(&device, 2, 60).await;
    let (_, over) = platform.issue_token(&device, 3, 0).await;
    let mut client = HttpClient::with_token(&door, &token).await;
    assert_eq!(client.post(TELEMETRY_PATH, READING).await.status, 202);
    HttpClient::with_token(&door, &over).await.post(TELEMETRY_PATH, READING).await.assert_problem(401, "expired");
    platform.revoke_token(&device, 4, id).await;
    let refused = || client_refuses(&door, &token);
    let answer = eventually("the refusal", refused).await;
    answer.assert_problem(401, "revoked");
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    platform.wait_for_presence(&device, ConnectionRefused, Some("revoked")).await;
    let stored = platform.raw().await.len();
    client.post(TELEMETRY_PATH, READING).await.assert_problem(401, "revoked");
    assert_eq!(platform.raw().await.len(), stored);
    door.door.close().await;
}

async fn client_refuses(door: &crate::http_client::HttpDoor, token: &str) -> Option<crate::http_client::HttpResponse> {
    let answer = HttpClient::with_token(door, token).await.post(TELEMETRY_PATH, READING).await;
    (answer.status != 202).then_some(answer)
}

#[tokio::test]
async fn missing_and_unknown_credentials_are_refused_and_nothing_is_stored() {
    let platform = TestPlatform::new().await;
    let (door, device) = (http_door(&platform).await, platform.device().await);
    let root = &door.door.root_pem;
    let mut nobody = HttpClient::connect(door.address, root, None).await;
    let answer = nobody.post(TELEMETRY_PATH, READING).await;
    assert_eq!((answer.status, &answer.json["type"]), (401, &json!("urn:argusiq:problem:unauthenticated")));
    let unknown = certs::DeviceToken::random().unwrap();
    for token in [unknown.expose(), "nonsense", ""] {
        let mut client = HttpClient::with_token(&door, token).await;
        assert_eq!(client.post(TELEMETRY_PATH, READING).await.status, 401, "{token:?}");
    }
    // A certificate of another platform fails in the handshake.
    let foreign = TestPlatform::new().await;
    let stranger = foreign.device().await;
    let key = stranger.issued.private_key_pem.as_ref().unwrap().expose().to_owned();
    let shaken = tls_to(door.address, root, Some((&stranger.issued.chain_pem, &key))).await;
    assert!(is_refused_in_handshake(shaken).await);
    // One that was never issued passes the handshake and is refused afterwards.
    let unissued = platform.unregistered(30, now());
    let mut client = HttpClient::with_certificate(&door, &unissued).await;
    client.post(TELEMETRY_PATH, READING).await.assert_problem(401, "unknown_certificate");
    // The door still works, and only now is anything stored.
    assert_eq!(HttpClient::with_certificate(&door, &device).await.post(TELEMETRY_PATH, READING).await.status, 202);
    assert_eq!(platform.raw().await.len(), 1);
    door.door.close().await;
}

#[tokio::test]
async fn an_open_connection_is_refused_once_its_certificate_device_or_organisation_loses_access() {
    let platform = TestPlatform::new().await;
    let door = http_door(&platform).await;
    let (revoked, gone, other) = (platform.device().await, platform.device().await, platform.device().await);
    let (_, token) = platform.issue_token(&gone, 2, 60).await;
    let mut clients = Vec::new();
    for device in [&revoked, &gone, &other] {
        let mut client = HttpClient::with_certificate(&door, device).await;
        assert_eq!(client.post(TELEMETRY_PATH, READING).await.status, 202);
        clients.push(client);
    }
    platform.revoke(&revoked).await;
    wait_until_refused(&mut clients[0], 401, "revoked").await;
    let event = domain::device::DeviceEvent::DeviceDecommissioned { reason: "scrapped".into() };
    platform.append_device_event(&gone, 3, &event).await;
    wait_until_refused(&mut clients[1], 403, "decommissioned").await;
    HttpClient::with_token(&door, &token)
        .await
        .post(TELEMETRY_PATH, READING)
        .await
        .assert_problem(403, "decommissioned");
    platform.suspend().await;
    wait_until_refused(&mut clients[2], 403, "organization_suspended").await;
    door.door.close().await;
}

async fn wait_until_refused(client: &mut HttpClient, status: u16, reason: &str) {
    let began = std::time::Instant::now();
    let answer = loop {
        let answer = client.post(TELEMETRY_PATH, READING).await;
        if answer.status != 202 {
            break answer;
        }
        assert!(began.elapsed().as_secs() < 10, "{reason} has not taken effect");
    };
    answer.assert_problem(status, reason);
}

#[tokio::test]
async fn refused_messages_are_answered_with_a_reason_and_become_dead_letters() {
    let platform = TestPlatform::new().await;
    let (door, device) = (http_door(&platform).await, platform.device().await);
    let mut client = HttpClient::with_certificate(&door, &device).await;
    let large = format!(r#"{{"metrics":{{"text":"{}"}}}}"#, "x".repeat(300_000));
    let named = format!(r#"{{"deviceId":"{}","metrics":{{"n":1}}}}"#, new_id());
    for (payload, status, reason) in [
        ("{\"metrics\":", 400, "malformed_json"),
        ("\u{7f}", 400, "malformed_json"),
        ("", 400, "malformed_json"),
        ("{}", 422, "no_metrics"),
        ("[]", 422, "no_metrics"),
        (r#"{"metrics":{"n":1e999}}"#, 422, "not_finite"),
        (r#"{"deviceId":5,"metrics":{"n":1}}"#, 422, "wrong_shape"),
        (&large, 413, "oversize"),
        (&named, 403, "not_a_gateway"),
    ] {
        let answer = client.post(TELEMETRY_PATH, payload.to_owned()).await;
        answer.assert_problem(status, reason);
        // No waiting: the dead letter is on disk before the answer is sent.
        let letters = platform.dead_letters().await;
        let letter = letters.last().unwrap();
        assert_eq!((letter.reason.as_str(), letter.subject.as_str()), (reason, TELEMETRY_PATH), "{letter:?}");
        assert_eq!(letter.device, Some(DeviceId(device.id)));
    }
    door.door.close().await;
}

#[tokio::test]
async fn a_gateway_sends_items_for_devices_of_its_organisation() {
    let platform = TestPlatform::new().await;
    let (door, gateway, first) = (http_door(&platform).await, platform.device().await, platform.device().await);
    let stranger = foreign_device(&platform).await;
    platform.appoint_gateway(&gateway, 2).await;
    let mut client = HttpClient::with_certificate(&door, &gateway).await;
    let item = |device: &Device, n: u32| format!(r#"{{"deviceId": "{}", "metrics": {{"n": {n}}}}}"#, device.id);
    let good = format!("[{}, {}, {READING}]", item(&first, 1), item(&gateway, 2));
    let answer = client.post(BATCH_PATH, good).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let taken = |index: u32| json!({"index": index, "status": 202});
    assert_eq!(answer.json, json!({"accepted": 3, "results": [taken(0), taken(1), taken(2)]}));
    let mixed = format!(r#"[{}, {}, {{"metrics": {{}}}}, 5]"#, item(&first, 3), item(&stranger, 4));
    let answer = client.post(BATCH_PATH, mixed).await;
    let results: Vec<_> = answer.json["results"].as_array().unwrap().iter().map(outcome).collect();
    assert_eq!((answer.status, &answer.json["accepted"]), (207, &json!(1)));
    let expected =
        [(0, 202, None), (1, 404, Some("unknown_device")), (2, 422, Some("no_metrics")), (3, 422, Some("wrong_shape"))];
    assert_eq!(results, expected.map(|(index, status, reason)| (index, status, reason.map(str::to_owned))));
    let raw = platform.raw().await;
    let mut of_first: Vec<_> = raw.iter().filter(|reading| reading.device == DeviceId(first.id)).collect();
    of_first.sort_by_key(|reading| reading.received_at);
    // Each item is stored byte for byte under the device that it names.
    let payloads: Vec<_> =
        of_first.iter().map(|reading| String::from_utf8(reading.payload.to_vec()).unwrap()).collect();
    assert_eq!(payloads, [item(&first, 1), item(&first, 3)]);
    assert_eq!(raw.iter().filter(|reading| reading.device == DeviceId(gateway.id)).count(), 2);
    // What a gateway sent for another device is never taken for a reading of the gateway.
    let letters = platform.dead_letters().await;
    let of: Vec<_> = letters.iter().map(|letter| letter.device.unwrap()).collect();
    assert_eq!(of, [stranger.id, gateway.id, gateway.id].map(DeviceId));
    platform.dismiss_gateway(&gateway, 3).await;
    let dismissed = async || {
        let answer = client_post(&door, &gateway, item(&first, 5)).await;
        (answer.status != 202).then_some(answer)
    };
    eventually("the dismissal", dismissed).await.assert_problem(403, "not_a_gateway");
    door.door.close().await;
}

async fn client_post(
    door: &crate::http_client::HttpDoor,
    device: &Device,
    body: String,
) -> crate::http_client::HttpResponse {
    HttpClient::with_certificate(door, device).await.post(TELEMETRY_PATH, body).await
}

/// Creates a device of another organisation of the same platform.
async fn foreign_device(platform: &TestPlatform) -> Device {
    let other = platform.other_organization().await;
    let id = new_id();
    let issued = other.authority.issue_device(id, 30, now()).unwrap();
    let device = Device { organization: other.id, id, certificate_id: new_id(), issued };
    platform.register(&device).await;
    device
}

fn outcome(result: &Value) -> (u64, u64, Option<String>) {
    let number = |name: &str| result[name].as_u64().unwrap();
    (number("index"), number("status"), result["reason"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn a_batch_is_an_array_of_a_bounded_number_of_items() {
    let platform = TestPlatform::new().await;
    let small = http_door_with(&platform, |_, limits| (limits.max_batch_items, limits.max_batch_bytes) = (3, 2_000));
    let (door, device) = (small.await, platform.device().await);
    let mut client = HttpClient::with_certificate(&door, &device).await;
    for (body, status, kind) in [
        (READING.to_owned(), 400, "malformed-json"),
        ("[1,".to_owned(), 400, "malformed-json"),
        ("[]".to_owned(), 422, "batch-size"),
        (format!("[{READING},{READING},{READING},{READING}]"), 422, "batch-size"),
        (format!("[\"{}\"]", "x".repeat(2_000)), 413, "too-large"),
    ] {
        let answer = client.post(BATCH_PATH, body.clone()).await;
        assert_eq!(answer.status, status, "{body} {answer:?}");
        assert_eq!(answer.json["type"], format!("urn:argusiq:problem:{kind}"), "{body}");
    }
    assert_eq!(client.post(BATCH_PATH, format!("[{READING},{READING},{READING}]")).await.status, 202);
    assert_eq!(platform.raw().await.len(), 3);
    door.door.close().await;
}

#[tokio::test]
async fn a_device_over_its_rate_gets_a_retry_after_and_nothing_is_stored() {
    let platform = TestPlatform::new().await;
    let slow = |config: &mut ingest::Config, _: &mut ingest::HttpLimits| {
        (config.limits.messages_per_second, config.limits.message_burst) = (1, 3);
    };
    let (door, device, other) =
        (http_door_with(&platform, slow).await, platform.device().await, platform.device().await);
    let mut client = HttpClient::with_certificate(&door, &device).await;
    assert_eq!(client.post(BATCH_PATH, format!("[{READING},{READING},{READING}]")).await.status, 202);
    let answer = client.post(TELEMETRY_PATH, READING).await;
    answer.assert_problem(429, "too_many_messages");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    // Another device is not affected, and the first one may send again after a while.
    assert_eq!(HttpClient::with_certificate(&door, &other).await.post(TELEMETRY_PATH, READING).await.status, 202);
    assert_eq!(platform.raw().await.len(), 4);
    let again = async || (client_post(&door, &device, READING.into()).await.status == 202).then_some(());
    eventually("the end of the rate limit", again).await;
    door.door.close().await;
}

#[tokio::test]
async fn other_paths_and_methods_are_answered_with_problems() {
    let platform = TestPlatform::new().await;
    let (door, device) = (http_door(&platform).await, platform.device().await);
    let mut client = HttpClient::with_certificate(&door, &device).await;
    for (method, path, status, kind) in [
        ("GET", TELEMETRY_PATH, 405, "method-not-allowed"),
        ("POST", "/api/v1/telemetry/other", 404, "not-found"),
        ("POST", "/internal/mqtt/auth", 404, "not-found"),
        ("GET", "/", 404, "not-found"),
    ] {
        let answer = client.request(method, path, "").await.unwrap();
        assert_eq!((answer.status, &answer.json["type"]), (status, &json!(format!("urn:argusiq:problem:{kind}"))));
    }
    door.door.close().await;
}
