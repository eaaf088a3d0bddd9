//! The STI-PA's list of trusted roots: a JWS whose signer is pinned (ATIS-1000084, F21).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::certificate::bundle::{Bundle, BundleError, Limits};
use crate::certificate::chain::{Error as PathError, LinkCache, Path};
use crate::certificate::extension::KeyUsage;
use crate::certificate::key::verify_es256;
use crate::certificate::{Certificate, Error as CertificateError};
use crate::time::UnixTime;
use crate::trust::TrustAnchors;

/// What a list is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// Who may sign: the STI-PA's own certificate, or the root above it. Nothing in the list widens this.
    pub pinned: &'a [Certificate],
    /// Certificates at hand that may lead from a pinned root to the signer, such as those of the list's `x5u`, which
    /// is never fetched here; those of its `x5c` are taken into account anyway.
    pub supplied: &'a [Certificate],
    /// The sequence of the list accepted last: a lower one is refused.
    pub previous_sequence: Option<u64>,
    /// When the list is judged.
    pub now: UnixTime,
}

/// A list whose signature, sequence and expiry hold.
#[derive(Clone, Debug)]
pub struct StiPaList {
    anchors: TrustAnchors,
    sequence: u64,
    version: Option<String>,
    expires: UnixTime,
    signer: Certificate,
    unusable: Vec<UnusableRoot>,
}

impl StiPaList {
    /// The most octets that a list may have.
    pub const MAX_LENGTH: usize = 4 * 1024 * 1024;
    /// The most roots that a list may name.
    pub const MAX_ROOTS: usize = 1_000;

    /// Reads a list, `{"caList":"<JWS>"}` or the bare JWS, and verifies it.
    ///
    /// The signature must be of a pinned certificate's key, or of a key that a valid path leads to from a pinned
    /// certificate. A certificate with a TNAuthList signs calls and no lists, whatever its path.
    ///
    /// # Errors
    /// Why the list must not be used; the one accepted last stays good.
    pub fn verify(octets: &[u8], policy: &Policy<'_>) -> Result<Self, ListError> {
        let token = Token::parse(octets)?;
        let signer = token.signer(policy)?;
        let payload = decode_object(&token.payload, "payload")?;
        let sequence = unsigned(&payload, "sequence")?;
        if let Some(previous) = policy.previous_sequence.filter(|previous| sequence < *previous) {
            return Err(ListError::SequenceWentBack { previous, sequence });
        }
        let expires = UnixTime::from_seconds(i64::try_from(unsigned(&payload, "exp")?).unwrap_or(i64::MAX));
        if policy.now > expires {
            return Err(ListError::Expired { expires, now: policy.now });
        }
        let (anchors, unusable) = read_roots(&payload)?;
        let version =
            payload.get("version").map(|version| version.as_str().map_or_else(|| version.to_string(), str::to_owned));
        Ok(Self { anchors, sequence, version, expires, signer, unusable })
    }

    /// Where a list says that its signer's certificate is: for looking into an archive before [`Self::verify`].
    #[must_use]
    pub fn signer_url(octets: &[u8]) -> Option<String> {
        let token = Token::parse(octets).ok()?;
        Some(token.header.get("x5u")?.as_str()?.to_owned())
    }

    /// The roots.
    #[must_use]
    pub fn anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    /// The list's number, which may not go back.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The version of its format, if it says one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// When it is to be used no longer.
    #[must_use]
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// Who signed it.
    #[must_use]
    pub fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// Entries that are no certificates: whoever chains to them is not trusted.
    #[must_use]
    pub fn unusable(&self) -> &[UnusableRoot] {
        &self.unusable
    }
}

/// An entry of the list that is no certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("root {position} of the list: {error}")]
#[non_exhaustive]
pub struct UnusableRoot {
    /// Its place in the list, from 1.
    pub position: usize,
    /// What is wrong with it.
    pub error: BundleError,
}

