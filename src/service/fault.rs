//! What can be wrong in the `[service]` table of a `stirtrace.toml`.

use std::net::SocketAddr;

use crate::document::{Flaw, Misplaced};
#[cfg(feature = "service")]
use crate::fetch::address::InvalidAllowance;
use crate::network::InvalidRange;

/// A fault with its place.
pub type Error = Misplaced<Fault>;

/// What is wrong at a place.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No address to listen on.
    #[error("{text:?} is no address and port such as 127.0.0.1:8080 or [::1]:8080")]
    Address {
        /// What stands there.
        text: String,
    },
    /// No host that may lie at special addresses.
    #[cfg(feature = "service")]
    #[error("{0}")]
    Allowance(InvalidAllowance),
    /// Full attestation where no right to the number is stated.
    #[error(
        "A says that the customer may use the number (RFC 8588 §4): the rule has to name numbers, and a customer or a \
         trunk; customer = \"*\" stands for every customer that is known"
    )]
    AttestsTooMuch,
    /// Partial attestation where no customer is known.
    #[error("B says that the customer is known (RFC 8588 §4): the rule has to name a customer or a trunk")]
    AttestsUnknownCustomer,
    /// A response for calls that are not rejected.
    #[error("only action = \"reject\" gives a response")]
    CodeWithoutRejection,
    /// Two ways to say one thing, of which one is wanted.
    #[error("{0} and {1} say the same thing: name one of them")]
    Both(&'static str, &'static str),
    /// A text that names no collector of traces.
    #[error("no collector such as \"http://127.0.0.1:4318\": {0}")]
    Collector(&'static str),
    /// An error that does not exist.
    #[error("no call is in the error {found:?}{}; kinds and rows stand in ARCHITECTURE.md", nearest.map_or_else(String::new, |name| format!(" ({name}?)")))]
    ErrorKind {
        /// What stands there.
        found: String,
        /// A kind that differs little.
        nearest: Option<&'static str>,
    },
    /// A text that looks like the hash of a certificate, and is none that clients are known by.
    #[error(
        "{digits} hexadecimal digits are no SHA-256 of a certificate, which has 64: take what \
         `openssl x509 -noout -fingerprint -sha256` prints, in either case, with colons or without"
    )]
    Fingerprint {
        /// How many there are.
        digits: usize,
    },
    /// A text that cannot be an identifier of a key.
    #[error("no hexadecimal digits, two for each octet, such as \"a1b2\"")]
    Hexadecimal,
    /// What is wrong with any such file.
    #[error(transparent)]
    Form(#[from] Flaw),
    /// A text that cannot be the name of a header field.
    #[error("{0:?} is no name of a header field that may be added here")]
    HeaderName(String),
    /// A text that names no place to listen at.
    #[error(
        "no place to listen at such as \"udp:192.0.2.1:5060\", \"tcp:[2001:db8::1]:5060\" or \"tls:192.0.2.1:5061\": {0}"
    )]
    Listen(&'static str),
    /// A text that is no namespace of Resource-Priority.
    #[error("{0:?} is no namespace of Resource-Priority, such as \"ets\"")]
    Namespace(String),
    /// A text that is no set of numbers.
    #[error(
        "no number such as \"12155550100\", prefix such as \"1215555*\" or range such as \"12155550100-12155550199\": {0}"
    )]
    Numbers(&'static str),
    /// Whoever reaches the address could sign calls, or learn who calls whom.
    #[error(
        "{address} can be reached from other machines, and nobody is asked who they are: name client_ca in \
         [service.tls], or [service.tokens], or write open = true if a firewall answers for it"
    )]
    Open {
        /// The address.
        address: SocketAddr,
    },
    /// A PIN where everybody looks.
    #[error(
        "a PIN does not stand in the configuration: name the file that holds it in pin_file, or the variable in pin_variable"
    )]
    PinInTheClear,
    /// A security module, without the code that talks to it.
    #[error("this build has no PKCS #11 in it; build it with the feature pkcs11, as `cargo install stirtrace` does")]
    Pkcs11Missing,
    /// Traces, without the code that sends them.
    #[error("this build has no OpenTelemetry in it; build it with the feature otel")]
    OpenTelemetryMissing,
    /// A text that is no origination identifier and no way to make one.
    #[error("neither \"call\", \"trunk\" nor \"customer\", and no UUID")]
    Origid,
    /// A number outside what makes sense.
    #[error("no whole number from {least} to {most}")]
    OutOfBounds {
        /// The least there may be.
        least: i64,
        /// The most there may be.
        most: i64,
    },
    /// A phrase that would end the line that it stands in.
    #[error("a phrase has no control characters")]
    Phrase,
    /// The text is no address range.
    #[error("{0}")]
    Range(InvalidRange),
    /// A text that names no Redis server.
    #[error("no Redis server such as \"redis://192.0.2.9:6379/0\": {0}")]
    Redis(String),
    /// A code that rejects no call.
    #[error("{0} rejects no call: the codes are 400 to 699")]
    RejectionCode(i64),
    /// Origination identifiers that shall be the same tomorrow, from nothing.
    #[error("identifiers of trunks and customers are made from origid_secret, which is missing")]
    SecretMissing,
    /// A secret that can be guessed.
    #[error("a secret of fewer than {least} characters can be guessed")]
    SecretTooShort {
        /// The fewest characters.
        least: usize,
    },
    /// Whoever reaches the address has calls judged and signed.
    #[error(
        "{address} can be reached from other machines, and everybody is served: name whom in allow, or write \
         open = true in [service] if a firewall answers for it"
    )]
    SipOpen {
        /// The address.
        address: SocketAddr,
    },
    /// SIP over TLS, and nothing to secure it with.
    #[error("{endpoint} wants [service.tls], which says with what certificate and key")]
    SipWithoutTls {
        /// Where it was to listen.
        endpoint: String,
    },
    /// Tokens over a connection that anybody can read.
    #[error("bearer tokens on {address} without [service.tls]: whoever sees them could use them")]
    TokensInTheClear {
        /// The address.
        address: SocketAddr,
    },
    /// Two things of one name.
    #[error("{name:?} stands in line {line} already")]
    Twice {
        /// The name.
        name: String,
        /// Where the first stands.
        line: usize,
    },
}
