//! The platform's public API as the simulator uses it. What does not live here: what for.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use ureq::Agent;

/// A signed-in client; cheap to clone. Calls block, so they belong into `spawn_blocking`.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    base: String,
    token: String,
    /// The organisation of the signed-in user.
    pub organization: String,
}

impl Api {
    /// Signs in.
    pub fn sign_in(base: &str, email: &str, password: &str) -> anyhow::Result<Self> {
        let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).http_status_as_error(false);
        let mut api = Self {
            agent: config.build().into(),
            base: base.trim_end_matches('/').to_owned(),
            token: String::new(),
            organization: String::new(),
        };
        let answer = api.post("/api/v1/auth/login", &json!({"email": email, "password": password}))?;
        api.token = text(&answer, "/accessToken")?;
        api.organization = text(&answer, "/user/organizationId")?;
        Ok(api)
    }

    /// The address of the live feed as a plain WebSocket.
    pub fn feed_url(&self) -> String {
        format!("{}/api/v1/ws?token={}", self.base.replacen("http", "ws", 1), self.token)
    }

    /// GETs JSON.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("authorization", self.authorization());
        read(request.call().with_context(|| format!("GET {path}"))?, path)
    }

    /// GETs text.
    pub fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call()?;
        if !answer.status().is_success() {
            bail!("{path} answered {}", answer.status());
        }
        Ok(answer.body_mut().read_to_string()?)
    }

    /// POSTs JSON.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.agent.post(format!("{}{path}", self.base)).header("authorization", self.authorization());
        read(request.send_json(body).with_context(|| format!("POST {path}"))?, path)
    }

    fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

/// Takes a text out of an answer by its JSON pointer.
pub fn text(answer: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("the answer has no {pointer}: {answer}"))
}

fn read(mut answer: ureq::http::Response<ureq::Body>, path: &str) -> anyhow::Result<Value> {
    let status = answer.status();
    let body = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
    if !status.is_success() {
        bail!("{path} answered {status}: {body}");
    }
    if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&body)?) }
}
