//! Formats an error together with its causes on one line, for log records, dead letters and health checks.

use std::iter::successors;

/// Returns the message of an error and those of its causes, outermost first, separated by `: `.
///
/// Log records write `error = error_chain(&error)`. A field of type `dyn Error` would lose its causes in JSON logs,
/// because tracing-subscriber's JSON formatter records only the outermost message.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let causes = successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the checkpoint")]
    struct Outer(#[source] std::num::ParseIntError);

    #[test]
    fn causes_follow_the_error_on_one_line() {
        let cause = "x".parse::<u64>().unwrap_err();
        assert_eq!(error_chain(&cause), "invalid digit found in string");
        assert_eq!(error_chain(&Outer(cause)), "cannot read the checkpoint: invalid digit found in string");
    }
}
