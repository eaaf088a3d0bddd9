//! What an `x5u` URL or a file of certificates holds: PEM in any order, or one certificate's DER (F20, G15, G18).

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::certificate::{Certificate, Error as CertificateError};

/// How much a bundle may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most octets.
    pub octets: usize,
    /// The most PEM blocks.
    pub blocks: usize,
}

impl Limits {
    /// For what somebody else's URL gives: 64 KiB (G29) and 16 blocks.
    pub const UNTRUSTED: Self = Self { octets: 64 * 1024, blocks: 16 };
    /// For one's own files, such as lists of roots.
    pub const OWN_FILE: Self = Self { octets: 16 * 1024 * 1024, blocks: 10_000 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::UNTRUSTED
    }
}

/// The certificates of a bundle, and the blocks that are none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Bundle {
    /// The certificates in the order in which they stand; at least one.
    pub certificates: Vec<Certificate>,
    /// Blocks that are not usable certificates, in their order.
    pub problems: Vec<BlockProblem>,
}

impl Bundle {
    /// Reads PEM with any text between the blocks, or the DER of one certificate.
    ///
    /// # Errors
    /// When no block is a certificate, or a limit is passed.
    pub fn read(octets: &[u8], limits: &Limits) -> Result<Self, BundleError> {
        if octets.len() > limits.octets {
            return Err(BundleError::TooLong { length: octets.len(), limit: limits.octets });
        }
        // An ASN.1 SEQUENCE; no PEM text begins with '0' and an octet above 0x7f (G15).
        if let [0x30, 0x80..=0xff, ..] = octets {
            let certificate = Certificate::from_der(octets).map_err(BundleError::NotACertificate)?;
            return Ok(Self { certificates: vec![certificate], problems: Vec::new() });
        }
        let mut bundle = Self { certificates: Vec::new(), problems: Vec::new() };
        for (index, block) in blocks(octets).enumerate() {
            if index == limits.blocks {
                return Err(BundleError::TooManyBlocks { limit: limits.blocks });
            }
            let line = block.line;
            match block.certificate() {
                Ok(certificate) => bundle.certificates.push(certificate),
                Err(fault) => bundle.problems.push(BlockProblem { line, fault }),
            }
        }
        match (bundle.certificates.is_empty(), bundle.problems.first()) {
            (false, _) => Ok(bundle),
            (true, Some(problem)) => Err(BundleError::NoUsableBlock { first: problem.clone() }),
            (true, None) => Err(BundleError::NoCertificate),
        }
    }

    /// The certificate that signs: the first that is no authority's; failing that, the first that issued none of the
    /// others (G18).
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        let all = &self.certificates;
        let issued_none = |candidate: &&Certificate| {
            all.iter().all(|other| other == *candidate || !other.issuer().is_same_as(candidate.subject()))
        };
        let end_entity = all.iter().find(|certificate| !certificate.is_authority());
        end_entity.or_else(|| all.iter().find(issued_none)).unwrap_or(&all[0])
    }
}

/// A PEM block that is no usable certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {fault}")]
#[non_exhaustive]
pub struct BlockProblem {
    /// The line of its BEGIN, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: BlockFault,
}

/// Why a PEM block is no usable certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockFault {
    /// Its text is no base64.
    #[error("the block is no base64")]
    NoBase64,
    /// Its octets are no certificate.
    #[error("{0}")]
    NotACertificate(CertificateError),
    /// It says to hold something else, such as a key.
    #[error("the block holds a {label:?}, not a CERTIFICATE")]
    OtherLabel {
        /// What it says.
        label: String,
    },
    /// It has no END.
    #[error("the block has no END")]
    Unterminated,
}

/// Why octets are no bundle.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Neither PEM nor DER: an HTML page, say.
    #[error("no PEM block in it, and it is no DER")]
    NoCertificate,
    /// PEM without a usable certificate.
    #[error("no usable certificate in it: {first}")]
    NoUsableBlock {
        /// What is wrong with the first block.
        first: BlockProblem,
    },
    /// DER that is no certificate.
    #[error("{0}")]
    NotACertificate(CertificateError),
    /// More octets than the limit.
    #[error("{length} octets are more than the limit of {limit}")]
    TooLong {
        /// How many there are.
        length: usize,
        /// The most there may be.
        limit: usize,
    },
    /// More PEM blocks than the limit.
    #[error("more than {limit} PEM blocks")]
    TooManyBlocks {
        /// The most there may be.
        limit: usize,
    },
}

