//! `stirtrace trace`: who handed us these calls.

mod asking;
mod judge;
mod page;
mod reading;
mod summary;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::configuration::Configured;
use crate::cli::exit::{Complaint, Exit, Stop};
use crate::cli::files::{Input, Source, Unreadable, inputs_or_stdin};
use crate::cli::ingest::Ingest;
use crate::cli::packed::Packed;
use crate::cli::printer::{Graph, Present, Printer};
use crate::cli::sources::Sources;
use crate::cli::text::{Text, grouped};
use crate::cli::trace::asking::Asking;
use crate::cli::trace::judge::Judge;
use crate::cli::trace::reading::FilesRead;
use crate::cli::trace::summary::Tally;
use crate::cli::unread::Unread;
use crate::lake::ParquetLake;
use crate::number::NumberPlan;
use crate::report::graph;
use crate::traceback::{Answer, FieldMap, Origin, Replays, Replying, Request, Search, Status, read_requests};
use crate::zone::Moment;

/// `stirtrace trace`
#[derive(Args, Clone, Debug)]
#[command(after_help = HELP)]
pub(crate) struct TraceArgs {
    /// Requests: CSV with a header (id,from,to,time,campaign,received,source), or JSON lines; - is standard input
    #[arg(value_name = "REQUESTS", conflicts_with_all = ["from", "to", "time"])]
    requests: Vec<PathBuf>,
    /// The calling number of a single request
    #[arg(long, value_name = "TN", requires = "to", requires = "time")]
    from: Option<String>,
    /// The called number of a single request
    #[arg(long, value_name = "TN", requires = "from")]
    to: Option<String>,
    /// When the call was, with its zone: 2026-05-04T12:00:01Z; without seconds it is the whole minute
    #[arg(long, value_name = "WHEN", requires = "from")]
    time: Option<String>,
    /// When the request came in, with its zone: the 24-hour clock runs from there
    #[arg(long, value_name = "WHEN")]
    received: Option<String>,
    /// The stirtrace.toml to use [default: the nearest in this folder or one above]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The network that answers, where several are held [default: the one nearest the called party]
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Print only what all answers say together: how many of each kind, the upstreams, the signers' customers
    #[arg(long)]
    summary: bool,
    /// Take no new files into the lake: answer from what it holds
    #[arg(long)]
    no_ingest: bool,
    /// Another name for a field of the requests; repeatable
    #[arg(long, value_name = "FIELD=NAME")]
    map: Vec<String>,
}

const HELP: &str = "\
Examples:
  stirtrace trace requests.csv
  stirtrace trace --from 12155550112 --to 12155550131 --time '2026-05-04 12:00:01 +0000'
  stirtrace trace --map from=Caller --map to=Dialed requests.csv --format csv
  stirtrace trace requests.csv --format mermaid

Exit codes: 0 all found, 1 some ambiguous, not found or not to be said, 2 misuse, or something unreadable.";

/// Runs `stirtrace trace`.
pub(crate) fn run(args: &TraceArgs, printer: &mut Printer) -> Result<Exit, Stop> {
    let lines = requests(args)?;
    let configured = Configured::find(args.config.as_deref(), printer)?;
    let network = network(args.network.as_deref(), &configured)?;
    let judge = Judge::new(&configured, printer)?;
    // People read what all say together below the answers; programs ask for it.
    let wants = Wants { answers: !args.summary, summary: args.summary || printer.is_text() };
    let asked: Vec<Request> = lines.iter().filter_map(|(_, line)| line.as_ref().ok().cloned()).collect();
    let task = Task { lines, asked: &asked, network, wants };
    if configured.configuration.lake.is_some() {
        return task.over_the_lake(!args.no_ingest, &configured, judge, printer);
    }
    if args.no_ingest {
        printer.note("stirtrace.toml names no lake: the files themselves are read");
    }
    task.over_the_files(&configured, judge, printer)
}

/// What is to be answered.
struct Task<'a> {
    lines: Vec<Asked>,
    /// The requests among them.
    asked: &'a [Request],
    network: Option<usize>,
    wants: Wants,
}

