//! `stirtrace inspect`: what a token, header, certificate or message says; nothing is judged.

use indicatif::ProgressBar;
use serde::Serialize;

use crate::certificate::bundle::{BlockFault, Bundle, Limits};
use crate::certificate::crl::Crl;
use crate::cli::args::InspectArgs;
use crate::cli::captures::{losses, read_message};
use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::files::{Source, inputs_or_stdin};
use crate::cli::pieces::{Piece, each_piece};
use crate::cli::printer::{Present, Printer};
use crate::cli::shown_certificate::ShownCertificate;
use crate::cli::shown_value::ShownValue;
use crate::cli::text::{Text, Tone};
use crate::cli::unread::Unread;
use crate::number::NumberPlan;
use crate::sip::call::Call;
use crate::sip::json_call::JsonCall;
use crate::sip::message::{Message, StartLine};
use crate::time::UnixTime;

pub(super) fn run(args: &InspectArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    let mut exit = Exit::Good;
    for input in inputs_or_stdin(&args.input, "INPUT")? {
        let input = match input {
            Ok(input) => input,
            Err(unlisted) => {
                exit = exit.and(Exit::Unable);
                printer.show(&Unread::<InspectedValue>::folder(&unlisted))?;
                continue;
            }
        };
        each_piece(&input, &ProgressBar::hidden(), &mut |source, found| {
            let shown = match found {
                Ok(piece) => show(source, piece, printer)?,
                Err(complaint) => unread(source, complaint, printer)?,
            };
            exit = exit.and(shown);
            Ok(())
        })?;
    }
    Ok(exit)
}

fn show(source: Source, piece: Piece, printer: &mut Printer) -> Result<Exit, Stop> {
    match piece {
        Piece::Identities(values) => {
            let mut exit = Exit::Good;
            for field in Call::bare(values).identities {
                let source = Source { line: field.line.or(source.line), ..source.clone() };
                exit = exit.and(show_value(source, &field.value, printer)?);
            }
            Ok(exit)
        }
        Piece::Json(line) => match JsonCall::parse(&line) {
            Ok(call) => {
                let mut exit = Exit::Good;
                for value in &call.identity {
                    exit = exit.and(show_value(source.clone(), value, printer)?);
                }
                Ok(exit)
            }
            Err(error) => unread(source, error.into(), printer),
        },
        Piece::Message(message) => {
            let shown = ShownMessage::of(source, &message);
            printer.show(&shown)?;
            Ok(exit_of(&shown.identities))
        }
        Piece::Captured(message) => match read_message(&message) {
            Ok(message) => {
                let shown = ShownMessage::of(source, &message);
                printer.show(&shown)?;
                Ok(exit_of(&shown.identities))
            }
            Err(complaint) => unread(source, complaint, printer),
        },
        Piece::CaptureEnd(counts) => {
            losses(&source, &counts).iter().for_each(|remark| printer.remark(remark));
            Ok(Exit::Good)
        }
        Piece::Pause => printer.flush().map(|()| Exit::Good),
        Piece::Certificates(bytes) => show_certificates(&source, &bytes, printer),
    }
}

/// Certificates and CRLs; whatever else stands in PEM blocks is named, never shown: it may be a key.
fn show_certificates(source: &Source, bytes: &[u8], printer: &mut Printer) -> Result<Exit, Stop> {
    let crl = Crl::from_bytes(bytes);
    if let Ok(crl) = &crl {
        printer.show(&ShownCrl::of(source.clone(), crl))?;
    }
    let bundle = match Bundle::read(bytes, &Limits::OWN_FILE) {
        Ok(bundle) => bundle,
        Err(_) if crl.is_ok() => return Ok(Exit::Good),
        Err(reason) => {
            let complaint = Complaint::new(format!("neither a certificate nor a CRL: {reason}"));
            return unread(source.clone(), complaint.hint("compare it with the file as its issuer gave it"), printer);
        }
    };
    let mut exit = Exit::Good;
    for certificate in &bundle.certificates {
        let shown = InspectedCertificate {
            source: source.clone(),
            kind: "certificate",
            shown: ShownCertificate::of(certificate),
        };
        exit = exit.and(if shown.shown.is_broken() { Exit::Bad } else { Exit::Good });
        printer.show(&shown)?;
    }
    let problems = bundle.problems.iter().filter(|problem| {
        !(crl.is_ok() && matches!(&problem.fault, BlockFault::OtherLabel { label } if label.ends_with("CRL")))
    });
    for problem in problems {
        let complaint = Complaint::new(problem.fault.to_string()).hint("only certificates and CRLs are shown");
        printer.show(&Unread::<InspectedValue>::new(source.at(problem.line), &complaint))?;
        exit = exit.and(Exit::Bad);
    }
    Ok(exit)
}

fn unread(source: Source, complaint: Complaint, printer: &mut Printer) -> Result<Exit, Stop> {
    printer.show(&Unread::<InspectedValue>::new(source, &complaint))?;
    Ok(Exit::Unable)
}

fn show_value(source: Source, value: &str, printer: &mut Printer) -> Result<Exit, Stop> {
    let shown = InspectedValue { source, kind: "identity", shown: ShownValue::of(value) };
    printer.show(&shown)?;
    Ok(exit_of(std::slice::from_ref(&shown.shown)))
}

fn exit_of(values: &[ShownValue]) -> Exit {
    if values.iter().any(ShownValue::has_errors) { Exit::Bad } else { Exit::Good }
}

