//! What certificate show prints.
