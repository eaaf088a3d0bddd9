//! `stirtrace sign`: the value of an Identity header for one call.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::files::read_named;
use crate::cli::printer::{Present, Printer};
use crate::cli::text::Text;
use crate::number::{Identity, NumberPlan};
use crate::passport::{Attestation, Passport, ResourcePriority};
use crate::service::uuid;
use crate::sign::{Error, SignRequest, SignedIdentity, Signer};
use crate::time::UnixTime;

/// `stirtrace sign`
#[derive(Args, Clone, Debug)]
#[command(after_help = HELP)]
pub(crate) struct SignArgs {
    /// The private key: PEM, PKCS#8 or SEC1, P-256, not encrypted
    #[arg(long, value_name = "PEM")]
    key: PathBuf,
    /// Its certificate, PEM or DER; certificates above it may follow
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// Where verifiers find the certificate
    #[arg(long, value_name = "URL")]
    x5u: String,
    /// How far you vouch for the call: A you know the customer and its right to the number, B only the customer,
    /// C only where the call came in
    #[arg(long, value_name = "A|B|C")]
    attest: Option<Attestation>,
    /// Who calls: a number, or a tel:, sip: or sips: URI
    #[arg(long, value_name = "TN|URI")]
    orig: String,
    /// Who is called; repeatable
    #[arg(long, value_name = "TN|URI", required = true)]
    dest: Vec<String>,
    /// The UUID that names where the call came from [default: a random one]
    #[arg(long, value_name = "UUID")]
    origid: Option<String>,
    /// Sign as of this instant instead of now, for examples and tests: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    iat: Option<UnixTime>,
    /// The call's Date, which iat repeats; refused when it is more than 60 s from now: RFC 3339, or as SIP writes it
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Option<UnixTime>,
    /// Of a diversion: whom the call was for, and for whom the certificate has to speak; --dest is where it goes on to
    #[arg(long, value_name = "TN|URI")]
    div: Option<String>,
    /// A priority to authorise, as Resource-Priority has it (ets.0); repeatable
    #[arg(long, value_name = "NAMESPACE.PRIORITY")]
    rph: Vec<ResourcePriority>,
    /// The call calls back an emergency caller: sph, with a priority of esnet
    #[arg(long, requires = "rph")]
    callback: bool,
    /// The type of PASSporT
    #[arg(long, value_enum, value_name = "TYPE", default_value_t)]
    ppt: PassportType,
}

const HELP: &str = "\
Example:
  stirtrace sign --key certs/keys/twill.pem --certificate certs/archive/certificates.lab.example/twill.pem \\
    --x5u https://certificates.lab.example/twill.pem --attest A --orig 12155550112 --dest 12155550131

Prints the value of the Identity header, whatever stdout is; an object when --format json or csv asks for it.

Exit codes: 0 signed, 2 refused, or misuse.";

/// Which PASSporTs can be signed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum PassportType {
    /// RFC 8588: with attestation, by providers
    #[default]
    Shaken,
    /// RFC 8225 without an extension: who calls whom, no more
    Base,
    /// RFC 8946: the call was for --div; orig and iat as in the PASSporT before
    Div,
    /// RFC 8443: the call may have the priorities --rph, by providers
    Rph,
}

/// Runs `stirtrace sign` at the instant `now`.
pub(super) fn run(args: &SignArgs, now: UnixTime, printer: &mut Printer) -> Result<Exit, Stop> {
    if printer.is_redacted() {
        return Err(Complaint::new("--redact: a signed token holds the numbers and cannot be masked")
            .hint("leave --redact out")
            .into());
    }
    let key = read_named("--key", &args.key, MAX_FILE)?;
    let certificate = read_named("--certificate", &args.certificate, MAX_FILE)?;
    let signer = Signer::new(&key, &certificate, &args.x5u).map_err(complaint)?;
    let at = args.iat.unwrap_or(now);
    let signed = signer.sign(&request(args)?, at).map_err(complaint)?;
    if now.seconds_since(at).saturating_abs() > Signer::MAX_AGE {
        printer.warn(&format!("signed as of {at}; now, {now}, verifiers refuse it as stale"));
    }
    if printer.asked_format().is_some_and(|format| !format.is_text()) {
        printer.show(&ShownSigned::of(&signed))?;
    } else {
        printer.raw(format!("{signed}\n").as_bytes())?;
    }
    Ok(Exit::Good)
}

fn request(args: &SignArgs) -> Result<SignRequest, Complaint> {
    let identity =
        |option: &str, text: &String| SignRequest::identity(text, &PLAN).map_err(|error| named(option, &error));
    let originator = identity("--orig", &args.orig)?;
    let destinations = args.dest.iter().map(|text| identity("--dest", text)).collect::<Result<_, _>>()?;
    let request = of_type(args, originator, destinations)?;
    let request = args.date.into_iter().fold(request, SignRequest::dated);
    Ok(args.iat.into_iter().fold(request, SignRequest::issued_at))
}

