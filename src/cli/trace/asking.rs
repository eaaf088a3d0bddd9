//! The search over the lake: it is asked for the records that could be the calls, and for what it holds.

use std::collections::BTreeSet;

use crate::cli::exit::Complaint;
use crate::cli::ingest::files::LITERAL;
use crate::cli::printer::Printer;
use crate::lake::{Found, Held, Lake, SourceStatus, Status, Wanted};
use crate::network::{Network, Source};
use crate::traceback::{Coverage, Kept, Origin, Replays, Search, SourceFile, Span, Window};

/// A lake, and what it says of itself.
pub(super) struct Asking<'a, L> {
    pub(super) lake: &'a L,
    pub(super) status: &'a Status,
}

impl<L: Lake> Asking<'_, L>
where
    L::Error: ToString,
{
    /// The networks with, besides the sources that the configuration names, those that only the lake knows: what it
    /// holds is searched, whatever the configuration calls it now.
    pub(super) fn networks(&self, networks: &[Network], printer: &mut Printer) -> Vec<Network> {
        let mut own = networks.to_vec();
        for held in &self.status.sources {
            let Some(network) = own.iter_mut().find(|network| network.name == held.network) else {
                let (network, source) = (&held.network, &held.source);
                printer.warn(&format!(
                    "the lake holds records of {network} ({source}), a network that stirtrace.toml does not name; they \
                     are not searched"
                ));
                continue;
            };
            if network.sources.iter().all(|source| source.label() != held.source) {
                printer.note(&format!(
                    "the lake holds records of {} as {}, a source that stirtrace.toml does not name; they are searched too",
                    held.network, held.source
                ));
                network.sources.push(Source::labelled(&held.source));
            }
        }
        own
    }

    /// Offers the search what could be the calls, and tells it what is held.
    pub(super) fn search(&self, search: &mut Search<'_>) -> Result<(), Complaint> {
        let wanted: Vec<Wanted> = search.windows().iter().map(wanted).collect();
        self.lake
            .candidates(&wanted, &mut |found| {
                if let Some((origin, record)) = placed(search, found) {
                    search.offer(origin, &record);
                }
            })
            .map_err(complaint)?;
        for (network, own) in search.networks().iter().enumerate() {
            let held = self.lake.coverage(&own.name).map_err(complaint)?;
            for (source, described) in own.sources.iter().enumerate() {
                let label = described.label();
                let held = held.iter().find(|held| held.source == label);
                let kept = self.kept(own, described, held);
                search.hold(Origin::new(network, source), Coverage::of(described.gap, &kept));
            }
        }
        Ok(())
    }

    fn kept(&self, network: &Network, source: &Source, held: Option<&Held>) -> Kept {
        let mut kept = Kept::default();
        if let Some(held) = held {
            kept.files = held.files;
            kept.records = held.records;
            kept.set_aside = held.set_aside;
            kept.spans.clone_from(&held.spans);
            kept.unread.clone_from(&held.unread);
            kept.lacks_egress = held.lacks_egress;
        }
        let label = source.label();
        let own = |own: &&SourceStatus| own.network == network.name && own.source == label;
        let names = self.status.sources.iter().find(own).map_or(&[][..], |own| &own.names);
        let matches = |pattern: &String| {
            let pattern = glob::Pattern::new(pattern.strip_prefix("./").unwrap_or(pattern));
            pattern.is_ok_and(|pattern| names.iter().any(|name| pattern.matches_with(name, LITERAL)))
        };
        kept.lacks_files = !source.files.iter().all(matches);
        kept
    }

    /// Shows the records that came with the tokens asked for.
    pub(super) fn replays(&self, replays: &mut Replays, search: &mut Search<'_>) -> Result<(), Complaint> {
        let keys: BTreeSet<i64> = replays.tokens().map(Wanted::token_key).collect();
        let wanted: Vec<Wanted> = keys.into_iter().map(|key| Wanted::within(Span::ALWAYS).with_token(key)).collect();
        self.lake
            .candidates(&wanted, &mut |found| {
                if let Some((origin, record)) = placed(search, found) {
                    replays.see(origin, &record);
                }
            })
            .map_err(complaint)
    }
}

fn wanted(window: &Window) -> Wanted {
    let wanted = Wanted::within(window.span).with_called(window.called);
    window.calling.map_or(wanted, |calling| wanted.with_calling(calling))
}

/// The record with the place of its file in the search's list; none where the search knows no such source.
fn placed(search: &mut Search<'_>, found: Found) -> Option<(Origin, crate::cdr::Record)> {
    let origin = search.origin(&found.network, &found.source)?;
    let mut record = found.record;
    record.place.file = search.add_file(SourceFile::new(&found.file.name, &found.file.sha256, origin));
    Some((origin, record))
}

fn complaint(reason: impl ToString) -> Complaint {
    Complaint::new(reason.to_string())
}
