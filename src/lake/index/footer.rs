//! The footer of a side index: what is in it, and which Parquet file it belongs to.

use super::{BLOCK, DataId, FENCE, IndexFault, checksum};

/// Bytes of the footer.
pub(super) const FOOTER: usize = 128;
const MAGIC: [u8; 8] = *b"STIRINDX";
const VERSION: u32 = 1;

/// What an index says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Footer {
    /// Blocks of called numbers, and of PASSporTs.
    pub(super) blocks: [u32; 2],
    pub(super) steps: u32,
    pub(super) countries: u32,
    pub(super) rows: u32,
    /// Whether the rows are sorted by calling number and start, so that the steps mean something.
    pub(super) sorted: bool,
    /// Whether all countries are listed.
    pub(super) all_countries: bool,
    pub(super) start_width: u8,
    pub(super) row_width: u8,
    /// Starts count from here.
    pub(super) base: i64,
    /// How far before its start, and behind it, a row's other instant lies at most.
    pub(super) repeat: [u32; 2],
    pub(super) data: DataId,
    /// The checksum of fences, steps and countries.
    pub(super) tables: u64,
}

impl Footer {
    /// Where the fences begin: behind the blocks.
    pub(super) fn tables_at(&self) -> u64 {
        (u64::from(self.blocks[0]) + u64::from(self.blocks[1])) * length(BLOCK)
    }

    /// Bytes of fences, steps and countries.
    pub(super) fn table_bytes(&self) -> u64 {
        let twelve = u64::from(self.blocks[0]) + u64::from(self.blocks[1]) + u64::from(self.steps);
        twelve * length(FENCE) + u64::from(self.countries) * 8
    }

    /// Bytes of the whole index.
    pub(super) fn file_bytes(&self) -> u64 {
        self.tables_at() + self.table_bytes() + length(FOOTER)
    }

    pub(super) fn print(&self) -> [u8; FOOTER] {
        let mut out = Vec::with_capacity(FOOTER);
        out.extend_from_slice(&MAGIC);
        for word in [VERSION, self.blocks[0], self.blocks[1], self.steps, self.countries, self.rows] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&[u8::from(self.sorted), u8::from(self.all_countries), self.start_width, self.row_width]);
        out.extend_from_slice(&self.repeat[0].to_le_bytes());
        out.extend_from_slice(&self.repeat[1].to_le_bytes());
        out.extend_from_slice(&self.base.to_le_bytes());
        out.extend_from_slice(&self.tables.to_le_bytes());
        out.extend_from_slice(&self.data);
        out.resize(FOOTER - 8, 0);
        let sum = checksum(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        let mut bytes = [0; FOOTER];
        bytes.copy_from_slice(&out);
        bytes
    }

    pub(super) fn parse(bytes: &[u8; FOOTER]) -> Result<Self, IndexFault> {
        let mut fields = Fields(bytes);
        if fields.take::<8>() != MAGIC {
            return Err(IndexFault::NoIndex);
        }
        let version = fields.word();
        if version != VERSION {
            return Err(IndexFault::Version { found: version });
        }
        let (body, sum) = bytes.split_at(FOOTER - 8);
        if checksum(body).to_le_bytes() != *sum {
            return Err(IndexFault::Checksum);
        }
        let blocks = [fields.word(), fields.word()];
        let [steps, countries, rows] = [fields.word(), fields.word(), fields.word()];
        let [sorted, all_countries, start_width, row_width] = fields.take::<4>();
        let repeat = [fields.word(), fields.word()];
        let base = i64::from_le_bytes(fields.take());
        let tables = u64::from_le_bytes(fields.take());
        let data = fields.take();
        if start_width > 4 || row_width > 4 {
            return Err(IndexFault::Checksum);
        }
        let (sorted, all_countries) = (sorted == 1, all_countries == 1);
        Ok(Self {
            blocks,
            steps,
            countries,
            rows,
            sorted,
            all_countries,
            start_width,
            row_width,
            base,
            repeat,
            data,
            tables,
        })
    }
}

/// Lengths in this module fit.
pub(super) fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Fields of fixed size, one after the other; past the end they are zero.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk::<N>() else { return [0; N] };
        self.0 = rest;
        *field
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }
}
