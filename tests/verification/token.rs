//! One Identity header value as a case describes it: a good PASSporT and what is odd about this one.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{EncodePublicKey, LineEnding};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use stirtrace::time::UnixTime;

use crate::lab;

/// A PASSporT to be made. Every member has a default that makes it good.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Token {
    /// Whose certificate it names: a name of `certs/manifest.json`.
    pub(crate) signer: String,
    /// Whose key signs it, where that is another.
    pub(crate) key: Option<String>,
    /// `shaken`, `div`, `base` for none, or another type.
    pub(crate) ppt: String,
    /// Seconds from the instant judged to `iat`.
    pub(crate) iat: i64,
    /// Another URL for both `x5u` and `info`.
    pub(crate) x5u: Option<String>,
    /// Members of the JOSE header that differ; null removes.
    pub(crate) header: Map<String, Value>,
    /// Claims that differ; null removes.
    pub(crate) claims: Map<String, Value>,
    /// Claims that are changed after signing.
    pub(crate) tamper: Map<String, Value>,
    /// The JOSE header's text, with `{x5u}` for the URL.
    pub(crate) header_text: Option<String>,
    /// The payload's text, with `{iat}` for the time.
    pub(crate) claims_text: Option<String>,
    /// How the first two segments are written before they are signed.
    pub(crate) written: Written,
    /// What happens to the token once it is signed, in order.
    pub(crate) mutate: Vec<Mutation>,
    /// Parameters of the header field that differ; null removes, "" leaves the name without a value.
    pub(crate) parameters: Map<String, Value>,
    /// The whole header value, with `{token}` and `{info}` in it.
    pub(crate) value: Option<String>,
}

impl Default for Token {
    fn default() -> Self {
        Self {
            signer: "twill".to_owned(),
            key: None,
            ppt: "shaken".to_owned(),
            iat: 0,
            x5u: None,
            header: Map::new(),
            claims: Map::new(),
            tamper: Map::new(),
            header_text: None,
            claims_text: None,
            written: Written::Base64url,
            mutate: Vec::new(),
            parameters: Map::new(),
            value: None,
        }
    }
}

/// How the first two segments are written; the signature is over what is written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Written {
    Base64url,
    Padded,
    StandardAlphabet,
    WithTrailingNewline,
    WithWhiteSpace,
    InReverseOrder,
}

/// What somebody did to a signed token.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mutation {
    /// The signature in ASN.1 (G10).
    DerSignature,
    /// ASN.1, and of another key.
    DerSignatureOfOtherKey,
    /// The first byte of r gone, as a lost leading zero leaves it (G10).
    ShortSignature,
    LongSignature,
    EmptySignature,
    ZeroSignature,
    FlipSignatureBit,
    /// (r, n - s): as good as (r, s) (A3).
    OtherHalfS,
    /// Another key's signature.
    SignedByOther,
    PadSignature,
    /// The signature in the standard alphabet (G9).
    SignatureInStandardAlphabet,
    /// The whole token after it was signed: the bytes signed are not the bytes sent.
    WholeInStandardAlphabet,
    Compact,
    DropSignatureSegment,
    AddSegment,
    EmptyHeader,
    EmptyPayload,
    BadBase64InHeader,
    BadBase64InPayload,
    BadBase64InSignature,
    /// Bits in the last character that stand for nothing.
    LooseBits,
    /// HS256 with the certificate's public text as the secret.
    HmacOfCertificate,
    /// HS256 with the certificate's public key as the secret.
    HmacOfPublicKey,
}

impl Token {
    pub(crate) fn from_json(value: Value) -> Self {
        serde_json::from_value(value).unwrap()
    }

    /// The Identity header's value.
    pub(crate) fn value(&self, at: UnixTime) -> String {
        let token = self.text(at);
        let info = self.url();
        match &self.value {
            Some(template) => template.replace("{token}", &token).replace("{info}", &info),
            None => token + &self.parameter_text(&info),
        }
    }

    /// The token alone.
    pub(crate) fn text(&self, at: UnixTime) -> String {
        let signed = self.signing_input(at, &self.claims);
        let signature: Signature = self.signing_key().sign(signed.as_bytes());
        let mut segments: Vec<String> = signed.split('.').map(str::to_owned).collect();
        if !self.tamper.is_empty() {
            let mut claims = self.claims.clone();
            claims.extend(self.tamper.clone());
            segments = self.signing_input(at, &claims).split('.').map(str::to_owned).collect();
            assert_ne!(segments.join("."), signed, "the tampering changes nothing");
        }
        segments.push(URL_SAFE_NO_PAD.encode(signature.to_bytes()));
        for mutation in &self.mutate {
            mutation.apply(&mut segments, &signature, &signed, self);
        }
        segments.join(".")
    }

    pub(crate) fn url(&self) -> String {
        self.x5u.clone().unwrap_or_else(|| lab::entry(&self.signer).x5u.clone())
    }

    fn signing_key(&self) -> SigningKey {
        lab::key(self.key.as_deref().unwrap_or(&self.signer))
    }

    fn signing_input(&self, at: UnixTime, claims: &Map<String, Value>) -> String {
        let iat = at.plus_seconds(self.iat).seconds();
        let header = self.header_text.as_ref().map_or_else(
            || self.written.print(&overridden(self.plain_header(), &self.header)),
            |text| text.replace("{x5u}", &self.url()),
        );
        let claims = self.claims_text.as_ref().map_or_else(
            || self.written.print(&overridden(self.plain_claims(iat), claims)),
            |text| text.replace("{iat}", &iat.to_string()),
        );
        format!("{}.{}", self.written.encode(&header), self.written.encode(&claims))
    }

