//! stirtrace tells who signed a call, whether to believe it, and who let it in.

pub mod certificate;
pub mod number;
pub mod time;
pub mod trust;