impl Task<'_> {
    fn over_the_files(self, configured: &Configured, judge: Judge, printer: &mut Printer) -> Result<Exit, Stop> {
        let sources = Sources::find(configured, printer)?;
        sources.complain_if_none(configured)?;
        let networks = &configured.configuration.networks;
        let mut search = Search::new(self.asked, networks);
        let read = FilesRead::search(&mut search, &sources, networks, printer);
        let replaying = Replying::new(self.network);
        let mut replays = Replays::of(&search.decisive(replaying).collect::<Vec<_>>());
        if !replays.is_empty() {
            read.replays(&mut replays, printer);
        }
        let exit = if read.all_read { Exit::Good } else { Exit::Unable };
        Ok(exit.and(answer(self.lines, &search, replaying.with_replays(&replays), judge, self.wants, printer)?))
    }

    fn over_the_lake(
        self,
        ingests: bool,
        configured: &Configured,
        judge: Judge,
        printer: &mut Printer,
    ) -> Result<Exit, Stop> {
        let unreadable = if ingests { take_in(configured, printer)? } else { NotRead::default() };
        let lake = ParquetLake::open(&configured.lake()?).map_err(|reason| Complaint::new(reason.to_string()))?;
        let status = lake.status().map_err(|reason| Complaint::new(reason.to_string()))?;
        let asking = Asking { lake: &lake, status: &status };
        let networks = asking.networks(&configured.configuration.networks, printer);
        let mut search = Search::new(self.asked, &networks);
        asking.search(&mut search)?;
        unreadable.origins.iter().for_each(|origin| search.miss_file(*origin));
        let replaying = Replying::new(self.network);
        let mut replays = Replays::of(&search.decisive(replaying).collect::<Vec<_>>());
        if !replays.is_empty() {
            asking.replays(&mut replays, &mut search)?;
        }
        let exit = if unreadable.any { Exit::Unable } else { Exit::Good };
        Ok(exit.and(answer(self.lines, &search, replaying.with_replays(&replays), judge, self.wants, printer)?))
    }
}

/// What could not be read on the way into the lake.
#[derive(Debug, Default)]
struct NotRead {
    /// Sources with a folder that cannot be read: the lake does not know what it lacks.
    origins: Vec<Origin>,
    any: bool,
}

/// Takes the new files of all sources into the lake.
fn take_in(configured: &Configured, printer: &mut Printer) -> Result<NotRead, Complaint> {
    let folder = configured.lake()?;
    let sources = Sources::find(configured, printer)?;
    if ParquetLake::open(&folder).is_err() {
        sources.complain_if_none(configured)?;
    }
    let ingest = Ingest { configured, sources: &sources };
    let ingested = ingest.run(printer).map_err(|complaint| {
        let is_sound = ParquetLake::open(&folder).and_then(|lake| lake.status()).is_ok();
        let hint = "--no-ingest answers from what the lake holds already";
        if is_sound { Complaint::new(complaint.to_string()).hint(hint) } else { complaint }
    })?;
    let all_read = ingest.say(&ingested, printer);
    if ingested.files > 0 {
        let files = if ingested.files == 1 { "file" } else { "files" };
        printer.note(&format!(
            "{} new {files} taken into the lake: {} records added",
            grouped(ingested.files),
            grouped(ingested.added)
        ));
    }
    Ok(NotRead { origins: sources.unreadable.clone(), any: !all_read })
}