/// Why a list must not be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A claim that must be there is not, or is of another kind.
    #[error("the list has no usable {claim:?}")]
    ClaimMissing {
        /// The claim.
        claim: &'static str,
    },
    /// The header has `crit`: extensions that must be understood, and none are.
    #[error("the list's header has critical extensions")]
    CriticalHeader,
    /// It has expired.
    #[error("the list expired at {expires}")]
    Expired {
        /// When.
        expires: UnixTime,
        /// The instant judged.
        now: UnixTime,
    },
    /// The signature is not the one of any key that may sign.
    #[error("the list is not signed by the pinned signer")]
    InvalidSignature,
    /// It is no JWS, nor JSON around one.
    #[error("not a signed list: its {part} is wrong")]
    Malformed {
        /// The part that is wrong.
        part: &'static str,
    },
    /// No entry is a usable certificate.
    #[error("the list has no usable root")]
    NoUsableRoot,
    /// Its sequence is below the last one's.
    #[error("the list's sequence {sequence} is below the last one's, {previous}")]
    SequenceWentBack {
        /// The last one's.
        previous: u64,
        /// This one's.
        sequence: u64,
    },
    /// The signer's certificate is for issuing certificates or signing CRLs, not lists.
    #[error("{subject}: a certificate that is not for signing documents signed the list (keyUsage, basicConstraints)")]
    SignerNotForLists {
        /// Whose certificate.
        subject: String,
    },
    /// The signer's certificate has a TNAuthList.
    #[error("{subject}: a certificate for signing calls signed the list")]
    SignerSignsCalls {
        /// Whose certificate.
        subject: String,
    },
    /// More octets than the limit.
    #[error("{length} octets are more than the limit of {limit}")]
    TooLong {
        /// How many there are.
        length: usize,
        /// The most there may be.
        limit: usize,
    },
    /// More roots than the limit.
    #[error("more than {limit} roots")]
    TooManyRoots {
        /// The most there may be.
        limit: usize,
    },
    /// A certificate of `x5c` is none.
    #[error("the list's x5c: {0}")]
    UnusableCertificate(CertificateError),
    /// The signer's certificate leads to no pinned one.
    #[error("the list's signer is not pinned: {0}")]
    UntrustedSigner(PathError),
    /// Another algorithm than ES256.
    #[error("the list is signed with {algorithm}, not ES256")]
    WrongAlgorithm {
        /// What the header says.
        algorithm: String,
    },
}

/// The parts of a compact JWS.
struct Token {
    signed: String,
    header: Map<String, Value>,
    payload: String,
    signature: Vec<u8>,
}

const MAX_CERTIFICATES: usize = 16;

impl Token {
    fn parse(octets: &[u8]) -> Result<Self, ListError> {
        if octets.len() > StiPaList::MAX_LENGTH {
            return Err(ListError::TooLong { length: octets.len(), limit: StiPaList::MAX_LENGTH });
        }
        let text = std::str::from_utf8(octets).map_err(|_| ListError::Malformed { part: "text" })?.trim();
        let token = if text.starts_with('{') { unwrap_envelope(text)? } else { text.to_owned() };
        let wrong = |part| ListError::Malformed { part };
        let (signed, signature) = token.rsplit_once('.').ok_or_else(|| wrong("form"))?;
        let (header, payload) = signed.split_once('.').ok_or_else(|| wrong("form"))?;
        let header = decode_object(header, "header")?;
        let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        if algorithm != "ES256" {
            return Err(ListError::WrongAlgorithm { algorithm: algorithm.to_owned() });
        }
        if header.contains_key("crit") {
            return Err(ListError::CriticalHeader);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| wrong("signature"))?;
        Ok(Self { signed: signed.to_owned(), payload: payload.to_owned(), header, signature })
    }

