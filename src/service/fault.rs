//! What can be wrong in the `[service]` table of a `stirtrace.toml`.

use std::net::SocketAddr;

use crate::document::{Flaw, Misplaced};

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
    /// What is wrong with any such file.
    #[error(transparent)]
    Form(#[from] Flaw),
    /// Whoever reaches the address could sign calls, or learn who calls whom.
    #[error(
        "{address} can be reached from other machines, and nobody is asked who they are: name client_ca in \
         [service.tls], or [service.tokens], or write open = true if a firewall answers for it"
    )]
    Open {
        /// The address.
        address: SocketAddr,
    },
    /// Tokens over a connection that anybody can read.
    #[error("bearer tokens on {address} without [service.tls]: whoever sees them could use them")]
    TokensInTheClear {
        /// The address.
        address: SocketAddr,
    },
    /// A number outside what makes sense.
    #[error("no whole number from {least} to {most}")]
    OutOfBounds {
        /// The least there may be.
        least: i64,
        /// The most there may be.
        most: i64,
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
