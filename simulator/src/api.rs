//! The platform's public API as the simulator uses it. What does not live here: what for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use ureq::Agent;

/// After how long a client signs in again: access tokens are valid for 15 minutes.
const SIGN_IN_EVERY: Duration = Duration::from_secs(10 * 60);

/// How long the answer to a file may take.
const FILE_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Where a change stands.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Its position in the log.
    pub position: u64,
}

/// A signed-in client; cheap to clone. Calls block, so they belong into `spawn_blocking`.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    base: String,
    email: String,
    password: String,
    /// The token, and when it was answered; absent before the first.
    token: Arc<Mutex<Option<(String, Instant)>>>,
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
            email: email.to_owned(),
            password: password.to_owned(),
            token: Arc::default(),
            organization: String::new(),
        };
        let (token, organization) = api.fresh_token()?;
        api.token = Arc::new(Mutex::new(Some((token, Instant::now()))));
        api.organization = organization;
        Ok(api)
    }

    /// Signs in; answers the token and the organisation.
    fn fresh_token(&self) -> anyhow::Result<(String, String)> {
        let path = "/api/v1/auth/login";
        let body = json!({"email": self.email, "password": self.password});
        let request = self.agent.post(format!("{}{path}", self.base));
        let answer = read(request.send_json(&body).with_context(|| format!("POST {path}"))?, path)?;
        Ok((text(&answer, "/accessToken")?, text(&answer, "/user/organizationId")?))
    }

    /// A token that is valid for some minutes more.
    fn token(&self) -> anyhow::Result<String> {
        let mut present = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, since)) = &*present
            && since.elapsed() < SIGN_IN_EVERY
        {
            return Ok(token.clone());
        }
        let (token, _) = self.fresh_token()?;
        *present = Some((token.clone(), Instant::now()));
        Ok(token)
    }

    /// The address of the live feed as a plain WebSocket.
    pub fn feed_url(&self) -> anyhow::Result<String> {
        Ok(format!("{}/api/v1/ws?token={}", self.base.replacen("http", "ws", 1), self.token()?))
    }

    /// GETs JSON.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("authorization", self.authorization()?);
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
        let request = self.agent.post(format!("{}{path}", self.base)).header("authorization", self.authorization()?);
        read(request.send_json(body).with_context(|| format!("POST {path}"))?, path)
    }

    /// PUTs JSON.
    pub fn put(&self, path: &str, body: &Value) -> anyhow::Result<Written> {
        let request = self.agent.put(format!("{}{path}", self.base)).header("authorization", self.authorization()?);
        let answer = request.send_json(body).with_context(|| format!("PUT {path}"))?;
        let position = answer.headers().get("x-log-position").and_then(|value| value.to_str().ok()?.parse().ok());
        read(answer, path)?;
        Ok(Written { position: position.unwrap_or_default() })
    }

    /// DELETEs.
    pub fn delete(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.delete(format!("{}{path}", self.base)).header("authorization", self.authorization()?);
        read(request.call().with_context(|| format!("DELETE {path}"))?, path)
    }

    /// POSTs a file, for as long as that takes; answers the text that comes back.
    pub fn post_file(&self, path: &str, kind: &str, file: String) -> anyhow::Result<String> {
        let config = Agent::config_builder().timeout_global(Some(FILE_TIMEOUT)).http_status_as_error(false);
        let agent: Agent = config.build().into();
        let request = agent.post(format!("{}{path}", self.base)).header("authorization", self.authorization()?);
        let mut answer = request.header("content-type", kind).send(file).with_context(|| format!("POST {path}"))?;
        let text = answer.body_mut().with_config().limit(u64::MAX).read_to_string()?;
        if !answer.status().is_success() {
            bail!("POST {path} answered {}: {text}", answer.status());
        }
        Ok(text)
    }

    /// The same client with connections of its own.
    pub fn apart(&self) -> Self {
        let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).http_status_as_error(false);
        Self { agent: config.build().into(), ..self.clone() }
    }

    fn authorization(&self) -> anyhow::Result<String> {
        Ok(format!("Bearer {}", self.token()?))
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
