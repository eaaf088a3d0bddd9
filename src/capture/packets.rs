//! The packets of a capture file, one at a time, each a slice of the window over the file.

use std::io::Read;

use crate::capture::error::Error;
use crate::capture::limits::{MAX_INTERFACES, MAX_PACKET_BYTES};
use crate::capture::octets::{length, u16_at};
use crate::capture::pcap;
use crate::capture::pcapng::{self, Found, Refusal, Section};
use crate::capture::time::CaptureTime;
use crate::capture::window::Window;

/// One packet as captured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Packet<'a> {
    /// Its number, from 1, as Wireshark counts.
    pub number: u64,
    /// When it was captured, if the file says.
    pub time: Option<CaptureTime>,
    /// What its first byte begins.
    pub link: Link,
    /// What was kept of it.
    pub bytes: &'a [u8],
    /// How long it was.
    pub length: usize,
}

/// What a packet begins with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Link {
    /// A HEPv3 header, in a file of nothing else.
    Hep,
    /// A link-layer header, by its number in the registry of link types.
    Type(u16),
}

/// Whether a file that begins so is a capture that can be read here; 12 bytes are enough.
#[must_use]
pub fn is_capture(head: &[u8]) -> bool {
    let pcap = pcap::Header::parse(&[head.get(..4).unwrap_or_default(), &[0; 20]].concat()).is_some();
    pcap || head.starts_with(&pcapng::SECTION) || head.starts_with(HEP)
}

const HEP: &[u8] = b"HEP3";

/// The packets of a file.
pub struct Packets<R> {
    window: Window<R>,
    format: Format,
    /// Bytes of the window that the packet handed out last takes.
    passed: usize,
    frame: u64,
}

enum Format {
    Unknown,
    Hep,
    Pcap(pcap::Header),
    Pcapng(Section),
}

impl<R: Read> Packets<R> {
    /// The packets of what `source` holds.
    pub fn new(source: R) -> Self {
        Self { window: Window::new(source), format: Format::Unknown, passed: 0, frame: 0 }
    }