/// Prints the answers, in the order of the requests, and for people what they say together.
fn answer(
    lines: Vec<Asked>,
    search: &Search<'_>,
    replying: Replying<'_>,
    mut judge: Judge,
    wants: Wants,
    printer: &mut Printer,
) -> Result<Exit, Stop> {
    let (mut exit, mut tally) = (Exit::Good, Tally::default());
    let mut next = 0;
    let is_only = lines.len() == 1;
    for (source, line) in lines {
        if let Err(complaint) = line {
            tally.count_unreadable();
            if wants.answers {
                printer.show(&Unread::<Answer>::new(source, &complaint))?;
            } else {
                printer.warn(&format!("{source}: {complaint}"));
            }
            exit = exit.and(Exit::Unable);
            continue;
        }
        let answer = search.answer(next, replying, &mut |record, at| judge.judge(record, at));
        next += 1;
        if answer.status != Status::Found {
            exit = exit.and(Exit::Bad);
        }
        if wants.summary {
            tally.count(&answer);
        }
        if wants.answers && is_only {
            printer.show(&answer)?;
        } else if wants.answers {
            printer.show(&OneOfMany(&answer))?;
        }
    }
    let summary = tally.summary();
    if wants.summary && (!wants.answers || summary.requests > 1) {
        printer.show(&summary)?;
    }
    Ok(exit)
}

/// What is printed.
#[derive(Clone, Copy, Debug)]
struct Wants {
    answers: bool,
    summary: bool,
}

type Asked = (Source, Result<Request, Complaint>);

/// The requests with where each stands.
fn requests(args: &TraceArgs) -> Result<Vec<Asked>, Complaint> {
    let plan = NumberPlan::NORTH_AMERICAN;
    if let (Some(from), Some(to), Some(time)) = (&args.from, &args.to, &args.time) {
        let request = Request::new("1", from, to, time, plan).and_then(|request| match &args.received {
            Some(received) => request.received_at(received),
            None => Ok(request),
        });
        let request = request.map_err(|bad| Complaint::new(format!("--{bad}")))?;
        return Ok(vec![(Source::file("--from"), Ok(request))]);
    }
    let mut map = FieldMap::default();
    for text in &args.map {
        map.add(text).map_err(|bad| Complaint::new(format!("--map {bad}")))?;
    }
    let mut asked = Vec::new();
    for input in inputs_or_stdin(&args.requests, "REQUESTS")? {
        let input = input.map_err(|unlisted| Complaint::new(format!("{}: {}", unlisted.file, unlisted.reason)))?;
        asked.extend(of_input(&input, &map, plan)?);
    }
    if let Some(received) = &args.received {
        Moment::parse(received, None).map_err(|bad| Complaint::new(format!("--received: {bad}")))?;
        for (_, line) in &mut asked {
            if let Ok(request) = line.as_mut().map(|request| request.clone())
                && request.received.is_none()
            {
                *line = Ok(request.received_at(received).map_err(|bad| Complaint::new(format!("--{bad}")))?);
            }
        }
    }
    Ok(asked)
}

fn of_input(input: &Input, map: &FieldMap, plan: NumberPlan) -> Result<Vec<Asked>, Complaint> {
    let source = Source::file(input.name());
    let opened = input.open().and_then(|file| Packed::new(file).map_err(|reason| Unreadable::io(&reason)));
    let opened = opened.map_err(|reason| {
        Complaint::new(format!("{source}: {reason}")).hint("name a file of requests: CSV with a header, or JSON lines")
    })?;
    let lines = read_requests(opened, map, plan).map_err(|reason| Complaint::new(format!("{source}: {reason}")))?;
    if lines.is_empty() {
        return Err(Complaint::new(format!("{source}: there is no request in it")).hint("write one below the header"));
    }
    let placed = lines.into_iter().map(|line| match line {
        Ok(request) => (source.clone(), Ok(request)),
        Err(bad) => (source.at(usize::try_from(bad.line).unwrap_or(usize::MAX)), Err(Complaint::new(bad.to_string()))),
    });
    Ok(placed.collect())
}

fn network(named: Option<&str>, configured: &Configured) -> Result<Option<usize>, Complaint> {
    let networks = &configured.configuration.networks;
    let file = configured.file.display();
    if networks.is_empty() {
        let complaint = Complaint::new(format!("{file} names no [[network]]"));
        return Err(complaint.hint("add a [[network]] with a name, and a [[network.source]] with its files"));
    }
    named.map(|named| configured.network(named, "--network")).transpose()
}

