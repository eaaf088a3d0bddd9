//! Records as rows of bytes: small while they wait, and sorted by moving nothing but the places that they stand at.
//!
//! A row is the set of its cells that are not empty (`u64`, the first cell the lowest bit), then those cells. Calling
//! number, start and fingerprint are left out: the row's [`Key`](super::run::Key) says them.

use super::question::Wanted;
use super::schema;
use crate::cdr::{Dialed, Link, Record};
use crate::identity_header::IdentityHeader;
use crate::passport::Passport;
use crate::time::UnixTime;

/// What a cell holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// One byte.
    Flag,
    /// Milliseconds since 1970, eight bytes.
    Instant,
    /// Eight bytes.
    Integer,
    /// Four bytes.
    Small,
    /// A length and so many bytes.
    Text,
    /// A count, and so many texts; [`NO_TEXT`] is the length of one that is missing.
    Texts,
}

/// The cells of a row in their order, by their column.
pub(super) const CELLS: [(&str, Kind); 37] = [
    (schema::LINE, Kind::Integer),
    (schema::START_REPEATED, Kind::Instant),
    (schema::ANSWER, Kind::Instant),
    (schema::END, Kind::Instant),
    (schema::CALLING.text, Kind::Text),
    (schema::CALLING.tech_prefix, Kind::Text),
    (schema::CALLING.number, Kind::Text),
    (schema::CALLED.integer, Kind::Integer),
    (schema::CALLED.text, Kind::Text),
    (schema::CALLED.tech_prefix, Kind::Text),
    (schema::CALLED.number, Kind::Text),
    (schema::ORIGINAL_CALLED.integer, Kind::Integer),
    (schema::ORIGINAL_CALLED.text, Kind::Text),
    (schema::ORIGINAL_CALLED.tech_prefix, Kind::Text),
    (schema::ORIGINAL_CALLED.number, Kind::Text),
    (schema::DIVERSION, Kind::Texts),
    (schema::DIVERSION_TECH_PREFIX, Kind::Texts),
    (schema::DIVERSION_NUMBER, Kind::Texts),
    (schema::INGRESS[0], Kind::Text),
    (schema::INGRESS[1], Kind::Text),
    (schema::INGRESS[2], Kind::Text),
    (schema::EGRESS[0], Kind::Text),
    (schema::EGRESS[1], Kind::Text),
    (schema::EGRESS[2], Kind::Text),
    (schema::SIP_STATUS, Kind::Small),
    (schema::Q850, Kind::Small),
    (schema::IDENTITY, Kind::Texts),
    (schema::TOKEN, Kind::Integer),
    (schema::SWITCH, Kind::Text),
    (schema::IS_FINAL, Kind::Flag),
    (schema::STATED[0], Kind::Text),
    (schema::STATED[1], Kind::Text),
    (schema::STATED[2], Kind::Text),
    (schema::STATED[3], Kind::Text),
    (schema::CLAIMED[0], Kind::Text),
    (schema::CLAIMED[1], Kind::Text),
    (schema::CLAIMED[2], Kind::Text),
];

/// Packs a record behind what is there.
pub(super) fn pack<T: AsRef<str>>(record: &Record<T>, out: &mut Vec<u8>) {
    let passport = first_full_form(&record.identity);
    let mut packer = Packer::new(out);
    packer.cell(Some(i64::try_from(record.place.line).unwrap_or(i64::MAX).to_le_bytes()));
    for instant in [record.start_repeated, record.answer, record.end] {
        packer.cell(instant.map(|instant| millis(instant).to_le_bytes()));
    }
    packer.number_texts(Some(&record.calling), integer_of(Some(&record.calling)));
    for dialed in [Some(&record.called), record.original_called.as_ref()] {
        let integer = integer_of(dialed);
        packer.cell(integer.map(i64::to_le_bytes));
        packer.number_texts(dialed, integer);
    }
    packer.diversion(&record.diversion);
    packer.link(&record.ingress);
    packer.link(&record.egress);
    packer.cell(record.sip_status.map(|status| i32::from(status).to_le_bytes()));
    packer.cell(record.q850.map(|cause| i32::from(cause).to_le_bytes()));
    packer.texts(record.identity.iter().map(|value| Some(value.as_ref())));
    packer.cell(passport.as_ref().map(|passport| Wanted::token_key(passport.as_str()).to_le_bytes()));
    packer.text(record.switch.as_ref());
    packer.cell(record.is_final.map(|is_final| [u8::from(is_final)]));
    let stated = &record.stated;
    for own in [&stated.verstat, &stated.attest, &stated.origid, &stated.spc] {
        packer.text(own.as_ref());
    }
    let (header, claims) = (passport.as_ref().map(Passport::header), passport.as_ref().map(Passport::claims));
    packer.text(claims.and_then(|claims| claims.attest.as_deref()));
    packer.text(claims.and_then(|claims| claims.origid.as_deref()));
    packer.text(header.and_then(|header| header.x5u.as_deref()));
    packer.finish();
}

/// The number as an integer, where it is one.
pub(super) fn integer_of<T>(dialed: Option<&Dialed<T>>) -> Option<i64> {
    dialed?.canonical?.to_integer()
}

