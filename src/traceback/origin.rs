//! Where a record comes from: a source of a network, and a file of it.

/// Which source of which network a record comes from, by their places in the configuration.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Origin {
    /// The network.
    pub network: usize,
    /// The source among the network's.
    pub source: usize,
}

impl Origin {
    /// A source of a network.
    #[must_use]
    pub const fn new(network: usize, source: usize) -> Self {
        Self { network, source }
    }
}

/// A file that was read.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct SourceFile {
    /// Its name, as the answer shall give it.
    pub name: String,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Where it belongs.
    pub origin: Origin,
}

impl SourceFile {
    /// A file of a source.
    #[must_use]
    pub fn new(name: impl Into<String>, sha256: impl Into<String>, origin: Origin) -> Self {
        Self { name: name.into(), sha256: sha256.into(), origin }
    }
}
