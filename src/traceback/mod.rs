//! Traceback: from a request to the upstream that let the call in.
//!
//! Pure: records go in one after the other ([`Search::see`]), many requests are searched for in one pass, and only the
//! candidates are kept. Answers come out ([`Search::answers`]); what a signature is worth is asked of the caller, who
//! has the means to verify it.

mod candidate;
mod coverage;
mod deadline;
mod request;

pub use candidate::{
    CLOCK_LIMIT, CLOCK_STEP, EXACT_SECONDS, NEAR_SECONDS, Parts, SignedFacts, Standing, Tier, are_one_call,
};
pub use coverage::{Coverage, Doubt, Span};
pub use deadline::{Deadline, NoDeadline, RuleSet, US_2026_02};
pub use request::{
    BadField, BadMap, BadRequest, FIELDS, FieldMap, Line, MAX_BYTES, Request, RequestFault, RequestsError,
    read_requests,
};
