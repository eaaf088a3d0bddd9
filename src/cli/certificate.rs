//! `stirtrace certificate`: what certificates say, where they depart from the profile, and whether they lead to a
//! trusted root.

use std::path::PathBuf;

use rayon::prelude::*;

use crate::certificate::Certificate;
use crate::certificate::bundle::{Bundle, BundleError, Limits};
use crate::certificate::chain::{Error as ChainError, LinkCache, Path};
use crate::certificate::profile::Severity;
use crate::cli::args::{CertificateCommand, CertificateFilesArgs, CertificatePathArgs};
use crate::cli::configuration::Configured;
use crate::cli::content::has_pem;
use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::fetching::{Fetching, fetched, url_of};
use crate::cli::files::{Input, inputs, inputs_or_stdin};
use crate::cli::printer::Printer;
use crate::cli::settings::At;
use crate::cli::shown_certificate::{FileCertificate, PathError, ShownCertificate, UnreadFile};
use crate::cli::trust::Trust;
use crate::clock;
use crate::fetch::Kind;
use crate::time::UnixTime;

pub(super) fn run(command: &CertificateCommand, printer: &mut Printer) -> Result<Exit, Stop> {
    match command {
        CertificateCommand::Lint(args) => each_file(args, printer, &|file, bundle| show_all(file, bundle, true)),
        CertificateCommand::Show(args) => each_file(args, printer, &|file, bundle| show_all(file, bundle, false)),
        CertificateCommand::Path(args) => path(args, printer),
    }
}

/// What a file gives: objects to print, or nothing where it is none of ours.
type Shown = Vec<Result<FileCertificate, UnreadFile>>;

fn path(args: &CertificatePathArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    let at = match At::resolve(&args.at, clock::now())? {
        At::Instant(instant) => instant,
        At::Capture(_) | At::Date(_) => {
            let complaint = Complaint::new(format!("--at {}: a certificate has no date of its own", args.at));
            return Err(complaint.hint("write now, or a time with its zone, as 2026-05-04T12:00:01Z").into());
        }
    };
    let options = match Configured::find_any(args.config.config.as_deref(), printer)? {
        Some(configured) => configured.trust(args.trust.clone()),
        None => args.trust.clone(),
    };
    let fetching = Fetching::new(&args.fetch)?;
    let trust = Trust::resolve(&options, fetching.as_ref(), clock::now())?;
    if trust.is_empty() {
        printer.warn("nobody is trusted, so no path can be found: name the roots with --trust PATH");
    }
    let finder = PathFinder { pool: authorities(options.certs.as_ref()), trust, at, links: LinkCache::default() };
    let show = |file: &str, bundle: &Bundle| vec![Ok(finder.show(file, bundle))];
    let (urls, file): (Vec<PathBuf>, Vec<PathBuf>) =
        args.files.file.iter().cloned().partition(|path| url_of(path).is_some());
    let mut exit = Exit::Good;
    for url in urls.iter().filter_map(|path| url_of(path)) {
        let fetched = fetched("FILE", Kind::Certificate, fetching.as_ref(), url)?;
        exit = exit.and(print(read_bytes(url, &fetched, &show), printer)?);
    }
    if let Some(fetching) = &fetching {
        fetching.finish(printer);
    }
    if file.is_empty() && !urls.is_empty() {
        return Ok(exit);
    }
    Ok(exit.and(each_file(&CertificateFilesArgs { file }, printer, &show)?))
}

/// The certification authorities' certificates of an archive: a leaf's file may lack them (G18).
fn authorities(archive: Option<&PathBuf>) -> Vec<Certificate> {
    let files = archive.map(|folder| inputs(std::slice::from_ref(folder))).unwrap_or_default();
    let files: Vec<Input> = files.into_iter().filter_map(Result::ok).collect();
    let bundles = files
        .par_iter()
        .filter_map(|file| Bundle::read(&file.read(Limits::UNTRUSTED.octets).ok()?, &Limits::UNTRUSTED).ok());
    bundles.flat_map_iter(|bundle| bundle.certificates).filter(Certificate::is_authority).collect()
}

struct PathFinder {
    trust: Trust,
    pool: Vec<Certificate>,
    at: UnixTime,
    links: LinkCache,
}

impl PathFinder {
    fn show(&self, file: &str, bundle: &Bundle) -> FileCertificate {
        let mut pool = bundle.certificates.clone();
        pool.extend(self.pool.iter().cloned());
        let anchors = self.trust.anchors().certificates();
        let found = Path::find(bundle.leaf(), &pool, anchors, self.at, &self.links);
        let (path, fault) = match found {
            Ok(path) => {
                let fault = path.check_validity(self.at).err();
                (path.certificates().to_vec(), fault)
            }
            Err(fault) => (Vec::new(), Some(fault)),
        };
        let error = fault.map(|fault| PathError { kind: kind(&fault), detail: fault.to_string() });
        FileCertificate::new(file, None, ShownCertificate::of(bundle.leaf()).with_path(&path, error))
    }
}

