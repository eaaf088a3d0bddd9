//! The lake of Parquet files answers what every lake answers, whole and damaged (design 6).
#![cfg(feature = "lake")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test writes its files and stops at a fault")]

#[path = "lake_read/damage.rs"]
mod damage;
mod lake_suite;
#[path = "lake_read/parquet.rs"]
mod parquet;

lake_suite!(in_memory, memory::make);
lake_suite!(of_parquet_files, crate::parquet::make);
lake_suite!(of_parquet_files_in_many_runs, crate::parquet::make_in_runs);
lake_suite!(of_parquet_files_without_index, crate::parquet::make_without_index);
