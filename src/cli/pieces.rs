//! The pieces of an input: SIP messages, JSON objects, and Identity values, each with its place.

use std::io::Read;

use indicatif::ProgressBar;

use crate::capture::{CapturedMessage, Counts};
use crate::cli::captures::each_captured;
use crate::cli::content::{BOM, Content, Peeked, looks_like_identity};
use crate::cli::exit::{Complaint, Stop};
use crate::cli::files::{Input, Source, Unreadable};
use crate::cli::lines::{BadLine, Line, Lines};
use crate::cli::packed::{Packed, is_packed};
use crate::identity_header::strip_name;
use crate::sip::call::{Call, IdentityField};
use crate::sip::message::{Message, messages, unfold};

/// One thing that can be judged or shown.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// What a capture held and what of it was dropped: its last piece.
    CaptureEnd(Box<Counts>),
    /// A SIP message of a capture.
    Captured(Box<CapturedMessage<'static>>),
    /// DER or PEM: certificates or CRLs.
    Certificates(Vec<u8>),
    /// The Identity values of one call.
    Identities(Vec<IdentityField>),
    /// A line of JSON.
    Json(String),
    /// A SIP message.
    Message(Box<Message>),
    /// None: the next may have to be waited for, so that what was printed should be brought out.
    Pause,
}

/// What reading gives for each piece.
pub(crate) type Found = Result<Piece, Complaint>;

/// The longest file of SIP messages, or of certificates, that is read: it is held in memory.
pub(crate) const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;

impl Piece {
    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Captured(message) => message.bytes.len(),
            Self::Certificates(bytes) => bytes.len(),
            Self::Identities(values) => values.iter().map(|field| field.value.len()).sum(),
            Self::Json(line) => line.len(),
            Self::Message(message) => message.length(),
            Self::CaptureEnd(_) | Self::Pause => 0,
        }
    }
}

/// Hands each piece of an input to `take`; what cannot be read is handed over as a complaint with its place. The bar
/// counts the bytes that were read.
pub(crate) fn each_piece(
    input: &Input,
    bar: &ProgressBar,
    take: &mut dyn FnMut(Source, Found) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let source = Source::file(input.name());
    let peeked = input.open().and_then(|reader| {
        let reader: Box<dyn Read> = Box::new(bar.wrap_read(reader));
        Peeked::new(reader).map_err(|reason| Unreadable::io(&reason))
    });
    match peeked.and_then(unpacked) {
        Ok(peeked) => each_piece_of(input, source, peeked, take),
        Err(reason) => take(source, Err(unreadable(&reason))),
    }
}

/// What gzip or zstd packed; everything else as it is.
fn unpacked(peeked: Peeked<Box<dyn Read>>) -> Result<Peeked<Box<dyn Read>>, Unreadable> {
    if Content::of(peeked.head()) != Content::Compressed || !is_packed(peeked.head()) {
        return Ok(peeked);
    }
    let packed = Packed::new(peeked.into_reader()).map_err(|reason| Unreadable::io(&reason))?;
    let unpacked: Box<dyn Read> = Box::new(packed);
    Peeked::new(unpacked).map_err(|reason| Unreadable::io(&reason))
}

fn each_piece_of(
    input: &Input,
    source: Source,
    peeked: Peeked<impl Read>,
    take: &mut dyn FnMut(Source, Found) -> Result<(), Stop>,
) -> Result<(), Stop> {
    match Content::of(peeked.head()) {
        Content::Capture => each_captured(&source, peeked.into_reader(), take),
        Content::Sip => each_message(&source, peeked.into_reader(), take),
        Content::JsonLines => each_object(&source, Lines::new(peeked.into_reader()), take),
        Content::Pem | Content::Der => match read_whole(peeked.into_reader()) {
            Ok(bytes) => take(source, Ok(Piece::Certificates(bytes))),
            Err(reason) => take(source, Err(unreadable(&reason))),
        },
        Content::Identities if matches!(input, Input::Found(_)) && !looks_like_identity(peeked.head()) => take(
            source,
            Err(Complaint::new("neither SIP messages nor JSON lines nor Identity values nor PEM")
                .hint("name the file itself to have its lines read as Identity values")),
        ),
        Content::Identities => each_call(&source, Lines::new(peeked.into_reader()), take),
        other => take(source, Err(not_read(other))),
    }
}

fn unreadable(reason: &Unreadable) -> Complaint {
    Complaint::new(reason.to_string()).hint(match reason {
        Unreadable::TooLong { .. } => "split it",
        _ => "name a file or folder that can be read, or - for standard input",
    })
}

fn not_read(content: Content) -> Complaint {
    match content {
        Content::Compressed => Complaint::new("compressed, and neither with gzip nor zstd, or more than once")
            .hint("decompress it first, as `xzcat FILE | stirtrace verify -` does"),
        Content::WideText => {
            Complaint::new("text in UTF-16").hint("convert it first, as `iconv -f UTF-16 -t UTF-8 FILE` does")
        }
        Content::Empty => Complaint::new("empty").hint("put a SIP message or an Identity header into it"),
        _ => Complaint::new("binary data that is neither text nor a certificate")
            .hint("give SIP messages, Identity values, JSON lines or PEM"),
    }
}

fn read_whole(reader: impl Read) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(most).read_to_end(&mut bytes).map_err(|reason| Unreadable::io(&reason))?;
    if bytes.len() > MAX_FILE_BYTES { Err(Unreadable::TooLong { limit: MAX_FILE_BYTES }) } else { Ok(bytes) }
}

