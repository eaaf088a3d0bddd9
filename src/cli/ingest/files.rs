//! The files that `stirtrace ingest FILE...` names: which source each of them is of.

use std::path::{Path, PathBuf};

use crate::cdr::{Format, Settings, detect};
use crate::cli::configuration::Configured;
use crate::cli::exit::Complaint;
use crate::cli::ingest::IngestArgs;
use crate::cli::packed;
use crate::cli::printer::Printer;
use crate::cli::sources::{RecordFile, Sources, each, format, name, whole_pattern};
use crate::network::Source;
use crate::traceback::Origin;
use crate::zone::Zone;

/// The files named, each with its source. One that the options describe joins the configuration's.
pub(crate) fn named(args: &IngestArgs, configured: &mut Configured) -> Result<Sources, Complaint> {
    let described = described(args, configured)?;
    let mut files = Vec::new();
    for path in &args.file {
        if path.is_dir() {
            return Err(Complaint::new(format!("{}: it is a folder", path.display()))
                .hint("name its files: the shell writes out FOLDER/*"));
        }
        let origin = match described {
            Some(origin) => origin,
            None => source_of(path, args, configured)?,
        };
        files.push(RecordFile { path: path.clone(), name: relative(configured, path), origin });
    }
    let mut sources = Sources::understood(configured)?;
    sources.files = files;
    Ok(sources)
}

/// A file to be previewed, and how it is understood; without a format it is found out.
pub(crate) struct Previewed {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) format: Option<Format>,
    pub(crate) settings: Settings,
}

/// The files named, or the first of each source.
pub(crate) fn previewed(args: &IngestArgs, printer: &mut Printer) -> Result<Vec<Previewed>, Complaint> {
    if args.file.is_empty() {
        return firsts(&Configured::find(args.config.as_deref(), printer)?, printer);
    }
    let configured = Configured::find_any(args.config.as_deref(), printer)?;
    let zone = args.time_zone.as_deref().map(Zone::named).transpose();
    let zone = zone.map_err(|unknown| Complaint::new(format!("--time-zone: {unknown}")))?;
    let named = args.read_as.as_deref().map(|named| format(named, Path::new(named))).transpose();
    let named = named.map_err(|wrong| Complaint::new(format!("--as: {wrong}")))?.map(|(format, _)| format);
    let files = args.file.iter().map(|path| {
        let name = path.display().to_string();
        let own = configured.as_ref().filter(|_| named.is_none());
        let own = own.and_then(|own| Some((own, source_of(path, args, own).ok()?)));
        let Some((configured, origin)) = own else {
            let settings = Settings::for_file(0).with_zone(zone.clone());
            return Ok(Previewed { name, path: path.clone(), format: named.clone(), settings });
        };
        of_source(configured, origin, name, path.clone())
    });
    files.collect()
}

fn firsts(configured: &Configured, printer: &mut Printer) -> Result<Vec<Previewed>, Complaint> {
    let sources = Sources::find(configured, printer)?;
    sources.complain_if_none(configured)?;
    let mut files = Vec::new();
    let mut last = None;
    for file in &sources.files {
        if last != Some(file.origin) {
            files.push(of_source(configured, file.origin, file.name.clone(), file.path.clone())?);
        }
        last = Some(file.origin);
    }
    Ok(files)
}

fn of_source(configured: &Configured, origin: Origin, name: String, path: PathBuf) -> Result<Previewed, Complaint> {
    let sources = Sources::understood(configured)?;
    let network = configured.configuration.networks.get(origin.network);
    let source = network.and_then(|network| network.sources.get(origin.source));
    let understanding = sources.understanding(origin);
    Ok(Previewed {
        name,
        path,
        format: understanding.map(|own| own.format.clone()),
        settings: understanding.map_or_else(Settings::default, |own| own.settings(0, source)),
    })
}

