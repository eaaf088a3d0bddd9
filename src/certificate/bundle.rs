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
        // G15.
        if is_der(octets) {
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

/// Whether octets begin as an ASN.1 SEQUENCE does that is all of them; no PEM text has such a second octet.
pub(crate) fn is_der(octets: &[u8]) -> bool {
    match octets {
        [0x30, 0x80..=0xff, ..] => true,
        [0x30, length, rest @ ..] => usize::from(*length) == rest.len(),
        _ => false,
    }
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
mod tests;
