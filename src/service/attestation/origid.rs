//! Origination identifiers: one a call, or the same for all calls of a trunk or a customer (RFC 8588 §5; D3, D6).

use std::fmt;

use aws_lc_rs::digest;

/// How an origination identifier comes about.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum OrigidKind {
    /// One for each call: tells others nothing (D6).
    #[default]
    Call,
    /// One for each customer: what traceback likes.
    Customer,
    /// This very one.
    Fixed(String),
    /// One for each trunk.
    Trunk,
}

/// The origination identifier of one call.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Origid {
    /// This one.
    Fixed(String),
    /// A new one.
    PerCall,
}

impl Origid {
    /// The UUID; a new one is of version 4 and made of these random bytes (RFC 9562 §5.4).
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn to_uuid<E>(&self, random: impl FnOnce() -> Result<[u8; 16], E>) -> Result<String, E> {
        match self {
            Self::Fixed(uuid) => Ok(uuid.clone()),
            Self::PerCall => random().map(|bytes| print(bytes, 4)),
        }
    }
}

/// What the identifiers of trunks and customers are made from: whoever does not know it cannot tell whose one is.
#[derive(Clone, Eq, PartialEq)]
pub struct OrigidSecret([u8; 16]);

impl OrigidSecret {
    /// The fewest characters that a secret has.
    pub const MIN_CHARACTERS: usize = 16;

    /// A secret from its text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        Self(first(hash.as_ref()))
    }

    /// The UUID of a thing of that kind and name, always the same: version 5, with the secret as its namespace
    /// (RFC 9562 §5.5). SHA-1 is what that version is made with; that nobody finds the secret is all that is asked of it.
    #[must_use]
    pub fn uuid(&self, kind: &str, name: &str) -> String {
        let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        context.update(&self.0);
        context.update(kind.as_bytes());
        context.update(b":");
        context.update(name.as_bytes());
        print(first(context.finish().as_ref()), 5)
    }
}

impl fmt::Debug for OrigidSecret {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrigidSecret")
    }
}

fn first(hash: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash).for_each(|(byte, found)| *byte = *found);
    bytes
}

/// RFC 9562 §4: version and variant take six bits.
fn print(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passport::is_uuid;

    #[test]
    fn a_version_5_uuid_is_that_of_rfc_9562() {
        // RFC 9562 A.4: the namespace of DNS names, and www.example.com.
        let namespace: u128 = 0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8;
        let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        context.update(&namespace.to_be_bytes());
        context.update(b"www.example.com");
        assert_eq!(print(first(context.finish().as_ref()), 5), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
        // And ours, with another namespace: as `uuid.uuid5(uuid.UUID(bytes=sha256(secret)[:16]), "customer:acme")`.
        let secret = OrigidSecret::new("correct horse battery");
        assert_eq!(secret.uuid("customer", "acme"), "eea29c79-d503-51ad-9df2-64fe88a5375d");
    }

    #[test]
    fn identifiers_stay_and_differ() {
        let secret = OrigidSecret::new("correct horse battery");
        assert_eq!(secret.uuid("customer", "acme"), secret.uuid("customer", "acme"));
        for other in [
            secret.uuid("trunk", "acme"),
            secret.uuid("customer", "bolt"),
            OrigidSecret::new("another secret").uuid("customer", "acme"),
        ] {
            assert_ne!(secret.uuid("customer", "acme"), other);
        }
        assert!(!format!("{secret:?}").contains(|c: char| c.is_ascii_digit()));
    }

    #[test]
    fn a_new_one_is_of_version_4() {
        let uuid = Origid::PerCall.to_uuid(|| Ok::<_, ()>([0xff; 16])).unwrap();
        assert_eq!(uuid, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert!(is_uuid(&uuid));
    }
}
