//! Certificates and CRLs for tests, with any fault wanted.

use std::rc::Rc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair};

use crate::certificate::Certificate;
use crate::certificate::der::{Tag, write_element, write_unsigned};

pub(crate) const NOT_BEFORE: &str = "260101000000Z";
pub(crate) const NOT_AFTER: &str = "270101000000Z";
/// 2026-06-01, inside both.
pub(crate) const NOON: i64 = 1_780_315_200;

const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";
pub(crate) const KEY_CERT_SIGN: u8 = 0b0000_0100;
pub(crate) const CRL_SIGN: u8 = 0b0000_0010;
pub(crate) const DIGITAL_SIGNATURE: u8 = 0b1000_0000;

/// A key pair, and how it signs.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    curve: &'static str,
    algorithm: &'static str,
}

impl Key {
    pub(crate) fn p256() -> Rc<Self> {
        Self::new(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, "1.2.840.10045.3.1.7", "1.2.840.10045.4.3.2")
    }

    pub(crate) fn p384() -> Rc<Self> {
        Self::new(&signature::ECDSA_P384_SHA384_ASN1_SIGNING, "1.3.132.0.34", "1.2.840.10045.4.3.3")
    }

    fn new(signing: &'static EcdsaSigningAlgorithm, curve: &'static str, algorithm: &'static str) -> Rc<Self> {
        Rc::new(Self { pair: EcdsaKeyPair::generate(signing).expect("a key"), curve, algorithm })
    }

    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        let document = self.pair.to_pkcs8v1().expect("a key");
        document.as_ref().to_vec()
    }

    fn info(&self) -> Vec<u8> {
        let algorithm = sequence(&[object_identifier("1.2.840.10045.2.1"), object_identifier(self.curve)]);
        sequence(&[algorithm, bit_string(self.pair.public_key().as_ref())])
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
    }
}

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) certificate: Certificate,
    pub(crate) key: Rc<Key>,
}

/// A certificate to be.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) subject: Vec<u8>,
    pub(crate) key: Rc<Key>,
    pub(crate) serial: u64,
    pub(crate) validity: (&'static str, &'static str),
    pub(crate) basic: Option<(bool, Option<u64>)>,
    pub(crate) usage: Option<u8>,
    pub(crate) extensions: Vec<Vec<u8>>,
    pub(crate) null_parameters: bool,
    pub(crate) inner_algorithm: Option<&'static str>,
    pub(crate) outer_algorithm: Option<&'static str>,
}

impl Draft {
    /// A leaf: P-256, digitalSignature, no TNAuthList.
    pub(crate) fn leaf(common_name: &str) -> Self {
        Self {
            subject: name(common_name),
            key: Key::p256(),
            serial: 0x0123_4567_89ab_cdef,
            validity: (NOT_BEFORE, NOT_AFTER),
            basic: Some((false, None)),
            usage: Some(DIGITAL_SIGNATURE),
            extensions: Vec::new(),
            null_parameters: false,
            inner_algorithm: None,
            outer_algorithm: None,
        }
    }

    /// A certification authority.
    pub(crate) fn authority(common_name: &str) -> Self {
        Self { basic: Some((true, None)), usage: Some(KEY_CERT_SIGN | CRL_SIGN), ..Self::leaf(common_name) }
    }

    pub(crate) fn with(mut self, kind: &str, critical: bool, value: &[u8]) -> Self {
        self.extensions.push(extension(kind, critical, value));
        self
    }

    pub(crate) fn with_tn_auth_list(self, der: &[u8]) -> Self {
        self.with("1.3.6.1.5.5.7.1.26", false, der)
    }

    pub(crate) fn with_subject_key(self, identifier: &[u8]) -> Self {
        self.with("2.5.29.14", false, &element(Tag::OCTET_STRING, identifier))
    }

    pub(crate) fn with_authority_key(self, identifier: &[u8]) -> Self {
        self.with("2.5.29.35", false, &sequence(&[element(Tag::primitive(0), identifier)]))
    }

    /// One distribution point with a URL and a cRLIssuer.
    pub(crate) fn with_crl_issuer(self, url: &str, issuer: &[u8]) -> Self {
        let full_name = element(Tag::constructed(0), &element(Tag::primitive(6), url.as_bytes()));
        let point = element(Tag::constructed(0), &full_name);
        let issuer = element(Tag::constructed(2), &element(Tag::constructed(4), issuer));
        self.with("2.5.29.31", false, &sequence(&[sequence(&[point, issuer])]))
    }

    pub(crate) fn self_signed(self) -> Issued {
        let (issuer, key) = (self.subject.clone(), self.key.clone());
        self.signed(&issuer, &key)
    }

    pub(crate) fn issued_by(self, issuer: &Issued) -> Issued {
        let (name, key) = (issuer.certificate.subject().der().to_vec(), issuer.key.clone());
        self.signed(&name, &key)
    }

    pub(crate) fn signed(self, issuer: &[u8], key: &Rc<Key>) -> Issued {
        let der = self.der(issuer, key);
        Issued { certificate: Certificate::from_der(&der).expect("a certificate"), key: self.key }
    }

