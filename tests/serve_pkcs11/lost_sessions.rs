//! Sessions that others end, and PINs that are wrong: in a process of its own, for a library is one for a whole process
//! and finds its tokens by the environment.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cryptoki::context::Pkcs11;
use cryptoki::session::{SessionState, UserType};
use stirtrace::service::Settings;
use stirtrace::service::pkcs11::{TokenError, TokenKey, TokenKeys};
use stirtrace::service::settings::{KeySettings, Pkcs11Settings};
use stirtrace::service::signer::Key as _;
use stirtrace::sign::SigningCertificate;

use crate::command::certs;
use crate::softhsm::{PIN, SoftHsm};
use crate::{BY_FILE, configuration, desk};

#[test]
fn a_session_that_was_lost_is_opened_anew() {
    let Some((_desk, softhsm)) = desk() else { return };
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lost_sessions::within_a_process_of_its_own", "--ignored", "--nocapture"])
        .env("SOFTHSM2_CONF", &softhsm.configuration)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "a part of the test above, which runs it"]
fn within_a_process_of_its_own() {
    let settings = settings();
    let module = Pkcs11::new(&settings.module).unwrap();
    let certificate = certificate();
    let keys = TokenKeys::default();
    let key = keys.key(&settings, pin(PIN), &certificate).unwrap();
    let same = keys.key(&settings, pin("never asked for"), &certificate).unwrap();
    assert!(Arc::ptr_eq(&key, &same), "what is in use already is not opened twice");
    let slot = module.get_slots_with_initialized_token().unwrap()[0];
    for _ in 0..3 {
        sign(&key, &certificate);
        // Whoever else is in the process may log out, which all sessions of the token are then.
        module.open_ro_session(slot).unwrap().logout().unwrap();
        sign(&key, &certificate);
    }
    // Or end the library under everybody's feet.
    module.clone().finalize().unwrap();
    sign(&key, &certificate);
    drop((key, same));
    wrong_pins_are_tried_once(&keys, &settings, &certificate, &module);
}

/// A token may lock itself after a few wrong ones.
fn wrong_pins_are_tried_once(
    keys: &TokenKeys,
    settings: &Pkcs11Settings,
    certificate: &SigningCertificate,
    module: &Pkcs11,
) {
    let slot = module.get_slots_with_initialized_token().unwrap()[0];
    // The sessions of the dropped key end with its threads, and with the last of them the login.
    let began = Instant::now();
    while module.open_ro_session(slot).unwrap().get_session_info().unwrap().session_state() != SessionState::RoPublic {
        assert!(began.elapsed() < Duration::from_secs(20), "somebody is logged in still");
        std::thread::sleep(Duration::from_millis(10));
    }
    let refused = |code: &str| Some(TokenError::PinRefused { code: code.to_owned() });
    let open = |text: &'static str| keys.key(settings, pin(text), certificate);
    assert_eq!(open("11111111").err(), refused("PinIncorrect"));
    assert_eq!(open("11111111").err(), refused("before"));
    assert_eq!(open("22222222").err(), refused("PinIncorrect"));
    let key = open(PIN).unwrap();
    sign(&key, certificate);
    let session = module.open_ro_session(slot).unwrap();
    assert!(session.login(UserType::User, Some(&PIN.to_owned().into())).is_err(), "it is logged in");
}

fn settings() -> Pkcs11Settings {
    let table = SoftHsm::table_of_any(&format!("{BY_FILE}sessions = 1"));
    let settings = Settings::parse(configuration(&table).as_bytes()).unwrap();
    match &settings.signers[0].key {
        KeySettings::Pkcs11(own) => own.clone(),
        other => panic!("{other:?}"),
    }
}

fn certificate() -> SigningCertificate {
    let pem = std::fs::read(certs().join("archive/certificates.lab.example/twill.pem")).unwrap();
    SigningCertificate::new(&pem, "https://certificates.lab.example/twill.pem").unwrap()
}

fn pin(text: &'static str) -> stirtrace::service::pkcs11::ReadPin {
    Arc::new(move || Ok(Some(text.to_owned())))
}

fn sign(key: &TokenKey, certificate: &SigningCertificate) {
    let message = b"a message";
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let signature = runtime.block_on(key.sign(digest.as_ref().try_into().unwrap())).unwrap();
    certificate.check_signature(message, &signature).unwrap();
}
