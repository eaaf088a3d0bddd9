//! What the arguments mean: files read, names looked up, choices made.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use crate::cli::args::{CrlPolicyName, PolicyArgs, ProfileName, RecordArgs, RequiredType, RevocationArgs, VerifyArgs};
use crate::cli::configuration::Configured;
use crate::cli::exit::Complaint;
use crate::cli::fetching::Fetching;
use crate::cli::files::{Input, Unlisted, inputs_or_stdin};
use crate::cli::trust::Trust;
use crate::lake::ParquetLake;
use crate::number::{Identity, NumberPlan};
use crate::sip::call::Call;
use crate::sip::json_call::party;
use crate::time::UnixTime;
use crate::traceback::Span;
use crate::verify::{CrlPolicy, Policy, PrioritySigners, Profile, Require};

/// What `stirtrace verify` is to do.
#[derive(Debug)]
pub(crate) struct VerifySettings {
    pub(crate) inputs: Vec<Result<Input, Unlisted>>,
    pub(crate) policy: Policy,
    pub(crate) trust: Trust,
    pub(crate) at: At,
    pub(crate) from: Option<Identity>,
    pub(crate) to: Option<Identity>,
    pub(crate) verbose: bool,
    pub(crate) summary: bool,
    pub(crate) all: bool,
    pub(crate) hep: Option<SocketAddr>,
    /// Records of the lake, in place of inputs.
    pub(crate) records: Option<Records>,
    pub(crate) threads: NonZeroUsize,
    pub(crate) fetching: Option<Fetching>,
    pub(crate) fetch_rich_call_data: bool,
}

/// Kept records that are to be judged again.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) lake: ParquetLake,
    pub(crate) span: Span,
    pub(crate) network: Option<String>,
}

impl Records {
    fn resolve(args: &RecordArgs, configured: Option<&Configured>) -> Result<Self, Complaint> {
        let configured = configured.ok_or_else(Configured::missing)?;
        let lake = ParquetLake::open(&configured.lake()?).map_err(|reason| Complaint::new(reason.to_string()))?;
        let network = args.network.as_deref().map(|named| configured.network(named, "--network")).transpose()?;
        let network = network.and_then(|place| configured.configuration.networks.get(place));
        let span = Span::new(args.since.unwrap_or(Span::ALWAYS.from), args.until.unwrap_or(Span::ALWAYS.to));
        if span.from > span.to {
            let complaint = Complaint::new(format!("--since {} is after --until {}", span.from, span.to));
            return Err(complaint.hint("name the earlier one with --since"));
        }
        Ok(Self { lake, span, network: network.map(|own| own.name.clone()) })
    }
}

impl VerifySettings {
    /// What the arguments mean at the instant `now`.
    pub(crate) fn resolve(args: VerifyArgs, configured: Option<&Configured>, now: UnixTime) -> Result<Self, Complaint> {
        let (trust, revocation) = match configured {
            Some(configured) => (configured.trust(args.trust), configured.revocation(args.revocation)),
            None => (args.trust, args.revocation),
        };
        let policy = policy(&args.policy, &revocation);
        let fetching = Fetching::new(&args.fetch)?;
        let number = |option: &str, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| party(option, text, &policy.number_plan))
                .transpose()
                .map(Option::flatten)
                .map_err(Complaint::from)
        };
        Ok(Self {
            inputs: if args.hep.is_some() || args.records.lake {
                Vec::new()
            } else {
                inputs_or_stdin(&args.input, "INPUT")?
            },
            records: args.records.lake.then(|| Records::resolve(&args.records, configured)).transpose()?,
            trust: Trust::resolve(&trust, fetching.as_ref(), now)?.with_revocation(&revocation, fetching.as_ref())?,
            at: At::resolve(&args.at, now)?,
            from: number("--from", &args.from)?,
            to: number("--to", &args.to)?,
            verbose: args.verbose,
            summary: args.summary,
            all: args.all,
            hep: args.hep,
            threads: args.threads.or_else(|| available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN),
            fetching,
            fetch_rich_call_data: args.fetch_rich_call_data,
            policy,
        })
    }

    /// How numbers become canonical.
    pub(crate) const fn number_plan(&self) -> &NumberPlan {
        &self.policy.number_plan
    }
}

fn policy(args: &PolicyArgs, revocation: &RevocationArgs) -> Policy {
    Policy {
        profile: match args.profile {
            ProfileName::Rfc => Profile::Rfc,
            ProfileName::Atis => Profile::Atis,
        },
        max_age: args.max_age,
        strict: args.strict,
        require: match args.require {
            Some(RequiredType::Shaken) => Require::Shaken,
            None => Require::Any,
        },
        crl: crl_policy(revocation.crl_policy),
        priority_signers: match args.rph_signer.as_slice() {
            [] => PrioritySigners::AnyProvider,
            named => PrioritySigners::Only(named.to_vec()),
        },
        ..Policy::default()
    }
}

/// What `--crl-policy` says.
pub(crate) const fn crl_policy(name: CrlPolicyName) -> CrlPolicy {
    match name {
        CrlPolicyName::Use => CrlPolicy::Use,
        CrlPolicyName::Require => CrlPolicy::Require,
        CrlPolicyName::RequireFresh => CrlPolicy::RequireFresh,
    }
}

/// The instant to judge at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum At {
    /// When the packet was captured, or when the record says that the call began; of anything else, this instant.
    Capture(UnixTime),
    /// The call's Date; failing that, the first iat; failing that, this instant.
    Date(UnixTime),
    /// This instant, whatever the call says.
    Instant(UnixTime),
}

impl At {
    /// What `--at` says.
    pub(crate) fn resolve(text: &str, now: UnixTime) -> Result<Self, Complaint> {
        match text {
            "now" => Ok(Self::Instant(now)),
            "capture" => Ok(Self::Capture(now)),
            "date" => Ok(Self::Date(now)),
            text => UnixTime::parse_rfc3339(text).map(Self::Instant).map_err(|reason| {
                Complaint::new(format!("--at {reason}"))
                    .hint("write capture, now, date, or a time with its zone, as 2026-05-04T12:00:01Z")
            }),
        }
    }

    /// The instant for a call, of which a capture may say when it was made.
    pub(crate) fn of(self, call: &Call, captured: Option<UnixTime>) -> UnixTime {
        match self {
            Self::Capture(now) => captured.unwrap_or(now),
            Self::Instant(instant) => instant,
            Self::Date(now) => call.date.as_ref().and_then(|date| date.time).or_else(|| first_iat(call)).unwrap_or(now),
        }
    }

    /// Whether calls are judged as of their own date.
    pub(crate) const fn is_date(self) -> bool {
        matches!(self, Self::Date(_))
    }
}

fn first_iat(call: &Call) -> Option<UnixTime> {
    use crate::identity_header::IdentityHeader;
    use crate::passport::Passport;
    let fields = call.identities.iter().take(crate::verify::MAX_IDENTITY_HEADERS);
    let tokens = fields.filter_map(|field| IdentityHeader::parse(&field.value).ok());
    tokens.filter_map(|header| Passport::parse(&header.token).ok()).find_map(|passport| passport.claims().iat)
}