/// An answer among several: a Mermaid text draws one chart, so that several are fenced, as Markdown has them.
#[derive(Serialize)]
#[serde(transparent)]
struct OneOfMany<'a>(&'a Answer);

impl Present for OneOfMany<'_> {
    const COLUMNS: &'static [&'static str] = Answer::COLUMNS;

    fn text(&self, text: &mut Text) {
        self.0.text(text);
    }

    fn graph(&self, graph: Graph) -> Option<String> {
        let drawn = self.0.graph(graph)?;
        Some(if graph == Graph::Mermaid { format!("```mermaid\n{drawn}```\n\n") } else { drawn })
    }
}

impl Present for Answer {
    const COLUMNS: &'static [&'static str] = &[
        "request.id",
        "request.from",
        "request.to",
        "request.time",
        "request.time_seconds",
        "request.campaign",
        "request.received",
        "request.source",
        "status",
        "because",
        "network",
        "spc",
        "role",
        "upstream.name",
        "upstream.kind",
        "upstream.spc",
        "upstream.rmd",
        "upstream.frn",
        "upstream.country",
        "upstream.trunk",
        "upstream.address",
        "downstream.name",
        "downstream.kind",
        "downstream.spc",
        "downstream.rmd",
        "downstream.frn",
        "downstream.country",
        "downstream.trunk",
        "downstream.address",
        "matches.tier",
        "matches.score",
        "matches.parts.from",
        "matches.parts.to",
        "matches.parts.seconds",
        "matches.parts.clock_offset_minutes",
        "matches.parts.answered",
        "matches.parts.diverted",
        "matches.parts.lasted",
        "matches.parts.signed.from",
        "matches.parts.signed.to",
        "matches.parts.signed.seconds",
        "matches.parts.signed.seconds_from_record",
        "matches.parts.shares.from",
        "matches.parts.shares.to",
        "matches.parts.shares.time",
        "matches.parts.shares.clock",
        "matches.upstream.name",
        "matches.upstream.kind",
        "matches.upstream.spc",
        "matches.upstream.rmd",
        "matches.upstream.frn",
        "matches.upstream.country",
        "matches.upstream.trunk",
        "matches.upstream.address",
        "matches.record.file",
        "matches.record.line",
        "matches.record.sha256",
        "matches.also.file",
        "matches.also.line",
        "matches.also.sha256",
        "matches.also.why",
        "matches.time",
        "matches.call.calling",
        "matches.call.called",
        "matches.call.original_called",
        "matches.call.answer",
        "matches.call.end",
        "matches.call.ingress_call_id",
        "matches.call.egress_call_id",
        "matches.call.sip_status",
        "matches.call.q850",
        "matches.call.stated.verstat",
        "matches.call.stated.attest",
        "matches.call.stated.origid",
        "matches.call.stated.spc",
        "signature.verdict",
        "signature.attest",
        "signature.origid",
        "signature.signer.spc",
        "signature.signer.organization",
        "signature.signer.common_name",
        "signature.signer.certificate_sha256",
        "signature.signer.x5u",
        "signature.error.kind",
        "signature.error.detail",
        "signature.at",
        "chain.hop",
        "chain.provider",
        "chain.spc",
        "chain.role",
        "chain.customer",
        "chain.source",
        "chain.certainty",
        "chain.role_certainty",
        "chain.after_gap",
        "next.ask",
        "next.because",
        "next.shortcut.ask",
        "next.shortcut.because",
        "findings.finding",
        "findings.detail",
        "searched.records",
        "searched.files",
        "searched.set_aside",
        "searched.from",
        "searched.to",
        "searched.gaps.source",
        "searched.gaps.from",
        "searched.gaps.to",
        "due",
        "due_because",
        "ruleset",
        "source.file",
        "source.line",
        "error.kind",
        "error.detail",
        "error.hint",
    ];

    fn text(&self, text: &mut Text) {
        page::print(self, text);
    }

    fn graph(&self, graph: Graph) -> Option<String> {
        Some(match graph {
            Graph::Mermaid => graph::mermaid(self),
            Graph::Dot => graph::dot(self),
        })
    }
}
