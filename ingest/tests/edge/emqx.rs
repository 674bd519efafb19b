//! The EMQX integration: hook requests in the documented form, and kicks of devices that lose access. A small HTTP
//! server stands in for EMQX's management API and records its requests.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use data_encoding::BASE64;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ingest::{BrokerApi, Config, HookConfig, HookRequest, Listen, Secret};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::http_client::{HttpClient, HttpResponse};
use crate::test_platform::{Device, Door, TestPlatform, eventually, now};

const SECRET: &str = "a sufficiently long secret";
const HOOK: &str = "/internal/mqtt/auth";

struct Hook {
    door: Door,
    address: SocketAddr,
}

impl Hook {
    async fn open(platform: &TestPlatform) -> Self {
        Self::open_with(platform, |_| {}).await
    }

    async fn open_with(platform: &TestPlatform, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = platform.door_with(|config| {
            config.hook = Some(HookConfig { listen: Listen::Socket(listener), secret: Secret::new(SECRET) });
            change(config);
        });
        Self { door: door.await, address }
    }

    async fn authenticate(&self, request: &Value) -> HttpResponse {
        self.client(SECRET).await.post(HOOK, request.to_string()).await
    }

    async fn client(&self, secret: &str) -> HttpClient {
        HttpClient::connect(self.address, &self.door.root_pem, None).await.with_bearer(secret)
    }
}

/// Builds the request that EMQX 5.8 sends for a device: the filled body template, with the certificate as base64 of its
/// PEM.
fn hook_request(device: &Device) -> Value {
    let id = device.id.to_string();
    serde_json::to_value(HookRequest {
        clientid: id.clone(),
        username: id.clone(),
        cert_common_name: id.clone(),
        cert_subject: format!("O={},CN={id}", device.organization),
        peerhost: "192.0.2.7".into(),
        cert_pem: BASE64.encode(device.issued.certificate_pem.as_bytes()),
    })
    .unwrap()
}

#[tokio::test]
async fn a_device_in_good_standing_is_allowed_its_own_topics_until_its_certificate_expires() {
    let platform = TestPlatform::new().await;
    let (hook, device) = (Hook::open(&platform).await, platform.device().await);
    let answer = hook.authenticate(&hook_request(&device)).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let (organization, id) = (device.organization, device.id);
    let expected = json!({
        "result": "allow",
        "is_superuser": false,
        "client_attrs": {"organization": organization.to_string(), "device": id.to_string()},
        "expire_at": device.issued.not_after.timestamp(),
        "acl": [
            {"permission": "allow", "action": "publish", "topic": format!("eq v1/telemetry/{organization}/{id}"),
             "retain": false},
            {"permission": "allow", "action": "subscribe", "topic": format!("eq v1/commands/{organization}/{id}")},
            {"permission": "deny", "action": "all", "topic": "#"},
        ],
    });
    assert_eq!(answer.json, expected);
    hook.door.close().await;
}

#[tokio::test]
async fn a_device_that_the_edge_would_refuse_is_denied_and_reported() {
    let platform = TestPlatform::new().await;
    let hook = Hook::open(&platform).await;
    let (good, revoked, gone) = (platform.device().await, platform.device().await, platform.device().await);
    platform.revoke(&revoked).await;
    platform.decommission(&gone).await;
    let unissued = platform.unregistered(30, now());
    let old = platform.unregistered(1, now() - chrono::TimeDelta::days(10));
    platform.register(&old).await;
    platform.record_certificate(&old).await;
    let mut as_another = hook_request(&good);
    as_another["clientid"] = json!(revoked.id.to_string());
    let mut foreign = hook_request(&good);
    let other = TestPlatform::new().await.device().await;
    foreign["cert_pem"] = json!(BASE64.encode(other.issued.certificate_pem.as_bytes()));
    let mut nonsense = hook_request(&good);
    nonsense["cert_pem"] = json!("bm8gY2VydGlmaWNhdGU=");
    for (request, why) in [
        (hook_request(&revoked), "revoked"),
        (hook_request(&gone), "decommissioned"),
        (hook_request(&unissued), "unknown_certificate"),
        (hook_request(&old), "expired"),
        (as_another, "wrong_client_id"),
        (foreign, "unknown_organization"),
        (nonsense, "unreadable_certificate"),
    ] {
        // The event may not have reached the directory yet; once denied, a device stays denied.
        let denied = async || {
            let answer = hook.authenticate(&request).await;
            assert_eq!(answer.status, 200);
            (answer.json == json!({"result": "deny", "is_superuser": false})).then_some(())
        };
        eventually(why, denied).await;
        let reported =
            async || platform.presence().await.iter().any(|fact| fact.reason.as_deref() == Some(why)).then_some(());
        eventually(why, reported).await;
    }
    assert_eq!(hook.authenticate(&hook_request(&good)).await.json["result"], "allow");
    hook.door.close().await;
}

