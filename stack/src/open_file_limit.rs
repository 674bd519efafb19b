//! The limit on open files, raised as far as the system allows. No other limit is touched.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit on open files of this process, and of what it starts, to the hard limit. Returns the limit now
/// in force, in files; 0 when the system does not say.
pub fn raise_open_file_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_err() {
        return soft;
    }
    hard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_reaches_the_hard_limit() {
        let raised = raise_open_file_limit();
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!((soft, hard), (raised, raised));
        assert!(raised >= 1024);
    }
}
