//! Answers drawn for other programs: the chain as Mermaid and as DOT.

pub mod graph;
