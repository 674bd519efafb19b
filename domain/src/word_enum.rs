//! Enums without data that have one word per variant: the same in JSON, in SQL and in messages.

/// Implements `ALL`, `as_str`, `Display` and `FromStr` for an enum, using the words that serde uses for it.
macro_rules! word_enum {
    ($name:ident { $($variant:ident $word:literal),* $(,)? }) => {
        impl $name {
            /// All variants in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the variant's word as used in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;
            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|variant| variant.as_str() == word)
                    .ok_or_else(|| $crate::UnknownWord(word.to_owned()))
            }
        }
    };
}

pub(crate) use word_enum;

/// The word does not name a variant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word {0:?}")]
pub struct UnknownWord(pub String);

#[cfg(test)]
mod tests {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::Serialize;

    fn words_agree<T: Copy + Display + FromStr + Serialize + PartialEq + std::fmt::Debug>(all: &[T]) {
        assert!(!all.is_empty());
        for variant in all {
            assert_eq!(serde_json::to_value(variant).unwrap(), variant.to_string(), "{variant:?}");
            assert_eq!(T::from_str(&variant.to_string()).ok(), Some(*variant));
        }
        assert!(T::from_str("nonsense").is_err());
    }

    #[test]
    fn display_json_and_parsing_use_the_same_words() {
        words_agree(crate::activity::ActivityStatus::ALL);
        words_agree(crate::activity_template::TriggerEventType::ALL);
        words_agree(crate::alarm::AlarmState::ALL);
        words_agree(crate::certificate::RevocationCode::ALL);
        words_agree(crate::device_links::LinkRole::ALL);
        words_agree(crate::device_type::UnknownMetrics::ALL);
        words_agree(crate::device_type::ValueKind::ALL);
        words_agree(crate::rule::EntityKind::ALL);
        words_agree(crate::unique_key::KeyKind::ALL);
        words_agree(crate::user::AccessRole::ALL);
    }
}