    /// The certificate whose key signed, if it may.
    fn signer(&self, policy: &Policy<'_>) -> Result<Certificate, ListError> {
        if let Some(pinned) = policy.pinned.iter().find(|pinned| self.is_signed_by(pinned)) {
            return may_sign_lists(pinned);
        }
        let mut pool = self.certificates()?;
        pool.extend(policy.supplied.iter().cloned());
        let Some(signer) = pool.iter().find(|certificate| self.is_signed_by(certificate)) else {
            return Err(ListError::InvalidSignature);
        };
        let path = Path::find(signer, &pool, policy.pinned, policy.now, &LinkCache::new(0))
            .map_err(ListError::UntrustedSigner)?;
        path.check_validity(policy.now).map_err(ListError::UntrustedSigner)?;
        // A pinned root vouches for many: its authorities and CRL signers are no signers of lists.
        let signs = signer.key_usage().is_none_or(|usage| usage.contains(KeyUsage::DIGITAL_SIGNATURE));
        if signer.is_authority() || !signs {
            return Err(ListError::SignerNotForLists { subject: signer.subject().to_string() });
        }
        may_sign_lists(signer)
    }

    fn is_signed_by(&self, certificate: &Certificate) -> bool {
        let point = certificate.p256_point();
        point.is_some_and(|point| verify_es256(point, self.signed.as_bytes(), &self.signature))
    }

    /// The certificates of the header's `x5c` (RFC 7515 §4.1.6).
    fn certificates(&self) -> Result<Vec<Certificate>, ListError> {
        let Some(value) = self.header.get("x5c") else { return Ok(Vec::new()) };
        let wrong = ListError::Malformed { part: "x5c" };
        let entries =
            value.as_array().filter(|entries| entries.len() <= MAX_CERTIFICATES).ok_or_else(|| wrong.clone())?;
        let certificate = |entry: &Value| {
            let der = entry.as_str().and_then(|text| STANDARD.decode(text).ok()).ok_or_else(|| wrong.clone())?;
            Certificate::from_der(&der).map_err(ListError::UnusableCertificate)
        };
        entries.iter().map(certificate).collect()
    }
}

fn may_sign_lists(certificate: &Certificate) -> Result<Certificate, ListError> {
    if certificate.tn_auth_list_der().is_some() {
        return Err(ListError::SignerSignsCalls { subject: certificate.subject().to_string() });
    }
    Ok(certificate.clone())
}

fn unwrap_envelope(text: &str) -> Result<String, ListError> {
    let wrong = ListError::Malformed { part: "envelope" };
    let Ok(Value::Object(envelope)) = serde_json::from_str(text) else { return Err(wrong) };
    envelope.get("caList").and_then(Value::as_str).map(|token| token.trim().to_owned()).ok_or(wrong)
}

fn decode_object(segment: impl AsRef<[u8]>, part: &'static str) -> Result<Map<String, Value>, ListError> {
    let wrong = ListError::Malformed { part };
    let octets = URL_SAFE_NO_PAD.decode(segment).map_err(|_| wrong.clone())?;
    match serde_json::from_slice(&octets) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(wrong),
    }
}

fn unsigned(payload: &Map<String, Value>, claim: &'static str) -> Result<u64, ListError> {
    payload.get(claim).and_then(Value::as_u64).ok_or(ListError::ClaimMissing { claim })
}

