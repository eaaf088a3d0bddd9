//! A file read at places: threads share it, since none of them moves a cursor.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

/// Fills the buffer from that place on.
///
/// # Errors
/// When the file ends before, or cannot be read.
pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_exact_at(file, buffer, at);
    #[cfg(windows)]
    return read_by_seeking(file, buffer, at);
    #[cfg(not(any(unix, windows)))]
    compile_error!("a lake needs files that are read at places");
}

/// A file from a place on, whatever others read of it.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    file: Arc<File>,
    at: u64,
}

impl Cursor {
    /// From its first byte.
    pub(super) const fn new(file: Arc<File>) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.at)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.at)?;
        self.at += u64::try_from(read).unwrap_or_default();
        Ok(read)
    }
}

#[cfg(windows)]
fn read_by_seeking(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[read..];
        at += u64::try_from(read).unwrap_or_default();
    }
    Ok(())
}
