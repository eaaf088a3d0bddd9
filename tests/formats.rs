//! Every built-in format, read from files made by hand after its documented columns (traceback 4.1 to 4.9), and the same
//! formats as people would map them.
#![cfg(feature = "traceback")]
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads its files and stops at a fault")]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use stirtrace::cdr::{BadLine, Dialed, Format, Record, Settings, detect};
use stirtrace::zone::Zone;

fn bytes(file: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/formats").join(file)).unwrap()
}

fn chicago() -> Settings {
    Settings::for_file(3).with_zone(Some(Zone::named("America/Chicago").unwrap()))
}

fn read(format: &Format, bytes: &[u8], settings: Settings) -> (Vec<Result<Record, BadLine>>, u64) {
    let mut reader = format.open(bytes, settings).unwrap();
    let items: Vec<_> = reader.by_ref().collect();
    (items, reader.no_calls())
}

fn number(dialed: &Dialed) -> String {
    let canonical = dialed.canonical.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let prefix = dialed.tech_prefix.as_deref().map(|prefix| format!("{prefix}#")).unwrap_or_default();
    format!("{prefix}{canonical}")
}

/// What a record says, a line each.
fn shown(items: &[Result<Record, BadLine>]) -> String {
    let mut text = String::new();
    for item in items {
        let record = match item {
            Ok(record) => record,
            Err(bad) => {
                writeln!(text, "{bad}").unwrap();
                continue;
            }
        };
        write!(text, "{}: {}", record.place.line, record.start).unwrap();
        let part = |text: &mut String, name: &str, value: Option<String>| {
            if let Some(value) = value {
                write!(text, " {name}={value}").unwrap();
            }
        };
        part(&mut text, "or", record.start_repeated.map(|time| time.to_string()));
        part(&mut text, "answer", record.answer.map(|time| time.to_string()));
        part(&mut text, "end", record.end.map(|time| time.to_string()));
        write!(text, " {} -> {}", number(&record.calling), number(&record.called)).unwrap();
        part(&mut text, "original", record.original_called.as_ref().map(number));
        for (side, link) in [("in", &record.ingress), ("out", &record.egress)] {
            part(&mut text, &format!("{side}.trunk"), link.trunk.clone());
            part(&mut text, &format!("{side}.address"), link.address.clone());
            part(&mut text, &format!("{side}.call"), link.call_id.clone());
        }
        part(&mut text, "sip", record.sip_status.map(|status| status.to_string()));
        part(&mut text, "q850", record.q850.map(|cause| cause.to_string()));
        part(&mut text, "switch", record.switch.clone());
        part(&mut text, "final", record.is_final.map(|last| last.to_string()));
        part(&mut text, "verstat", record.stated.verstat.clone());
        part(&mut text, "attest", record.stated.attest.clone());
        part(&mut text, "origid", record.stated.origid.clone());
        part(&mut text, "spc", record.stated.spc.clone());
        let all = |numbers: &[Dialed]| numbers.iter().map(number).collect::<Vec<_>>().join("+");
        part(&mut text, "diverted", Some(all(&record.diversion)).filter(|all| !all.is_empty()));
        part(&mut text, "identity", Some(record.identity.join(" | ")).filter(|all| !all.is_empty()));
        text.push('\n');
    }
    text
}

fn snapshot(format: &str, file: &str) {
    let (items, no_calls) = read(&Format::named(format).unwrap(), &bytes(file), chicago());
    insta::assert_snapshot!(format!("format_{format}"), format!("{}no calls: {no_calls}\n", shown(&items)));
}

const FILES: [(&str, &str); 13] = [
    ("asterisk", "asterisk.csv"),
    ("broadworks", "broadworks.csv"),
    ("cucm", "cucm.csv"),
    ("freeswitch", "freeswitch.csv"),
    ("freeswitch-json", "freeswitch-json.json"),
    ("jsonl", "jsonl.jsonl"),
    ("kamailio", "kamailio.csv"),
    ("opensips", "opensips.csv"),
    ("oracle", "oracle.csv"),
    ("ribbon", "ribbon.act"),
    ("sansay", "sansay.cdr"),
    ("stirtrace", "stirtrace.csv"),
    ("voip-innovations", "voip-innovations.csv"),
];

