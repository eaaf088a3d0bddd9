//! stirtrace tells who signed a call, whether to believe it, and who let it in.

pub mod number;
pub mod time;
