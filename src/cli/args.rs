//! What was typed. What it means is in `settings`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::cli::days;
use crate::cli::ingest::IngestArgs;
use crate::cli::lab::LabArgs;
use crate::cli::lake::LakeArgs;
use crate::cli::serve::ServeArgs;
use crate::cli::sign::SignArgs;
use crate::cli::speed::SpeedArgs;
use crate::cli::trace::TraceArgs;
use crate::fetch::address::Allowance;
use crate::passport::ResourcePriority;
use crate::time::UnixTime;
use crate::verify::PrioritySigner;

/// Verify SHAKEN caller ID, name who signed a call, and trace who let it in.
#[derive(Clone, Debug, Parser)]
#[command(name = "stirtrace", version, max_term_width = 100, disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  stirtrace verify invite.sip --trust roots.pem --certs archive/
  stirtrace inspect invite.sip
  stirtrace certificate lint archive/

Exit codes: 0 all is well, 1 something is not, 2 something could not be told, or
misuse. Data goes to stdout, talk to stderr.";

/// What every command takes.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct GlobalArgs {
    /// How to print [default: text on a terminal, else json, one object a line]
    #[arg(long, global = true, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) format: Option<Format>,
    /// When to use colour
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, help_heading = "Output")]
    pub(crate) color: Color,
    /// Mask telephone numbers but for their first four digits: 1215xxxxxxx
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) redact: bool,
    /// Say nothing on stderr but errors
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
}

/// How objects are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One object a line
    Json,
    /// The same members as columns with dotted names; lists are joined by ` | `
    Csv,
    /// The chain as a Mermaid flowchart (trace)
    Mermaid,
    /// The chain as a Graphviz digraph (trace)
    Dot,
}

impl Format {
    /// Whether it is the one for people.
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Text)
    }
}

/// When colour is used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR says otherwise
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Show certificates, hold them to the SHAKEN profile, or find their way to a trusted root
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Take call records into the lake; the same again adds nothing
    Ingest(IngestArgs),
    /// Decode a token, an Identity header, a certificate or a SIP message; judge nothing
    Inspect(InspectArgs),
    /// Make things to practise with: a throw-away PKI, a world of calls
    Lab(LabArgs),
    /// Show what the lake holds, compact it, forget what is old
    Lake(LakeArgs),
    /// Print the manual page, or write one for each command
    Man(ManArgs),
    /// Verify and sign calls for switches, over HTTP
    Serve(ServeArgs),
    /// Sign a call: print the value of its Identity header
    Sign(SignArgs),
    /// Measure what this machine verifies a second
    Speed(SpeedArgs),
    /// Find the calls of traceback requests in call records, and who handed them to us
    Trace(TraceArgs),
    /// Judge calls: who signed them, is the signer trusted, and is it this call that was signed
    Verify(Box<VerifyArgs>),
}

/// `stirtrace certificate`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Hold certificates to the SHAKEN profile (ATIS-1000080); text shows only those that depart from it
    #[command(after_help = "\
Examples:
  stirtrace certificate lint archive/
  stirtrace certificate lint leaf.pem --format json | jq .findings

Departures are warnings: half of the certificates in use have some, and
verification does not rest on them.

Exit codes: 0 nothing wrong, 1 something wrong in what was read, 2 a file could
not be read.")]
    Lint(CertificateFilesArgs),
    /// Show what certificates say: whom they are about, for whom they speak, since when and until when
    #[command(after_help = "\
Examples:
  stirtrace certificate show leaf.pem
  stirtrace certificate show archive/ --format csv

Exit codes: 0 all read, 1 a certificate or its TNAuthList is broken, 2 a file
could not be read.")]
    Show(CertificateFilesArgs),
    /// Find the way from certificates to a trusted root, whatever the order of the file
    #[command(after_help = "\
Example:
  stirtrace certificate path leaf.pem --trust roots.pem --certs archive/
  stirtrace certificate path https://certificates.example/leaf.pem --trust roots.pem --fetch

Exit codes: 0 trusted, 1 not trusted, 2 a file could not be read.")]
    Path(Box<CertificatePathArgs>),
}

/// `stirtrace certificate lint|show`
#[derive(Args, Clone, Debug)]
pub(crate) struct CertificateFilesArgs {
    /// Certificates in PEM (several in a file, too) or DER; folders are walked; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
}

/// `stirtrace certificate path`
#[derive(Args, Clone, Debug)]
pub(crate) struct CertificatePathArgs {
    #[command(flatten)]
    pub(crate) files: CertificateFilesArgs,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    /// The instant to judge at: now, or an RFC 3339 time
    #[arg(long, value_name = "WHEN", default_value = "now")]
    pub(crate) at: String,
}

/// `stirtrace completions`
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  stirtrace completions bash > ~/.local/share/bash-completion/completions/stirtrace")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: Shell,
}

/// `stirtrace inspect`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  stirtrace inspect invite.sip
  stirtrace inspect roots.pem --format json
  echo 'eyJhbGciOi..' | stirtrace inspect