/// A PEM block as it stands.
pub(crate) struct Block<'a> {
    pub(crate) line: usize,
    pub(crate) label: String,
    /// The text between BEGIN and END; `None` without END.
    body: Option<&'a [u8]>,
}

impl Block<'_> {
    /// The octets that the block stands for.
    pub(crate) fn decode(&self) -> Result<Vec<u8>, BlockFault> {
        let body = self.body.ok_or(BlockFault::Unterminated)?;
        let text: Vec<u8> = body.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
        TOLERANT_BASE64.decode(text).map_err(|_| BlockFault::NoBase64)
    }

    fn certificate(&self) -> Result<Certificate, BlockFault> {
        if !matches!(self.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE") {
            return Err(BlockFault::OtherLabel { label: self.label.clone() });
        }
        Certificate::from_der(&self.decode()?).map_err(BlockFault::NotACertificate)
    }
}

/// The PEM blocks of a text, whatever stands between them (RFC 7468 §2).
pub(crate) fn blocks(text: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    let mut line = 1;
    std::iter::from_fn(move || {
        let begin = find(rest, BEGIN)?;
        let label_start = begin + BEGIN.len();
        let label_length = find(&rest[label_start..], DASHES).filter(|length| *length <= MAX_LABEL)?;
        let label = String::from_utf8_lossy(&rest[label_start..label_start + label_length]).into_owned();
        let body_start = label_start + label_length + DASHES.len();
        let own_line = line + count_lines(&rest[..begin]);
        let end = find(&rest[body_start..], END).map(|length| body_start + length);
        // A BEGIN before the END belongs to the next block.
        let next = find(&rest[body_start..], BEGIN).map(|length| body_start + length);
        let (body, after) = match (end, next) {
            (Some(end), next) if next.is_none_or(|next| end < next) => (Some(&rest[body_start..end]), end + END.len()),
            (_, Some(next)) => (None, next),
            _ => (None, rest.len()),
        };
        line += count_lines(&rest[..after]);
        rest = &rest[after..];
        Some(Block { line: own_line, label, body })
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn count_lines(text: &[u8]) -> usize {
    text.iter().filter(|octet| **octet == b'\n').count()
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const MAX_LABEL: usize = 64;

/// Padding or not: the octets are the same.
const TOLERANT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::der::DerFault;
    use crate::certificate::forge::{Draft, pem};

    fn read(text: &str) -> Result<Bundle, BundleError> {
        Bundle::read(text.as_bytes(), &Limits::UNTRUSTED)
    }

    #[test]
    fn blocks_are_found_between_any_text_and_line_ends() {
        let root = Draft::authority("ROOT").self_signed();
        let leaf = Draft::leaf("SHAKEN 1234").issued_by(&root);
        let (one, two) = (pem("CERTIFICATE", leaf.certificate.der()), pem("CERTIFICATE", root.certificate.der()));
        let bundles = [
            format!("{one}{two}"),
            format!("subject=CN = x\n{one}\nBag Attributes\n    friendlyName: ---\n{two}trailing"),
            format!("{one}{two}").replace('\n', "\r\n"),
            format!("{one}{two}").replace('\n', ""),
            format!("\u{feff}{one}{two}"),
            format!("{one}{two}").replace('=', ""),
            format!("{one}{two}").replace("CERTIFICATE", "X509 CERTIFICATE"),
        ];
        for text in bundles {
            let bundle = read(&text).unwrap();
            assert_eq!(bundle.certificates, [leaf.certificate.clone(), root.certificate.clone()], "{text}");
            assert!(bundle.problems.is_empty());
        }
    }

    #[test]
    fn the_leaf_is_found_in_any_order() {
        // G18.
        let root = Draft::authority("ROOT").self_signed();
        let middle = Draft::authority("MIDDLE").issued_by(&root);
        let leaf = Draft::leaf("SHAKEN 1234").issued_by(&middle);
        let text = |all: &[&crate::certificate::forge::Issued]| {
            all.iter().map(|one| pem("CERTIFICATE", one.certificate.der())).collect::<String>()
        };
        for order in [[&leaf, &middle, &root], [&root, &middle, &leaf], [&middle, &leaf, &root]] {
            assert_eq!(read(&text(&order)).unwrap().leaf(), &leaf.certificate);
        }
        assert_eq!(read(&text(&[&root, &middle])).unwrap().leaf(), &middle.certificate);
        assert_eq!(read(&text(&[&root])).unwrap().leaf(), &root.certificate);
    }

    #[test]
    fn a_der_body_is_read() {
        // G15.
        let leaf = Draft::leaf("SHAKEN 1234").self_signed().certificate;
        assert_eq!(Bundle::read(leaf.der(), &Limits::UNTRUSTED).unwrap().certificates, [leaf.clone()]);
        let longer = [leaf.der(), b"\n"].concat();
        let outcome = Bundle::read(&longer, &Limits::UNTRUSTED).unwrap_err();
        assert!(
            matches!(outcome, BundleError::NotACertificate(CertificateError::Malformed(error)) if error.fault == DerFault::TrailingOctets { count: 1 })
        );
    }

    #[test]
    fn a_bad_block_is_named_and_the_others_are_read() {
        let leaf = pem("CERTIFICATE", Draft::leaf("SHAKEN 1234").self_signed().certificate.der());
        let key = pem("PRIVATE KEY", &[1, 2, 3]);
        let text = format!(
            "{key}{leaf}-----BEGIN CERTIFICATE-----\n?!\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n"
        );
        let bundle = read(&text).unwrap();
        assert_eq!(bundle.certificates.len(), 1);
        let lines = leaf.lines().count();
        let expected = [
            BlockProblem { line: 1, fault: BlockFault::OtherLabel { label: "PRIVATE KEY".to_owned() } },
            BlockProblem { line: 4 + lines, fault: BlockFault::NoBase64 },
            BlockProblem { line: 7 + lines, fault: BlockFault::Unterminated },
        ];
        assert_eq!(bundle.problems, expected);
    }

    #[test]
    fn a_block_cut_short_does_not_swallow_the_next() {
        let leaf = pem("CERTIFICATE", Draft::leaf("SHAKEN 1234").self_signed().certificate.der());
        let bundle = read(&format!("-----BEGIN CERTIFICATE-----\nMIIB\n{leaf}")).unwrap();
        assert_eq!(bundle.problems, [BlockProblem { line: 1, fault: BlockFault::Unterminated }]);
        assert_eq!(bundle.certificates.len(), 1);
    }

    #[test]
    fn what_holds_no_certificate_is_refused() {
        // G15: HTML, a bare key, nothing.
        assert_eq!(read("").unwrap_err(), BundleError::NoCertificate);
        assert_eq!(read("<html>404</html>").unwrap_err(), BundleError::NoCertificate);
        assert_eq!(read("0123").unwrap_err(), BundleError::NoCertificate);
        let key = pem("PUBLIC KEY", &[1, 2, 3]);
        assert!(matches!(read(&key), Err(BundleError::NoUsableBlock { .. })));
    }

    #[test]
    fn limits_are_kept() {
        // G29.
        let limit = Limits::UNTRUSTED.octets;
        let outcome = Bundle::read(&vec![b' '; limit + 1], &Limits::UNTRUSTED).unwrap_err();
        assert_eq!(outcome, BundleError::TooLong { length: limit + 1, limit });
        let many = "-----BEGIN X-----\n-----END X-----\n".repeat(17);
        assert_eq!(read(&many).unwrap_err(), BundleError::TooManyBlocks { limit: 16 });
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(-----BEGIN [A-Z]{0,12}(-----)?|-----END |[A-Za-z0-9+/=\n ]{0,9}|-{3,7}){0,20}") {
            let _ = read(&text);
        }

        #[test]
        fn a_damaged_certificate_is_read_or_refused(at in 0usize..400, octet in proptest::num::u8::ANY) {
            thread_local! {
                static DER: Vec<u8> = {
                    let list = [0x30, 8, 0xa0, 6, 0x16, 4, 49, 50, 51, 52];
                    let draft = Draft::leaf("SHAKEN 1234").with_tn_auth_list(&list).with_authority_key(&[1; 20]);
                    let name = crate::certificate::forge::name("CRL");
                    draft.with_crl_issuer("https://crl.example/", &name).self_signed().certificate.der().to_vec()
                };
            }
            let mut der = DER.with(Clone::clone);
            der[at] = octet;
            if let Ok(certificate) = Certificate::from_der(&der) {
                let _ = crate::certificate::description::Description::of(&certificate);
            }
        }
    }
}
