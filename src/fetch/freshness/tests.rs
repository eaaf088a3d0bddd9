use proptest::prelude::*;

use super::{DAY, Directives, HOUR, Headers, Rule, State, Validity, split};
use crate::time::UnixTime;

const NOON: UnixTime = UnixTime::from_seconds(1_777_896_000);
/// Obeys the answer to the letter, but for what it leaves open.
const LETTER: Rule = Rule { least: 0, unsaid: DAY, most: i64::MAX / 4, stale_for: Some(HOUR) };

fn headers(fields: &[(&str, &str)]) -> Headers {
    Headers::read(fields.iter().map(|(name, value)| (*name, value.as_bytes())))
}

/// Seconds that an answer is good which came at noon, a second after it was asked for.
fn seconds(rule: &Rule, fields: &[(&str, &str)]) -> i64 {
    headers(fields).validity(rule, NOON.plus_seconds(-1), NOON, None).lifetime()
}

#[test]
fn freshness_goes_by_rfc_9111() {
    // NOON is Mon, 04 May 2026 12:00:00 GMT.
    for (clause, fields, expected) in [
        ("4.2.1 nothing said", &[][..], DAY),
        ("4.2.1 max-age", &[("Cache-Control", "max-age=600")], 599),
        ("4.2.1 s-maxage first", &[("Cache-Control", "max-age=600, s-maxage=60")], 59),
        (
            "4.2.1 max-age before Expires",
            &[("Cache-Control", "max-age=600"), ("Expires", "Mon, 04 May 2026 13:00:00 GMT")],
            599,
        ),
        (
            "4.2.1 Expires less Date",
            &[("Expires", "Mon, 04 May 2026 13:00:00 GMT"), ("Date", "Mon, 04 May 2026 12:00:00 GMT")],
            HOUR - 1,
        ),
        ("4.2.1 Expires without Date", &[("Expires", "Mon, 04 May 2026 13:00:00 GMT")], HOUR - 1),
        ("4.2.1 first of two", &[("Cache-Control", "max-age=600, max-age=10")], 599),
        ("4.2.1 first of two fields", &[("Cache-Control", "max-age=600"), ("cache-control", "max-age=10")], 599),
        ("4.2.1 no number", &[("Cache-Control", "max-age=soon")], 0),
        ("4.2.1 a negative number", &[("Cache-Control", "max-age=-1")], 0),
        ("4.2.3 Age", &[("Cache-Control", "max-age=600"), ("Age", "500")], 99),
        ("4.2.3 older than it may be", &[("Cache-Control", "max-age=600"), ("Age", "900")], 0),
        ("4.2.3 apparent age", &[("Cache-Control", "max-age=600"), ("Date", "Mon, 04 May 2026 11:55:00 GMT")], 300),
        ("4.2.3 a Date to come", &[("Cache-Control", "max-age=600"), ("Date", "Mon, 04 May 2026 13:00:00 GMT")], 599),
        ("1.2.2 beyond any number", &[("Cache-Control", "max-age=99999999999999999999")], i64::from(i32::MAX) - 1),
        (
            "5.2 quoted, upper case, blanks",
            &[("CACHE-CONTROL", " public ,\tMAX-AGE=\"600\" , foo=\"a, max-age=1\"")],
            599,
        ),
        ("5.2.2.4 no-cache", &[("Cache-Control", "no-cache, max-age=600")], 0),
        ("5.2.2.4 no-cache of a field", &[("Cache-Control", "no-cache=\"set-cookie, x\", max-age=600")], 0),
        ("5.2.2.5 no-store", &[("Cache-Control", "no-store")], 0),
        ("5.2.2.7 private", &[("Cache-Control", "private, max-age=600")], 0),
        ("5.3 Expires: 0", &[("Expires", "0")], 0),
        ("5.3 Expires in the past", &[("Expires", "Mon, 04 May 2026 11:00:00 GMT")], 0),
        ("RFC 9110 5.6.7 the form of RFC 850", &[("Expires", "Monday, 04-May-26 13:00:00 GMT")], HOUR - 1),
        ("RFC 9110 5.6.7 the form of asctime", &[("Expires", "Mon May  4 13:00:00 2026")], HOUR - 1),
        ("5.4 Pragma says nothing in an answer", &[("Pragma", "no-cache")], DAY),
    ] {
        assert_eq!(seconds(&LETTER, fields), expected, "{clause}");
    }
}

#[test]
fn certificates_are_kept_for_24_hours_at_least_and_a_week_at_most() {
    // F8, G17.
    for (control, expected) in [
        ("", DAY),
        ("max-age=0", DAY),
        ("max-age=60", DAY),
        ("no-store", DAY),
        ("private, no-cache", DAY),
        ("max-age=172800", 2 * DAY - 1),
        ("max-age=31536000", 7 * DAY),
    ] {
        assert_eq!(seconds(&Rule::CERTIFICATE, &[("Cache-Control", control)]), expected, "{control}");
    }
}

