//! An EMQX broker's questions, in exactly the shape its documentation has, and what it is told when a device loses its
//! right. No EMQX runs here: a small HTTP server stands in for its management API, and records what it is asked.

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

use crate::http_client::{Answer, HttpClient};
use crate::world::{Device, Door, World, eventually, now};

const SECRET: &str = "a secret of some length";
const HOOK: &str = "/internal/mqtt/auth";

struct Hook {
    door: Door,
    address: SocketAddr,
}

impl Hook {
    async fn open(world: &World) -> Self {
        Self::open_with(world, |_| {}).await
    }

    async fn open_with(world: &World, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = world.door_with(|config| {
            config.hook = Some(HookConfig { listen: Listen::Socket(listener), secret: Secret::new(SECRET) });
            change(config);
        });
        Self { door: door.await, address }
    }

    async fn ask(&self, asked: &Value) -> Answer {
        self.client(SECRET).await.post(HOOK, asked.to_string()).await
    }

    async fn client(&self, secret: &str) -> HttpClient {
        HttpClient::connect(self.address, &self.door.root_pem, None).await.bearing(secret)
    }
}

/// What EMQX 5.8 sends for a device: the body template filled in, the certificate as base64 of its PEM.
fn asked(device: &Device) -> Value {
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
async fn a_device_in_good_standing_is_allowed_its_own_topics_until_its_certificate_ends() {
    let world = World::new().await;
    let (hook, device) = (Hook::open(&world).await, world.device().await);
    let answer = hook.ask(&asked(&device)).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let (organization, id) = (device.organization, device.id);
    let expected = json!({
        "result": "allow",
        "is_superuser": false,
        "client_attrs": {"organization": organization.to_string(), "device": id.to_string()},
        "expire_at": device.issued.not_after.timestamp(),
        "acl": [
            {"permission": "allow", "action": "publish", "topic": format!("eq v1/telemetry/{organization}/{id}"),
             "qos": [0, 1], "retain": false},
            {"permission": "allow", "action": "subscribe", "topic": format!("eq v1/commands/{organization}/{id}")},
            {"permission": "deny", "action": "all", "topic": "#"},
        ],
    });
    assert_eq!(answer.json, expected);
    hook.door.close().await;
}

#[tokio::test]
async fn whom_the_edge_would_refuse_is_denied_and_told_of() {
    let world = World::new().await;
    let hook = Hook::open(&world).await;
    let (good, revoked, gone) = (world.device().await, world.device().await, world.device().await);
    world.revoke(&revoked).await;
    world.decommission(&gone).await;
    let unissued = world.unregistered(30, now());
    let old = world.unregistered(1, now() - chrono::TimeDelta::days(10));
    world.register(&old).await;
    world.note_certificate(&old).await;
    let mut as_another = asked(&good);
    as_another["clientid"] = json!(revoked.id.to_string());
    let mut foreign = asked(&good);
    let other = World::new().await.device().await;
    foreign["cert_pem"] = json!(BASE64.encode(other.issued.certificate_pem.as_bytes()));
    let mut nonsense = asked(&good);
    nonsense["cert_pem"] = json!("bm8gY2VydGlmaWNhdGU=");
    for (asked, why) in [
        (asked(&revoked), "revoked"),
        (asked(&gone), "decommissioned"),
        (asked(&unissued), "unknown_certificate"),
        (asked(&old), "expired"),
        (as_another, "wrong_client_id"),
        (foreign, "unknown_organization"),
        (nonsense, "unreadable_certificate"),
    ] {
        // The event may be a moment away from the directory; what is denied stays denied.
        let denied = async || {
            let answer = hook.ask(&asked).await;
            assert_eq!(answer.status, 200);
            (answer.json == json!({"result": "deny", "is_superuser": false})).then_some(())
        };
        eventually(why, denied).await;
        let told = async || world.presence().await.iter().any(|fact| fact.reason.as_deref() == Some(why)).then_some(());
        eventually(why, told).await;
    }
    assert_eq!(hook.ask(&asked(&good)).await.json["result"], "allow");
    hook.door.close().await;
}

#[tokio::test]
async fn a_client_without_a_certificate_is_left_to_the_brokers_own_accounts() {
    let world = World::new().await;
    let hook = Hook::open(&world).await;
    let bridge = json!({"clientid": "argusiq-bridge-0", "username": "argusiq-bridge", "cert_common_name": "",
        "cert_subject": "", "peerhost": "10.0.0.5", "cert_pem": ""});
    assert_eq!(hook.ask(&bridge).await.json, json!({"result": "ignore", "is_superuser": false}));
    hook.door.close().await;
}

#[tokio::test]
async fn without_the_secret_nothing_is_answered() {
    let world = World::new().await;
    let (hook, device) = (Hook::open(&world).await, world.device().await);
    for secret in ["", "a secret of some lengt", "another secret, longer than the first"] {
        let answer = hook.client(secret).await.post(HOOK, asked(&device).to_string()).await;
        assert_eq!((answer.status, &answer.json["result"]), (401, &Value::Null), "{secret:?}");
    }
    let malformed = hook.client(SECRET).await.post(HOOK, "{").await;
    assert_eq!((malformed.status, &malformed.json["type"]), (400, &json!("urn:argusiq:problem:malformed-json")));
    hook.door.close().await;
}

#[tokio::test]
async fn a_secret_that_can_be_guessed_and_an_address_that_is_none_stop_the_start_with_one_line() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let short = world.door_with(|config| {
        config.hook = Some(HookConfig { listen: Listen::Socket(listener), secret: Secret::new("short") });
    });
    let error = short.await.failed().await.to_string();
    assert_eq!(error, "the secret of the broker's hook (emqx.hook_secret) must have 16 characters or more");
    let wrong = world.door_with(|config| config.broker_api = Some(api("https://emqx:18083")));
    let error = wrong.await.failed().await.to_string();
    assert_eq!(error, "emqx.api_url \"https://emqx:18083\" is not of the form http://host:port");
}