    pub(crate) fn der(&self, issuer: &[u8], key: &Key) -> Vec<u8> {
        let time = |text: &str| element(Tag::UTC_TIME, text.as_bytes());
        let mut serial = Vec::new();
        write_unsigned(&mut serial, self.serial);
        let body = sequence(&[
            element(Tag::constructed(0), &[2, 1, 2]),
            serial,
            self.algorithm(self.inner_algorithm.unwrap_or(key.algorithm)),
            issuer.to_vec(),
            sequence(&[time(self.validity.0), time(self.validity.1)]),
            self.subject.clone(),
            self.key.info(),
            element(Tag::constructed(3), &sequence(&self.all_extensions())),
        ]);
        let signature = key.sign(&body);
        let outer = self.algorithm(self.outer_algorithm.unwrap_or(key.algorithm));
        sequence(&[body, outer, bit_string(&signature)])
    }

    fn algorithm(&self, kind: &str) -> Vec<u8> {
        let null = if self.null_parameters { vec![5, 0] } else { Vec::new() };
        sequence(&[object_identifier(kind), null])
    }

    fn all_extensions(&self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        if let Some((authority, path_length)) = self.basic {
            let mut fields = if authority { element(Tag::BOOLEAN, &[0xff]) } else { Vec::new() };
            if let Some(length) = path_length {
                write_unsigned(&mut fields, length);
            }
            all.push(extension(BASIC_CONSTRAINTS, true, &element(Tag::SEQUENCE, &fields)));
        }
        if let Some(bits) = self.usage {
            all.push(extension(KEY_USAGE, true, &element(Tag::BIT_STRING, &[0, bits])));
        }
        all.extend(self.extensions.iter().cloned());
        all
    }
}

/// A CRL to be.
pub(crate) struct CrlDraft {
    pub(crate) issuer: Vec<u8>,
    pub(crate) next_update: Option<&'static str>,
    /// Serial number, time, entry extensions.
    pub(crate) entries: Vec<(u64, &'static str, Vec<Vec<u8>>)>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl CrlDraft {
    pub(crate) fn direct(issuer: &Issued) -> Self {
        let issuer = issuer.certificate.subject().der().to_vec();
        Self { issuer, next_update: Some("260701000000Z"), entries: Vec::new(), extensions: Vec::new() }
    }

    pub(crate) fn indirect(issuer: &Issued) -> Self {
        let point = sequence(&[element(Tag::primitive(4), &[0xff])]);
        Self { extensions: vec![extension("2.5.29.28", true, &point)], ..Self::direct(issuer) }
    }

    pub(crate) fn der(&self, key: &Key) -> Vec<u8> {
        let time = |text: &str| element(Tag::UTC_TIME, text.as_bytes());
        let entries = self.entries.iter().map(|(serial, at, extensions)| {
            let mut fields = Vec::new();
            write_unsigned(&mut fields, *serial);
            let extensions = if extensions.is_empty() { Vec::new() } else { sequence(extensions) };
            sequence(&[fields, time(at), extensions])
        });
        let entries: Vec<Vec<u8>> = entries.collect();
        let algorithm = sequence(&[object_identifier(key.algorithm)]);
        let body = sequence(&[
            vec![2, 1, 1],
            algorithm.clone(),
            self.issuer.clone(),
            time("260501000000Z"),
            self.next_update.map(time).unwrap_or_default(),
            if entries.is_empty() { Vec::new() } else { sequence(&entries) },
            if self.extensions.is_empty() {
                Vec::new()
            } else {
                element(Tag::constructed(0), &sequence(&self.extensions))
            },
        ]);
        let signature = key.sign(&body);
        sequence(&[body, algorithm, bit_string(&signature)])
    }
}

/// The entry extension certificateIssuer.
pub(crate) fn certificate_issuer(name: &[u8]) -> Vec<u8> {
    extension("2.5.29.29", true, &sequence(&[element(Tag::constructed(4), name)]))
}

/// `CN=..., C=US`, in DER.
pub(crate) fn name(common_name: &str) -> Vec<u8> {
    let attribute = |kind: &str, tag: Tag, value: &str| {
        let fields = sequence(&[object_identifier(kind), element(tag, value.as_bytes())]);
        element(Tag::SET, &fields)
    };
    sequence(&[attribute("2.5.4.6", Tag(0x13), "US"), attribute("2.5.4.3", Tag::UTF8_STRING, common_name)])
}

pub(crate) fn extension(kind: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { element(Tag::BOOLEAN, &[0xff]) } else { Vec::new() };
    sequence(&[object_identifier(kind), critical, element(Tag::OCTET_STRING, value)])
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(Tag::SEQUENCE, &parts.concat())
}

pub(crate) fn element(tag: Tag, content: &[u8]) -> Vec<u8> {
    let mut der = Vec::new();
    write_element(&mut der, tag, content);
    der
}

/// PEM with lines of 64 characters.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn bit_string(octets: &[u8]) -> Vec<u8> {
    element(Tag::BIT_STRING, &[&[0], octets].concat())
}

pub(crate) fn object_identifier(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().expect("an arc")).collect();
    let mut content = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let mut septets = vec![u8::try_from(arc & 0x7f).expect("seven bits")];
        let mut rest = arc >> 7;
        while rest > 0 {
            septets.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
            rest >>= 7;
        }
        content.extend(septets.iter().rev());
    }
    element(Tag::OBJECT_IDENTIFIER, &content)
}