#[test]
fn what_a_certificate_or_a_crl_says_of_its_end_counts() {
    let validity = |ends| headers(&[]).validity(&Rule::CERTIFICATE, NOON, NOON, Some(NOON.plus_seconds(ends)));
    assert_eq!(validity(2 * DAY).lifetime(), DAY);
    assert_eq!(validity(HOUR).lifetime(), HOUR, "short-lived");
    assert_eq!(validity(-HOUR).lifetime(), 300, "G21: an expired one still lies there");
}

#[test]
fn stale_answers_serve_for_a_while() {
    // RFC 9111 §4.2.4; RFC 5861 §4.
    let control = |text| headers(&[("Cache-Control", text)]).validity(&LETTER, NOON, NOON, None);
    let validity = control("max-age=100");
    assert_eq!(validity.at(NOON), State::Fresh);
    assert_eq!(validity.at(NOON.plus_seconds(99)), State::Fresh);
    assert_eq!(validity.at(NOON.plus_seconds(100)), State::Stale);
    assert_eq!(validity.at(NOON.plus_seconds(100 + HOUR)), State::Spent);
    // RFC 9111 §5.2.2.2, §5.2.2.8.
    for text in ["max-age=100, must-revalidate", "max-age=100, proxy-revalidate"] {
        assert_eq!(control(text).at(NOON.plus_seconds(100)), State::Spent, "{text}");
    }
    // F21, F23: the last good list stays.
    let list = headers(&[("Cache-Control", "must-revalidate")]).validity(&Rule::TRUST_LIST, NOON, NOON, None);
    assert_eq!(list.at(NOON.plus_seconds(1000 * DAY)), State::Stale);
}

#[test]
fn a_clock_that_went_back_makes_nothing_young() {
    let validity = headers(&[]).validity(&Rule::CERTIFICATE, NOON, NOON, None);
    assert_eq!(validity.at(NOON.plus_seconds(-30)), State::Fresh, "clocks are put right all the time");
    assert_eq!(validity.at(NOON.plus_seconds(-HOUR)), State::Stale);
    assert_eq!(validity.at(NOON.plus_seconds(-1000 * DAY)), State::Stale);
}

#[test]
fn an_answer_304_updates_what_is_held() {
    // RFC 9111 §4.3.4.
    let held = headers(&[
        ("ETag", "\"1\""),
        ("Age", "500"),
        ("Cache-Control", "max-age=600"),
        ("Last-Modified", "Mon, 04 May 2026 11:00:00 GMT"),
    ]);
    let newer = headers(&[("Cache-Control", "max-age=60"), ("ETag", "W/\"2\"")]);
    let updated = held.clone().updated_by(newer);
    assert_eq!(updated.etag(), Some("W/\"2\""));
    assert_eq!(updated.last_modified(), Some("Mon, 04 May 2026 11:00:00 GMT"));
    assert_eq!(updated.validity(&LETTER, NOON, NOON, None).lifetime(), 60, "the age went with the old answer");
    assert_eq!(held.clone().updated_by(Headers::default()).etag(), Some("\"1\""));
}

#[test]
fn validators_that_are_none_are_not_sent() {
    let odd = headers(&[("ETag", "no quotes"), ("Last-Modified", "yesterday")]);
    assert_eq!((odd.etag(), odd.last_modified()), (None, None));
    let hostile = Headers::read([("ETag", b"\"a\"\r\nX: y".as_slice()), ("Age", b"\xff"), ("Expires", &[b'x'; 5000])]);
    assert_eq!(hostile, Headers::default());
}

#[test]
fn commas_between_quotes_divide_nothing() {
    assert_eq!(split(r#"a="x, \", y",b"#).collect::<Vec<_>>(), [r#"a="x, \", y""#, "b"]);
    assert_eq!(Directives::read(",,=,;=\"").max_age, None);
}

proptest! {
    #[test]
    fn no_answer_breaks_the_bounds(
        control in "[ -~]{0,40}|max-age=[0-9]{1,25}|s-maxage=[0-9]{1,4}",
        age in "[0-9]{0,22}", date in any::<i32>(), jump in any::<i64>(),
    ) {
        let date = UnixTime::from_seconds(date.into()).to_sip_date().unwrap_or_default();
        let fields = [("Cache-Control", control.as_str()), ("Age", &age), ("Date", &date), ("Expires", &date)];
        for rule in [Rule::CERTIFICATE, Rule::CRL, Rule::TRUST_LIST] {
            let validity = headers(&fields).validity(&rule, NOON.plus_seconds(-2), NOON, None);
            prop_assert!((rule.least..=rule.most).contains(&validity.lifetime()));
            let at = UnixTime::from_seconds(jump);
            let Validity { answered_at, fresh_until, .. } = validity;
            if validity.at(at) == State::Fresh {
                prop_assert!(at < fresh_until && answered_at.seconds_since(at) <= 60);
            }
        }
    }
}
