//! A blocking client of the platform's public API.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use ureq::Agent;

/// How long a client uses one access token: tokens are valid for 15 minutes.
const SIGN_IN_EVERY: Duration = Duration::from_secs(10 * 60);

/// The timeout of a file upload, its answer included.
const FILE_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// The result of a write.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Its position in the log.
    pub position: u64,
}

/// A signed-in client; cheap to clone. Calls block, so call them from `spawn_blocking`.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    base: String,
    email: String,
    password: String,
    /// The access token and when it was issued; `None` until the first sign-in.
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

    /// Signs in and returns the access token and the organisation's id.
    fn fresh_token(&self) -> anyhow::Result<(String, String)> {
        let path = "/api/v1/auth/login";
        let body = json!({"email": self.email, "password": self.password});
        let request = self.agent.post(format!("{}{path}", self.base));
        let answer = read(request.send_json(&body).with_context(|| format!("POST {path}"))?, path)?;
        Ok((text(&answer, "/accessToken")?, text(&answer, "/user/organizationId")?))
    }

    /// Returns an access token that stays valid for some minutes, signing in again if necessary.
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

    /// Returns the URL of the live feed as a plain WebSocket.
    pub fn feed_url(&self) -> anyhow::Result<String> {
        Ok(format!("{}/api/v1/ws?token={}", self.base.replacen("http", "ws", 1), self.token()?))
    }

    /// Sends a GET request and parses the JSON answer.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("authorization", self.authorization()?);
        read(request.call().with_context(|| format!("GET {path}"))?, path)
    }

    /// Sends a GET request without a token and returns the text of the answer.
    pub fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call()?;
        if !answer.status().is_success() {
            bail!("{path} answered {}", answer.status());
        }
        Ok(answer.body_mut().read_to_string()?)
    }

    /// Sends a POST request with a JSON body and parses the JSON answer.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.agent.post(format!("{}{path}", self.base)).header("authorization", self.authorization()?);
        read(request.send_json(body).with_context(|| format!("POST {path}"))?, path)
    }

    /// Sends a PUT request with a JSON body and returns the change's log position.
    pub fn put(&self, path: &str, body: &Value) -> anyhow::Result<Written> {
        let request = self.agent.put(format!("{}{path}", self.base)).header("authorization", self.authorization()?);
        let answer = request.send_json(body).with_context(|| format!("PUT {path}"))?;
        let position = answer.headers().get("x-log-position").and_then(|value| value.to_str().ok()?.parse().ok());
        read(answer, path)?;
        Ok(Written { position: position.unwrap_or_default() })
    }

    /// Sends a DELETE request and parses the JSON answer.
    pub fn delete(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.delete(format!("{}{path}", self.base)).header("authorization", self.authorization()?);
        read(request.call().with_context(|| format!("DELETE {path}"))?, path)
    }

    /// Uploads a file with a long timeout and returns the text of the answer.
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

    /// Returns the same client with its own connection pool.
    pub fn with_own_connections(&self) -> Self {
        let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).http_status_as_error(false);
        Self { agent: config.build().into(), ..self.clone() }
    }

    fn authorization(&self) -> anyhow::Result<String> {
        Ok(format!("Bearer {}", self.token()?))
    }
}

/// Returns the text at a JSON pointer of an answer.
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
