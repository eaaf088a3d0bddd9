//! The interface of ATIS-1000082, and its 3GPP form Ms (TS 24.229 Annex V): `POST /stir/v1/verification` and
//! `POST /stir/v1/signing` (F29 to F34).

mod exception;
mod members;
mod request;
mod result;
mod said;
mod signing;
mod signing_request;
mod verification;

pub(super) use exception::Exception;
pub(super) use signing::sign;
pub(super) use verification::verify;
