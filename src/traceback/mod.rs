//! Traceback: from a request to the upstream that let the call in.
//!
//! Pure: records go in one after the other ([`Search::see`]), or those that somebody keeps and was asked for
//! ([`Search::windows`], [`Search::offer`]); many requests are searched for at once, and only the candidates are kept.
//! Answers come out ([`Search::answer`]); what a signature is worth is asked of the caller, who has the means to verify
//! it.

mod answer;
mod because;
mod candidate;
mod chain;
mod cluster;
mod coverage;
mod deadline;
mod detection;
mod finding;
mod hop;
mod index;
mod nearest;
mod origin;
mod passage;
mod replay;
mod reply;
mod request;
mod role;
mod search;
mod source_clock;

pub use answer::{
    Also, Answer, Asked, Gap, MAX_GAPS, Matched, Next, RecordPlace, RecordedCall, Searched, Shortcut, Signature,
    StatedSignature, Status, Upstream,
};
pub use candidate::{CLOCK_LIMIT, CLOCK_STEP, EXACT_SECONDS, NEAR_SECONDS, Parts, Shares, SignedFacts, Standing, Tier};
pub use cluster::{Cluster, ClusterKind, MAX_CLUSTER_IDS, clusters};
pub use coverage::{Coverage, Doubt, Kept, Span};
pub use deadline::{Deadline, NoDeadline, RuleSet, US_2026_02};
pub use finding::{Finding, FindingName};
pub use hop::{Certainty, Hop, HopSource};
pub use index::Window;
pub use origin::{Origin, SourceFile};
pub use passage::Why;
pub use replay::Replays;
pub use reply::Replying;
pub use request::{
    BadField, BadMap, BadRequest, FIELDS, FieldMap, Line, MAX_BYTES, Request, RequestFault, RequestsError,
    read_requests,
};
pub use role::Role;
pub use search::{Candidate, Folded, MAX_CANDIDATES, Match, Passage, Search};