#[test]
fn every_format_gives_what_its_columns_say() {
    let names: Vec<&str> = Format::names().collect();
    assert_eq!(names, FILES.map(|(name, _)| name));
    for (format, file) in FILES {
        snapshot(format, file);
    }
}

#[test]
fn a_format_is_told_by_its_rows() {
    for (format, file) in FILES {
        let good: Vec<u8> = match format {
            // Each has torn lines on purpose, more than detection takes for a fitting format.
            "freeswitch" | "stirtrace" | "freeswitch-json" | "jsonl" | "oracle" => {
                let lines = if format == "stirtrace" { 4 } else { 2 };
                bytes(file).split_inclusive(|c| *c == b'\n').take(lines).flatten().copied().collect()
            }
            _ => bytes(file),
        };
        let found: Vec<String> = detect(&good).iter().map(|guess| guess.format.name().to_owned()).collect();
        assert_eq!(found.first().map(String::as_str), Some(format), "{found:?}");
    }
}

/// Sources as people would map them, with places instead of names.
const MAPPED: [(&str, &str, &str); 4] = [
    (
        "sansay",
        "sansay.cdr",
        "delimiter = \";\"\nquotes = \"plain\"\ntime_format = \"%a %b %d %H:%M:%S %Y\"\n[where]\n3 = { not = [\"A\"] }\n\
         [columns]\nstart = \"7\"\nanswer = 8\nend = 9\nminutes_west = 10\ncalling = 16\ncalled = 18\ningress_trunk = 14\n\
         ingress_address = 17\ningress_call_id = 20\negress_trunk = 33\negress_address = 38\negress_call_id = 39\n\
         final = { column = 52, words = { F = \"yes\", I = \"no\" } }\n\
         sip_status = { column = 12, extract = '^([1-6]\\d\\d)$' }\nq850 = { column = 12, extract = '^(\\d\\d?)$' }\n",
    ),
    (
        "kamailio",
        "kamailio.csv",
        "header = true\ntime_format = \"%Y-%m-%d %H:%M:%S\"\nempty = \"NULL\"\n[columns]\nstart = \"time\"\n\
         calling = \"src_user\"\ncalled = \"dst_user\"\noriginal_called = \"dst_ouser\"\ningress_address = 10\n\
         ingress_call_id = \"CALLID\"\negress_address = \"dst_domain\"\nsip_status = \"sip_code\"\nidentity = \"identity\"\n\
         [where]\nmethod = [\"INVITE\"]\n",
    ),
    (
        "ribbon",
        "ribbon.act",
        "time_format = \"%m/%d/%Y %T\"\n[columns]\nswitch = 2\nstart = { join = [6, 7] }\n[[rows]]\n[rows.where]\n\
         1 = \"STOP\"\n[rows.columns]\nend = { join = [11, 12] }\nring_ms = 10\ncalling = 20\ncalled = 21\n\
         ingress_trunk = 34\negress_trunk = { column = 31, extract = ':(.+)' }\negress_address = 33\nq850 = 15\n[[rows]]\nwhere = { 1 = { matches = \"^ATT\" } }\n[rows.columns]\ncalling = 17\n\
         called = 18\ningress_trunk = 31\negress_trunk = { column = 28, extract = ':(.+)' }\nq850 = 12\n",
    ),
    (
        "freeswitch-json",
        "freeswitch-json.json",
        "kind = \"jsonl\"\ntime_format = \"unix_us\"\npercent_encoded = true\n[where]\n\
         \"channel_data.direction\" = [\"inbound\", \"\"]\n[columns]\nswitch = \"switchname\"\n\
         start = [\"variables.start_uepoch\", \"callflow.0.times.created_time\"]\nanswer = \"variables.answer_uepoch\"\n\
         end = \"variables.end_uepoch\"\n\
         calling = [\"variables.sip_from_user\", \"callflow.0.caller_profile.caller_id_number\"]\n\
         called = [\"variables.sip_req_user\", \"callflow.0.caller_profile.destination_number\"]\n\
         original_called = \"callflow.0.caller_profile.rdnis\"\ningress_trunk = \"variables.accountcode\"\n\
         ingress_address = [\"variables.sip_network_ip\", \"callflow.0.caller_profile.network_addr\"]\n\
         ingress_call_id = \"variables.sip_call_id\"\nsip_status = \"variables.sip_term_status\"\n\
         q850 = \"variables.hangup_cause_q850\"\nidentity = \"variables.sip_identity\"\n\
         verstat = \"variables.sip_verstat_detailed\"\n\
         attest = { column = \"variables.sip_verstat_detailed\", extract = \"-([A-C])$\" }\n",
    ),
];

