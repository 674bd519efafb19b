//! A small HTTP client whose responses have assertions.

use std::ops::Index;
use std::time::Duration;

use serde_json::{Value, json};

/// A client of the API, with or without a token.
#[derive(Clone)]
pub struct Client {
    pub address: String,
    agent: ureq::Agent,
    pub token: Option<String>,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub json: Value,
}

impl Client {
    pub fn anonymous(address: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        Self { address: address.to_owned(), agent, token: None, headers: vec![] }
    }

    pub fn sign_in(&self, email: &str, password: &str) -> Self {
        let answer = self.post("/api/v1/auth/login", json!({"email": email, "password": password})).ok();
        Self { token: answer["accessToken"].as_str().map(str::to_owned), ..self.clone() }
    }

    /// Returns this client with one more header.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let headers = [self.headers.clone(), vec![(name.to_owned(), value.to_owned())]].concat();
        Self { headers, ..self.clone() }
    }

    /// Returns this client with another token.
    pub fn bearing(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[])
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None, &[])
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.post_with(path, body, &[])
    }

    pub fn post_with(&self, path: &str, body: Value, headers: &[(&str, &str)]) -> Answer {
        let headers = [&[("content-type", "application/json")], headers].concat();
        self.send("POST", path, Some(&body.to_string()), &headers)
    }

    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(&body.to_string()), &[("content-type", "application/json")])
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> ureq::http::request::Builder {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request
    }

    /// Sends a request and returns the body of a 200 response as bytes.
    pub fn send_for_bytes(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Vec<u8> {
        let mut answer = self.agent.run(self.request(method, path, headers).body(body).unwrap()).unwrap();
        assert_eq!(answer.status(), 200);
        answer.body_mut().read_to_vec().unwrap()
    }

    pub fn send(&self, method: &str, path: &str, body: Option<&str>, headers: &[(&str, &str)]) -> Answer {
        let request = self.request(method, path, headers);
        let answer = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = answer.body_mut().read_to_string().unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers: answer
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
                .collect(),
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Self {
        self.status(200)
    }

    #[track_caller]
    pub fn created(self) -> Self {
        self.status(201)
    }

    #[track_caller]
    pub fn status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Asserts that the response is a problem with this status and type.
    #[track_caller]
    pub fn problem(self, status: u16, slug: &str) -> Self {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{} {}", self.status, self.text);
        assert_eq!(self.json["type"], format!("urn:argusiq:problem:{slug}"), "{}", self.text);
        assert_eq!(self.json["status"], status, "{}", self.text);
        self.status(status)
    }

    /// Returns the fields that a problem names.
    pub fn fields(&self) -> Vec<String> {
        let errors = self.json["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.json[name]
    }
}
