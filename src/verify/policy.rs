//! What a verifier accepts, as data: each choice that the standards leave open has a name here.

use crate::number::NumberPlan;
use crate::verify::verdict::Profile;

/// The verifier's choices. [`Policy::default`] is the standards' reading; nothing is trusted unasked.
///
/// Looser policies than the default do not exist on purpose: parsing is tolerant anyway, and no field here switches a
/// security check off.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// Which column of table H gives the SIP response.
    pub profile: Profile,
    // RFC 8224 §6.2 step 4, ATIS-1000074 (F3): 60 s recommended, to either side.
    /// How many seconds Date and `iat` may lie before or after the instant judged.
    pub max_age: i64,
    // RFC 8946 §4.2 suggests an upper bound; E5 (e): three hours, for transfers.
    /// How many seconds before the instant judged a PASSporT may be signed whose call was diverted since.
    pub max_diverted_age: i64,
    /// Refuse every spelling that the standards do not have (spec G), instead of warning.
    pub strict: bool,
    /// Which PASSporT type a call must carry to pass.
    pub require: Require,
    /// What to do about revocation.
    pub crl: CrlPolicy,
    // E12: which credentials may sign rph is each country's affair, so it is data.
    /// Who may authorise priorities by `rph` PASSporTs.
    pub priority_signers: PrioritySigners,
    /// Verify each signature by the cryptographic library too where our own tables did, and refuse the call with
    /// [`VerifiersDisagree`](crate::verify::Error::VerifiersDisagree) should they ever differ. It costs their gain.
    pub cross_check: bool,
    /// How numbers become canonical.
    pub number_plan: NumberPlan,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            profile: Profile::Rfc,
            max_age: 60,
            max_diverted_age: 3 * 3600,
            strict: false,
            require: Require::Any,
            crl: CrlPolicy::Use,
            priority_signers: PrioritySigners::AnyProvider,
            cross_check: false,
            number_plan: NumberPlan::NORTH_AMERICAN,
        }
    }
}

/// Which PASSporT type a call must carry to pass.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Require {
    /// A base PASSporT is as good as a shaken one; it attests nothing.
    #[default]
    Any,
    /// Only `shaken` counts.
    Shaken,
}

/// Who may authorise priorities by `rph` PASSporTs (RFC 8443 §4.1: whoever has authority over the namespace).
///
/// Nothing that a certificate has to hold says so, unless it constrains the claim `rph`, which is checked in any case.
/// Whoever gives calls priority by this verdict names the signers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum PrioritySigners {
    /// Every provider, with a warning in the checks.
    #[default]
    AnyProvider,
    /// These and nobody else.
    Only(Vec<PrioritySigner>),
}

/// A provider that may authorise priorities.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PrioritySigner {
    /// The service provider code of its certificate.
    pub spc: String,
    /// The namespaces that it may authorise, such as `ets`, in lower case.
    pub namespaces: Vec<String>,
}

impl PrioritySigner {
    /// A provider with its namespaces.
    #[must_use]
    pub fn new<T: AsRef<str>>(spc: impl Into<String>, namespaces: impl IntoIterator<Item = T>) -> Self {
        let namespaces = namespaces.into_iter().map(|name| name.as_ref().to_ascii_lowercase()).collect();
        Self { spc: spc.into(), namespaces }
    }
}

/// What to do about revocation (F23: a local choice).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum CrlPolicy {
    /// Use the CRLs there are; none, or one past its nextUpdate, is visible but no failure.
    #[default]
    Use,
    /// A certificate that no CRL covers is refused.
    Require,
    /// A certificate that no CRL within its nextUpdate covers is refused.
    RequireFresh,
}

/// The most Identity header fields of one message that are judged; more is [`TooManyIdentityHeaders`].
///
/// [`TooManyIdentityHeaders`]: crate::verify::Error::TooManyIdentityHeaders
pub const MAX_IDENTITY_HEADERS: usize = 16;
