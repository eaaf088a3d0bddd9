//! An answer as a page that an investigator can paste into a portal.

use crate::cli::text::{Text, Tone, grouped};
use crate::traceback::{Answer, Hop, HopSource, Matched, RecordPlace, Signature, Status, Tier, Upstream};

/// Prints the page.
pub(super) fn print(answer: &Answer, text: &mut Text) {
    headline(answer, text);
    if let Some(upstream) = &answer.upstream {
        the_answer(answer, upstream, text);
    }
    text.field("because", &answer.because);
    for matched in &answer.matches {
        candidate(answer, matched, text);
    }
    match &answer.signature {
        Some(signature) => print_signature(signature, text),
        None if answer.status == Status::Found => {
            text.field("signature", "none: the record carries no Identity header")
        }
        None => {}
    }
    chain(&answer.chain, text);
    if let Some(next) = &answer.next {
        text.name("ask next")
            .put(Tone::Strong, next.ask.as_deref().unwrap_or("nobody is known"))
            .plain(": ")
            .plain(&next.because)
            .end();
        if let Some(shortcut) = &next.shortcut {
            text.name("or at once").put(Tone::Strong, &shortcut.ask).plain(": ").plain(&shortcut.because).end();
        }
    }
    for finding in &answer.findings {
        text.name("finding").put(Tone::Doubt, finding.name.as_str()).plain(": ").plain(&finding.detail).end();
    }
    searched(answer, text);
    due(answer, text);
    text.end();
}

fn headline(answer: &Answer, text: &mut Text) {
    let tone = match answer.status {
        Status::Found => Tone::Good,
        Status::NotFound => Tone::Strong,
        _ => Tone::Doubt,
    };
    let word = answer.status.as_str().to_ascii_uppercase();
    text.put(tone, word).plain("  ").put(Tone::Strong, &answer.request.id).end();
    let asked = &answer.request;
    let whole = if asked.time_seconds > 1 { " (the whole minute)" } else { "" };
    text.field("request", format_args!("{} called {} at {}{whole}", asked.from, asked.to, asked.time));
    let more = [("campaign", &asked.campaign), ("asked by", &asked.source)];
    for (name, value) in more {
        if let Some(value) = value {
            text.field(name, value);
        }
    }
}

fn the_answer(answer: &Answer, upstream: &Upstream, text: &mut Text) {
    let us = label(answer.network.as_deref(), answer.spc.as_deref());
    let customer = upstream.kind == Some("customer");
    let verb = if customer { "is the customer that made the call" } else { "handed us the call" };
    let name = upstream.name.as_deref().unwrap_or("a peer that stirtrace.toml does not name");
    text.name("answer").put(Tone::Strong, name).plain(" ").plain(verb).end();
    text.name("");
    identifiers(upstream, text).end();
    let onward = answer.downstream.as_ref().map_or_else(
        || "; the record shows nobody that it handed the call to".to_owned(),
        |down| {
            format!(
                "; it handed the call to {}",
                label(down.name.as_deref().or(down.trunk.as_deref()), down.spc.as_deref())
            )
        },
    );
    match answer.role {
        Some(role) => text.field("our role", format_args!("{us} is {}{onward}", role.as_str())),
        None => text.field("our role", format_args!("{us}: its records do not say where calls went")),
    }
}

fn label(name: Option<&str>, spc: Option<&str>) -> String {
    let name = name.unwrap_or("unknown");
    spc.map_or_else(|| name.to_owned(), |spc| format!("{name} ({spc})"))
}

/// What the registries and we call it by, and what the record says of the link.
fn identifiers<'a>(upstream: &Upstream, text: &'a mut Text) -> &'a mut Text {
    let listed =
        [("SPC ", &upstream.spc), ("", &upstream.rmd), ("FRN ", &upstream.frn), ("country ", &upstream.country)];
    let recorded = [("trunk ", &upstream.trunk), ("address ", &upstream.address)];
    let mut comma = "";
    for (name, value) in listed {
        if let Some(value) = value {
            text.plain(comma).put_legible(Tone::Plain, format_args!("{name}{value}"));
            comma = ", ";
        }
    }
    for (name, value) in recorded {
        if let Some(value) = value {
            text.plain(comma).plain(format_args!("{name}{value}"));
            comma = ", ";
        }
    }
    text
}

fn candidate(answer: &Answer, matched: &Matched, text: &mut Text) {
    if answer.status == Status::Ambiguous {
        let name = label(matched.upstream.name.as_deref(), matched.upstream.spc.as_deref());
        text.name("candidate").put(Tone::Strong, name).plain("  ");
        identifiers(&matched.upstream, text).end();
    }
    text.name("how sure")
        .plain(format_args!("{:.2} ({})", matched.score, matched.tier.as_str()))
        .plain("  ")
        .plain(parts(matched))
        .end();
    if let Some(words) = signed(matched) {
        text.field("", words);
    }
    text.name("record").put(Tone::Name, place(&matched.record)).end();
    text.field("", format_args!("sha256 {}", matched.record.sha256));
    let call = &matched.call;
    let span = match (call.answer, call.end) {
        (Some(answered), Some(end)) => format!("answered {answered}, ended {end}"),
        (Some(answered), None) => format!("answered {answered}"),
        (None, Some(end)) => format!("no answer recorded, ended {end}"),
        (None, None) => "no answer recorded".to_owned(),
    };
    let raw = call.original_called.as_ref().map_or_else(String::new, |own| format!(" (at first for {own})"));
    text.field("", format_args!("{} to {}{raw}, began {}, {span}", call.calling, call.called, matched.time));
    let ids = [("in", &call.ingress_call_id), ("out", &call.egress_call_id)];
    let ids: Vec<String> = ids.iter().filter_map(|(way, id)| Some(format!("Call-ID {way} {}", id.as_ref()?))).collect();
    if !ids.is_empty() {
        text.field("", ids.join(", "));
    }
    if !matched.also.is_empty() {
        let also = matched.also.iter().map(|own| format!("{} ({})", place(&own.record), own.why.as_str()));
        let also: Vec<String> = also.collect();
        text.field("", format_args!("the same call also in {}", also.join(", ")));
    }
}

