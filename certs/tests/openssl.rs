//! Cross-checks with the `openssl` command (Debian package `openssl`), an implementation that shares no code with ours.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use certs::{CrlEntry, RevocationReason, ServerNames, csr};
use support::*;

fn openssl(dir: &Path, arguments: &str) -> Output {
    Command::new("openssl")
        .current_dir(dir)
        .args(arguments.split(' '))
        .output()
        .expect("these tests need the openssl command: apt-get install openssl")
}

#[track_caller]
fn output_text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(both).unwrap()
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        std::fs::write(dir.join(name), content).unwrap();
    }
}

#[test]
fn openssl_accepts_a_valid_certificate_and_refuses_a_revoked_or_expired_one() {
    let (dir, pki) = (tempfile::tempdir().unwrap(), pki());
    let dir = dir.path();
    let (fresh, revoked) =
        (pki.ours.issue_device(DEVICE, 30, now()).unwrap(), pki.ours.issue_device(DEVICE, 30, now()).unwrap());
    let entry = CrlEntry { serial: revoked.serial.clone(), revoked_at: now(), reason: RevocationReason::Superseded };
    let list = pki.ours.crl(&[entry], 258, now(), now() + days(7)).unwrap();
    let root_list = pki.root.crl(&[], 1, now(), now() + days(7)).unwrap();
    write(
        dir,
        &[
            ("root.crt", pki.root.certificate_pem()),
            ("ca.crt", pki.ours.certificate_pem()),
            ("fresh.crt", &fresh.certificate_pem),
            ("revoked.crt", &revoked.certificate_pem),
            ("lists.pem", &format!("{}{}", list.pem, root_list.pem)),
            ("list.pem", &list.pem),
        ],
    );
    let verify = |at: i64, name: &str| {
        openssl(
            dir,
            &format!(
                "verify -x509_strict -purpose sslclient -attime {at} -crl_check_all -CRLfile lists.pem \
                 -CAfile root.crt -untrusted ca.crt {name}"
            ),
        )
    };
    let accepted = verify(now().timestamp(), "fresh.crt");
    assert!(accepted.status.success(), "{}", output_text(&accepted));
    let refused = verify(now().timestamp(), "revoked.crt");
    assert!(
        !refused.status.success() && output_text(&refused).contains("certificate revoked"),
        "{}",
        output_text(&refused)
    );
    let expired = verify((now() + days(31)).timestamp(), "fresh.crt");
    assert!(!expired.status.success() && output_text(&expired).contains("has expired"), "{}", output_text(&expired));

    let shown = output_text(&openssl(dir, "crl -in list.pem -noout -text"));
    for part in ["X509v3 CRL Number: \n                258", "Superseded", &revoked.serial.as_str().to_uppercase()] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let shown = output_text(&openssl(dir, "x509 -in fresh.crt -noout -serial -fingerprint -sha256"));
    assert!(shown.to_lowercase().contains(&format!("serial={}", fresh.serial)), "{shown}");
    assert!(shown.replace(':', "").to_lowercase().contains(&fresh.fingerprint_sha256), "{shown}");
}

#[test]
fn openssl_accepts_the_server_certificate_only_for_its_names() {
    let (dir, pki) = (tempfile::tempdir().unwrap(), pki());
    let dir = dir.path();
    let server = pki
        .root
        .issue_server_certificate(&ServerNames::parse(["edge.example", "127.0.0.1", "::1"]).unwrap(), 90, now())
        .unwrap();
    write(dir, &[("root.crt", pki.root.certificate_pem()), ("server.crt", &server.certificate_pem)]);
    let verify = |name: &str| {
        let at = now().timestamp();
        openssl(dir, &format!("verify -x509_strict -purpose sslserver -attime {at} -CAfile root.crt {name} server.crt"))
    };
    for name in ["-verify_hostname edge.example", "-verify_ip 127.0.0.1", "-verify_ip ::1"] {
        assert!(verify(name).status.success(), "{name}: {}", output_text(&verify(name)));
    }
    assert!(!verify("-verify_hostname other.example").status.success());
    assert!(!verify("-verify_ip 127.0.0.2").status.success());
}

#[test]
fn requests_created_by_openssl_are_signed_unless_they_are_weak() {
    let (dir, pki) = (tempfile::tempdir().unwrap(), pki());
    let dir = dir.path();
    let request = |curve: &str, hash: &str| {
        let output = openssl(
            dir,
            &format!(
                "req -new -newkey ec -pkeyopt ec_paramgen_curve:{curve} -nodes -keyout key -subj /CN={DEVICE} -{hash} \
                 -out csr"
            ),
        );
        assert!(output.status.success(), "{}", output_text(&output));
        std::fs::read_to_string(dir.join("csr")).unwrap()
    };
    let own = csr::Subject { device: DEVICE, serial_number: None };
    let sign = |csr: &str| pki.ours.sign_csr(csr, own, 1, now());
    sign(&request("P-256", "sha256")).unwrap();
    sign(&request("P-384", "sha384")).unwrap();
    let refused = sign(&request("secp224r1", "sha256")).unwrap_err();
    assert!(matches!(refused, certs::Error::Csr(csr::Error::KeyKind(_))), "{refused:?}");
    let refused = sign(&request("P-256", "sha1")).unwrap_err();
    assert!(matches!(refused, certs::Error::Csr(csr::Error::Signature)), "{refused:?}");
}
