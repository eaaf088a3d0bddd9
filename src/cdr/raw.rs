//! A row cut into its parts, and the text at a place of it.

use std::borrow::Cow;

use serde_json::Value;

use crate::cdr::LineFault;
use crate::cdr::cells::Cell;
use crate::cdr::clocks::Clocks;
use crate::cdr::layout::{At, Condition, Layout, Pick};
use crate::cdr::parser::Parser;

/// What reading rows one after the other needs and keeps.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) cells: Vec<Cell>,
    pub(super) clocks: Clocks,
}

impl Scratch {
    pub(super) fn new(parser: &Parser) -> Self {
        Self { cells: Vec::new(), clocks: Clocks::new(parser) }
    }
}

/// A row cut into its parts.
#[derive(Debug)]
pub(super) enum Raw<'r> {
    /// Cells of a text.
    Cells(&'r str, &'r [Cell]),
    /// Cells of bytes that are no text as a whole, or hold a NUL.
    Bytes(&'r [u8], &'r [Cell]),
    Fixed(&'r [u8]),
    Object(Value),
}

type Text<'r> = Result<Option<Cow<'r, str>>, LineFault>;

impl<'r> Raw<'r> {
    pub(super) fn cells(row: &'r [u8], cells: &'r [Cell]) -> Self {
        match std::str::from_utf8(row) {
            Ok(text) if memchr::memchr(0, row).is_none() => Self::Cells(text, cells),
            _ => Self::Bytes(row, cells),
        }
    }

    /// How many cells it has, where it has any.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Cells(_, cells) | Self::Bytes(_, cells) => Some(cells.len()),
            Self::Fixed(_) | Self::Object(_) => None,
        }
    }

    /// Whether it has one cell, as title lines of files do.
    pub(super) fn is_single(&self) -> bool {
        self.len() == Some(1)
    }

    /// The text of a column, counted from 1; `None` where there is no such column.
    pub(super) fn column(&self, column: usize) -> Text<'_> {
        match self {
            Self::Cells(text, cells) => Ok(cells.get(column - 1).and_then(|cell| cell.of(text))),
            Self::Bytes(row, cells) => {
                let Some(cell) = cells.get(column - 1) else { return Ok(None) };
                Ok(cell.whole(checked(&row[cell.text.clone()])?))
            }
            Self::Fixed(_) | Self::Object(_) => Ok(None),
        }
    }

    fn at(&self, at: &At) -> Text<'_> {
        match (at, self) {
            (At::Column(column), _) => self.column(*column),
            (At::Slice(from, to), Self::Fixed(row)) => {
                let (from, to) = ((from - 1).min(row.len()), (*to).min(row.len()));
                Ok(Some(Cow::Borrowed(checked(&row[from..to])?.trim())))
            }
            (At::Path(path), Self::Object(object)) => Ok(member(object, path).and_then(shown)),
            (At::Name(_) | At::Slice(..) | At::Path(_), _) => Ok(None),
        }
    }
}

fn checked(bytes: &[u8]) -> Result<&str, LineFault> {
    if bytes.contains(&0) {
        return Err(LineFault::Nul);
    }
    std::str::from_utf8(bytes).map_err(|_| LineFault::Encoding)
}

fn member<'v>(object: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(object, |value, name| match value {
        Value::Object(members) => members.get(name),
        Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A value as a cell would show it; the elements of an array with commas between, as SIP joins them.
fn shown(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text.trim())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Array(elements) => {
            let texts: Vec<Cow<'_, str>> = elements.iter().filter_map(shown).collect();
            Some(Cow::Owned(texts.join(",")))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// A row with what its layout says about its texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'r> {
    pub(super) raw: &'r Raw<'r>,
    pub(super) layout: &'r Layout,
}

impl<'r> Row<'r> {
    /// What a pick takes from the row; `None` where that is nothing.
    #[inline]
    pub(super) fn text(self, pick: &'r Pick) -> Text<'r> {
        match pick {
            Pick::At(at) => self.at(at),
            _ => self.made(pick),
        }
    }

    /// The text that a pick makes of others.
    fn made(self, pick: &'r Pick) -> Text<'r> {
        match pick {
            Pick::At(at) => self.at(at),
            Pick::First(picks) => {
                for pick in picks {
                    if let Some(text) = self.text(pick)? {
                        return Ok(Some(text));
                    }
                }
                Ok(None)
            }
            Pick::Join(picks) => {
                let texts: Result<Option<Vec<_>>, _> = picks.iter().map(|pick| self.text(pick)).collect();
                Ok(texts?.map(|texts| Cow::Owned(texts.join(" "))))
            }
            Pick::Address(pick, octets) => {
                let address = self.text(pick)?.and_then(|text| octets.address(&text));
                Ok(address.map(|address| Cow::Owned(address.to_string())))
            }
            Pick::Extract(pick, pattern) => Ok(self.text(pick)?.and_then(|text| {
                let found = pattern.captures(&text)?.get(1)?;
                Some(found.as_str().trim().to_owned()).filter(|found| !found.is_empty()).map(Cow::Owned)
            })),
            Pick::Words(pick, words) => Ok(self.text(pick)?.and_then(|text| {
                let meaning = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| meaning.as_str());
                meaning.map(Cow::Borrowed).or_else(|| text.bytes().all(|c| c.is_ascii_digit()).then_some(text))
            })),
        }
    }

    fn at(self, at: &At) -> Text<'r> {
        // Most cells of most rows.
        if let (At::Column(column), Raw::Cells(_, cells)) = (at, self.raw)
            && cells.get(column - 1).is_none_or(|cell| cell.text.is_empty())
        {
            return Ok(None);
        }
        let Some(text) = self.raw.at(at)? else { return Ok(None) };
        if text.is_empty() || self.layout.empty.iter().any(|word| *word == text) {
            return Ok(None);
        }
        if matches!(self.raw, Raw::Object(_)) && text.contains('\0') {
            return Err(LineFault::Nul);
        }
        if self.layout.percent && text.contains('%') {
            return Ok(Some(percent_decoded(text)));
        }
        Ok(Some(text))
    }
}

impl Condition {
    pub(super) fn holds(&self, row: Row<'_>) -> bool {
        // A text that cannot be read is not the one wanted.
        match row.text(&self.pick) {
            Ok(text) => self.wanted.fits(&text.unwrap_or_default()),
            Err(_) => false,
        }
    }
}

/// Decodes a text that is percent-encoded as a whole: one with characters that an encoder would not have left is not.
fn percent_decoded(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|c| b"\"#&+:;<=>?@[\\]^`{|} ".contains(&c)) {
        return text;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((c, behind)) = rest.split_first() {
        let figure = |at: usize| behind.get(at).and_then(|c| char::from(*c).to_digit(16));
        match (c, figure(0), figure(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*c);
                rest = behind;
            }
        }
    }
    match String::from_utf8(bytes) {
        Ok(decoded) if !decoded.contains('\0') => Cow::Owned(decoded),
        _ => text,
    }
}
