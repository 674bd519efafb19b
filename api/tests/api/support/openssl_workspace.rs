//! Generates keys and signing requests as devices do, with the `openssl` command.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A temporary folder with a device's files.
pub struct OpensslWorkspace(TempDir);

impl OpensslWorkspace {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Runs openssl in the folder.
    pub fn try_openssl(&self, arguments: &str) -> Output {
        let run = Command::new("openssl").current_dir(self.path()).args(arguments.split(' ')).output();
        run.expect("these tests need the openssl command: apt-get install openssl")
    }

    /// Runs openssl, which must succeed; returns its output.
    #[track_caller]
    pub fn openssl(&self, arguments: &str) -> String {
        let output = self.try_openssl(arguments);
        let text = String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap();
        assert!(output.status.success(), "openssl {arguments}: {text}");
        text
    }

    /// Generates a key in `key` and returns a signing request for this subject.
    #[track_caller]
    pub fn request(&self, subject: &str) -> String {
        self.request_for("ec -pkeyopt ec_paramgen_curve:P-256", subject)
    }

    /// Generates a key of another kind in `key` and returns a signing request for this subject.
    #[track_caller]
    pub fn request_for(&self, kind: &str, subject: &str) -> String {
        self.openssl(&format!("req -new -newkey {kind} -nodes -keyout key -subj {subject} -out csr"));
        self.read("csr")
    }
}