    fn plain_header(&self) -> Value {
        let mut header = json!({"alg": "ES256", "typ": "passport", "x5u": self.url()});
        if self.ppt != "base" {
            header["ppt"] = json!(self.ppt);
        }
        header
    }

    fn plain_claims(&self, iat: i64) -> Value {
        let orig = json!({"tn": "12155550112"});
        match self.ppt.as_str() {
            "shaken" => json!({"attest": "A", "dest": {"tn": ["12155550131"]}, "iat": iat, "orig": orig,
                "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"}),
            "div" => json!({"dest": {"tn": ["12155550132"]}, "div": {"tn": "12155550131"}, "iat": iat, "orig": orig}),
            "rph" => json!({"dest": {"tn": ["12155550131"]}, "iat": iat, "orig": orig, "rph": {"auth": ["ets.0"]}}),
            _ => json!({"dest": {"tn": ["12155550131"]}, "iat": iat, "orig": orig}),
        }
    }

    fn parameter_text(&self, info: &str) -> String {
        let mut parameters = vec![("info".to_owned(), json!(info)), ("alg".to_owned(), json!("ES256"))];
        if self.ppt != "base" {
            parameters.push(("ppt".to_owned(), json!(self.ppt)));
        }
        for (name, value) in &self.parameters {
            parameters.retain(|(known, _)| known != name || !value.is_null());
            match parameters.iter_mut().find(|(known, _)| known == name) {
                Some((_, own)) => *own = value.clone(),
                None if value.is_null() => {}
                None => parameters.push((name.clone(), value.clone())),
            }
        }
        parameters
            .iter()
            .map(|(name, value)| match (name.as_str(), value.as_str().unwrap()) {
                ("info", uri) => format!(";info=<{uri}>"),
                (name, value) => format!(";{name}={value}"),
            })
            .collect()
    }
}

impl Written {
    fn print(self, members: &Value) -> String {
        match self {
            Self::WithTrailingNewline => format!("{members}\n"),
            Self::WithWhiteSpace => serde_json::to_string_pretty(members).unwrap(),
            Self::InReverseOrder => {
                let members = members.as_object().unwrap().iter().rev();
                let members: Vec<_> = members.map(|(name, value)| format!("{}:{value}", json!(name))).collect();
                format!("{{{}}}", members.join(","))
            }
            Self::Base64url | Self::Padded | Self::StandardAlphabet => members.to_string(),
        }
    }

    fn encode(self, text: &str) -> String {
        match self {
            Self::Padded => URL_SAFE.encode(text),
            Self::StandardAlphabet => STANDARD_NO_PAD.encode(text),
            _ => URL_SAFE_NO_PAD.encode(text),
        }
    }
}

impl Mutation {
    fn apply(self, segments: &mut Vec<String>, signature: &Signature, signed: &str, token: &Token) {
        let before = segments.clone();
        let raw = signature.to_bytes();
        let set = |segments: &mut Vec<String>, bytes: &[u8]| segments[2] = URL_SAFE_NO_PAD.encode(bytes);
        let other = || -> Signature { lab::key("cascade").sign(signed.as_bytes()) };
        match self {
            Self::DerSignature => set(segments, signature.to_der().as_bytes()),
            Self::DerSignatureOfOtherKey => set(segments, other().to_der().as_bytes()),
            Self::ShortSignature => set(segments, &raw[1..]),
            Self::LongSignature => set(segments, &[raw.as_slice(), &[0]].concat()),
            Self::EmptySignature => segments[2].clear(),
            Self::ZeroSignature => set(segments, &[0; 64]),
            Self::FlipSignatureBit => {
                let mut bytes = raw;
                bytes[17] ^= 4;
                set(segments, &bytes);
            }
            Self::OtherHalfS => {
                let (r, s) = signature.split_scalars();
                let twin = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
                set(segments, &twin.to_bytes());
            }
            Self::SignedByOther => set(segments, &other().to_bytes()),
            Self::PadSignature => segments[2].push_str("=="),
            Self::SignatureInStandardAlphabet => segments[2] = STANDARD_NO_PAD.encode(raw),
            Self::WholeInStandardAlphabet => {
                for segment in segments.iter_mut() {
                    *segment = segment.replace('-', "+").replace('_', "/");
                }
            }
            Self::Compact => {
                segments[0].clear();
                segments[1].clear();
            }
            Self::DropSignatureSegment => drop(segments.pop()),
            Self::AddSegment => segments.push(STANDARD.encode("abc")),
            Self::EmptyHeader => segments[0].clear(),
            Self::EmptyPayload => segments[1].clear(),
            Self::BadBase64InHeader => segments[0].replace_range(4..5, "+="),
            Self::BadBase64InPayload => segments[1].replace_range(9..10, "="),
            Self::BadBase64InSignature => segments[2].truncate(85),
            Self::HmacOfCertificate => {
                set(segments, &hmac(&lab::file(&lab::entry(&token.signer).archive), signed));
            }
            Self::HmacOfPublicKey => {
                let key = token.signing_key().verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
                set(segments, &hmac(key.as_bytes(), signed));
            }
            Self::LooseBits => {
                // 64 bytes end in a character of which four bits stand for nothing.
                let last = segments[2].pop().unwrap();
                segments[2].push(char::from(u8::try_from(last).unwrap() + 1));
            }
        }
        assert_ne!(*segments, before, "{self:?} changes nothing; choose another token");
    }
}

fn hmac(secret: &[u8], signed: &str) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    aws_lc_rs::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
}

fn overridden(mut members: Value, overrides: &Map<String, Value>) -> Value {
    let object = members.as_object_mut().unwrap();
    for (name, value) in overrides {
        if value.is_null() {
            assert!(object.remove(name).is_some(), "{name} is not there to be removed");
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    members
}
