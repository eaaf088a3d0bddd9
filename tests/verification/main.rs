//! The verifier through its public API: table H row by row, diversions, printed vectors, what other verifiers get
//! wrong, properties, and independent JOSE implementations as oracles. Cases are data under `tests/vectors`.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files, and may panic")]

mod batches;
mod cases;
mod decisions;
mod diversions;
mod hostile;
mod jose_oracles;
mod lab;
mod peers;
mod properties;
mod rfc_vectors;
mod scene;
mod token;