fn read_roots(payload: &Map<String, Value>) -> Result<(TrustAnchors, Vec<UnusableRoot>), ListError> {
    let entries = payload.get("trustList").and_then(Value::as_array);
    let entries = entries.ok_or(ListError::ClaimMissing { claim: "trustList" })?;
    if entries.len() > StiPaList::MAX_ROOTS {
        return Err(ListError::TooManyRoots { limit: StiPaList::MAX_ROOTS });
    }
    let (mut anchors, mut unusable) = (TrustAnchors::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        let text = entry.as_str().unwrap_or_default();
        match Bundle::read(text.as_bytes(), &Limits::UNTRUSTED) {
            Ok(bundle) => anchors.extend(bundle.certificates),
            Err(error) => unusable.push(UnusableRoot { position: index + 1, error }),
        }
    }
    if anchors.is_empty() { Err(ListError::NoUsableRoot) } else { Ok((anchors, unusable)) }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

    use super::*;
    use crate::certificate::forge::{Draft, Issued, NOON, pem};

    const NOW: UnixTime = UnixTime::from_seconds(NOON);

    /// A list signed by another implementation.
    fn list(signer: &Issued, header: &Header, payload: &Value) -> String {
        let key = EncodingKey::from_ec_der(&signer.key.pkcs8());
        encode(header, payload, &key).unwrap()
    }

    fn header(x5c: &[&Issued]) -> Header {
        let x5c = x5c.iter().map(|issued| STANDARD.encode(issued.certificate.der())).collect();
        Header { x5c: Some(x5c), ..Header::new(Algorithm::ES256) }
    }

    fn payload(roots: &[&Issued]) -> Value {
        let roots: Vec<String> = roots.iter().map(|root| pem("CERTIFICATE", root.certificate.der())).collect();
        serde_json::json!({"version": "1.0", "sequence": 12, "exp": NOON + 60, "trustList": roots})
    }

    fn verify(token: &str, pinned: &[&Issued]) -> Result<StiPaList, ListError> {
        verify_after(token, pinned, None, NOW)
    }

    fn verify_after(
        token: &str,
        pinned: &[&Issued],
        previous_sequence: Option<u64>,
        now: UnixTime,
    ) -> Result<StiPaList, ListError> {
        let pinned: Vec<Certificate> = pinned.iter().map(|issued| issued.certificate.clone()).collect();
        StiPaList::verify(token.as_bytes(), &Policy { pinned: &pinned, supplied: &[], previous_sequence, now })
    }

    #[test]
    fn a_list_signed_by_the_pinned_certificate_gives_its_roots() {
        // F21.
        let (signer, one, two) = (
            Draft::leaf("STI-PA").self_signed(),
            Draft::authority("ONE").self_signed(),
            Draft::authority("TWO").self_signed(),
        );
        let token = list(&signer, &Header::new(Algorithm::ES256), &payload(&[&one, &two, &one]));
        let envelope = serde_json::json!({"status": "success", "caList": token}).to_string();
        for text in [token, envelope] {
            let list = verify(&text, &[&signer]).unwrap();
            assert_eq!(list.anchors().certificates(), [one.certificate.clone(), two.certificate.clone()]);
            assert_eq!((list.sequence(), list.version(), list.expires()), (12, Some("1.0"), NOW.plus_seconds(60)));
            assert_eq!(list.signer(), &signer.certificate);
        }
    }

    #[test]
    fn a_signer_below_the_pinned_root_is_found_through_x5c_or_what_is_supplied() {
        let root = Draft::authority("STI-PA ROOT").self_signed();
        let signer = Draft::leaf("STI-PA").issued_by(&root);
        let payload = payload(&[&root]);
        let token = list(&signer, &header(&[&signer]), &payload);
        assert_eq!(verify(&token, &[&root]).unwrap().signer(), &signer.certificate);

        let bare = list(&signer, &Header::new(Algorithm::ES256), &payload);
        assert_eq!(verify(&bare, &[&root]).unwrap_err(), ListError::InvalidSignature);
        let (pinned, supplied) = (std::slice::from_ref(&root.certificate), std::slice::from_ref(&signer.certificate));
        let policy = Policy { pinned, supplied, previous_sequence: None, now: NOW };
        assert!(StiPaList::verify(bare.as_bytes(), &policy).is_ok());
    }

    #[test]
    fn nobody_else_may_sign_the_list() {
        let (root, other) =
            (Draft::authority("STI-PA ROOT").self_signed(), Draft::authority("STI-PA ROOT").self_signed());
        let payload = payload(&[&root]);
        let impostor = Draft::leaf("STI-PA").issued_by(&other);
        let refused =
            |signer: &Issued, x5c: &[&Issued]| verify(&list(signer, &header(x5c), &payload), &[&root]).unwrap_err();
        assert!(matches!(refused(&impostor, &[&impostor, &other]), ListError::UntrustedSigner(_)));
        // The right certificate, another key.
        let signer = Draft::leaf("STI-PA").issued_by(&root);
        assert_eq!(refused(&impostor, &[&signer]), ListError::InvalidSignature);
        // A provider's certificate under the same root.
        let provider =
            Draft::leaf("SHAKEN 1234").with_tn_auth_list(&[0x30, 8, 0xa0, 6, 0x16, 4, 49, 50, 51, 52]).issued_by(&root);
        assert!(matches!(refused(&provider, &[&provider]), ListError::SignerSignsCalls { .. }));
        // An expired signer.
        let expired = Draft { validity: ("250101000000Z", "260101000000Z"), ..Draft::leaf("STI-PA") }.issued_by(&root);
        assert!(matches!(refused(&expired, &[&expired]), ListError::UntrustedSigner(PathError::Expired { .. })));
        // Nothing pinned.
        assert!(verify(&list(&signer, &header(&[&signer, &root]), &payload), &[]).is_err());
    }

    #[test]
    fn the_sequence_may_not_go_back_and_an_expired_list_is_refused() {
        let signer = Draft::leaf("STI-PA").self_signed();
        let token = list(&signer, &Header::new(Algorithm::ES256), &payload(&[&signer]));
        let outcome = |previous, now| verify_after(&token, &[&signer], previous, now).map(|list| list.sequence());
        assert_eq!(outcome(Some(11), NOW), Ok(12));
        assert_eq!(outcome(Some(12), NOW), Ok(12));
        assert_eq!(outcome(Some(13), NOW), Err(ListError::SequenceWentBack { previous: 13, sequence: 12 }));
        let expires = NOW.plus_seconds(60);
        assert_eq!(outcome(None, expires), Ok(12));
        let now = expires.plus_seconds(1);
        assert_eq!(outcome(None, now), Err(ListError::Expired { expires, now }));
    }

    #[test]
    fn only_es256_is_accepted() {
        // peers 9: the key's PEM as an HMAC secret, and no signature at all.
        let signer = Draft::leaf("STI-PA").self_signed();
        let text = pem("CERTIFICATE", signer.certificate.der());
        let hmac =
            encode(&Header::new(Algorithm::HS256), &payload(&[&signer]), &EncodingKey::from_secret(text.as_bytes()))
                .unwrap();
        assert_eq!(verify(&hmac, &[&signer]).unwrap_err(), ListError::WrongAlgorithm { algorithm: "HS256".to_owned() });
        let none = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
            URL_SAFE_NO_PAD.encode(payload(&[&signer]).to_string())
        );
        assert_eq!(verify(&none, &[&signer]).unwrap_err(), ListError::WrongAlgorithm { algorithm: "none".to_owned() });
        let crit = Header { crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::ES256) };
        assert_eq!(
            verify(&list(&signer, &crit, &payload(&[&signer])), &[&signer]).unwrap_err(),
            ListError::CriticalHeader
        );
    }

    #[test]
    fn a_root_that_cannot_be_read_is_left_out_and_named() {
        let signer = Draft::leaf("STI-PA").self_signed();
        let mut claims = payload(&[&signer]);
        claims["trustList"].as_array_mut().unwrap().insert(0, "nonsense".into());
        let list_of = |claims: &Value| verify(&list(&signer, &Header::new(Algorithm::ES256), claims), &[&signer]);
        let read = list_of(&claims).unwrap();
        assert_eq!((read.anchors().certificates().len(), read.unusable()[0].position), (1, 1));
        claims["trustList"] = serde_json::json!(["nonsense", 7]);
        assert_eq!(list_of(&claims).unwrap_err(), ListError::NoUsableRoot);
        for claim in ["trustList", "sequence", "exp"] {
            let mut claims = payload(&[&signer]);
            claims.as_object_mut().unwrap().remove(claim);
            assert_eq!(list_of(&claims).unwrap_err(), ListError::ClaimMissing { claim });
        }
    }

    #[test]
    fn what_is_no_list_is_refused_by_its_part() {
        let part = |text: &str| verify(text, &[]).unwrap_err();
        assert_eq!(part(""), ListError::Malformed { part: "form" });
        assert_eq!(part("a.b"), ListError::Malformed { part: "form" });
        assert_eq!(part("{}"), ListError::Malformed { part: "envelope" });
        assert_eq!(part("{\"caList\":7}"), ListError::Malformed { part: "envelope" });
        assert_eq!(part("a.b.c"), ListError::Malformed { part: "header" });
        assert!(matches!(part(&" ".repeat(StiPaList::MAX_LENGTH + 1)), ListError::TooLong { .. }));
    }
}
