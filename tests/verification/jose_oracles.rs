//! Two independent JOSE implementations: what is signed here verifies there, and the reverse.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use jwt_simple::prelude::{
    Claims as SimpleClaims, Duration, ECDSAP256KeyPairLike, ECDSAP256PublicKeyLike, ES256KeyPair, ES256PublicKey,
    HeaderOptions, KeyMetadata, UnixTimeStamp, VerificationOptions,
};
use p256::pkcs8::{EncodePublicKey, LineEnding};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stirtrace::time::UnixTime;
use stirtrace::verify::{CheckResult, Conclusion, Profile};

use crate::lab;
use crate::scene::Scene;
use crate::token::Token;

#[test]
fn what_is_signed_here_verifies_there() {
    let scene = Scene::default();
    for signer in ["twill", "cascade", "harbor", "juniper"] {
        let text = Token::from_json(json!({"signer": signer})).text(scene.at());
        assert!(jsonwebtoken_accepts(signer, &text), "{signer}");
        assert!(jwt_simple_accepts(signer, &text, scene.at()), "{signer}");
        assert!(!jsonwebtoken_accepts("prairie", &text));
        assert!(!jwt_simple_accepts("prairie", &text, scene.at()));
    }
}

#[test]
fn a_shaken_passport_of_jsonwebtoken_passes_here() {
    let scene = Scene::default();
    let mut header = jsonwebtoken::Header::new(Algorithm::ES256);
    header.typ = Some("passport".to_owned());
    header.x5u = Some(lab::entry("twill").x5u.clone());
    header.extras.insert("ppt", "shaken");
    let claims = json!({"attest": "A", "dest": {"tn": ["12155550131"]}, "iat": scene.at().seconds(),
        "orig": {"tn": "12155550112"}, "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"});
    let key = EncodingKey::from_ec_pem(&lab::file(&lab::entry("twill").key)).unwrap();
    let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
    let value = format!("{token};info=<{}>;alg=ES256;ppt=shaken", lab::entry("twill").x5u);
    assert_eq!(scene.verdict_on(&[value], Profile::Rfc).conclusion, Conclusion::Passed);
}

#[test]
fn a_base_passport_of_jwt_simple_passes_here() {
    // It writes no ppt, so what it signs is a base PASSporT.
    #[derive(Deserialize, Serialize)]
    struct Parties {
        orig: Value,
        dest: Value,
    }
    let scene = Scene::default();
    let parties = Parties { orig: json!({"tn": "12155550112"}), dest: json!({"tn": ["12155550131"]}) };
    let mut claims = SimpleClaims::with_custom_claims(parties, Duration::from_hours(1));
    let now = u64::try_from(scene.at().seconds()).unwrap();
    claims.issued_at = Some(UnixTimeStamp::from_secs(now));
    let pem = String::from_utf8(lab::file(&lab::entry("twill").key)).unwrap();
    let mut pair = ES256KeyPair::from_pem(&pem).unwrap();
    let x5u = &lab::entry("twill").x5u;
    pair.attach_metadata(KeyMetadata::default().with_certificate_url(x5u)).unwrap();
    let options = HeaderOptions { signature_type: Some("passport".to_owned()), ..HeaderOptions::default() };
    let token = pair.sign_with_options(claims, &options).unwrap();
    let verdict = scene.verdict_on(&[format!("{token};info=<{x5u}>;alg=ES256")], Profile::Rfc);
    assert_eq!(verdict.conclusion, Conclusion::Passed, "{:?}", verdict.error());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// On whether a signature is good, three implementations agree.
    #[test]
    fn all_agree_on_corrupted_signatures(
        byte in 0_usize..64, bit in 0_u8..8,
        corrupt in any::<bool>(), other_half in any::<bool>(), longer in any::<bool>(),
    ) {
        let scene = Scene::default();
        let mutations: &[&str] = if other_half { &["other-half-s"] } else { &[] };
        let good = Token::from_json(json!({"mutate": mutations})).text(scene.at());
        let (input, signature) = good.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        if corrupt {
            bytes[byte] ^= 1 << bit;
        }
        if longer {
            bytes.push(0);
        }
        let text = format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes));
        let expected = !corrupt && !longer;
        prop_assert_eq!(signature_holds(&scene, &text), expected);
        prop_assert_eq!(jsonwebtoken_accepts("twill", &text), expected);
        prop_assert_eq!(jwt_simple_accepts("twill", &text, scene.at()), expected);
    }

    /// And on payloads exchanged after signing.
    #[test]
    fn all_agree_on_claims(iat in 1_700_000_000_i64..1_800_000_000, tn in "1[2-9][0-9]{9}", swap in any::<bool>()) {
        let scene = Scene::default();
        let claims = json!({"iat": iat, "orig": {"tn": tn}});
        let signed = Token::from_json(json!({"claims": claims})).text(scene.at());
        let plain = Token::default().text(scene.at());
        prop_assume!(signed != plain);
        let source = if swap { &plain } else { &signed };
        let payload = source.split('.').nth(1).unwrap();
        let segments: Vec<_> = signed.split('.').collect();
        let text = format!("{}.{payload}.{}", segments[0], segments[2]);
        prop_assert_eq!(signature_holds(&scene, &text), !swap);
        prop_assert_eq!(jsonwebtoken_accepts("twill", &text), !swap);
        prop_assert_eq!(jwt_simple_accepts("twill", &text, scene.at()), !swap);
    }
}

fn signature_holds(scene: &Scene, token: &str) -> bool {
    let value = format!("{token};info=<{}>;alg=ES256;ppt=shaken", lab::entry("twill").x5u);
    let verdict = scene.verdict_on(&[value], Profile::Rfc);
    verdict.passports[0].check("signature") == Some(CheckResult::Pass)
}

fn jsonwebtoken_accepts(signer: &str, token: &str) -> bool {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_ec_pem(public_pem(signer).as_bytes()).unwrap();
    jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}

fn jwt_simple_accepts(signer: &str, token: &str, at: UnixTime) -> bool {
    let key = ES256PublicKey::from_pem(&public_pem(signer)).unwrap();
    let now = UnixTimeStamp::from_secs(u64::try_from(at.seconds()).unwrap());
    let options = VerificationOptions {
        accept_future: true,
        artificial_time: Some(now),
        required_signature_type: Some("passport".to_owned()),
        ..VerificationOptions::default()
    };
    key.verify_token::<Value>(token, Some(options)).is_ok()
}

fn public_pem(signer: &str) -> String {
    lab::key(signer).verifying_key().to_public_key_pem(LineEnding::LF).unwrap()
}
