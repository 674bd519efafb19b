//! The API's enums: one for each domain enum in requests and responses, so that the OpenAPI document lists their
//! values.

use poem_openapi::Enum;

macro_rules! wire_enums {
    ($($(#[$doc:meta])* $name:ident = $domain:path { $($variant:ident $word:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        #[allow(missing_docs)]
        pub enum $name { $(#[oai(rename = $word)] $variant),* }

        impl $name {
            /// Returns the value as JSON shows it.
            #[allow(dead_code)]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                use $domain as Domain;
                match word { $($name::$variant => Domain::$variant),* }
            }
        }

        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                use $domain as Domain;
                match word { $(Domain::$variant => $name::$variant),* }
            }
        }
    )*};
}

wire_enums! {
    /// An access role of a user or API key.
    Role = domain::user::AccessRole {
        Viewer "viewer", Operator "operator", Engineer "engineer", Admin "admin", PlatformAdmin "platform_admin",
    }
    /// A severity or urgency.
    Severity = domain::alarming::Severity { Low "low", Medium "medium", High "high", Critical "critical" }
    /// A comparison operator; `between` and `outside` need `upper`.
    Operator = domain::alarming::Operator {
        Above ">", AtLeast ">=", Below "<", AtMost "<=", Equal "==", NotEqual "!=", Between "between",
        Outside "outside",
    }
    /// The kind of resource that a rule or an activity concerns.
    EntityType = domain::rule::EntityKind { Device "device", Asset "asset", Space "space" }
    /// The role of a device for an asset.
    LinkRole = domain::device_links::LinkRole { Primary "primary", Backup "backup", Secondary "secondary" }
    /// The data type of a metric's values.
    ValueKind = domain::device_type::ValueKind { Number "number", Boolean "boolean", Text "text" }
    /// How metrics that the device type does not declare are handled.
    UnknownMetrics = domain::device_type::UnknownMetrics { Keep "keep", Refuse "refuse" }
    /// The reason why a certificate is revoked (RFC 5280).
    RevocationCode = domain::certificate::RevocationCode {
        Unspecified "unspecified", KeyCompromise "key_compromise", AffiliationChanged "affiliation_changed",
        Superseded "superseded", CessationOfOperation "cessation_of_operation", PrivilegeWithdrawn "privilege_withdrawn",
    }
    /// The field protocol of the device behind the payload.
    SourceProtocol = domain::catalogue::protocol_converter::SourceProtocol {
        Modbus "modbus", Opcua "opcua", Bacnet "bacnet", Raw "raw",
    }
    /// The encoding of a binary frame in a payload.
    FrameEncoding = domain::catalogue::protocol_converter::FrameEncoding {
        Hex "hex", Base64 "base64", Binary "binary",
    }
    /// The data type of a register.
    RegisterKind = domain::catalogue::protocol_converter::RegisterKind {
        U8 "u8", I8 "i8", U16 "u16", I16 "i16", U32 "u32", I32 "i32", U64 "u64", I64 "i64", F32 "f32", F64 "f64",
    }
    /// The byte order of a register.
    Endianness = domain::catalogue::protocol_converter::Endianness {
        Big "big", Little "little", BigWordSwapped "big_word_swapped", LittleWordSwapped "little_word_swapped",
    }
    /// How the values of child assets are aggregated.
    CompositeAggregation = domain::asset_type::Aggregation {
        Sum "sum", Avg "avg", Min "min", Max "max", Last "last", Count "count",
    }
    /// How the health scores of child assets are combined: with `worst`, the parent's score is at most that of its
    /// worst child; with `mean`, each child contributes to the mean.
    ChildrenFold = domain::asset_type::ChildrenFold { Worst "worst", Mean "mean" }
    /// What triggers the creation of an activity from a template.
    TriggerEventType = domain::activity_template::TriggerEventType {
        ThresholdBreach "THRESHOLD_BREACH", DeviceOffline "DEVICE_OFFLINE", Manual "MANUAL",
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::{ParseFromJSON, ToJSON};

    use super::*;

    fn same<W: ParseFromJSON, D: serde::Serialize>(words: &[&str], to: fn(W) -> D) {
        for word in words {
            let parsed = W::parse_from_json(Some((*word).into())).unwrap_or_else(|_| panic!("{word}"));
            assert_eq!(serde_json::to_value(to(parsed)).unwrap(), *word);
        }
    }

    #[test]
    fn the_values_are_those_of_the_domain() {
        same::<Role, domain::user::AccessRole>(
            &["viewer", "operator", "engineer", "admin", "platform_admin"],
            Into::into,
        );
        same::<Severity, domain::alarming::Severity>(&["low", "medium", "high", "critical"], Into::into);
        let operators = [">", ">=", "<", "<=", "==", "!=", "between", "outside"];
        same::<Operator, domain::alarming::Operator>(&operators, Into::into);
        same::<EntityType, domain::rule::EntityKind>(&["device", "asset", "space"], Into::into);
        same::<LinkRole, domain::device_links::LinkRole>(&["primary", "backup", "secondary"], Into::into);
        same::<ValueKind, domain::device_type::ValueKind>(&["number", "boolean", "text"], Into::into);
        same::<UnknownMetrics, domain::device_type::UnknownMetrics>(&["keep", "refuse"], Into::into);
        let triggers = ["THRESHOLD_BREACH", "DEVICE_OFFLINE", "MANUAL"];
        same::<TriggerEventType, domain::activity_template::TriggerEventType>(&triggers, Into::into);
        assert_eq!(RevocationCode::KeyCompromise.to_json(), Some("key_compromise".into()));
    }
}
