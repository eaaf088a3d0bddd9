//! `stirtrace ingest`: call records into the lake.

mod preview;