fn place(record: &RecordPlace) -> String {
    format!("{}:{}", record.file, record.line)
}

/// How the PASSporT's claims agree with the request.
fn signed(matched: &Matched) -> Option<String> {
    let signed = matched.parts.signed?;
    let same = |same: bool| if same { "the same" } else { "another" };
    let iat = signed.seconds.map_or_else(String::new, |seconds| format!(", iat {seconds:+} s"));
    Some(format!("the PASSporT has {} orig, {} dest{iat}", same(signed.from), same(signed.to)))
}

fn parts(matched: &Matched) -> String {
    let parts = &matched.parts;
    let likeness = |value: f64| {
        if value >= 1.0 {
            "the same"
        } else if value >= 0.9 {
            "the same but for the country code"
        } else {
            "another"
        }
    };
    let called = if parts.diverted { "tied by a diversion" } else { likeness(parts.to) };
    let seconds = match parts.seconds {
        0 => "at the time asked for".to_owned(),
        early @ ..0 => format!("{} s before the time asked for", -early),
        late => format!("{late} s after the time asked for"),
    };
    let mut words = format!("calling number {}, called number {called}, {seconds}", likeness(parts.from));
    if matched.tier == Tier::Clock {
        words += &format!(", with the source's clock {} minutes off", parts.clock_offset_minutes);
    }
    words
}

fn print_signature(signature: &Signature, text: &mut Text) {
    let (tone, word) = match signature.verdict {
        "passed" => (Tone::Good, "valid"),
        "failed" => (Tone::Bad, "not valid"),
        _ => (Tone::Doubt, "not to be judged"),
    };
    text.name("signature").put(tone, word).plain(format_args!(" as of the call ({})", signature.at)).end();
    let signer = signature.signer.as_ref();
    let name = signer.and_then(|own| own.name());
    let spc = signer.and_then(|own| own.spc());
    if name.is_some() || spc.is_some() {
        let claim = if signature.verdict == "passed" { "signed by " } else { "claims to be signed by " };
        text.name("").plain(claim).put(Tone::Strong, label(name, spc)).end();
    }
    if let Some(attest) = signature.attest {
        let meaning = match attest {
            "A" => "it knows its customer, and the customer's right to the number",
            "B" => "it knows its customer, not the right to the number",
            _ => "it only knows where the call entered its network",
        };
        text.field("", format_args!("attestation {attest}: {meaning}"));
    }
    if let Some(origid) = &signature.origid {
        text.field("", format_args!("origid {origid}"));
    }
    if let Some(error) = &signature.error {
        text.field("", format_args!("{}: {error}", error.kind()));
    }
}

fn chain(hops: &[Hop], text: &mut Text) {
    let mut name = "chain";
    if let Some(customer) = hops.first().and_then(|hop| hop.customer.as_ref()) {
        text.name(name).plain(customer).put(Tone::Faint, "  customer").end();
        name = "";
    }
    for hop in hops {
        if hop.after_gap {
            text.name("").put(Tone::Faint, "  ┆ hops unknown").end();
        } else if name.is_empty() {
            text.name("").put(Tone::Faint, "  │").end();
        }
        let role = hop.role.map_or("role unknown", |role| role.as_str());
        let how = match (hop.source, hop.role_certainty) {
            (HopSource::Signature, _) => "by its signature's claim".to_owned(),
            (source, Some(certainty)) => format!("by our {}; role {}", source.as_str(), certainty.as_str()),
            (source, None) => format!("by our {}", source.as_str()),
        };
        text.name(name)
            .put(Tone::Strong, hop.label())
            .plain("  ")
            .plain(role)
            .put(Tone::Faint, format_args!("  {how}"))
            .end();
        name = "";
    }
}

fn searched(answer: &Answer, text: &mut Text) {
    let searched = &answer.searched;
    let span = match (searched.from, searched.to) {
        (Some(from), Some(to)) => format!(", from {from} to {to}"),
        _ => String::new(),
    };
    let aside = if searched.set_aside > 0 {
        format!(", {} lines could not be read", grouped(searched.set_aside))
    } else {
        String::new()
    };
    let gaps = if searched.gaps.is_empty() { ", no gap".to_owned() } else { String::new() };
    text.field(
        "searched",
        format_args!("{} records in {} files{span}{aside}{gaps}", grouped(searched.records), searched.files),
    );
    for gap in &searched.gaps {
        text.field("", format_args!("gap in {}: {} to {}", gap.source, gap.from, gap.to));
    }
}

fn due(answer: &Answer, text: &mut Text) {
    match &answer.due {
        Some(due) => {
            text.name("due").put(Tone::Strong, due).put(Tone::Faint, format_args!("  rules {}", answer.ruleset)).end()
        }
        None => text.field("due", "not to be said"),
    }
    for reason in &answer.due_because {
        text.field("", reason);
    }
}
