//! The chain of an answer as a graph, in Mermaid's flowchart and in Graphviz's DOT.
//!
//! Names come from certificates and files that others wrote: nothing in them may end a label or begin a statement.

use std::fmt::Write as _;

use crate::traceback::{Answer, Hop};

/// The chain as a Mermaid flowchart; a solid arrow is recorded, a dotted one a gap or a claim.
#[must_use]
pub fn mermaid(answer: &Answer) -> String {
    let mut out = String::from("flowchart LR\n");
    let _ = writeln!(out, "  %% {}", comment(&answer.request.id));
    for (node, label) in nodes(answer) {
        let _ = writeln!(out, "  {node}[\"{}\"]", mermaid_label(&label));
    }
    for edge in edges(answer) {
        let arrow = if edge.solid { "-->" } else { "-.->" };
        let label = edge.label.map_or_else(String::new, |label| format!("|\"{}\"|", mermaid_label(&label)));
        let _ = writeln!(out, "  {} {arrow}{label} {}", edge.from, edge.to);
    }
    out
}

/// The chain as a Graphviz digraph.
#[must_use]
pub fn dot(answer: &Answer) -> String {
    let mut out = format!("digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box];\n", dot_label(&answer.request.id));
    for (node, label) in nodes(answer) {
        let _ = writeln!(out, "  {node} [label=\"{}\"];", dot_label(&label));
    }
    for edge in edges(answer) {
        let style = if edge.solid { "solid" } else { "dashed" };
        let label = edge.label.map_or_else(String::new, |label| format!(", label=\"{}\"", dot_label(&label)));
        let _ = writeln!(out, "  {} -> {} [style={style}{label}];", edge.from, edge.to);
    }
    out.push_str("}\n");
    out
}

struct Edge {
    from: String,
    to: String,
    solid: bool,
    label: Option<String>,
}

fn nodes(answer: &Answer) -> Vec<(String, String)> {
    let mut nodes = Vec::new();
    if let Some(customer) = origin(answer) {
        nodes.push(("customer".to_owned(), format!("{customer}\ncustomer")));
    }
    if answer.chain.is_empty() {
        nodes.push(("nobody".to_owned(), format!("{}: {}", answer.request.id, answer.status.as_str())));
    }
    nodes.extend(answer.chain.iter().map(|hop| (node(hop), label(hop))));
    nodes
}

fn edges(answer: &Answer) -> Vec<Edge> {
    let mut edges = Vec::new();
    if let (Some(_), Some(first)) = (origin(answer), answer.chain.first()) {
        edges.push(Edge { from: "customer".to_owned(), to: node(first), solid: true, label: None });
    }
    for pair in answer.chain.windows(2) {
        let label = pair[1].after_gap.then(|| "hops unknown".to_owned());
        edges.push(Edge { from: node(&pair[0]), to: node(&pair[1]), solid: !pair[1].after_gap, label });
    }
    edges
}

fn origin(answer: &Answer) -> Option<&str> {
    answer.chain.first()?.customer.as_deref()
}

fn node(hop: &Hop) -> String {
    format!("hop{}", hop.hop)
}

fn label(hop: &Hop) -> String {
    let role = hop.role.map_or("role unknown", |role| role.as_str());
    let sure = hop.role_certainty.map_or_else(String::new, |certainty| format!(" ({})", certainty.as_str()));
    format!("{}\n{role}{sure}", hop.label())
}

/// A comment ends with its line.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Mermaid reads entities between `#` and `;`, HTML in labels, and a quote ends them.
fn mermaid_label(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br>"),
            '"' | '#' | '<' | '>' | '&' | '`' | '\\' | ';' | '|' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn dot_label(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_ends_a_label() {
        assert_eq!(mermaid_label("a\"] --> b\n<script>#quot;"), "a#34;] --#62; b<br>#60;script#62;#35;quot#59;");
        assert_eq!(dot_label("a\"];\\ b\nc\r"), "a\\\"];\\\\ b\\nc ");
    }
}