#[tokio::test]
async fn a_client_without_a_certificate_is_left_to_the_brokers_own_accounts() {
    let platform = TestPlatform::new().await;
    let hook = Hook::open(&platform).await;
    let bridge = json!({"clientid": "argusiq-bridge-0", "username": "argusiq-bridge", "cert_common_name": "",
        "cert_subject": "", "peerhost": "10.0.0.5", "cert_pem": ""});
    assert_eq!(hook.authenticate(&bridge).await.json, json!({"result": "ignore", "is_superuser": false}));
    hook.door.close().await;
}

#[tokio::test]
async fn a_request_without_the_secret_is_refused() {
    let platform = TestPlatform::new().await;
    let (hook, device) = (Hook::open(&platform).await, platform.device().await);
    for secret in ["", "a sufficiently long secre", "another secret, longer than the first"] {
        let answer = hook.client(secret).await.post(HOOK, hook_request(&device).to_string()).await;
        assert_eq!((answer.status, &answer.json["result"]), (401, &Value::Null), "{secret:?}");
    }
    let malformed = hook.client(SECRET).await.post(HOOK, "{").await;
    assert_eq!((malformed.status, &malformed.json["type"]), (400, &json!("urn:argusiq:problem:malformed-json")));
    hook.door.close().await;
}

#[tokio::test]
async fn a_short_secret_and_an_invalid_api_url_fail_start_up_with_one_line() {
    let platform = TestPlatform::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let short = platform.door_with(|config| {
        config.hook = Some(HookConfig { listen: Listen::Socket(listener), secret: Secret::new("short") });
    });
    let error = short.await.failed().await.to_string();
    assert_eq!(error, "the secret of the broker's hook (emqx.hook_secret) must have 16 characters or more");
    let wrong = platform.door_with(|config| config.broker_api = Some(api("https://emqx:18083")));
    let error = wrong.await.failed().await.to_string();
    assert_eq!(error, "emqx.api_url \"https://emqx:18083\" is not of the form http://host:port");
}

fn api(url: &str) -> BrokerApi {
    BrokerApi { url: url.to_owned(), key: "key".into(), secret: Secret::new("its secret") }
}

/// Method, URL and Authorization header of a request.
type ApiRequest = (String, String, Option<String>);

/// Stands in for EMQX's management API: records every request and fails the first `failures` ones.
#[derive(Clone, Default)]
struct FakeBroker {
    requests: Arc<Mutex<Vec<ApiRequest>>>,
    failures: usize,
}

impl FakeBroker {
    async fn listen(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let broker = self.clone();
                let service = service_fn(move |request| {
                    let broker = broker.clone();
                    async move { Ok::<_, Infallible>(broker.answer(&request)) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(socket), service));
            }
        });
        address
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Empty<Bytes>> {
        let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let mut requests = self.requests.lock().unwrap();
        requests.push((request.method().to_string(), request.uri().to_string(), header.map(str::to_owned)));
        let status =
            if requests.len() <= self.failures { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT };
        Response::builder().status(status).body(Empty::new()).unwrap()
    }

    fn requests(&self) -> Vec<ApiRequest> {
        self.requests.lock().unwrap().clone()
    }
}

fn kick(device: &Device) -> ApiRequest {
    let authorization = format!("Basic {}", BASE64.encode(b"key:its secret"));
    ("DELETE".to_owned(), format!("/api/v5/clients/{}", device.id), Some(authorization))
}

#[tokio::test]
async fn a_device_that_loses_access_is_kicked_after_the_hook_denies_it() {
    let platform = TestPlatform::new().await;
    let broker = FakeBroker { failures: 2, ..FakeBroker::default() };
    let url = format!("http://{}", broker.clone().listen().await);
    let hook = Hook::open_with(&platform, |config| config.broker_api = Some(api(&url))).await;
    let (revoked, gone, kept) = (platform.device().await, platform.device().await, platform.device().await);
    assert_eq!(hook.authenticate(&hook_request(&revoked)).await.json["result"], "allow");
    platform.revoke(&revoked).await;
    // The fake broker fails the first two attempts.
    let reported = async || (broker.requests().len() >= 3).then_some(());
    eventually("the third attempt", reported).await;
    assert_eq!(broker.requests()[..3], [kick(&revoked), kick(&revoked), kick(&revoked)]);
    assert_eq!(hook.authenticate(&hook_request(&revoked)).await.json["result"], "deny");
    platform.decommission(&gone).await;
    eventually("the second device", async || broker.requests().contains(&kick(&gone)).then_some(())).await;
    assert!(!broker.requests().contains(&kick(&kept)));
    platform.suspend().await;
    eventually("the organisation", async || broker.requests().contains(&kick(&kept)).then_some(())).await;
    hook.door.close().await;
}

#[tokio::test]
async fn a_device_revoked_while_the_role_was_down_is_kicked_at_start_up() {
    let platform = TestPlatform::new().await;
    let (revoked, broker) = (platform.device().await, FakeBroker::default());
    platform.revoke(&revoked).await;
    let url = format!("http://{}", broker.clone().listen().await);
    let door = platform.door_with(|config| config.broker_api = Some(api(&url))).await;
    eventually("the kick", async || broker.requests().contains(&kick(&revoked)).then_some(())).await;
    door.close().await;
}