/// Every type has the options of its claims and no others.
fn of_type(args: &SignArgs, originator: Identity, destinations: Vec<Identity>) -> Result<SignRequest, Complaint> {
    let foreign = [
        ("attest", "--attest", PassportType::Shaken, args.attest.is_some()),
        ("origid", "--origid", PassportType::Shaken, args.origid.is_some()),
        ("div", "--div", PassportType::Div, args.div.is_some()),
        ("rph", "--rph", PassportType::Rph, !args.rph.is_empty()),
    ];
    if let Some((claim, option, _, _)) = foreign.into_iter().find(|(_, _, of, given)| *given && *of != args.ppt) {
        let complaint = format!("a PASSporT of type {} has no {claim}", args.ppt.as_str());
        return Err(Complaint::new(complaint).hint(format!("leave {option} out, or name another --ppt")));
    }
    match args.ppt {
        PassportType::Shaken => {
            let Some(attest) = args.attest else {
                return Err(Complaint::new("a shaken PASSporT says how far you vouch for the call")
                    .hint("give --attest A, B or C, or sign a base PASSporT with --ppt base"));
            };
            let origid = args.origid.clone().map_or_else(random_uuid, Ok)?;
            Ok(SignRequest::shaken(attest, origid, originator, destinations))
        }
        PassportType::Base => Ok(SignRequest::base(originator, destinations)),
        PassportType::Div => {
            let Some(text) = &args.div else {
                return Err(Complaint::new("a diversion says whom the call was for").hint("give --div TN"));
            };
            let diverted = SignRequest::identity(text, &PLAN).map_err(|error| named("--div", &error))?;
            Ok(SignRequest::div(diverted, originator, destinations))
        }
        PassportType::Rph => {
            let request = SignRequest::rph(args.rph.clone(), originator, destinations);
            Ok(if args.callback { request.as_callback() } else { request })
        }
    }
}

impl PassportType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Shaken => "shaken",
            Self::Base => "base",
            Self::Div => "div",
            Self::Rph => "rph",
        }
    }
}

/// RFC 9562 §5.4: version 4.
fn random_uuid() -> Result<String, Complaint> {
    uuid::random().map_err(|reason| Complaint::new(reason.to_string()).hint("name the UUID with --origid"))
}

fn instant(text: &str) -> Result<UnixTime, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(UnixTime::from_seconds(seconds));
    }
    UnixTime::parse_rfc3339(text).map_err(|error| error.to_string())
}

fn date(text: &str) -> Result<UnixTime, String> {
    UnixTime::parse_sip_date(text).or_else(|_| UnixTime::parse_rfc3339(text)).map_err(|error| error.to_string())
}

fn named(option: &str, error: &Error) -> Complaint {
    Complaint::new(format!("{option}: {error}"))
}

/// The error says what to do already; only what the options add is a hint.
fn complaint(error: Error) -> Complaint {
    let complaint = Complaint::new(error.to_string());
    match error {
        Error::StaleDate { .. } => complaint.hint("--iat WHEN signs as of another instant, for examples and tests"),
        Error::NoProviderCode { .. } => complaint.hint("--ppt base"),
        Error::NoPriority => complaint.hint("--rph ets.0"),
        _ => complaint,
    }
}

/// The signed call as an object.
#[derive(Serialize)]
struct ShownSigned {
    identity: String,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl ShownSigned {
    fn of(signed: &SignedIdentity) -> Self {
        let passport = Passport::parse(signed.token()).ok();
        let members = |pick: fn(&Passport) -> Map<String, Value>| passport.as_ref().map(pick).unwrap_or_default();
        Self {
            identity: signed.to_string(),
            header: members(Passport::header_members),
            claims: members(Passport::claim_members),
        }
    }
}

impl Present for ShownSigned {
    const COLUMNS: &'static [&'static str] = &["identity", "header", "claims"];

    fn text(&self, text: &mut Text) {
        text.plain(&self.identity).end();
    }
}

/// Numbers without a country code are North American, as `verify` reads them.
const PLAN: NumberPlan = NumberPlan::NORTH_AMERICAN;

/// Keys and certificates are small.
const MAX_FILE: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passport::is_uuid;

    #[test]
    fn an_origid_that_nobody_named_is_a_random_uuid() {
        // D3, D6; RFC 9562 §5.4.
        let (first, second) = (random_uuid().unwrap(), random_uuid().unwrap());
        assert!(is_uuid(&first), "{first}");
        assert_eq!(&first[14..15], "4");
        assert!("89ab".contains(&first[19..20]), "{first}");
        assert_ne!(first, second);
    }

    #[test]
    fn instants_and_dates_are_read_in_their_spellings() {
        let noon = UnixTime::from_seconds(1_777_896_000);
        assert_eq!(instant("1777896000"), Ok(noon));
        assert_eq!(instant("2026-05-04T12:00:00Z"), Ok(noon));
        assert_eq!(date("Mon, 04 May 2026 12:00:00 GMT"), Ok(noon));
        assert_eq!(date("2026-05-04T12:00:00Z"), Ok(noon));
        assert!(instant("noon").is_err() && date("2026-05-04 12:00").is_err());
    }
}
