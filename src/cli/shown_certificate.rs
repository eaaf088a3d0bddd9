//! A certificate as it is printed, and a file that holds none.

use serde::Serialize;

use crate::certificate::Certificate;
use crate::certificate::description::Description;
use crate::certificate::profile::{Role, Severity};
use crate::cli::exit::{Complaint, Exit};
use crate::cli::files::Unlisted;
use crate::cli::printer::Present;
use crate::cli::text::{Text, Tone};

/// A certificate with the file it stands in.
#[derive(Debug, Serialize)]
pub(crate) struct FileCertificate {
    file: String,
    /// Its place in a file of several, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(flatten)]
    pub(crate) shown: ShownCertificate,
}

impl FileCertificate {
    /// A certificate of a file.
    pub(crate) fn new(file: &str, index: Option<usize>, shown: ShownCertificate) -> Self {
        Self { file: file.to_owned(), index, shown }
    }
}

/// A certificate in words.
#[derive(Debug, Serialize)]
pub(crate) struct ShownCertificate {
    #[serde(flatten)]
    description: Description,
    /// The way to the trusted root, by SHA-256; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trusted: Option<bool>,
    /// Why there is no such way; told, if only as null, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Option<PathError>>,
    #[serde(skip)]
    subjects: Vec<String>,
    #[serde(skip)]
    pub(crate) is_linted: bool,
}

/// Why a certificate does not lead to a trusted root.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PathError {
    pub(crate) kind: &'static str,
    pub(crate) detail: String,
}

impl ShownCertificate {
    /// Describes a certificate.
    pub(crate) fn of(certificate: &Certificate) -> Self {
        Self {
            description: Description::of(certificate),
            path: None,
            trusted: None,
            error: None,
            subjects: Vec::new(),
            is_linted: false,
        }
    }

    /// The same for `lint`, whose text is about the findings.
    #[must_use]
    pub(crate) fn for_lint(mut self) -> Self {
        self.is_linted = true;
        self
    }

    /// The same with where it leads.
    #[must_use]
    pub(crate) fn with_path(mut self, path: &[Certificate], error: Option<PathError>) -> Self {
        self.path = Some(path.iter().map(|certificate| certificate.sha256_hex().to_owned()).collect());
        self.subjects = path.iter().map(|certificate| certificate.subject().to_string()).collect();
        self.trusted = Some(error.is_none());
        self.error = Some(error);
        self
    }

    /// Whether a finding is as bad as this.
    pub(crate) fn has_finding(&self, severity: Severity) -> bool {
        self.description.findings.iter().any(|finding| finding.severity == severity)
    }

    /// Whether a part that verification needs cannot be read.
    pub(crate) fn is_broken(&self) -> bool {
        self.description.tn_auth_list.as_ref().is_some_and(|list| list.error.is_some())
    }

    /// What people read.
    pub(crate) fn print(&self, place: &str, text: &mut Text) {
        if self.is_linted && self.description.findings.is_empty() {
            return;
        }
        self.headline(place, text);
        if !self.is_linted {
            self.details(text);
        }
        if !self.is_linted || self.is_broken() {
            self.authority(text);
        }
        self.way(text);
        self.findings(text);
        text.end();
    }

    fn headline(&self, place: &str, text: &mut Text) {
        let role = match self.description.role {
            Role::Root => "root",
            Role::Ca => "CA",
            Role::Leaf => "leaf",
        };
        text.put(Tone::Strong, format_args!("{role}  {}", self.description.subject));
        text.put(Tone::Faint, format_args!("  {place}")).end();
    }

    fn details(&self, text: &mut Text) {
        let description = &self.description;
        text.field("issuer", &description.issuer);
        text.name("serial").put_legible(Tone::Plain, &description.serial).end();
        text.field("valid", format_args!("{} to {}", description.not_before, description.not_after));
        text.field("key", &description.key);
        if let Some(constraints) = &description.constraints {
            text.field("constraints", serde_json::to_string(constraints).unwrap_or_default());
        }
        text.name("sha256").put(Tone::Faint, &description.sha256).end();
    }