Exit codes: 0 it can be read, 1 something in it is wrong, 2 it cannot be read.")]
pub(crate) struct InspectArgs {
    /// SIP messages, Identity header lines, tokens, JSON lines, certificates and CRLs in PEM or DER; folders are
    /// walked; - is standard input
    #[arg(value_name = "INPUT")]
    pub(crate) input: Vec<PathBuf>,
}

/// `stirtrace man`
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  stirtrace man | man -l -\n  stirtrace man --out /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Write one page for each command into this folder, instead of the first to stdout
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// `stirtrace verify`
#[derive(Args, Clone, Debug)]
#[command(after_help = VERIFY_HELP)]
pub(crate) struct VerifyArgs {
    /// SIP messages, captures (pcap, pcapng, HEP), Identity header lines, JSON lines, also packed with gzip or zstd;
    /// folders are walked; - is standard input
    #[arg(value_name = "INPUT")]
    pub(crate) input: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) revocation: RevocationArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) records: RecordArgs,
    /// The instant to judge at: capture (when the packet was captured, or the record says that the call began; now, for
    /// anything else), now, date (the call's own Date, else its iat), or an RFC 3339 time
    #[arg(long, value_name = "WHEN", default_value = "capture")]
    pub(crate) at: String,
    /// Listen on a UDP address for HEPv3 packets, and judge what they bring until interrupted
    #[arg(long, value_name = "ADDR:PORT", conflicts_with_all = ["input", "summary"])]
    pub(crate) hep: Option<SocketAddr>,
    /// Who calls, for Identity lines without a message
    #[arg(long, value_name = "TN|URI")]
    pub(crate) from: Option<String>,
    /// Who is called, for Identity lines without a message
    #[arg(long, value_name = "TN|URI")]
    pub(crate) to: Option<String>,
    /// How many threads judge [default: one for each core]; the output is the same
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    /// Fetch the pictures and cards, too, that rich call data names (RFC 9795): without them nobody can say that it is what
    /// was signed
    #[arg(long, help_heading = "Fetching", requires = "fetch")]
    pub(crate) fetch_rich_call_data: bool,
    /// List the checks that passed, too; of a capture or the lake, everything about a call
    #[arg(long, short, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// Count calls by signer, attestation, verdict, source and origin instead of listing them
    #[arg(long, help_heading = "Output")]
    pub(crate) summary: bool,
    /// List every message of a capture: those without Identity, responses and retransmissions too
    #[arg(long, help_heading = "Output", conflicts_with = "summary")]
    pub(crate) all: bool,
}

/// Which records of the lake.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RecordArgs {
    /// Judge again the call records of the lake (stirtrace.toml) that carry an Identity, each as of its call
    #[arg(long, conflicts_with_all = ["input", "hep"], help_heading = "Lake")]
    pub(crate) lake: bool,
    /// Only calls that began then or later: a day, a month (2026-05), or an RFC 3339 time; in UTC
    #[arg(long, value_name = "WHEN", requires = "lake", value_parser = days::beginning, help_heading = "Lake")]
    pub(crate) since: Option<UnixTime>,
    /// Only calls that began then or earlier: a day or a month to its end, or an RFC 3339 time; in UTC
    #[arg(long, value_name = "WHEN", requires = "lake", value_parser = days::end, help_heading = "Lake")]
    pub(crate) until: Option<UnixTime>,
    /// Only records of this network, by its name or service provider code
    #[arg(long, value_name = "NAME|SPC", requires = "lake", help_heading = "Lake")]
    pub(crate) network: Option<String>,
}

const VERIFY_HELP: &str = "\
Examples:
  stirtrace verify invite.sip --trust roots.pem --certs archive/
  stirtrace verify calls/ --trust list.jwt --trust-signer sti-pa.pem --at date
  echo 'Identity: eyJ..' | stirtrace verify --from 12155550112 --to 12155550131
  stirtrace verify day.pcap.gz --trust roots.pem --certs archive/ --summary
  tcpdump -i any -s 0 -U -w - udp or tcp | stirtrace verify -
  stirtrace verify --lake --since 2026-05 --until 2026-05 --summary
  stirtrace verify invite.sip --trust roots.pem --fetch --fetch-archive archive/

With --fetch, --trust and --crl take https URLs too. What --fetch-archive keeps
has its times: later, `--certs` finds the certificate that lay there when a call
was made.

JSON lines are objects with identity (string or array), from, to, date, call_id.
Consecutive lines that begin `Identity:` or `y:` are one call; others are each
their own. What an option leaves out, stirtrace.toml may say: trust, trust_signer,
certificates, crl, crl_signer.
In CSV, lists are joined by ` | `; header and claims hold JSON.

Exit codes: 0 all passed, 1 some failed, 2 none failed but some could not be
checked, or misuse.";