/// The name that `verify` gives to the same fault.
const fn kind(fault: &ChainError) -> &'static str {
    match fault {
        ChainError::Expired { .. } => "CertificateExpired",
        ChainError::NotYetValid { .. } => "CertificateNotYetValid",
        _ => "UntrustedPath",
    }
}

fn show_all(file: &str, bundle: &Bundle, lint: bool) -> Shown {
    let several = bundle.certificates.len() + bundle.problems.len() > 1;
    let certificates = bundle.certificates.iter().enumerate();
    let certificates = certificates.map(|(index, certificate)| {
        let shown = ShownCertificate::of(certificate);
        let shown = if lint { shown.for_lint() } else { shown };
        Ok(FileCertificate::new(file, several.then_some(index + 1), shown))
    });
    let problems = bundle.problems.iter();
    let problems = problems.map(|problem| {
        let complaint = Complaint::new(problem.to_string()).hint("compare it with the file as its issuer gave it");
        Err(UnreadFile::damaged(file, &complaint))
    });
    certificates.chain(problems).collect()
}

/// Reads the files in parallel, prints what they give in their order.
fn each_file(
    args: &CertificateFilesArgs,
    printer: &mut Printer,
    show: &(dyn Fn(&str, &Bundle) -> Shown + Sync),
) -> Result<Exit, Stop> {
    let files = inputs_or_stdin(&args.file, "FILE")?;
    let progress = printer.progress(u64::try_from(files.len()).unwrap_or(u64::MAX));
    let (mut exit, mut passed_over) = (Exit::Good, 0);
    for batch in files.chunks(BATCH) {
        let shown: Vec<Option<Shown>> = batch
            .par_iter()
            .map(|file| match file {
                Ok(file) => read(file, show),
                Err(unlisted) => Some(vec![Err(UnreadFile::unlisted(unlisted))]),
            })
            .collect();
        for shown in shown {
            match shown {
                Some(shown) => exit = exit.and(print(shown, printer)?),
                None => passed_over += 1,
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    if passed_over > 0 {
        let files = if passed_over == 1 { "file that holds" } else { "files that hold" };
        printer.note(&format!("passed over {passed_over} {files} no certificate"));
    }
    Ok(exit)
}

/// How many files are read before what they gave is printed.
const BATCH: usize = 512;

fn print(shown: Shown, printer: &mut Printer) -> Result<Exit, Stop> {
    let mut exit = Exit::Good;
    for item in shown {
        match item {
            Ok(certificate) => {
                exit = exit.and(certificate.shown.exit());
                printer.show(&certificate)?;
            }
            Err(unread) => {
                exit = exit.and(unread.exit());
                printer.show(&unread)?;
            }
        }
    }
    Ok(exit)
}

/// What a file gives; nothing where a folder's file is plainly no certificate.
fn read(input: &Input, show: &(dyn Fn(&str, &Bundle) -> Shown + Sync)) -> Option<Shown> {
    let name = input.name();
    let bytes = match input.read(Limits::OWN_FILE.octets) {
        Ok(bytes) => bytes,
        Err(reason) => {
            let complaint =
                Complaint::new(reason.to_string()).hint("name a certificate in PEM or DER that can be read");
            return Some(vec![Err(UnreadFile::unreadable(&name, &complaint))]);
        }
    };
    if is_something_else(input, &bytes) {
        return None;
    }
    Some(read_bytes(&name, &bytes, show))
}

fn read_bytes(name: &str, bytes: &[u8], show: &dyn Fn(&str, &Bundle) -> Shown) -> Shown {
    match Bundle::read(bytes, &Limits::OWN_FILE) {
        Ok(bundle) => show(name, &bundle),
        Err(reason) => {
            let complaint = Complaint::new(reason.to_string());
            let complaint =
                complaint.hint("compare it with the file as its issuer gave it: PEM, or one certificate's DER");
            let is_damaged = matches!(reason, BundleError::NoUsableBlock { .. } | BundleError::NotACertificate(_));
            vec![Err(if is_damaged {
                UnreadFile::damaged(name, &complaint)
            } else {
                UnreadFile::unreadable(name, &complaint)
            })]
        }
    }
}

/// A file that only stands in a folder, named like no certificate and without one.
fn is_something_else(input: &Input, bytes: &[u8]) -> bool {
    let Input::Found(path) = input else { return false };
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    !EXTENSIONS.contains(&extension.as_str()) && !has_pem(bytes) && !matches!(bytes, [0x30, 0x80..=0xff, ..])
}

const EXTENSIONS: [&str; 5] = ["cer", "crt", "der", "p7b", "pem"];

impl ShownCertificate {
    fn exit(&self) -> Exit {
        let wrong = if self.is_linted { self.has_finding(Severity::Warning) } else { self.is_broken() };
        let untrusted = self.trusted.is_some_and(|trusted| !trusted);
        if wrong || untrusted { Exit::Bad } else { Exit::Good }
    }
}
