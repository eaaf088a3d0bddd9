//! What is done to a chunk, on any thread: calls read, judged together, and printed; all counted.

use crate::capture::{CaptureTime, CapturedMessage, Fingerprint, Fingerprinter, Repeats};
use crate::cli::captures::{Captured, fingerprint, read_message};
use crate::cli::exit::{Complaint, Exit};
use crate::cli::files::Source;
use crate::cli::pieces::Piece;
use crate::cli::pipeline::Turn;
use crate::cli::printer::{Remark, Renderer};
use crate::cli::recorded::Recorded;
use crate::cli::settings::VerifySettings;
use crate::cli::unread::Unread;
use crate::cli::verify::Judged;
use crate::cli::verify::chunk::{Chunk, Item};
use crate::cli::verify::judge::{Judge, Judgement};
use crate::cli::verify::summary::Summary;
use crate::cli::verify::tally::Tally;
use crate::sip::call::{Call, CallForm};
use crate::sip::json_call::JsonCall;
use crate::time::UnixTime;

/// Everybody who works on chunks, alike.
pub(super) struct Worker<'a> {
    settings: &'a VerifySettings,
    judge: Judge<'a>,
    renderer: Renderer,
    fingerprinter: Fingerprinter,
}

/// What came of a chunk.
#[derive(Default)]
pub(super) struct Outcome {
    /// What is to be printed.
    pub(super) rendered: String,
    pub(super) remarks: Vec<Remark>,
    pub(super) tally: Tally,
    pub(super) summary: Summary,
    /// Whether it should be brought out at once.
    pub(super) pause: bool,
    /// Why something of it could not be printed.
    pub(super) fault: Option<Complaint>,
}

/// An item, read.
enum Entry {
    Call(Box<Docketed>),
    Remark(Remark),
    Unread(Source, Complaint),
}

/// A call that waits for its verdict.
struct Docketed {
    source: Source,
    call: Call,
    captured: Option<Captured>,
    recorded: Option<Recorded>,
    /// What a captured call is recognised by, if it is seen again.
    fingerprint: Option<Fingerprint>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(settings: &'a VerifySettings, renderer: Renderer, repeats: &Repeats) -> Self {
        Self { settings, judge: Judge::new(settings), renderer, fingerprinter: repeats.fingerprinter().clone() }
    }

    /// Works on a chunk; in its turn, its calls are held against those of the chunks before.
    pub(super) fn work(&self, chunk: Chunk, turn: Turn<'_, Repeats>) -> Outcome {
        let mut outcome = Outcome { pause: chunk.pause, ..Outcome::default() };
        let mut entries: Vec<Entry> = chunk.items.into_iter().filter_map(|item| self.read(item)).collect();
        turn.take(|repeats| recognise(&mut entries, repeats));
        entries.retain(|entry| match entry {
            Entry::Call(own) => self.is_to_judge(own, &mut outcome),
            _ => true,
        });
        let calls: Vec<(&Call, UnixTime)> = entries.iter().filter_map(|entry| self.as_of(entry)).collect();
        let mut judgements = self.judge.judge(&calls).into_iter();
        for entry in entries {
            match entry {
                Entry::Call(own) => {
                    let Docketed { source, call, captured, recorded, .. } = *own;
                    // There is one for each call.
                    let Some(Judgement { verdict, fetched }) = judgements.next() else { continue };
                    let settings = self.settings;
                    self.show(&Judged { source, captured, recorded, verdict, fetched, call, settings }, &mut outcome);
                }
                Entry::Remark(remark) => outcome.remarks.push(remark),
                Entry::Unread(source, complaint) => self.unread(source, &complaint, &mut outcome),
            }
        }
        outcome
    }

    fn read(&self, item: Item) -> Option<Entry> {
        let (source, read) = match item {
            Item::Remark(remark) => return Some(Entry::Remark(remark)),
            Item::Unread(source, complaint) => return Some(Entry::Unread(source, complaint)),
            Item::Unlisted(unlisted) => {
                let complaint = Complaint::new(&unlisted.reason).hint("make the folder readable");
                return Some(Entry::Unread(Source::file(&unlisted.file), complaint));
            }
            Item::Record(found) => return Some(Entry::Call(Box::new(Docketed::recorded(*found)))),
            Item::Piece(source, Piece::Captured(message)) => {
                let read = self.read_captured(&source, &message)?;
                (source, read)
            }
            Item::Piece(source, piece) => {
                let read = self.call_of(piece).map(|call| Docketed::new(source.clone(), call));
                (source, read)
            }
        };
        Some(match read {
            Ok(docketed) => Entry::Call(Box::new(docketed)),
            Err(complaint) => Entry::Unread(source, complaint),
        })
    }

