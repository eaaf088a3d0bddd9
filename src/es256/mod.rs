//! ECDSA over P-256 with SHA-256 (ES256: RFC 7518 §3.4, FIPS 186-4 6.4), verified fast for keys that sign much.
//!
//! A [`KeyTable`] holds multiples of one public key, so that a signature costs some fifty additions of points and no
//! doubling. It pays back after a handful of signatures. [`Batch`] shares inversions between signatures.
//!
//! It verifies only and handles public data only: its time depends on its input, and no secret may come near it.

mod batch;
mod cache;
mod field;
mod inversion;
mod point;
mod scalar;
mod table;
mod word;

#[cfg(test)]
mod tests;

use aws_lc_rs::digest;

use point::{Affine, Sum};
use scalar::Scalar;
use table::Table;

pub use batch::Batch;
pub use cache::{TableCache, TableRef};

/// A public key: a point of P-256 that is not the one at infinity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublicKey(Affine);

impl PublicKey {
    /// Reads an uncompressed point: 04, then both coordinates of 32 bytes (SEC 1 §2.3.4).
    ///
    /// # Errors
    /// [`KeyFault`] says which rule the bytes break.
    pub fn from_uncompressed(bytes: &[u8]) -> Result<Self, KeyFault> {
        let Some((0x04, coordinates)) = bytes.split_first() else { return Err(KeyFault::NotUncompressed) };
        let (Some((x, y)), 64) = (coordinates.split_first_chunk(), coordinates.len()) else {
            return Err(KeyFault::WrongLength { length: bytes.len() });
        };
        let y = y.first_chunk().ok_or(KeyFault::WrongLength { length: bytes.len() })?;
        Affine::new(&word::from_bytes(x), &word::from_bytes(y)).map(Self).ok_or(KeyFault::NotOnCurve)
    }
}

/// Why bytes are no public key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// A coordinate is not below p, or the equation of the curve does not hold.
    #[error("it is no point of the curve P-256")]
    NotOnCurve,
    /// The first byte is not 04.
    #[error("it is no uncompressed point: that begins with the byte 04")]
    NotUncompressed,
    /// An uncompressed point has 65 bytes.
    #[error("it has {length} bytes; an uncompressed point of P-256 has 65")]
    WrongLength {
        /// The number of bytes.
        length: usize,
    },
}

/// The SHA-256 of what was signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a message.
    #[must_use]
    pub fn of(message: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, message).as_ref());
        Self(bytes)
    }

    /// A digest made elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn scalar(&self) -> Scalar {
        Scalar::reduced(&word::from_bytes(&self.0))
    }
}

/// A signature whose r and s are in range: from 1 to n - 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Signature {
    r: Scalar,
    s: Scalar,
}

impl Signature {
    /// Reads r and s, 32 bytes each (RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`SignatureFault::WrongLength`] or [`SignatureFault::OutOfRange`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureFault> {
        let wrong_length = SignatureFault::WrongLength { length: bytes.len() };
        let (Some((r, rest)), Self::BYTES) = (bytes.split_first_chunk(), bytes.len()) else {
            return Err(wrong_length);
        };
        let s = rest.first_chunk().ok_or(wrong_length)?;
        let part = |bytes| Scalar::in_range(&word::from_bytes(bytes)).ok_or(SignatureFault::OutOfRange);
        Ok(Self { r: part(r)?, s: part(s)? })
    }

    /// The length of a signature.
    pub const BYTES: usize = 64;
}

/// Why a signature does not verify.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureFault {
    /// The key did not make it over this message.
    #[error("the key did not make it over these bytes")]
    Mismatch,
    /// r or s is zero, or not below the order of the group.
    #[error("r or s is out of range")]
    OutOfRange,
    /// r and s have 32 bytes each.
    #[error("it has {length} bytes; ES256 has 64, r and s of 32 each")]
    WrongLength {
        /// The number of bytes.
        length: usize,
    },
}

/// How much memory a table takes to be how fast.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Width {
    /// Digits of 5 bits: 52 KiB, built in the time of some three signatures of the backend.
    Five,
    /// Digits of 6 bits: 86 KiB, the best for many keys.
    #[default]
    Six,
    /// Digits of 8 bits: 256 KiB, for keys that sign much.
    Eight,
    /// Digits of 10 bits: 832 KiB, the fastest for a few keys.
    Ten,
}

impl Width {
    const fn bits(self) -> u32 {
        match self {
            Self::Five => 5,
            Self::Six => 6,
            Self::Eight => 8,
            Self::Ten => 10,
        }
    }

    /// The bytes that a table of this width takes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        Table::bytes_of(self.bits())
    }
}

/// Multiples of a public key, by which its signatures are verified.
#[derive(Clone, Debug)]
pub struct KeyTable {
    table: Table,
}

impl KeyTable {
    /// The most points that a sum takes.
    const MAX_TERMS: usize = Table::rows_of_generator() + Table::rows_of(Width::Five.bits());

    /// Builds the table of a key.
    #[must_use]
    pub fn new(key: &PublicKey, width: Width) -> Self {
        Self { table: Table::new(&key.0, width.bits()) }
    }

    /// The bytes of its multiples.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.table.bytes()
    }

    /// Whether `signature`, r and s of 32 bytes each, is the key's over `message`.
    ///
    /// # Errors
    /// [`SignatureFault`] says why not.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureFault> {
        self.verify_digest(&Digest::of(message), &Signature::from_bytes(signature)?)
    }

    /// Whether `signature` is the key's over the message of this digest.
    ///
    /// # Errors
    /// [`SignatureFault::Mismatch`].
    pub fn verify_digest(&self, digest: &Digest, signature: &Signature) -> Result<(), SignatureFault> {
        let inverse = signature.s.invert();
        let generator = Table::of_generator();
        // All points are fetched before the first is used: their cache misses overlap.
        let mut points = [Affine::NONE; Self::MAX_TERMS];
        let mut places = points.iter_mut();
        let (u1, u2) = (digest.scalar() * inverse, signature.r * inverse);
        generator.terms(&u1).chain(self.table.terms(&u2)).for_each(|term| {
            if let Some(place) = places.next() {
                *place = term;
            }
        });
        let empty = places.len();
        let terms = points.len() - empty;
        let mut sum = Sum::INFINITY;
        for point in &points[..terms] {
            sum.add(point);
        }
        // FIPS 186-4 6.4.2: x modulo n is r, so x is r, or r + n where that is below p.
        let has_x = |number| sum.has_x(number);
        let matches = has_x(signature.r.number()) || signature.r.second_number().as_ref().is_some_and(has_x);
        if matches && !sum.is_infinity() { Ok(()) } else { Err(SignatureFault::Mismatch) }
    }
}