    fn authority(&self, text: &mut Text) {
        let Some(list) = &self.description.tn_auth_list else {
            if self.description.role == Role::Leaf {
                text.name("speaks for").put(Tone::Bad, "✗ ").plain("nobody: it has no TNAuthList").end();
            }
            return;
        };
        match &list.error {
            None => {
                let entries: Vec<String> = list.entries.iter().map(ToString::to_string).collect();
                text.name("speaks for").put(Tone::Strong, entries.join(", ")).end();
            }
            Some(error) => {
                text.name("speaks for").put(Tone::Bad, "✗ ");
                text.plain(format_args!("nobody: TNAuthList, byte {}: {}", error.offset, error.detail)).end();
                let byte = list.der.get(error.offset * 2..).and_then(|rest| rest.get(..2)).unwrap_or_default();
                let (before, after) = list.der.split_at((error.offset * 2).min(list.der.len()));
                text.name("").plain(before).put(Tone::Bad, byte).plain(&after[byte.len()..]).end();
                text.name("").plain(" ".repeat(before.len())).put(Tone::Bad, "^").end();
            }
        }
    }

    fn way(&self, text: &mut Text) {
        for (index, subject) in self.subjects.iter().enumerate() {
            text.name(if index == 0 { "path" } else { "" }).plain(subject).end();
        }
        match &self.error {
            Some(None) => text.name("trusted").put(Tone::Good, "✓ ").plain("it leads to a trusted root").end(),
            Some(Some(error)) => {
                text.name("trusted").put(Tone::Bad, "✗ ").plain(format_args!("{}: {}", error.kind, error.detail)).end();
            }
            None => {}
        }
    }

    fn findings(&self, text: &mut Text) {
        for finding in &self.description.findings {
            let (tone, mark) = match finding.severity {
                Severity::Warning => (Tone::Doubt, "! "),
                Severity::Notice => (Tone::Faint, "- "),
            };
            text.name(&finding.severity.to_string()).put(tone, mark).plain(&finding.detail);
            text.put(Tone::Faint, format_args!("  [{}]", finding.rule)).end();
        }
    }
}

impl Present for FileCertificate {
    const COLUMNS: &'static [&'static str] = &[
        "file",
        "index",
        "sha256",
        "role",
        "subject",
        "issuer",
        "serial",
        "not_before",
        "not_after",
        "key",
        "tn_auth_list.der",
        "tn_auth_list.entries",
        "tn_auth_list.error.offset",
        "tn_auth_list.error.detail",
        "constraints",
        "findings.rule",
        "findings.severity",
        "findings.detail",
        "path",
        "trusted",
        "error.kind",
        "error.detail",
        "error.hint",
    ];

    fn text(&self, text: &mut Text) {
        match self.index {
            Some(index) => self.shown.print(&format!("{}, certificate {index}", self.file), text),
            None => self.shown.print(&self.file, text),
        }
    }
}

/// A file that could not be read, or that holds something broken where a certificate should be.
#[derive(Debug, Serialize)]
pub(crate) struct UnreadFile {
    file: String,
    error: Fault,
    #[serde(skip)]
    exit: Exit,
}

#[derive(Debug, Serialize)]
struct Fault {
    kind: &'static str,
    detail: String,
    hint: Option<String>,
}

impl UnreadFile {
    /// A file that was not read.
    pub(crate) fn unreadable(file: &str, complaint: &Complaint) -> Self {
        Self::new(file, "Unreadable", complaint, Exit::Unable)
    }

    /// A file that was read and holds a broken certificate.
    pub(crate) fn damaged(file: &str, complaint: &Complaint) -> Self {
        Self::new(file, "UnusableCredential", complaint, Exit::Bad)
    }

    /// A folder that cannot be listed.
    pub(crate) fn unlisted(unlisted: &Unlisted) -> Self {
        Self::unreadable(&unlisted.file, &Complaint::new(&unlisted.reason).hint("make the folder readable"))
    }

    fn new(file: &str, kind: &'static str, complaint: &Complaint, exit: Exit) -> Self {
        let hint = complaint.next().map(str::to_owned);
        Self { file: file.to_owned(), error: Fault { kind, detail: complaint.what().to_owned(), hint }, exit }
    }

    /// What the command's exit makes of it.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

impl Present for UnreadFile {
    const COLUMNS: &'static [&'static str] = FileCertificate::COLUMNS;

    fn text(&self, text: &mut Text) {
        text.put(Tone::Bad, if self.exit == Exit::Bad { "BROKEN" } else { "UNREADABLE" });
        text.put(Tone::Faint, format_args!("  {}", self.file)).end();
        text.field("why", &self.error.detail);
        if let Some(hint) = &self.error.hint {
            text.field("next", hint);
        }
        text.end();
    }
}
