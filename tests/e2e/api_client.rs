//! A client of the public API.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::typestate::WithBody;
use ureq::{Agent, RequestBuilder};

/// A client with a signed-in user.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    pub base: String,
    pub token: String,
    pub organization: String,
}

impl Api {
    /// Signs in with email and password.
    pub fn sign_in(base: &str, email: &str, password: &str) -> Self {
        let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(30))).http_status_as_error(false);
        let agent: Agent = config.build().into();
        let mut api = Self { agent, base: base.to_owned(), token: String::new(), organization: String::new() };
        let answer = api.post("/api/v1/auth/login", json!({"email": email, "password": password}));
        api.token = answer["accessToken"].as_str().expect("an access token").to_owned();
        api.organization = answer["user"]["organizationId"].as_str().expect("an organisation").to_owned();
        api
    }

    /// Gets a resource; panics unless the status is 2xx.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path);
        assert!((200..300).contains(&status), "GET {path} answered {status}: {body}");
        body
    }

    /// Gets a resource; returns status and body.
    pub fn try_get(&self, path: &str) -> (u16, Value) {
        read(self.agent.get(self.url(path)).header("authorization", self.bearer()).call())
    }

    /// Gets a text without signing in.
    pub fn text(&self, path: &str) -> String {
        self.agent.get(self.url(path)).call().unwrap().body_mut().read_to_string().unwrap()
    }

    /// Posts JSON; panics unless the status is 2xx.
    pub fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_post(path, body);
        assert!((200..300).contains(&status), "POST {path} answered {status}: {answer}");
        answer
    }

    /// Posts JSON; returns status and body.
    pub fn try_post(&self, path: &str, body: Value) -> (u16, Value) {
        read(self.agent.post(self.url(path)).header("authorization", self.bearer()).send_json(&body))
    }

    /// Posts a file and returns the bytes of the response body.
    pub fn post_file(&self, path: &str, kind: &str, file: &str) -> Vec<u8> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        let mut answer = request.header("content-type", kind).send(file).expect("an answer");
        let bytes = answer.body_mut().read_to_vec().expect("a body");
        assert_eq!(answer.status(), 200, "{}", String::from_utf8_lossy(&bytes));
        bytes
    }

    /// Puts JSON; panics unless the status is 2xx.
    pub fn put(&self, path: &str, body: Value) -> Value {
        let (status, answer) =
            read(self.agent.put(self.url(path)).header("authorization", self.bearer()).send_json(&body));
        assert!((200..300).contains(&status), "PUT {path} answered {status}: {answer}");
        answer
    }

    /// Posts JSON; returns the body and the log position of the change.
    pub fn post_at(&self, path: &str, body: Value) -> (Value, u64) {
        self.change(self.agent.post(self.url(path)), body)
    }

    /// Puts JSON; returns the body and the log position of the change.
    pub fn put_at(&self, path: &str, body: Value) -> (Value, u64) {
        self.change(self.agent.put(self.url(path)), body)
    }

    fn change(&self, request: RequestBuilder<WithBody>, body: Value) -> (Value, u64) {
        let answer = request.header("authorization", self.bearer()).send_json(&body).expect("an answer");
        let position = answer.headers().get("x-log-position").and_then(|position| position.to_str().ok()?.parse().ok());
        let (status, answer) = read(Ok(answer));
        assert!((200..300).contains(&status), "{body} was answered {status}: {answer}");
        (answer, position.expect("a log position"))
    }

    /// Deletes a resource; returns status and body.
    pub fn delete(&self, path: &str) -> (u16, Value) {
        read(self.agent.delete(self.url(path)).header("authorization", self.bearer()).call())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

/// Gets a URL without signing in; returns status and body, whatever the status.
pub fn probe(url: &str) -> (u16, Value) {
    let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).http_status_as_error(false);
    read(Agent::from(config.build()).get(url).call())
}

/// Returns status and body; status 0 and the error's text if there was no response.
fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    match answer {
        Ok(mut answer) => {
            let text = answer.body_mut().read_to_string().unwrap_or_default();
            let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
            (answer.status().as_u16(), body)
        }
        Err(error) => (0, Value::String(error.to_string())),
    }
}