/// The source that `--network`, `--source` and `--as` describe.
fn described(args: &IngestArgs, configured: &mut Configured) -> Result<Option<Origin>, Complaint> {
    let Some(named) = &args.network else {
        if args.read_as.is_some() || args.time_zone.is_some() {
            return Err(Complaint::new("--as and --time-zone describe records of a network that is not named")
                .hint("name it with --network, as stirtrace.toml does"));
        }
        return Ok(None);
    };
    let network = configured.network(named, "--network")?;
    let Some(own) = configured.configuration.networks.get_mut(network) else { return Ok(None) };
    let known = |label: &String| own.sources.iter().position(|source| source.label() == *label);
    if let Some(source) = args.source.as_ref().and_then(known) {
        if args.read_as.is_some() || args.time_zone.is_some() {
            return Err(Complaint::new("--as and --time-zone: stirtrace.toml says how that source is read")
                .hint("leave them out, or name another source"));
        }
        return Ok(Some(Origin::new(network, source)));
    }
    let Some(format) = &args.read_as else {
        if args.source.is_none() {
            return Ok(None);
        }
        let labels: Vec<String> = own.sources.iter().map(Source::label).collect();
        return Err(Complaint::new("--source: the network has no source of that name, and --as is missing")
            .hint(format!("say the format of the records with --as, or name one of: {}", labels.join(" | "))));
    };
    let zone = args.time_zone.as_deref().map(Zone::named).transpose();
    let zone = zone.map_err(|unknown| Complaint::new(format!("--time-zone: {unknown}")))?;
    let mut source = Source::labelled(args.source.clone().unwrap_or_else(|| "named by hand".to_owned()));
    source.format.clone_from(format);
    source.time_zone = zone;
    own.sources.push(source);
    Ok(Some(Origin::new(network, own.sources.len() - 1)))
}

/// The source whose pattern names the file.
fn source_of(path: &Path, args: &IngestArgs, configured: &Configured) -> Result<Origin, Complaint> {
    let whole = absolute(path);
    let folder = absolute(&configured.folder);
    let whole_configured = Configured { folder, ..configured.clone() };
    let wanted = match &args.network {
        Some(named) => Some(configured.network(named, "--network")?),
        None => None,
    };
    let is_named = |source: &Source| {
        source.files.iter().any(|pattern| {
            let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
            let pattern = glob::Pattern::new(&whole_pattern(&whole_configured, pattern));
            pattern.is_ok_and(|pattern| pattern.matches_path_with(&whole, LITERAL))
        })
    };
    let own = each(configured).filter(|(origin, ..)| wanted.is_none_or(|network| origin.network == network));
    let found: Vec<_> = own.filter(|(_, _, source)| is_named(source)).collect();
    match found.as_slice() {
        [(origin, ..)] => Ok(*origin),
        [] => Err(of_no_source(path, configured)),
        several => {
            let names: Vec<String> =
                several.iter().map(|(_, network, source)| format!("{} of {}", source.label(), network.name)).collect();
            Err(Complaint::new(format!("{}: it is of several sources: {}", path.display(), names.join(" | ")))
                .hint("say which with --network and --source"))
        }
    }
}

/// No source names the file: what it looks like is told.
fn of_no_source(path: &Path, configured: &Configured) -> Complaint {
    let what = format!("{}: no source of {} names it", path.display(), configured.file.display());
    let best = sample(path).and_then(|sample| detect(&sample).into_iter().next());
    match best {
        Some(guess) => Complaint::new(format!("{what}; it looks like {}: {}", guess.format.name(), guess.reason()))
            .hint(format!("ingest it with --network NAME --as {}, or name it in stirtrace.toml", guess.format.name())),
        None => {
            Complaint::new(what).hint("say what it is with --network NAME --as FORMAT, or name it in stirtrace.toml")
        }
    }
}

/// The beginning of a file, unpacked.
fn sample(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut sample = Vec::new();
    packed::open(path).ok()?.take(SAMPLE).read_to_end(&mut sample).ok()?;
    Some(sample)
}

const SAMPLE: u64 = 256 * 1024;

/// The file's name as the lake has it: relative to the configuration's folder, from wherever it was named.
fn relative(configured: &Configured, path: &Path) -> String {
    let whole = Configured { folder: absolute(&configured.folder), ..configured.clone() };
    name(&whole, &absolute(path))
}

fn absolute(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// As the glob library matches paths: no star goes over a slash.
pub(crate) const LITERAL: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };
