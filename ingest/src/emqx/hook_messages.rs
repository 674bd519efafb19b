//! Requests and responses of EMQX's HTTP authenticator (5.8), according to its documentation and sources. Pure.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use crate::decide::Allowed;

/// The request of EMQX: the body template in `deploy/emqx/emqx.conf`. A placeholder without a value is an empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HookRequest {
    /// `${clientid}`; the common name if `mqtt.peer_cert_as_clientid` is `cn`.
    pub clientid: String,
    /// `${username}`; the common name if `mqtt.peer_cert_as_username` is `cn`.
    pub username: String,
    /// `${cert_common_name}`.
    pub cert_common_name: String,
    /// `${cert_subject}`.
    pub cert_subject: String,
    /// `${peerhost}`: the client's address.
    pub peerhost: String,
    /// `${cert_pem}`: the client's own certificate without its chain, sent by EMQX as base64 (since 5.7.1).
    pub cert_pem: String,
}

/// The response to EMQX.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookResponse {
    /// The decision.
    pub result: AuthResult,
    /// Whether the client bypasses authorisation: never.
    pub is_superuser: bool,
    /// Client attributes for rules and logs in the broker.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub client_attrs: BTreeMap<String, String>,
    /// When the broker ends the session, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_at: Option<i64>,
    /// What the client may do, so that the broker need not ask for each message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acl: Vec<AclRule>,
}

/// EMQX's decision values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthResult {
    /// The client may connect.
    Allow,
    /// The client may not connect.
    Deny,
    /// The next authenticator in the chain decides.
    Ignore,
}

/// One rule of the response, in the format of EMQX 5.5 and later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AclRule {
    /// `allow` or `deny`.
    pub permission: String,
    /// `publish`, `subscribe` or `all`.
    pub action: String,
    /// A topic filter; the prefix `eq ` disables wildcards.
    pub topic: String,
    /// Whether the rule applies only to retained messages (true) or only to others (false); to both if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<bool>,
}

impl HookResponse {
    /// Admits a device, with its topics and until its certificate expires.
    pub fn allow(allowed: &Allowed) -> Self {
        let rule = |permission: &str, action: &str, topic: String| AclRule {
            permission: permission.to_owned(),
            action: action.to_owned(),
            topic,
            retain: None,
        };
        let publish =
            AclRule { retain: Some(false), ..rule("allow", "publish", format!("eq {}", allowed.topics.telemetry)) };
        let subscribe = rule("allow", "subscribe", format!("eq {}", allowed.topics.commands));
        // Without a matching rule EMQX would fall back to acl.conf.
        let nothing_else = rule("deny", "all", "#".to_owned());
        let attributes = [("organization", allowed.organization.to_string()), ("device", allowed.device.to_string())];
        Self {
            client_attrs: attributes.map(|(name, value)| (name.to_owned(), value)).into(),
            expire_at: Some(allowed.expires_at.timestamp()),
            acl: vec![publish, subscribe, nothing_else],
            ..Self::result_only(AuthResult::Allow)
        }
    }

    /// Returns a response without attributes and rules.
    pub fn result_only(result: AuthResult) -> Self {
        Self { result, is_superuser: false, client_attrs: BTreeMap::new(), expire_at: None, acl: Vec::new() }
    }
}

/// Parses the client's certificate: base64 of PEM or DER, or plain PEM. Returns `None` if it is neither.
pub fn certificate(cert_pem: &str) -> Option<CertificateDer<'static>> {
    let text = cert_pem.trim();
    let bytes =
        if text.starts_with("-----") { text.as_bytes().to_vec() } else { BASE64.decode(text.as_bytes()).ok()? };
    if bytes.starts_with(b"-----") {
        CertificateDer::from_pem_slice(&bytes).ok()
    } else {
        Some(CertificateDer::from(bytes))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::ids::{DeviceId, OrganizationId};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::decide::Topics;

    #[test]
    fn an_allow_response_has_the_documented_form() {
        let (organization, device) = (OrganizationId(Uuid::from_u128(1)), DeviceId(Uuid::from_u128(2)));
        let expires_at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let allowed = Allowed { organization, device, topics: Topics::of(organization, device), expires_at };
        let expected = json!({
            "result": "allow", "is_superuser": false, "expire_at": 1_790_000_000,
            "client_attrs": {"organization": organization.to_string(), "device": device.to_string()},
            "acl": [
                {"permission": "allow", "action": "publish", "topic": format!("eq v1/telemetry/{organization}/{device}"),
                 "retain": false},
                {"permission": "allow", "action": "subscribe", "topic": format!("eq v1/commands/{organization}/{device}")},
                {"permission": "deny", "action": "all", "topic": "#"},
            ],
        });
        assert_eq!(serde_json::to_value(HookResponse::allow(&allowed)).unwrap(), expected);
        let deny = json!({"result": "deny", "is_superuser": false});
        assert_eq!(serde_json::to_value(HookResponse::result_only(AuthResult::Deny)).unwrap(), deny);
    }

    #[test]
    fn a_certificate_is_read_as_base64_of_pem_or_der_and_as_pem() {
        let authority =
            certs::RootAuthority::create("Test", DateTime::from_timestamp(1_790_000_000, 0).unwrap()).unwrap();
        let pem = authority.certificate_pem();
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        for text in [pem.to_owned(), BASE64.encode(pem.as_bytes()), BASE64.encode(&der)] {
            assert_eq!(certificate(&text).as_ref(), Some(&der), "{text}");
        }
        assert_eq!(certificate("undefined !"), None);
        assert_eq!(certificate("-----BEGIN CERTIFICATE-----"), None);
    }

    fn deployed(file: &str) -> String {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/emqx").join(file);
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_deployed_body_template_has_exactly_the_fields_of_a_request() {
        let conf = deployed("emqx.conf");
        let (_, rest) = conf.split_once("    body {\n").expect("a body template");
        let (body, _) = rest.split_once("\n    }\n").expect("its end");
        let template: BTreeMap<_, _> = body.lines().filter_map(|line| line.trim().split_once(" = ")).collect();
        let fields = serde_json::to_value(HookRequest::default()).unwrap();
        let fields: Vec<_> =
            fields.as_object().unwrap().keys().map(|name| (name, format!("\"${{{name}}}\""))).collect();
        let expected: BTreeMap<_, _> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(template, expected);
    }

    #[test]
    fn the_deployed_configuration_is_balanced_and_denies_by_default() {
        let conf = deployed("emqx.conf");
        let bare: String =
            conf.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
        for (open, close) in [('{', '}'), ('[', ']')] {
            assert_eq!(bare.matches(open).count(), bare.matches(close).count(), "{open} and {close}");
        }
        for essential in [
            "verify = verify_peer",
            "fail_if_no_peer_cert = true",
            "peer_cert_as_username = cn",
            "peer_cert_as_clientid = cn",
            "no_match = deny",
            "shared_subscription_strategy = hash_clientid",
            "reuse_sessions = false",
        ] {
            assert!(bare.contains(essential), "{essential}");
        }
        let acl = deployed("acl.conf");
        let rules: Vec<_> = acl.lines().filter(|line| line.starts_with('{')).collect();
        assert_eq!(rules.last(), Some(&"{deny, all}."), "{rules:?}");
        assert!(!acl.contains("{allow, all"), "{acl}");
    }
}