    /// A message of a capture; none where it is neither a call nor asked for.
    fn read_captured(&self, source: &Source, message: &CapturedMessage<'_>) -> Option<Result<Docketed, Complaint>> {
        let read = match read_message(message) {
            Ok(read) => read,
            // What is no call need not be whole.
            Err(_) if !self.settings.all && !message.is_request("INVITE") => return None,
            Err(complaint) => return Some(Err(complaint)),
        };
        let call = Call::from_message(&read, self.settings.number_plan());
        let fingerprint = fingerprint(&self.fingerprinter, message, &call);
        let captured = Some(Captured::new(message));
        Some(Ok(Docketed { captured, fingerprint, ..Docketed::new(source.clone(), call) }))
    }

    fn call_of(&self, piece: Piece) -> Result<Call, Complaint> {
        let mut call = match piece {
            Piece::Identities(values) => Call::bare(values),
            Piece::Json(line) => JsonCall::parse(&line)?.into_call(self.settings.number_plan())?,
            Piece::Message(message) => Call::from_message(&message, self.settings.number_plan()),
            Piece::Captured(_) | Piece::CaptureEnd(_) | Piece::Certificates(_) | Piece::Pause => {
                let complaint = Complaint::new("certificates, where calls belong");
                return Err(complaint.hint("show them with `stirtrace certificate show`"));
            }
        };
        if call.form == CallForm::Bare {
            call.from = call.from.or_else(|| self.settings.from.clone());
            call.to = call.to.or_else(|| self.settings.to.clone());
        }
        Ok(call)
    }

    /// Of a capture, what nobody signed, and what was there before, is counted, and judged only if asked for.
    fn is_to_judge(&self, own: &Docketed, outcome: &mut Outcome) -> bool {
        let Some(captured) = own.captured.as_ref().filter(|_| !self.settings.all) else { return true };
        if own.call.identities.is_empty() {
            outcome.tally.count_unsigned(&own.call);
            if own.call.starts_call() {
                outcome.summary.count_unsigned(captured);
            }
            return false;
        }
        if captured.is_retransmission() {
            outcome.tally.count_again();
            return false;
        }
        true
    }

    fn as_of<'b>(&self, entry: &'b Entry) -> Option<(&'b Call, UnixTime)> {
        let Entry::Call(own) = entry else { return None };
        let captured = own.captured.as_ref().and_then(Captured::time).map(CaptureTime::unix);
        let time = captured.or_else(|| own.recorded.as_ref().map(Recorded::time));
        Some((&own.call, self.settings.at.of(&own.call, time)))
    }

    fn show(&self, judged: &Judged<'a>, outcome: &mut Outcome) {
        outcome.tally.count(judged);
        if self.settings.summary {
            outcome.summary.count(judged);
        } else if let Err(complaint) = self.renderer.render(judged, &mut outcome.rendered) {
            outcome.fault.get_or_insert(complaint);
        }
    }

    fn unread(&self, source: Source, complaint: &Complaint, outcome: &mut Outcome) {
        outcome.tally.exit = outcome.tally.exit.and(Exit::Unable);
        let unread = Unread::<Judged<'_>>::new(source, complaint);
        if let Err(complaint) = self.renderer.render(&unread, &mut outcome.rendered) {
            outcome.fault.get_or_insert(complaint);
        }
    }
}

/// Tells of each captured call what it is to those before it.
fn recognise(entries: &mut [Entry], repeats: &mut Repeats) {
    for entry in entries {
        let Entry::Call(own) = entry else { continue };
        let (Some(fingerprint), Some(captured)) = (own.fingerprint, &mut own.captured) else { continue };
        let repeat = repeats.see(own.source.frame.unwrap_or_default(), fingerprint);
        captured.set_repeat(repeat);
    }
}

impl Docketed {
    const fn new(source: Source, call: Call) -> Self {
        Self { source, call, captured: None, recorded: None, fingerprint: None }
    }

    fn recorded(found: crate::lake::Found) -> Self {
        let line = usize::try_from(found.record.place.line).ok();
        let source = Source { line, ..Source::file(&found.file.name) };
        let call = Recorded::call(&found.record);
        Self { recorded: Some(Recorded::new(found)), ..Self::new(source, call) }
    }
}
