//! CSV: the members of the JSON objects as dotted column names (RFC 4180).
//!
//! A list gives one column for each member of its elements, their values joined by ` | `; a column that names an
//! object holds its JSON.

use std::borrow::Cow;

use serde_json::Value;

/// The header line of these columns.
pub(crate) fn header(columns: &[&str]) -> String {
    columns.join(",") + "\r\n"
}

/// The line of one object: what it has of these columns.
pub(crate) fn row(columns: &[&str], object: &Value) -> String {
    let cells: Vec<String> = columns.iter().map(|column| cell_of(object, column)).collect();
    cells.join(",") + "\r\n"
}

/// What stands under a dotted name; empty where nothing does. A number of our own is no formula, whatever its sign.
fn cell_of(object: &Value, name: &str) -> String {
    let mut found = vec![object];
    for step in name.split('.') {
        found = found.into_iter().flat_map(elements).filter_map(|value| value.get(step)).collect();
    }
    let found: Vec<&Value> = found.into_iter().flat_map(elements).collect();
    if let [Value::Number(number)] = found.as_slice() {
        return number.to_string();
    }
    let texts: Vec<Cow<'_, str>> = found.into_iter().map(text_of).collect();
    cell(&texts.join(" | "))
}

fn elements(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        other => Box::new(std::iter::once(other)),
    }
}

fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// A cell as spreadsheets read it. One that begins like a formula gets an apostrophe in front (CWE-1236).
pub(crate) fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = crate::cli::text::sanitised(text);
    let apostrophe = if formula { "'" } else { "" };
    if formula || text.contains([',', '"', '\r', '\n', ';']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_that_begin_like_a_formula_are_quoted() {
        for text in ["=1+1", "+12155550112", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert!(cell(text).starts_with("\"'"), "{text:?} gave {}", cell(text));
        }
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(cell("12155550112"), "12155550112");
    }

    #[test]
    fn lists_are_joined_and_objects_are_json() {
        let object = json!({"sip": {"code": 438}, "list": [{"a": 1, "b": [{"c": "x"}, {"c": "y"}]}, {"a": null}]});
        let columns = ["sip.code", "list.a", "list.b.c", "sip", "missing.x"];
        assert_eq!(row(&["n"], &json!({"n": -3})), "-3\r\n");
        assert_eq!(row(&["n"], &json!({"n": "-3"})), "\"'-3\"\r\n");
        assert_eq!(row(&columns, &object), "438,\"1 | \",x | y,\"{\"\"code\"\":438}\",\r\n");
    }

    proptest! {
        #[test]
        fn every_cell_is_read_back_as_one(text: String) {
            let line = format!("{},end\r\n", cell(&text));
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(record.len(), 2);
            prop_assert!(!record[0].starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
