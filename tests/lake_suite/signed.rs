//! The records that carry an Identity, to be judged again: those of a span, as they were kept, and no others.

use std::fmt::Debug;
use std::ops::ControlFlow;

use stirtrace::lake::{Found, Lake};
use stirtrace::traceback::Span;

use super::{Row, at, record, rows, signed_lines, span};

/// Signed at the two ends of a span, beyond each, in a repeated hour, and without an Identity; of two networks.
fn some() -> Vec<Row> {
    let signed = |second: i64, tokens: &[&str]| {
        let mut own = record("12155550112", "12155550131", second);
        own.identity = tokens.iter().map(|token| (*token).to_owned()).collect();
        own
    };
    let mut repeated = signed(-3_600, &["c.d.e"]);
    repeated.start_repeated = Some(at(0));
    let mut all = rows([
        signed(0, &["a.b.c;info=<x>"]),
        signed(86_400, &["a.b.d", "..x;info=<y>"]),
        signed(-1, &["a.b.e"]),
        signed(86_401, &["a.b.f"]),
        signed(10, &[]),
        repeated,
        signed(20, &["..compact;info=<x>"]),
    ]);
    all[6].network = "Alder".to_owned();
    all
}

pub(crate) fn records_that_carry_an_identity_are_given_as_they_are_kept<L: Lake<Error: Debug>>(
    make: impl Fn(&[Row]) -> L,
) {
    let all = some();
    let lake = make(&all);
    let lines = |span, network| {
        let mut lines = signed_lines(&lake, span, network);
        assert_eq!(lines, signed_lines(&lake, span, network), "the order stays");
        lines.sort_unstable_by_key(|(_, line)| *line);
        lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>()
    };
    assert_eq!(lines(span(0, 86_400), None), [2, 3, 7, 8]);
    assert_eq!(lines(span(0, 86_400), Some("Alder")), [8]);
    assert_eq!(lines(span(0, 86_400), Some("Nobody")), [0; 0]);
    assert_eq!(lines(Span::ALWAYS, None), [2, 3, 4, 5, 7, 8]);
    assert_eq!(lines(span(5, 0), None), [0; 0]);
    let mut take = |found: Found| {
        let own = all.iter().find(|row| row.record.place.line == found.record.place.line).unwrap();
        assert_eq!((found.record, found.file.name.as_str(), found.wanted), (own.record.clone(), own.file.as_str(), 0));
        ControlFlow::Continue(())
    };
    lake.signed(Span::ALWAYS, None, &mut take).unwrap();
}

pub(crate) fn who_has_seen_enough_ends_it<L: Lake<Error: Debug>>(make: impl Fn(&[Row]) -> L) {
    let lake = make(&some());
    let mut seen = 0;
    let mut take = |_: Found| {
        seen += 1;
        if seen < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    lake.signed(Span::ALWAYS, None, &mut take).unwrap();
    assert_eq!(seen, 3);
}
