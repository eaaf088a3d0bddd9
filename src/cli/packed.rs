//! Files that may be compressed: known by their first bytes, unpacked while they are read, hashed as they lie on disk.

use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{Context, SHA256};
use flate2::bufread::MultiGzDecoder;

use crate::cli::files::{Unreadable, open as open_file};

/// A file as its bytes mean it, unpacked where it is compressed.
pub(crate) struct Packed<R: Read> {
    inner: Inner<Tap<R>>,
    count: Arc<AtomicU64>,
}

enum Inner<R: Read> {
    Plain(R),
    Gzip(MultiGzDecoder<BufReader<R>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<R>>>),
}

/// Opens a file.
pub(crate) fn open(path: &Path) -> Result<Packed<File>, Unreadable> {
    Packed::new(open_file(path)?).map_err(|reason| Unreadable::io(&reason))
}

impl<R: Read> Packed<R> {
    /// Looks at the first bytes, and reads on from them.
    pub(crate) fn new(mut source: R) -> io::Result<Self> {
        let mut head = Vec::with_capacity(ZSTD.len());
        let most = u64::try_from(ZSTD.len()).unwrap_or_default();
        source.by_ref().take(most).read_to_end(&mut head)?;
        let (is_gzip, is_zstd) = (head.starts_with(GZIP), is_zstd(&head));
        let count = Arc::new(AtomicU64::new(0));
        let tap =
            Tap { source: Cursor::new(head).chain(source), hash: Context::new(&SHA256), count: Arc::clone(&count) };
        let inner = if is_gzip {
            Inner::Gzip(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, tap)))
        } else if is_zstd {
            Inner::Zstd(Box::new(zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(BUFFER, tap))?))
        } else {
            Inner::Plain(tap)
        };
        Ok(Self { inner, count })
    }

    /// What it is packed with; none where it is not.
    pub(crate) const fn packing(&self) -> Option<&'static str> {
        match &self.inner {
            Inner::Plain(_) => None,
            Inner::Gzip(_) => Some("gzip"),
            Inner::Zstd(_) => Some("zstd"),
        }
    }

    /// How many bytes of the file were read so far, as they lie on disk.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The SHA-256 of the whole file as it lies on disk; what was not read yet is read for it.
    pub(crate) fn sha256(self) -> io::Result<[u8; 32]> {
        let mut tap = match self.inner {
            Inner::Plain(tap) => tap,
            Inner::Gzip(decoder) => decoder.into_inner().into_inner(),
            Inner::Zstd(decoder) => decoder.finish().into_inner(),
        };
        io::copy(&mut tap, &mut io::sink())?;
        let mut hash = [0; 32];
        hash.copy_from_slice(tap.hash.finish().as_ref());
        Ok(hash)
    }
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (read, packing) = match &mut self.inner {
            Inner::Plain(tap) => return tap.read(buffer),
            Inner::Gzip(decoder) => (decoder.read(buffer), "gzip"),
            Inner::Zstd(decoder) => (decoder.read(buffer), "zstd"),
        };
        read.map_err(|reason| match reason.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(reason.kind(), format!("the {packing} archive is cut short"))
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
                io::Error::new(reason.kind(), format!("the {packing} archive is damaged: {reason}"))
            }
            _ => reason,
        })
    }
}

const GZIP: &[u8] = &[0x1f, 0x8b];

/// RFC 8878 section 3.1.1; the low half byte of a skippable frame's magic number is free.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Whether a file that begins so is unpacked here.
pub(crate) fn is_packed(head: &[u8]) -> bool {
    head.starts_with(GZIP) || is_zstd(head.get(..ZSTD.len()).unwrap_or_default())
}

fn is_zstd(head: &[u8]) -> bool {
    head == ZSTD || matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

const BUFFER: usize = 128 * 1024;

/// Hashes and counts what is read.
struct Tap<R> {
    source: Chain<Cursor<Vec<u8>>, R>,
    hash: Context,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Tap<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.hash.update(&buffer[..length]);
        self.count.fetch_add(u64::try_from(length).unwrap_or_default(), Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use aws_lc_rs::digest::digest;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const TEXT: &[u8] = b"start,calling,called\n2026-05-04T12:00:01Z,12155550112,12155550131\n";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut packed = Packed::new(bytes)?;
        let mut text = Vec::new();
        packed.read_to_end(&mut text)?;
        assert_eq!(packed.count(), u64::try_from(bytes.len()).unwrap());
        assert_eq!(packed.sha256()?, digest(&SHA256, bytes).as_ref());
        Ok(text)
    }

    #[test]
    fn archives_of_several_parts_are_read_whole_and_hashed_as_they_lie() {
        let (first, second) = TEXT.split_at(30);
        let zstd = |text| zstd::encode_all(text, 3).unwrap();
        for bytes in [TEXT.to_vec(), [gzip(first), gzip(second)].concat(), [zstd(first), zstd(second)].concat()] {
            assert_eq!(unpacked(&bytes).unwrap(), TEXT);
        }
        assert_eq!(unpacked(b"").unwrap(), b"");
        assert_eq!(Packed::new(&gzip(TEXT)[..]).unwrap().packing(), Some("gzip"));
    }

    #[test]
    fn an_archive_that_is_cut_short_is_an_error_and_no_end() {
        let long: Vec<u8> = (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        for bytes in [gzip(&long), zstd::encode_all(&long[..], 3).unwrap()] {
            let mut text = Vec::new();
            let cut = &bytes[..bytes.len() - 9];
            let error = Packed::new(cut).unwrap().read_to_end(&mut text).unwrap_err();
            assert!(error.to_string().ends_with("archive is cut short"), "{error}");
            assert!(long.starts_with(&text) && !text.is_empty());
        }
        let mut damaged = gzip(TEXT);
        damaged[20] ^= 0xff;
        assert!(Packed::new(&damaged[..]).unwrap().read_to_end(&mut Vec::new()).is_err());
    }

    #[test]
    fn the_hash_is_the_same_whether_everything_was_read_or_nothing() {
        let bytes = gzip(TEXT);
        assert_eq!(Packed::new(&bytes[..]).unwrap().sha256().unwrap(), digest(&SHA256, &bytes).as_ref());
    }
}