/// One set of columns for everything that is shown, because a file may hold all of it.
const COLUMNS: &[&str] = &[
    "source.file",
    "source.line",
    "kind",
    "form",
    "parameters.info",
    "parameters.alg",
    "parameters.ppt",
    "header",
    "claims",
    "signature_bytes",
    "findings.rule",
    "findings.severity",
    "findings.detail",
    "start_line",
    "fields.name",
    "fields.value",
    "faults",
    "body_bytes",
    "identities.form",
    "identities.header",
    "identities.claims",
    "identities.findings.rule",
    "identities.findings.detail",
    "identities.error.detail",
    "error.kind",
    "error.part",
    "error.detail",
    "error.offset",
    "error.hint",
];

/// An Identity value with its place.
#[derive(Debug, Serialize)]
struct InspectedValue {
    source: Source,
    kind: &'static str,
    #[serde(flatten)]
    shown: ShownValue,
}

impl Present for InspectedValue {
    const COLUMNS: &'static [&'static str] = COLUMNS;

    fn text(&self, text: &mut Text) {
        text.put(Tone::Strong, "Identity value").put(Tone::Faint, format_args!("  {}", self.source)).end();
        self.shown.text(text);
        text.end();
    }
}

/// A certificate with its place.
#[derive(Debug, Serialize)]
struct InspectedCertificate {
    source: Source,
    kind: &'static str,
    #[serde(flatten)]
    shown: ShownCertificate,
}

impl Present for InspectedCertificate {
    const COLUMNS: &'static [&'static str] = COLUMNS;

    fn text(&self, text: &mut Text) {
        self.shown.print(&self.source.to_string(), text);
    }
}

/// A CRL as it stands; whether it may revoke anything is another question.
#[derive(Debug, Serialize)]
struct ShownCrl {
    source: Source,
    kind: &'static str,
    issuer: String,
    number: Option<String>,
    this_update: UnixTime,
    next_update: Option<UnixTime>,
    indirect: bool,
    revoked: usize,
}

impl ShownCrl {
    fn of(source: Source, crl: &Crl) -> Self {
        Self {
            source,
            kind: "crl",
            issuer: crl.issuer().to_string(),
            number: crl.number_hex(),
            this_update: crl.this_update(),
            next_update: crl.next_update(),
            indirect: crl.is_indirect(),
            revoked: crl.len(),
        }
    }
}

impl Present for ShownCrl {
    const COLUMNS: &'static [&'static str] = COLUMNS;

    fn text(&self, text: &mut Text) {
        let form = if self.indirect { "indirect CRL" } else { "CRL" };
        text.put(Tone::Strong, form).put(Tone::Faint, format_args!("  {}", self.source)).end();
        text.field("issuer", &self.issuer);
        if let Some(number) = &self.number {
            text.field("number", number);
        }
        text.field("issued", self.this_update);
        match self.next_update {
            Some(next_update) => text.field("next due", next_update),
            None => text.field("next due", "it does not say"),
        }
        text.field("revoked", format_args!("{} certificates", self.revoked));
        text.end();
    }
}

/// A SIP message as it stands.
#[derive(Debug, Serialize)]
struct ShownMessage {
    source: Source,
    kind: &'static str,
    start_line: String,
    fields: Vec<ShownField>,
    faults: Vec<String>,
    body_bytes: usize,
    identities: Vec<ShownValue>,
    #[serde(skip)]
    call: Call,
}

#[derive(Debug, Serialize)]
struct ShownField {
    line: usize,
    name: String,
    value: String,
}

impl ShownMessage {
    fn of(source: Source, message: &Message) -> Self {
        let start_line = match message.start_line() {
            StartLine::Request { method, uri, version } => format!("{method} {uri} {version}"),
            StartLine::Response { version, code, phrase } => format!("{version} {code} {phrase}"),
        };
        let field = |field: crate::sip::message::FieldRef<'_>| ShownField {
            line: field.line(),
            name: field.original_name().into_owned(),
            value: field.text(),
        };
        let call = Call::from_message(message, &NumberPlan::NORTH_AMERICAN);
        Self {
            source,
            kind: "message",
            start_line,
            fields: message.fields().map(field).collect(),
            faults: message.faults().iter().map(ToString::to_string).collect(),
            body_bytes: message.body().len(),
            identities: call.identities.iter().map(|field| ShownValue::of(&field.value)).collect(),
            call,
        }
    }
}

impl Present for ShownMessage {
    const COLUMNS: &'static [&'static str] = COLUMNS;

    fn text(&self, text: &mut Text) {
        text.put(Tone::Strong, "SIP message").put(Tone::Faint, format_args!("  {}", self.source)).end();
        text.field("starts", &self.start_line);
        let party = |party: Option<&crate::number::Identity>| party.map_or_else(|| "-".to_owned(), ToString::to_string);
        text.field("from", party(self.call.from.as_ref()));
        for asserted in &self.call.asserted {
            text.field("asserted", asserted);
        }
        text.field("to", party(self.call.to.as_ref()));
        if let Some(date) = &self.call.date {
            text.field("date", &date.text);
        }
        if let Some(call_id) = &self.call.call_id {
            text.field("call-id", call_id);
        }
        for fault in &self.faults {
            text.name("odd").put(Tone::Doubt, "! ").plain(fault).end();
        }
        for (index, value) in self.identities.iter().enumerate() {
            text.put(Tone::Strong, format_args!("  Identity {} of {}", index + 1, self.identities.len())).end();
            value.text(text);
        }
        if self.identities.is_empty() {
            text.field("identity", "none: nobody signed this");
        }
        text.end();
    }
}