#[test]
fn a_mapping_file_says_what_a_built_in_format_says() {
    for (format, file, mapping) in MAPPED {
        let mapped =
            Format::mapped("own.toml", mapping.as_bytes()).unwrap_or_else(|faults| panic!("{format}: {faults:?}"));
        let built_in = read(&Format::named(format).unwrap(), &bytes(file), chicago());
        assert_eq!(read(&mapped, &bytes(file), chicago()), built_in, "{format}");
    }
}

#[test]
fn every_built_in_format_is_a_mapping_file_that_people_may_copy() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/cdr/formats");
    for (format, file) in FILES {
        let mapping = fs::read(folder.join(format!("{format}.toml"))).unwrap();
        let mapped = Format::mapped("copy.toml", &mapping).unwrap_or_else(|faults| panic!("{format}: {faults:?}"));
        let built_in = read(&Format::named(format).unwrap(), &bytes(file), chicago());
        assert_eq!(read(&mapped, &bytes(file), chicago()), built_in, "{format}");
    }
}

#[test]
fn the_example_of_a_mapping_file_reads_its_lines() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/formats");
    let file = |name: &str| fs::read(folder.join(name)).unwrap();
    let format = Format::mapped("vos3000.toml", &file("vos3000.toml")).unwrap();
    let (items, no_calls) = read(&format, &file("vos3000.txt"), chicago());
    insta::assert_snapshot!("example_vos3000", format!("{}no calls: {no_calls}\n", shown(&items)));
}

#[test]
fn an_address_may_be_an_integer_of_either_order() {
    let read = |order: &str, text: &str| {
        let mapping = format!(
            "[columns]\nstart = 1\ncalling = 2\ncalled = 3\ningress_address = {{ column = 4, as = \"ipv4-{order}-endian\" }}\n"
        );
        let format = Format::mapped("x.toml", mapping.as_bytes()).unwrap();
        let line = format!("2026-05-04T12:00:01Z,12155550112,12155550131,{text}\n");
        read(&format, line.as_bytes(), chicago()).0[0].as_ref().unwrap().ingress.address.clone()
    };
    // Traceback 4.8: CUCM has the first octet lowest, in a signed integer.
    assert_eq!(read("little", "124007366").as_deref(), Some("198.51.100.7"));
    assert_eq!(read("little", "-1049558837").as_deref(), Some("203.0.113.193"));
    assert_eq!(read("little", "3245408459").as_deref(), Some("203.0.113.193"));
    assert_eq!(read("big", "3325256711").as_deref(), Some("198.51.100.7"));
    for nothing in ["0", "", "x", "99999999999", "198.51.100.7"] {
        assert_eq!(read("little", nothing), None, "{nothing}");
    }
    let faults = Format::mapped("x", b"[columns]\nstart = 1\ncalling = 2\ncalled = { column = 3, as = \"ip\" }\n");
    let fault = faults.unwrap_err()[0].to_string();
    assert!(fault.contains("columns.called.as") && fault.contains("ipv4-little-endian"), "{fault}");
}

#[test]
fn a_fixed_layout_is_read_by_its_slices() {
    // GENBAND G6, traceback 4.8: fixed width.
    let mapping = "kind = \"fixed\"\ntime_format = \"%Y-%m-%d %H:%M:%S\"\n[columns]\nstart = \"1-19\"\n\
        calling = \"21-40\"\ncalled = \"41-60\"\ningress_call_id = \"61-80\"\n[where]\n20 = \"C\"\n";
    let format = Format::mapped("genband.toml", mapping.as_bytes()).unwrap();
    let text = "2026-05-04 07:00:01C2155550112          12155550131         a@x.example\n\
        2026-05-04 07:00:02A2155550112          12155550132         b@x.example\nshort\n";
    let (items, no_calls) = read(&format, text.as_bytes(), chicago());
    assert_eq!(shown(&items), "1: 2026-05-04T12:00:01Z 12155550112 -> 12155550131 in.call=a@x.example\n");
    assert_eq!(no_calls, 2);
}