/// Which configuration.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ConfigArgs {
    /// The stirtrace.toml to use [default: the one in this folder or the nearest above it]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Whom to trust, and what it rests on.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TrustArgs {
    /// Trusted roots: a PEM file, a folder of them, or the STI-PA's signed list; repeatable
    #[arg(long, value_name = "PATH", help_heading = "Trust")]
    pub(crate) trust: Vec<PathBuf>,
    /// Who signs the STI-PA's list: its certificate, or the root above it; repeatable
    #[arg(long, value_name = "PEM", help_heading = "Trust")]
    pub(crate) trust_signer: Vec<PathBuf>,
    /// The certificate archive, laid out `host[:port]/path` as `wget --mirror` writes it
    #[arg(long, value_name = "DIR", help_heading = "Trust")]
    pub(crate) certs: Option<PathBuf>,
}

/// What may come over the network, and what becomes of it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FetchArgs {
    /// Fetch over HTTPS the certificates that --certs lacks. Never by default: those URLs are chosen by whoever signed
    #[arg(long, help_heading = "Fetching")]
    pub(crate) fetch: bool,
    /// Fetch nothing: certificates come from --certs only. This is the default
    #[arg(long, help_heading = "Fetching", conflicts_with = "fetch")]
    pub(crate) offline: bool,
    /// Keep what is fetched in this folder, and do not fetch it again while it is fresh
    #[arg(long, help_heading = "Fetching", value_name = "DIR", requires = "fetch")]
    pub(crate) fetch_cache: Option<PathBuf>,
    /// Add what is fetched to this archive, with the time; it may be that of --certs
    #[arg(long, help_heading = "Fetching", value_name = "DIR", requires = "fetch")]
    pub(crate) fetch_archive: Option<PathBuf>,
    /// A root that TLS trusts besides the system's, for fetching only; repeatable
    #[arg(long, help_heading = "Fetching", value_name = "PEM", requires = "fetch")]
    pub(crate) fetch_root: Vec<PathBuf>,
    /// Let a host lie at private addresses, which are refused otherwise; repeatable
    #[arg(long, help_heading = "Fetching", value_name = "HOST=ADDRESS[/PREFIX]", requires = "fetch")]
    pub(crate) fetch_allow: Vec<Allowance>,
    /// How many seconds a certificate may take, from DNS to its last byte
    #[arg(long, help_heading = "Fetching", value_name = "SECONDS", requires = "fetch", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) fetch_timeout: u64,
}

/// CRLs, and what to make of them.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RevocationArgs {
    /// A CRL in PEM or DER; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    pub(crate) crl: Vec<PathBuf>,
    /// The certificate whose key signs indirect CRLs, besides the trusted roots; repeatable
    #[arg(long, value_name = "PEM", help_heading = "Trust")]
    pub(crate) crl_signer: Vec<PathBuf>,
    /// What a certificate needs that no CRL, or only an old one, covers
    #[arg(long, value_enum, value_name = "POLICY", default_value_t, help_heading = "Policy")]
    pub(crate) crl_policy: CrlPolicyName,
}

/// What to do about revocation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum CrlPolicyName {
    /// Use the CRLs there are; what they do not cover is said, not refused
    #[default]
    Use,
    /// Refuse a certificate that no CRL covers
    Require,
    /// Refuse a certificate that no CRL within its nextUpdate covers
    RequireFresh,
}

/// What to accept.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PolicyArgs {
    /// How many seconds Date and iat may lie before or after the instant judged
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(i64).range(0..), help_heading = "Policy")]
    pub(crate) max_age: i64,
    /// Whose response codes to give
    #[arg(long, value_enum, value_name = "PROFILE", default_value_t, help_heading = "Policy")]
    pub(crate) profile: ProfileName,
    /// Refuse spellings that the standards do not have, instead of warning
    #[arg(long, help_heading = "Policy")]
    pub(crate) strict: bool,
    /// Which PASSporT a call must carry to pass
    #[arg(long, value_enum, value_name = "TYPE", help_heading = "Policy")]
    pub(crate) require: Option<RequiredType>,
    /// Who may authorise priorities by rph: a provider's code with its namespaces; repeatable [default: any provider]
    #[arg(long, value_name = "SPC=NAMESPACE,..", value_parser = priority_signer, help_heading = "Policy")]
    pub(crate) rph_signer: Vec<PrioritySigner>,
}

fn priority_signer(text: &str) -> Result<PrioritySigner, String> {
    let (spc, namespaces) = text.split_once('=').unwrap_or((text, ""));
    if spc.is_empty() || namespaces.split(',').any(|name| format!("{name}.0").parse::<ResourcePriority>().is_err()) {
        return Err("write it as 552D=ets,wps".to_owned());
    }
    Ok(PrioritySigner::new(spc, namespaces.split(',')))
}

/// Whose response codes are given.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum ProfileName {
    /// RFC 8224 and ATIS-1000074
    #[default]
    Rfc,
    /// ATIS-1000082
    Atis,
}

/// A PASSporT type that can be required.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum RequiredType {
    /// Only shaken PASSporTs count
    Shaken,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_hold_together() {
        Cli::command().debug_assert();
    }
}
