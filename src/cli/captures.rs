//! Captures as inputs: each message with its frame, and what the capture says about it in the output.

use std::io::{self, Read};

use serde::Serialize;

use crate::capture::{
    CallLines, Capture, CaptureTime, CapturedMessage, Counts, Error, Fingerprint, Fingerprinter, Limits, Repeat,
    Transport, is_capture,
};
use crate::cli::exit::{Complaint, Stop};
use crate::cli::files::Source;
use crate::cli::pieces::{Found, Piece};
use crate::cli::printer::Remark;
use crate::cli::text::grouped;
use crate::sip::call::Call;
use crate::sip::message::{Fault, Message};

/// Hands over each message of a capture, pauses where the next one may have to be waited for, and what was dropped.
pub(crate) fn each_captured(
    source: &Source,
    reader: impl Read,
    take: &mut dyn FnMut(Source, Found) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut capture = Capture::new(reader, Limits::default());
    let mut ready = Vec::new();
    let mut unpaused = false;
    loop {
        let outcome = capture.next_packet(&mut |message| ready.push(message.into_owned()));
        for message in ready.drain(..) {
            unpaused = true;
            take(source.at_frame(message.frame), Ok(Piece::Captured(Box::new(message))))?;
        }
        match outcome {
            Ok(true) if unpaused && capture.is_waiting() => {
                unpaused = false;
                take(source.clone(), Ok(Piece::Pause))?;
            }
            Ok(true) => {}
            Ok(false) => break,
            Err(reason) => {
                let hint = match reason {
                    Error::NotACapture => "compare it with the file as it was captured",
                    _ => "what came before it was read; get the file again, whole",
                };
                take(source.clone(), Err(Complaint::new(reason.to_string()).hint(hint)))?;
                break;
            }
        }
    }
    take(source.clone(), Ok(Piece::CaptureEnd(Box::new(*capture.counts()))))
}

/// What holds call records, unpacked: of a capture its calls, as lines of the canonical record.
pub(crate) fn records<'a>(mut source: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut head = Vec::with_capacity(MAGIC_BYTES);
    let most = u64::try_from(MAGIC_BYTES).unwrap_or_default();
    source.by_ref().take(most).read_to_end(&mut head)?;
    let is_capture = is_capture(&head);
    let whole = io::Cursor::new(head).chain(source);
    Ok(if is_capture { Box::new(CallLines::new(whole)) } else { Box::new(whole) })
}

const MAGIC_BYTES: usize = 4;

/// What a capture says about a call, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Captured {
    time: Option<CaptureTime>,
    source: String,
    destination: String,
    transport: Transport,
    /// Bytes that the capture does not hold.
    #[serde(skip_serializing_if = "is_nothing")]
    missing: usize,
    /// The frame of the same request between the same two.
    retransmission_of: Option<u64>,
    /// The frame of the same call between others.
    leg_of: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_nothing(count: &usize) -> bool {
    *count == 0
}

impl Captured {
    /// What is known of a message, but not of those before it.
    pub(crate) fn new(message: &CapturedMessage<'_>) -> Self {
        Self {
            time: message.time,
            source: message.source.to_string(),
            destination: message.destination.to_string(),
            transport: message.transport,
            missing: message.missing,
            retransmission_of: None,
            leg_of: None,
        }
    }

    /// Says what it is to the messages before it.
    pub(crate) const fn set_repeat(&mut self, repeat: Repeat) {
        match repeat {
            Repeat::Retransmission { frame } => self.retransmission_of = Some(frame),
            Repeat::Leg { frame } => self.leg_of = Some(frame),
            _ => {}
        }
    }

    /// When the packet was captured.
    pub(crate) const fn time(&self) -> Option<CaptureTime> {
        self.time
    }

    /// Who sent it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whom it was sent to.
    pub(crate) fn destination(&self) -> &str {
        &self.destination
    }

    /// Whether the call was seen before.
    pub(crate) const fn repeats(&self) -> bool {
        self.retransmission_of.is_some() || self.leg_of.is_some()
    }

    /// Whether the same request was seen before between the same two.
    pub(crate) const fn is_retransmission(&self) -> bool {
        self.retransmission_of.is_some()
    }

    /// The call that it repeats, in words.
    pub(crate) fn repeat_words(&self) -> Option<String> {
        let again = self.retransmission_of.map(|frame| format!("again frame {frame}"));
        again.or_else(|| self.leg_of.map(|frame| format!("leg of frame {frame}")))
    }
}

/// Reads a captured message; one that is cut is read as far as its header goes.
pub(crate) fn read_message(message: &CapturedMessage<'_>) -> Result<Message, Complaint> {
    let (read, _) = Message::parse_truncated(&message.bytes).map_err(|reason| {
        Complaint::new(format!("no SIP message: {reason}")).hint("compare it with the message as the switch has it")
    })?;
    if message.missing > 0 && read.faults().contains(&Fault::NoBlankLine) {
        let held = message.bytes.len();
        let complaint = Complaint::new(format!(
            "the capture holds only the first {held} bytes of this message, less than its header: the packet was \
             truncated by the snapshot length, or others are missing"
        ));
        return Err(complaint.hint("capture whole packets, as `tcpdump -s 0` does"));
    }
    Ok(read)
}

/// What a call is recognised by: Call-ID, CSeq and tokens. Calls that nobody signed are not compared.
pub(crate) fn fingerprint(
    fingerprinter: &Fingerprinter,
    message: &CapturedMessage<'_>,
    call: &Call,
) -> Option<Fingerprint> {
    if call.identities.is_empty() {
        return None;
    }
    let tokens: Vec<&str> = call.identities.iter().map(|field| field.value.as_str()).collect();
    let names = (call.call_id.as_deref().unwrap_or_default(), call.cseq.as_deref().unwrap_or_default());
    Some(fingerprinter.of((message.source, message.destination), names, &tokens))
}

/// What of a capture was no message, or was dropped.
pub(crate) fn losses(source: &Source, counts: &Counts) -> Vec<Remark> {
    let (frames, messages) = (grouped(counts.frames), grouped(counts.messages));
    let read = Remark::Note(format!("{source}: {frames} packets, {messages} SIP messages"));
    let lost = counts
        .losses()
        .into_iter()
        .map(|(count, what)| Remark::Warning(format!("{source}: {} {what}", grouped(count))));
    std::iter::once(read).chain(lost).collect()
}