#[test]
fn faults_of_a_mapping_point_into_it() {
    let faults = |text: &str| {
        let faults = Format::mapped("x", text.as_bytes()).unwrap_err();
        faults.iter().map(|fault| format!("{fault}\n")).collect::<String>()
    };
    let wrong = "kind = \"cvs\"\nhaeder = true\ntime_format = \"%Q\"\n[columns]\nstart = \"time\"\ncaling = 2\ncalled = 0\n\
        ingress_trunk = { column = 3, extract = \"tg-\" }\negress_trunk = { column = 3, extract = \"(\" }\n[where]\n3 = 2.5\n";
    insta::assert_snapshot!("mapping_faults", faults(wrong));
    assert!(faults("kind = [\n").starts_with("line "));
    assert_eq!(
        faults("header = true\n[columns]\nstart = \"time\"\ncalling = \"from\"\n"),
        "line 2, column 1: columns: the key called is missing\n"
    );
}

#[test]
fn a_source_names_the_trunk_and_the_columns() {
    let asterisk = Format::named("asterisk").unwrap();
    let line = "\"tg-a\",\"2155550112\",\"2155550131\",\"x\",\"c\",\"PJSIP/twill-0000002a\",\"\",\"Dial\",\"x\",\
        \"2026-05-04 07:00:01\",,\"2026-05-04 07:01:05\",64,60,\"ANSWERED\",\"D\",\"a.b.c;info=<https://x.example/1>\"\n";
    let trunk = |settings: Settings| {
        let (items, _) = read(&asterisk, line.as_bytes(), settings);
        items[0]
            .as_ref()
            .map(|record| (record.ingress.trunk.clone().unwrap(), record.identity.len()))
            .map_err(ToString::to_string)
    };
    let other = chicago().with_trunk(Some("dcontext".to_owned()));
    assert_eq!(trunk(chicago()), Ok(("tg-a".to_owned(), 0)));
    assert_eq!(trunk(other), Ok(("x".to_owned(), 0)));
    // 17 cells: the last is uniqueid or userfield, and it matters now.
    let ambiguous = trunk(chicago().with_trunk(Some("userfield".to_owned()))).unwrap_err();
    assert!(ambiguous.contains("columns = [..]"), "{ambiguous}");
    let names = "accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec \
        disposition amaflags identity";
    let columns = names.split_whitespace().map(str::to_owned).collect();
    assert_eq!(trunk(chicago().with_columns(columns)), Ok(("tg-a".to_owned(), 1)));
    let nothing = asterisk.open(&b""[..], chicago().with_trunk(Some("trunkk".to_owned()))).unwrap_err();
    assert!(nothing.to_string().contains("trunkk"));
}

/// What reading all blocks gives, each on its own.
fn in_blocks(format: &Format, bytes: &[u8], size: usize) -> Option<(Vec<Result<Record, BadLine>>, u64)> {
    let (parser, blocks) = format.split(bytes, chicago()).ok()?;
    let mut blocks = blocks.with_size(size);
    let mut all = Vec::new();
    while let Some(block) = blocks.next_block().unwrap() {
        all.push(block);
    }
    // As on many cores: the last block may be read first.
    let mut parts: Vec<_> = all
        .iter()
        .rev()
        .map(|block| {
            let mut items = Vec::new();
            let no_calls = parser.records(block, &mut |item| items.push(item));
            (items, no_calls)
        })
        .collect();
    parts.reverse();
    let no_calls = parts.iter().map(|(_, no_calls)| no_calls).sum();
    Some((parts.into_iter().flat_map(|(items, _)| items).collect(), no_calls))
}

#[test]
fn blocks_of_any_size_give_the_same_records() {
    for (name, file) in FILES {
        let format = Format::named(name).unwrap();
        let whole = read(&format, &bytes(file), chicago());
        for size in [16, 64, 100, 333, 1000, 1 << 20] {
            assert_eq!(in_blocks(&format, &bytes(file), size).as_ref(), Some(&whole), "{name} in blocks of {size}");
        }
    }
}

