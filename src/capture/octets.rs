//! Numbers of a fixed width at a place in bytes that may be too short.

/// A byte.
pub(super) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// Two bytes, most significant first.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_be_bytes)
}

/// Four bytes, most significant first.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_be_bytes)
}

/// So many bytes.
pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// A length as this machine counts; one that it cannot count is too long anyway.
pub(super) fn length(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// A count as it is added up.
pub(super) fn count(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// The byte order of the machine that wrote a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Order {
    Big,
    Little,
}

impl Order {
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let array = array_at(bytes, at)?;
        Some(match self {
            Self::Big => u16::from_be_bytes(array),
            Self::Little => u16::from_le_bytes(array),
        })
    }

    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let array = array_at(bytes, at)?;
        Some(match self {
            Self::Big => u32::from_be_bytes(array),
            Self::Little => u32::from_le_bytes(array),
        })
    }

    pub(super) fn i64(self, bytes: &[u8], at: usize) -> Option<i64> {
        let array = array_at(bytes, at)?;
        Some(match self {
            Self::Big => i64::from_be_bytes(array),
            Self::Little => i64::from_le_bytes(array),
        })
    }
}
