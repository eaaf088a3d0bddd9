//! The house holds itself to its plan: imports point down, sizes stay small, only edges touch the world, and nothing
//! committed names the machine it was written on (ARCHITECTURE.md, CONTRIBUTING.md).
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads its files and stops at a fault")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A module imports from itself and from rows below its own; modules of one row do not know each
/// other. Where one leans on a neighbour of the same floor, the neighbour has a row of its own beneath.
const ROWS: &[&[&str]] = &[
    // Floor 0: words.
    &["es256", "number", "time"],
    &["zone"],
    &["document"],
    // Floor 1: formats.
    &["passport"],
    &["identity_header", "redaction", "rich_call_data"],
    &["certificate", "network", "sip"],
    &["cdr"],
    &["capture"],
    // Floor 2: decisions.
    &["trust"],
    &["sign", "verify"],
    &["registry"],
    &["traceback"],
    &["report"],
    &["evidence"],
    // Floor 3: edges.
    &["clock"],
    &["fetch", "lab", "lake"],
    &["service"],
    &["cli"],
];
const EDGES: &[&str] = &["cli", "clock", "fetch", "lab", "lake", "service"];
const MAX_FILE_LINES: usize = 600;
const MAX_FUNCTION_LINES: usize = 80;

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(module) = module_of(&path) else { continue };
        let Some(own) = row_of(&module) else {
            wrong.push(format!("{}: module `{module}` has no floor", path.display()));
            continue;
        };
        for (line, name) in crate_paths(&text) {
            let complaint = match row_of(&name) {
                _ if name == module => continue,
                Some(row) if row < own => continue,
                Some(_) => format!("`{module}` does not stand above `{name}`"),
                None => format!("`crate::{name}` names no module: import from the one that defines it, one per `use`"),
            };
            wrong.push(format!("{}:{line}: {complaint}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn only_edges_touch_clock_files_and_environment() {
    let opts_out = |text: &str| text.contains("clippy::disallowed_methods");
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| opts_out(text) && module_of(path).is_some_and(|name| !EDGES.contains(&name.as_str())))
        .map(|(path, _)| path)
        .collect();
    assert!(wrong.is_empty(), "no edge, yet outside the rule: {wrong:?}");
}

#[test]
fn files_and_functions_stay_small() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > MAX_FILE_LINES {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
        for (line, length) in functions(&text).filter(|(_, length)| *length > MAX_FUNCTION_LINES) {
            wrong.push(format!("{}:{line}: a function of {length} lines", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_typical_function_is_short() {
    let mut lengths: Vec<_> = sources().values().flat_map(|text| functions(text).collect::<Vec<_>>()).collect();
    lengths.sort_by_key(|(_, length)| *length);
    assert!(lengths.len() > 100, "the functions were not found");
    assert!(lengths[lengths.len() / 2].1 <= 10, "median {}", lengths[lengths.len() / 2].1);
    assert!(lengths[lengths.len() * 9 / 10].1 <= 30, "p90 {}", lengths[lengths.len() * 9 / 10].1);
}

#[test]
fn every_module_says_what_it_is() {
    let silent = |(path, text): &(PathBuf, String)| !path.ends_with("tests.rs") && !text.starts_with("//! ");
    let silent: Vec<_> = sources().into_iter().filter(silent).map(|(path, _)| path).collect();
    assert!(silent.is_empty(), "no module documentation: {silent:?}");
}

#[test]
fn nothing_committed_names_a_registry_or_this_machine() {
    // Put together here, so that this file does not contain them.
    let forbidden = [
        ["crates", ".io"].concat(),
        ["pypi", ".org"].concat(),
        ["npmjs", ".com"].concat(),
        ["proxy.golang", ".org"].concat(),
        ["/wo", "rk/"].concat(),
        ["/ro", "ot/"].concat(),
        ["/home", "/"].concat(),
    ];
    let mut wrong = Vec::new();
    // The lock file is cargo's own: it names the registry by design.
    for path in files(&root(), &|name| !matches!(name, "target" | ".git" | "Cargo.lock" | "artifacts" | "corpus")) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for word in forbidden.iter().filter(|word| text.contains(word.as_str())) {
            wrong.push(format!("{}: {word}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// `crate::NAME` outside comments, with line numbers from 1; a group gives `{`.
fn crate_paths(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(index, line)| {
        let ends_a_word = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        let starts = line.match_indices("crate::").filter(move |(at, _)| !ends_a_word(&line[..*at]));
        starts.map(move |(at, found)| {
            let rest = &line[at + found.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (index + 1, if end == 0 { rest.chars().take(1).collect() } else { rest[..end].to_owned() })
        })
    })
}

/// The first line and the number of lines of each function, as rustfmt lays them out.
fn functions(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.clone().into_iter().enumerate().filter(|(_, line)| is_function(line));
    starts.map(move |(index, line)| {
        let indent = line.len() - line.trim_start().len();
        let ends = |line: &&str| line.len() - line.trim_start().len() == indent && line.trim_start().starts_with('}');
        let one_line = line.trim_end().ends_with(['}', ';']);
        let length = if one_line { 1 } else { lines[index..].iter().position(ends).map_or(1, |end| end + 1) };
        (index + 1, length)
    })
}

fn is_function(line: &str) -> bool {
    let words = ["pub", "pub(super)", "pub(crate)", "const", "async", "unsafe", "extern", "\"C\""];
    line.split_whitespace().find(|word| !words.contains(word)) == Some("fn")
}

fn row_of(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// `sip` for `src/sip/uri.rs`; nothing for `lib.rs` and `main.rs`, which stand above all.
fn module_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).ok()?;
    let name = inside.components().next()?.as_os_str().to_str()?;
    let name = name.strip_suffix(".rs").unwrap_or(name);
    (!matches!(name, "lib" | "main")).then(|| name.to_owned())
}

fn sources() -> BTreeMap<PathBuf, String> {
    let rust =
        files(&root().join("src"), &|_| true).into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    rust.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

fn files(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match entry.file_name().to_str() {
            Some(name) if wanted(name) => {}
            _ => continue,
        }
        if path.is_dir() { found.extend(files(&path, wanted)) } else { found.push(path) }
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
