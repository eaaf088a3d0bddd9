//! stirtrace tells who signed a call, whether to believe it, and who let it in.

pub mod identity_header;
#[cfg(feature = "cli")]
pub mod lab;
pub mod certificate;
pub mod number;
pub mod passport;
pub mod sip;
pub mod time;
pub mod verify;
pub mod trust;