    /// The next packet; none at the end.
    ///
    /// # Errors
    /// When the file is none, is damaged or ends inside a packet; then nothing more can be read.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, Error> {
        self.window.consume(std::mem::take(&mut self.passed));
        if matches!(self.format, Format::Unknown) {
            self.format = self.begin()?;
        }
        match &self.format {
            Format::Pcap(header) => {
                let header = *header;
                self.pcap_packet(header)
            }
            Format::Pcapng(_) => self.pcapng_packet(),
            Format::Hep | Format::Unknown => self.hep_packet(),
        }
    }

    /// Whether the next packet can be had without reading on: it is in the window, whole.
    pub(super) fn has_more_at_hand(&self) -> bool {
        let rest = self.window.bytes().get(self.passed..).unwrap_or_default();
        let needed = match &self.format {
            Format::Unknown => None,
            Format::Hep => u16_at(rest, 4).map(usize::from),
            Format::Pcap(header) => {
                header.order.u32(rest, 8).map(|captured| length(captured).saturating_add(header.packet_header))
            }
            Format::Pcapng(section) => section.order.u32(rest, 4).map(length),
        };
        needed.is_some_and(|needed| rest.len() >= needed)
    }

    fn begin(&mut self) -> Result<Format, Error> {
        let whole = self.ensure(pcap::Header::LENGTH)?;
        let bytes = self.window.bytes();
        if bytes.starts_with(HEP) {
            return Ok(Format::Hep);
        }
        if bytes.starts_with(&pcapng::SECTION) {
            let order = pcapng::order_of(bytes).ok_or(Error::NotACapture)?;
            return Ok(Format::Pcapng(Section::new(order)));
        }
        match pcap::Header::parse(bytes) {
            Some(header) if whole => {
                self.window.consume(pcap::Header::LENGTH);
                Ok(Format::Pcap(header))
            }
            _ => Err(Error::NotACapture),
        }
    }

    fn pcap_packet(&mut self, header: pcap::Header) -> Result<Option<Packet<'_>>, Error> {
        if !self.ensure_or_end(header.packet_header)? {
            return Ok(None);
        }
        let (time, captured, length) = header.packet(self.window.bytes()).ok_or_else(|| self.cut_short())?;
        let end = self.checked_length(u64::from(captured))? + header.packet_header;
        self.ensure_whole(end)?;
        self.frame += 1;
        self.passed = end;
        let bytes = self.window.bytes().get(header.packet_header..end).unwrap_or_default();
        let link = Link::Type(header.link);
        Ok(Some(Packet { number: self.frame, time: Some(time), link, bytes, length }))
    }

    fn hep_packet(&mut self) -> Result<Option<Packet<'_>>, Error> {
        if !self.ensure_or_end(6)? {
            return Ok(None);
        }
        let length = u16_at(self.window.bytes(), 4).map(usize::from).filter(|_| self.window.bytes().starts_with(HEP));
        let Some(end @ 6..) = length else { return Err(self.damaged("no HEPv3 packet begins there")) };
        self.ensure_whole(end)?;
        self.frame += 1;
        self.passed = end;
        let bytes = self.window.bytes().get(..end).unwrap_or_default();
        Ok(Some(Packet { number: self.frame, time: None, link: Link::Hep, bytes, length: end }))
    }

    fn pcapng_packet(&mut self) -> Result<Option<Packet<'_>>, Error> {
        let found = loop {
            if !self.ensure_or_end(12)? {
                return Ok(None);
            }
            match self.block()? {
                Step::Packet(found) => break found,
                Step::Passed => {}
            }
        };
        self.frame += 1;
        let bytes = self.window.bytes().get(found.bytes).unwrap_or_default();
        let link = Link::Type(found.link);
        Ok(Some(Packet { number: self.frame, time: found.time, link, bytes, length: found.length }))
    }

    /// Reads one block; its packet stays in the window.
    fn block(&mut self) -> Result<Step, Error> {
        let frame = self.frame;
        let section = self.section()?;
        let order = section.order;
        let bytes = self.window.bytes();
        let (Some(kind), Some(total)) = (order.u32(bytes, 0), order.u32(bytes, 4)) else {
            return Err(self.cut_short());
        };
        if total < 12 {
            return Err(self.damaged("it claims to be shorter than any block"));
        }
        if !pcapng::matters(kind) {
            let whole = self.window.skip(u64::from(total)).map_err(|reason| self.io(&reason))?;
            return if whole { Ok(Step::Passed) } else { Err(self.cut_short()) };
        }
        // A packet's options may be long; its bytes are held to the limit below.
        let size = self.checked_length(u64::from(total))?;
        self.ensure_whole(size)?;
        let block = self.window.bytes().get(..size).unwrap_or_default();
        if order.u32(block, size - 4) != Some(total) {
            return Err(self.damaged("the length at its end is not the length at its start"));
        }
        let Format::Pcapng(section) = &mut self.format else { return Ok(Step::Passed) };
        if pcapng::is_interface(kind) {
            let Some(interface) = section.interface(block) else {
                return Err(self.damaged("it describes no interface"));
            };
            if section.interfaces.len() >= MAX_INTERFACES {
                return Err(Error::TooManyInterfaces { frame });
            }
            section.interfaces.push(interface);
            self.window.consume(size);
            return Ok(Step::Passed);
        }
        match section.packet(kind, block) {
            Ok(found) => {
                self.passed = size;
                Ok(Step::Packet(found))
            }
            Err(Refusal::Short) => Err(self.damaged("its packet is longer than the block")),
            Err(Refusal::UnknownInterface(interface)) => Err(Error::UnknownInterface { frame: frame + 1, interface }),
        }
    }

    /// The section that the next block belongs to, or begins.
    fn section(&mut self) -> Result<&Section, Error> {
        if self.window.bytes().starts_with(&pcapng::SECTION) {
            let order = pcapng::order_of(self.window.bytes());
            let order = order.ok_or_else(|| self.damaged("its byte order is none"))?;
            self.format = Format::Pcapng(Section::new(order));
        }
        match &self.format {
            Format::Pcapng(section) => Ok(section),
            _ => Err(Error::NotACapture),
        }
    }

    fn checked_length(&self, length: u64) -> Result<usize, Error> {
        match usize::try_from(length) {
            Ok(length) if length <= MAX_PACKET_BYTES => Ok(length),
            _ => Err(Error::PacketTooLong { frame: self.frame + 1, length }),
        }
    }

    fn ensure(&mut self, wanted: usize) -> Result<bool, Error> {
        self.window.ensure(wanted).map_err(|reason| self.io(&reason))
    }

    /// `false` where the file ends between two packets.
    fn ensure_or_end(&mut self, wanted: usize) -> Result<bool, Error> {
        match self.ensure(wanted)? {
            true => Ok(true),
            false if self.window.bytes().is_empty() => Ok(false),
            false => Err(self.cut_short()),
        }
    }

    fn ensure_whole(&mut self, wanted: usize) -> Result<(), Error> {
        if self.ensure(wanted)? { Ok(()) } else { Err(self.cut_short()) }
    }

    fn cut_short(&self) -> Error {
        Error::CutShort { frame: self.frame + 1 }
    }

    fn damaged(&self, reason: &'static str) -> Error {
        Error::DamagedBlock { frame: self.frame, reason }
    }

    fn io(&self, reason: &std::io::Error) -> Error {
        Error::Io { frame: self.frame, reason: reason.to_string() }
    }
}

enum Step {
    Packet(Found),
    Passed,
}

impl Packet<'_> {
    /// How much of it was not kept.
    pub(super) fn missing(&self) -> usize {
        self.length.saturating_sub(self.bytes.len())
    }
}
