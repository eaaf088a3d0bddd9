//! Bearer tokens: who may verify, who may sign (RFC 6750, RFC 7519; what not to do: RFC 8725).

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation, decode, decode_header};
use moka::sync::Cache;
use serde::Deserialize;
use serde_json::Value;

use crate::service::settings::TokenSettings;
use crate::time::UnixTime;

/// Judges tokens by one set of keys.
pub(crate) struct Bearer {
    keys: Vec<Key>,
    algorithms: Vec<Algorithm>,
    validation: Validation,
    leeway: i64,
    /// Tokens whose signature holds and that are for us, by their hash: a client shows the same one for hours. When they
    /// end is judged anew each time.
    known: Cache<[u8; 32], Granted>,
}

struct Key {
    id: Option<String>,
    key: DecodingKey,
}

/// What a token grants, and to whom.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Granted {
    pub(crate) subject: String,
    pub(crate) scopes: Vec<String>,
    expires: i64,
    not_before: i64,
}

/// Why a token is not accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum NotGranted {
    #[error("its algorithm is not among those accepted")]
    Algorithm,
    #[error("it has expired")]
    Expired,
    #[error("{0}")]
    Invalid(String),
    #[error("it is not valid yet")]
    NotYetValid,
    #[error("it is longer than {MAX_TOKEN} octets")]
    TooLong,
}

#[derive(Deserialize)]
struct Claims {
    exp: f64,
    #[serde(default)]
    nbf: f64,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    iss: Option<String>,
    /// RFC 8693 §4.2.
    #[serde(default)]
    scope: Option<String>,
    /// Some issuers write it thus, as a list or a text.
    #[serde(default)]
    scp: Option<Value>,
}

const MAX_TOKEN: usize = 8 * 1024;
const MAX_KNOWN: u64 = 10_000;

impl Bearer {
    /// The judge of these settings, with the files of keys that they name.
    pub(crate) fn new(settings: &TokenSettings, files: &[(String, Vec<u8>)]) -> Result<Self, String> {
        let mut keys = Vec::new();
        for (name, bytes) in files {
            keys.extend(read_keys(bytes).map_err(|reason| format!("{name}: {reason}"))?);
        }
        let algorithms: Vec<Algorithm> = settings.algorithms.iter().filter_map(|name| name.parse().ok()).collect();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&settings.issuer);
        validation.set_audience(&settings.audience);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // The clock is ours: see `check_time`.
        validation.validate_exp = false;
        let leeway = i64::try_from(settings.leeway).unwrap_or(i64::MAX);
        Ok(Self { keys, algorithms, validation, leeway, known: Cache::new(MAX_KNOWN) })
    }

    /// What a token grants at an instant.
    pub(crate) fn judge(&self, token: &str, now: UnixTime) -> Result<Granted, NotGranted> {
        if token.len() > MAX_TOKEN {
            return Err(NotGranted::TooLong);
        }
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let granted = match self.known.get(&name) {
            Some(granted) => granted,
            None => {
                let granted = self.read(token)?;
                self.known.insert(name, granted.clone());
                granted
            }
        };
        self.check_time(&granted, now)?;
        Ok(granted)
    }

    fn check_time(&self, granted: &Granted, now: UnixTime) -> Result<(), NotGranted> {
        if now.seconds() >= granted.expires.saturating_add(self.leeway) {
            return Err(NotGranted::Expired);
        }
        if now.seconds() < granted.not_before.saturating_sub(self.leeway) {
            return Err(NotGranted::NotYetValid);
        }
        Ok(())
    }

    fn read(&self, token: &str) -> Result<Granted, NotGranted> {
        let header = decode_header(token).map_err(|reason| NotGranted::Invalid(reason.to_string()))?;
        // RFC 8725 §3.1: the list is ours, the token only chooses from it.
        if !self.algorithms.contains(&header.alg) {
            return Err(NotGranted::Algorithm);
        }
        let validation = Validation { algorithms: vec![header.alg], ..self.validation.clone() };
        let mut failure = "no key fits it".to_owned();
        for own in self.keys.iter().filter(|own| own.fits(header.kid.as_deref(), header.alg)) {
            match decode::<Claims>(token, &own.key, &validation) {
                Ok(data) => return granted(data.claims),
                Err(reason) => failure = reason.to_string(),
            }
        }
        Err(NotGranted::Invalid(failure))
    }
}

impl Key {
    fn fits(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        let named = match (&self.id, id) {
            (Some(own), Some(id)) => own == id,
            _ => true,
        };
        named && self.key.family() == family(algorithm)
    }
}

const fn family(algorithm: Algorithm) -> AlgorithmFamily {
    match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => AlgorithmFamily::Ec,
        Algorithm::EdDSA => AlgorithmFamily::Ed,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => AlgorithmFamily::Hmac,
        _ => AlgorithmFamily::Rsa,
    }
}

fn granted(claims: Claims) -> Result<Granted, NotGranted> {
    let mut scopes: Vec<String> = Vec::new();
    let texts = match &claims.scp {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    for text in claims.scope.as_deref().into_iter().chain(texts) {
        scopes.extend(text.split_ascii_whitespace().map(str::to_owned));
    }
    let subject = claims.sub.or(claims.client_id).or(claims.iss).unwrap_or_default();
    Ok(Granted { subject, scopes, expires: seconds(claims.exp)?, not_before: seconds(claims.nbf)? })
}

/// RFC 7519 §2: a NumericDate may have a fraction.
fn seconds(numeric_date: f64) -> Result<i64, NotGranted> {
    #[expect(clippy::as_conversions, reason = "it is within the bounds of f64's whole numbers")]
    let whole = numeric_date.floor() as i64;
    if (0.0..9.0e15).contains(&numeric_date) {
        Ok(whole)
    } else {
        Err(NotGranted::Invalid("its exp is no date".into()))
    }
}

/// A PEM public key, a JWK, or a set of them.
fn read_keys(bytes: &[u8]) -> Result<Vec<Key>, String> {
    let from_jwk = |jwk: &Jwk| {
        let key = DecodingKey::from_jwk(jwk).map_err(|reason| reason.to_string())?;
        // A shared secret in a file of public keys would let every holder of the file make tokens.
        if key.family() == AlgorithmFamily::Hmac {
            return Err("a shared secret, where public keys belong".to_owned());
        }
        Ok(Key { id: jwk.common.key_id.clone(), key })
    };
    if bytes.trim_ascii_start().starts_with(b"{") {
        let keys = match serde_json::from_slice::<JwkSet>(bytes) {
            Ok(set) => set.keys.iter().map(from_jwk).collect::<Result<Vec<_>, _>>()?,
            Err(_) => vec![from_jwk(&serde_json::from_slice(bytes).map_err(|reason| reason.to_string())?)?],
        };
        return if keys.is_empty() { Err("a set without keys".to_owned()) } else { Ok(keys) };
    }
    let readers = [DecodingKey::from_ec_pem, DecodingKey::from_rsa_pem, DecodingKey::from_ed_pem];
    let key = readers.into_iter().find_map(|read| read(bytes).ok());
    key.map(|key| vec![Key { id: None, key }]).ok_or_else(|| "neither a public key in PEM nor a JWK set".to_owned())
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bearer({} keys, {:?})", self.keys.len(), self.algorithms)
    }
}
