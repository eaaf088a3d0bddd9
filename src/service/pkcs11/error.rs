//! Why a token does not sign, and what to do about it.

use cryptoki::error::Error;

/// Why a token does not sign.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The module answered a call with an error.
    #[error("the security module says {code} to {function}")]
    Failed {
        /// What it was asked.
        function: String,
        /// What it says, by the names of PKCS #11 without CKR.
        code: String,
    },
    /// The token signs with another key than the certificate's.
    #[error("{reason}; name the key that the certificate was requested with")]
    KeyMismatch {
        /// What is wrong.
        reason: String,
    },
    /// The library cannot be loaded.
    #[error("the library {path} cannot be loaded: {reason}")]
    NoLibrary {
        /// Its path.
        path: String,
        /// What the system or the library says.
        reason: String,
    },
    /// The token has no such key.
    #[error("the token has no EC private key {wanted}; it has {}", listed(present))]
    NoKey {
        /// What was looked for.
        wanted: String,
        /// Keys that it has.
        present: Vec<String>,
    },
    /// No token has the label.
    #[error("no token {wanted} is there; there is {}", listed(present))]
    NoToken {
        /// What was looked for.
        wanted: String,
        /// The labels of tokens that are there.
        present: Vec<String>,
    },
    /// The key is on another curve.
    #[error("the key {wanted} is not on P-256, which ES256 wants (RFC 8225 §7)")]
    NotP256 {
        /// What was looked for.
        wanted: String,
    },
    /// The key wants its PIN with each signature.
    #[error("the key {wanted} wants its PIN with each signature (CKA_ALWAYS_AUTHENTICATE), which no service can give")]
    PinEachTime {
        /// What was looked for.
        wanted: String,
    },
    /// The token locked itself.
    #[error("the token has locked its PIN; its security officer unlocks it")]
    PinLocked,
    /// No PIN, and the token wants one.
    #[error("the token wants a PIN: name pin_file or pin_variable")]
    PinNeeded,
    /// The token refused the PIN.
    #[error("the token refused the PIN ({code}); this one is not tried again, lest the token lock itself")]
    PinRefused {
        /// What it says.
        code: String,
    },
    /// The PIN cannot be read.
    #[error("{reason}")]
    PinUnreadable {
        /// Why not.
        reason: String,
    },
    /// Several keys have the label.
    #[error("the token has {count} EC private keys {wanted}; tell them apart by key_id")]
    SeveralKeys {
        /// What was looked for.
        wanted: String,
        /// How many.
        count: usize,
    },
    /// Several tokens have the label.
    #[error("several tokens are called {wanted}; tell them apart by serial, which is one of {}", listed(serials))]
    SeveralTokens {
        /// What was looked for.
        wanted: String,
        /// Their serial numbers.
        serials: Vec<String>,
    },
    /// No thread could be started for it.
    #[error("no thread for it can be started: {reason}")]
    Thread {
        /// What the system says.
        reason: String,
    },
}

impl TokenError {
    /// Whether the library may see the token again once it is initialised anew.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::NoToken { .. })
    }
}

impl From<Error> for TokenError {
    fn from(error: Error) -> Self {
        match error {
            Error::Pkcs11(code, function) => {
                Self::Failed { function: format!("C_{function:?}"), code: format!("{code:?}") }
            }
            other => Self::Failed { function: "its caller".to_owned(), code: other.to_string() },
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