fn api(url: &str) -> BrokerApi {
    BrokerApi { url: url.to_owned(), key: "key".into(), secret: Secret::new("its secret") }
}

/// Method, address and authorisation of a request.
type Call = (String, String, Option<String>);

/// Stands in for EMQX's management API: records each request, and answers the first ones with a failure.
#[derive(Clone, Default)]
struct Broker {
    asked: Arc<Mutex<Vec<Call>>>,
    failures: usize,
}

impl Broker {
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
        let mut asked = self.asked.lock().unwrap();
        asked.push((request.method().to_string(), request.uri().to_string(), header.map(str::to_owned)));
        let status =
            if asked.len() <= self.failures { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT };
        Response::builder().status(status).body(Empty::new()).unwrap()
    }

    fn asked(&self) -> Vec<Call> {
        self.asked.lock().unwrap().clone()
    }
}

fn kick(device: &Device) -> Call {
    let authorization = format!("Basic {}", BASE64.encode(b"key:its secret"));
    ("DELETE".to_owned(), format!("/api/v5/clients/{}", device.id), Some(authorization))
}

#[tokio::test]
async fn the_broker_is_told_to_end_the_session_of_a_device_that_lost_its_right_after_the_hook_denies_it() {
    let world = World::new().await;
    let broker = Broker { failures: 2, ..Broker::default() };
    let url = format!("http://{}", broker.clone().listen().await);
    let hook = Hook::open_with(&world, |config| config.broker_api = Some(api(&url))).await;
    let (revoked, gone, kept) = (world.device().await, world.device().await, world.device().await);
    assert_eq!(hook.ask(&asked(&revoked)).await.json["result"], "allow");
    world.revoke(&revoked).await;
    // Refused twice by the broker, and told a third time.
    let told = async || (broker.asked().len() >= 3).then_some(());
    eventually("the third attempt", told).await;
    assert_eq!(broker.asked()[..3], [kick(&revoked), kick(&revoked), kick(&revoked)]);
    assert_eq!(hook.ask(&asked(&revoked)).await.json["result"], "deny");
    world.decommission(&gone).await;
    eventually("the second device", async || broker.asked().contains(&kick(&gone)).then_some(())).await;
    assert!(!broker.asked().contains(&kick(&kept)));
    world.suspend().await;
    eventually("the organisation", async || broker.asked().contains(&kick(&kept)).then_some(())).await;
    hook.door.close().await;
}

#[tokio::test]
async fn what_was_revoked_while_the_role_was_down_is_told_at_its_start() {
    let world = World::new().await;
    let (revoked, broker) = (world.device().await, Broker::default());
    world.revoke(&revoked).await;
    let url = format!("http://{}", broker.clone().listen().await);
    let door = world.door_with(|config| config.broker_api = Some(api(&url))).await;
    eventually("the kick", async || broker.asked().contains(&kick(&revoked)).then_some(())).await;
    door.close().await;
}
