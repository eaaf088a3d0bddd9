//! What the arguments mean: files read, names looked up, choices made.

use crate::certificate::bundle::Limits;
use crate::cli::archive::Archive;
use crate::cli::args::{PolicyArgs, ProfileName, RequiredType, TrustArgs, VerifyArgs};
use crate::cli::exit::Complaint;
use crate::cli::files::{Input, Unlisted, inputs, inputs_or_stdin, read_named};
use crate::cli::json_call::party;
use crate::number::{Identity, NumberPlan};
use crate::sip::call::Call;
use crate::time::UnixTime;
use crate::trust::TrustAnchors;
use crate::verify::{Materials, Policy, Profile, Require};

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
}

impl VerifySettings {
    /// What the arguments mean at the instant `now`.
    pub(crate) fn resolve(args: VerifyArgs, now: UnixTime) -> Result<Self, Complaint> {
        let policy = policy(&args.policy);
        let number = |option: &str, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| party(option, text, &policy.number_plan)).transpose().map(Option::flatten)
        };
        Ok(Self {
            inputs: inputs_or_stdin(&args.input, "INPUT")?,
            trust: Trust::resolve(&args.trust)?,
            at: At::resolve(&args.at, now)?,
            from: number("--from", &args.from)?,
            to: number("--to", &args.to)?,
            verbose: args.verbose,
            policy,
        })
    }

    /// How numbers become canonical.
    pub(crate) const fn number_plan(&self) -> &NumberPlan {
        &self.policy.number_plan
    }
}

fn policy(args: &PolicyArgs) -> Policy {
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
        ..Policy::default()
    }
}

/// Whom to trust, and where certificates lie.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    anchors: TrustAnchors,
    pub(crate) archive: Option<Archive>,
}

impl Trust {
    /// Reads what the options name.
    pub(crate) fn resolve(args: &TrustArgs) -> Result<Self, Complaint> {
        let mut anchors = TrustAnchors::new();
        for path in &args.trust {
            for input in inputs(std::slice::from_ref(path)) {
                let complain = |reason: String| {
                    Complaint::new(format!("--trust {}: {reason}", path.display()))
                        .hint("name a PEM file of trusted roots, or a folder of such files")
                };
                let input = input.map_err(|unlisted| complain(unlisted.reason))?;
                let bytes = match &input {
                    Input::Named(path) | Input::Found(path) => read_named("--trust", path, Limits::OWN_FILE.octets)?,
                    Input::Stdin => return Err(complain("roots are not read from standard input".to_owned())),
                };
                let found = TrustAnchors::from_pem(&bytes);
                let found = found.map_err(|reason| complain(format!("{}: {reason}", input.name())))?;
                anchors.extend(found.certificates().iter().cloned());
            }
        }
        Ok(Self { anchors, archive: args.certs.as_deref().map(Archive::open).transpose()? })
    }

    /// Whether nobody is trusted.
    pub(crate) fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// Materials with everything that does not depend on the call.
    pub(crate) fn materials(&self) -> Materials {
        let mut materials = Materials::new();
        materials.set_anchors(self.anchors.clone());
        materials
    }
}

/// The instant to judge at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum At {
    /// The call's Date; failing that, the first iat; failing that, this instant.
    Date(UnixTime),
    /// This instant, whatever the call says.
    Instant(UnixTime),
}

impl At {
    fn resolve(text: &str, now: UnixTime) -> Result<Self, Complaint> {
        match text {
            "now" => Ok(Self::Instant(now)),
            "date" => Ok(Self::Date(now)),
            text => UnixTime::parse_rfc3339(text).map(Self::Instant).map_err(|reason| {
                Complaint::new(format!("--at {reason}"))
                    .hint("write now, date, or a time with its zone, as 2026-05-04T12:00:01Z")
            }),
        }
    }

    /// The instant for a call.
    pub(crate) fn of(self, call: &Call) -> UnixTime {
        match self {
            Self::Instant(instant) => instant,
            Self::Date(now) => call.date.as_ref().and_then(|date| date.time).or_else(|| first_iat(call)).unwrap_or(now),
        }
    }
}

fn first_iat(call: &Call) -> Option<UnixTime> {
    use crate::identity_header::IdentityHeader;
    use crate::passport::Passport;
    let fields = call.identities.iter().take(crate::verify::MAX_IDENTITY_HEADERS);
    let tokens = fields.filter_map(|field| IdentityHeader::parse(&field.value).ok());
    tokens.filter_map(|header| Passport::parse(&header.token).ok()).find_map(|passport| passport.claims().iat)
}