#[test]
fn a_file_of_open_quotes_and_long_lines_reads_the_same_in_blocks() {
    let mut text = b"start,calling,called\n".to_vec();
    for line in 0..400 {
        text.extend_from_slice(if line % 7 == 0 {
            b"\"open,1,2\n"
        } else {
            b"2026-05-04T12:00:01Z,\"1215\n5550112\",12155550131\n"
        });
    }
    text.extend(std::iter::repeat_n(b'x', 3 << 20));
    text.extend_from_slice(b"\n2026-05-04T12:00:01Z,12155550112,12155550131");
    let format = Format::named("stirtrace").unwrap();
    let whole = read(&format, &text, chicago());
    assert_eq!(whole.0.last().unwrap().as_ref().unwrap().called.raw, "12155550131");
    for size in [50, 4096, 1 << 22] {
        assert_eq!(in_blocks(&format, &text, size).as_ref(), Some(&whole), "blocks of {size}");
    }
}

#[test]
fn objects_that_are_never_closed_cost_no_more_than_their_bytes() {
    let format = Format::named("freeswitch-json").unwrap();
    for line in ["{\"a\":\n", " {\"a\":\n", "{\n", "[{\n"] {
        let text = line.repeat(200_000);
        let (items, no_calls) = read(&format, text.as_bytes(), chicago());
        assert_eq!((items.len(), no_calls), (200_000, 0), "{line:?}");
        assert!(items.iter().all(Result::is_err));
    }
}

proptest! {
    #[test]
    fn no_bytes_read_differently_in_blocks(
        format in prop::sample::select(FILES.map(|(name, _)| name).to_vec()),
        bytes in prop::collection::vec(prop::sample::select(b"\",;{}[]:\n\ra1\xff\0 2R".to_vec()), 0..200),
        size in 16usize..64,
    ) {
        let format = Format::named(format).unwrap();
        let mut text = if format.layout().header {
            b"start,time,calling,called,src_user,dst_user,method\n".to_vec()
        } else {
            Vec::new()
        };
        text.extend_from_slice(&bytes);
        if let Ok(mut reader) = format.open(&text[..], chicago()) {
            let items: Vec<_> = reader.by_ref().collect();
            prop_assert_eq!(in_blocks(&format, &text, size), Some((items, reader.no_calls())));
        }
    }

    #[test]
    fn no_mapping_panics(text in "((kind|header|columns|rows|where|start|calling|called|names|quotes|delimiter|join) = (1|\"x\"|true|\\[\\]|\\[1, \"a\"\\]|\\{ column = 1, extract = \"(a)\" \\})\n|\\[(columns|where|abbreviations)\\]\n|\\[\\[rows\\]\\]\n){0,12}") {
        let _ = Format::mapped("x", text.as_bytes());
    }
}

#[test]
fn a_row_that_is_torn_where_it_says_what_it_is_is_no_silence() {
    // Coverage: a call may have stood there.
    let text = "2,192.0.2.1\n\0,192.0.2.1,5060,\"a@b\"\n1,192.0.2.1\n";
    let (items, no_calls) = read(&Format::named("oracle").unwrap(), text.as_bytes(), Settings::for_file(0));
    let faults: Vec<String> = items.iter().filter_map(|item| Some(item.as_ref().err()?.to_string())).collect();
    assert!(faults.iter().any(|fault| fault.starts_with("line 2: a NUL byte")), "{faults:?}");
    assert_eq!(no_calls, 1);
}

#[test]
fn a_row_that_ends_within_the_word_that_says_what_it_is_is_no_silence() {
    // Coverage: "Termina" was a terminating call, and a row that ends before the word may have been one.
    let whole = "0002183384,Acme,Normal,+12155550112,2132,Terminating,+12155550112,Public,+12155550131,20260504120000.000,\
                 1,Yes,20260504120005.000,20260504120105.000,016";
    let cut = |cells: &str| whole[..whole.find(cells).unwrap() + cells.len()].to_owned();
    let start = "0002183385,Acme,Start,+12155550112,2132,Terminating";
    let text = ["title", whole, &cut("2132,Termina"), &cut("2132,"), &cut("Normal"), start, whole, ""].join("\n");
    let (items, no_calls) = read(&Format::named("broadworks").unwrap(), text.as_bytes(), Settings::for_file(0));
    let places: Vec<u64> = items.iter().filter_map(|item| Some(item.as_ref().err()?.place.line)).collect();
    assert_eq!((places, no_calls), (vec![3, 4, 5], 2), "the title and the start of a call are none");
    assert!(items[1].as_ref().unwrap_err().to_string().contains("cut off before its column 6"), "{:?}", items[1]);
}