/// The first PASSporT in full form: the compact form says nothing that could be found again.
pub(super) fn first_full_form<T: AsRef<str>>(identity: &[T]) -> Option<Passport> {
    let values = identity.iter().filter_map(|value| IdentityHeader::parse(value.as_ref()).ok());
    values.into_iter().find_map(|header| Passport::parse(&header.token).ok())
}

/// Milliseconds since 1970.
pub(super) const fn millis(instant: UnixTime) -> i64 {
    instant.seconds().saturating_mul(1000)
}

/// Bytes of the set of cells.
const SET: usize = size_of::<u64>();

/// The length of a text that is missing among others.
const NO_TEXT: u32 = u32::MAX;

/// Writes the cells of a row, one after the other.
struct Packer<'p> {
    out: &'p mut Vec<u8>,
    start: usize,
    cells: u64,
    /// The bit of the next cell.
    next: u64,
}

impl<'p> Packer<'p> {
    fn new(out: &'p mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0; SET]);
        Self { out, start, cells: 0, next: 1 }
    }

    fn mark(&mut self, is_there: bool) {
        if is_there {
            self.cells |= self.next;
        }
        self.next <<= 1;
    }

    fn cell<const N: usize>(&mut self, value: Option<[u8; N]>) {
        self.mark(value.is_some());
        if let Some(value) = value {
            self.out.extend_from_slice(&value);
        }
    }

    fn text(&mut self, text: Option<impl AsRef<str>>) {
        self.mark(text.is_some());
        if let Some(text) = text {
            self.bytes(text.as_ref());
        }
    }

    fn bytes(&mut self, text: &str) {
        // A text of four gigabytes is none of a call record's.
        let length = u32::try_from(text.len()).ok().filter(|length| *length != NO_TEXT);
        self.out.extend_from_slice(&length.unwrap_or_default().to_le_bytes());
        self.out.extend_from_slice(if length.is_some() { text.as_bytes() } else { &[] });
    }

    /// Several texts; a record that has none has no cell.
    fn texts<'t>(&mut self, texts: impl ExactSizeIterator<Item = Option<&'t str>>) {
        self.mark(texts.len() > 0);
        if texts.len() == 0 {
            return;
        }
        self.out.extend_from_slice(&u32::try_from(texts.len()).unwrap_or(u32::MAX).to_le_bytes());
        for text in texts {
            match text {
                Some(text) => self.bytes(text),
                None => self.out.extend_from_slice(&NO_TEXT.to_le_bytes()),
            }
        }
    }

    /// Text, technical prefix, and the canonical number where the integer does not say it.
    fn number_texts<T: AsRef<str>>(&mut self, dialed: Option<&Dialed<T>>, integer: Option<i64>) {
        // Leading zeros are lost in an integer.
        let says_it = |text: &str| integer.is_some() && (!text.starts_with('0') || text == "0");
        let number = dialed.and_then(|dialed| dialed.canonical.as_ref()).map(|number| number.as_str());
        self.text(dialed.map(|dialed| &dialed.raw));
        self.text(dialed.and_then(|dialed| dialed.tech_prefix.as_ref()));
        self.text(number.filter(|text| !says_it(text)));
    }

    fn diversion<T: AsRef<str>>(&mut self, diversion: &[Dialed<T>]) {
        self.texts(diversion.iter().map(|own| Some(own.raw.as_ref())));
        self.texts(diversion.iter().map(|own| own.tech_prefix.as_ref().map(AsRef::as_ref)));
        self.texts(diversion.iter().map(|own| own.canonical.as_ref().map(|number| number.as_str())));
    }

    fn link<T: AsRef<str>>(&mut self, link: &Link<T>) {
        for own in [&link.trunk, &link.address, &link.call_id] {
            self.text(own.as_ref());
        }
    }

    fn finish(self) {
        if let Some(set) = self.out.get_mut(self.start..self.start + SET) {
            set.copy_from_slice(&self.cells.to_le_bytes());
        }
    }
}

/// The cells of a packed row, from the first; what stands behind the row does not matter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unpacker<'p> {
    cells: u64,
    rest: &'p [u8],
}

impl<'p> Unpacker<'p> {
    pub(super) fn new(packed: &'p [u8]) -> Self {
        let mut own = Self { cells: 0, rest: packed };
        own.cells = u64::from_le_bytes(own.fixed());
        own
    }

    /// The number of the next cell that is there; what it holds is to be taken then.
    pub(super) fn next_cell(&mut self) -> Option<usize> {
        let number = self.cells.trailing_zeros();
        // The lowest bit goes.
        self.cells &= self.cells.wrapping_sub(1);
        usize::try_from(number).ok().filter(|number| *number < CELLS.len())
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> [u8; N] {
        let (value, rest) = self.rest.split_first_chunk().unwrap_or((&[0; N], &[]));
        self.rest = rest;
        *value
    }

    pub(super) fn text(&mut self) -> &'p [u8] {
        let length = u32::from_le_bytes(self.fixed());
        self.bytes(length)
    }

    pub(super) fn each_text(&mut self, mut take: impl FnMut(Option<&'p [u8]>)) {
        let count = u32::from_le_bytes(self.fixed());
        for _ in 0..count {
            let length = u32::from_le_bytes(self.fixed());
            take((length != NO_TEXT).then(|| self.bytes(length)));
        }
    }

    fn bytes(&mut self, length: u32) -> &'p [u8] {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        text
    }
}