fn each_message(
    source: &Source,
    reader: impl Read,
    take: &mut dyn FnMut(Source, Found) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let bytes = match read_whole(reader) {
        Ok(bytes) => bytes,
        Err(reason) => return take(source.clone(), Err(unreadable(&reason))),
    };
    for found in messages(bytes.strip_prefix(BOM).unwrap_or(&bytes)) {
        let piece = found.message.map(|message| Piece::Message(Box::new(message))).map_err(|reason| {
            Complaint::new(format!("no SIP message: {reason}")).hint("compare it with the message as the switch has it")
        });
        take(source.at(found.line), piece)?;
    }
    Ok(())
}

fn each_object(
    source: &Source,
    mut lines: Lines<impl Read>,
    take: &mut dyn FnMut(Source, Found) -> Result<(), Stop>,
) -> Result<(), Stop> {
    while let Some(line) = next_line(&mut lines, source, take)? {
        match line.text {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => take(source.at(line.number), Ok(Piece::Json(text)))?,
            Err(fault) => take(source.at(line.number), Err(bad_line(&fault)))?,
        }
    }
    Ok(())
}

/// The next line, after a pause where it may have to be waited for.
fn next_line(
    lines: &mut Lines<impl Read>,
    source: &Source,
    take: &mut dyn FnMut(Source, Found) -> Result<(), Stop>,
) -> Result<Option<Line>, Stop> {
    if lines.is_waiting() {
        take(source.clone(), Ok(Piece::Pause))?;
    }
    Ok(lines.next())
}

fn bad_line(fault: &BadLine) -> Complaint {
    Complaint::new(fault.to_string()).hint("give one Identity value, or one JSON object, a line")
}

fn each_call(
    source: &Source,
    mut lines: Lines<impl Read>,
    take: &mut dyn FnMut(Source, Found) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut gathering = Gathering::default();
    while let Some(Line { number, text }) = next_line(&mut lines, source, take)? {
        match text {
            Err(fault) => {
                gathering.hand_over(source, take)?;
                take(source.at(number), Err(bad_line(&fault)))?;
            }
            Ok(text) if text.trim().is_empty() => gathering.hand_over(source, take)?,
            Ok(text) if text.starts_with([' ', '\t']) && !gathering.values.is_empty() => gathering.fold(&text),
            Ok(text) => match strip_name(&text) {
                Some(value) => {
                    if !gathering.named {
                        gathering.hand_over(source, take)?;
                    }
                    gathering.named = true;
                    gathering.add(value, number);
                }
                None => {
                    gathering.hand_over(source, take)?;
                    gathering.add(text.trim(), number);
                }
            },
        }
    }
    gathering.hand_over(source, take)
}

/// The call whose lines are being read: consecutive lines with a name are one, others are each their own.
#[derive(Default)]
struct Gathering {
    values: Vec<IdentityField>,
    named: bool,
}

impl Gathering {
    fn add(&mut self, value: &str, line: usize) {
        if self.values.len() < Call::MAX_IDENTITIES {
            let mut field = IdentityField::new(value);
            field.line = Some(line);
            self.values.push(field);
        }
    }

    /// RFC 3261 §7.3.1: a line that begins with white space goes on with the one before.
    fn fold(&mut self, text: &str) {
        if let Some(last) = self.values.last_mut() {
            // A value longer than this is refused anyway: what follows need not be held.
            if last.value.len() <= crate::identity_header::MAX_VALUE_BYTES {
                last.value = unfold(&format!("{}\n{text}", last.value));
            }
        }
    }

    fn hand_over(
        &mut self,
        source: &Source,
        take: &mut dyn FnMut(Source, Found) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.named = false;
        let values = std::mem::take(&mut self.values);
        match values.first() {
            Some(first) => take(source.at(first.line.unwrap_or(1)), Ok(Piece::Identities(values))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(text: &str) -> Vec<(usize, Vec<String>)> {
        let mut calls = Vec::new();
        each_call(&Source::file("x"), Lines::new(text.as_bytes()), &mut |source, found| {
            let values = match found {
                Ok(Piece::Pause) => return Ok(()),
                Ok(Piece::Identities(values)) => values,
                other => panic!("{other:?}"),
            };
            calls.push((source.line.unwrap(), values.into_iter().map(|field| field.value).collect()));
            Ok(())
        })
        .unwrap();
        calls
    }

    #[test]
    fn consecutive_named_lines_are_one_call_and_bare_values_each_their_own() {
        let text = "Identity: a;info=<x>\ny: b\n\nIdentity: c\nd\ne\nIdentity: f\n";
        let expected = [(1, vec!["a;info=<x>", "b"]), (4, vec!["c"]), (5, vec!["d"]), (6, vec!["e"]), (7, vec!["f"])];
        let calls = calls(text);
        let calls: Vec<_> =
            calls.iter().map(|(line, values)| (*line, values.iter().map(String::as_str).collect())).collect();
        assert_eq!(calls, expected);
    }

    #[test]
    fn folded_lines_belong_to_the_value_before() {
        assert_eq!(calls("  a;info=<x>\r\n\t;ppt=shaken\r\n b\n"), [(1, vec!["a;info=<x> ;ppt=shaken b".to_owned()])]);
    }
}
