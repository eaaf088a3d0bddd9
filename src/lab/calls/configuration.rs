//! The `stirtrace.toml` of a practice world.

use std::fmt::Write as _;

use super::cast::{PROVIDERS, Trade};
use super::folder::stem;
use super::settings::Settings;
use super::world::{DAY, Link, Network, Party, World, ranges};
use crate::time::UnixTime;

pub(super) fn print(world: &World, settings: &Settings) -> String {
    let mut text = format!(
        "# A practice world: seed {}, {} days. Nobody in it exists. Paths are relative to this file.\n\n\
         trust = [\"certs/roots.pem\"]\ncertificates = \"certs/archive\"\n\
         crl = [\"certs/crl/indirect.pem\"]\ncrl_signer = [\"certs/crl-signer.pem\"]\n",
        settings.seed.escape_debug(),
        world.length / DAY
    );
    for network in &world.networks {
        print_network(network, world, &mut text);
    }
    text
}

fn print_network(network: &Network, world: &World, text: &mut String) {
    let own = &PROVIDERS[network.provider];
    let _ = write!(text, "\n[[network]]\nname = \"{}\"\n", own.name);
    if let Some(spc) = own.spc {
        let _ = writeln!(text, "spc = \"{spc}\"");
    }
    let _ = writeln!(text, "country = \"{}\"\ntime_zone = \"{}\"", own.country, own.office);
    for switch in &network.switches {
        let name = stem(network.provider, switch);
        let _ = write!(
            text,
            "\n[[network.source]]\nname = \"{}\"\nfiles = \"{name}-*\"\nformat = \"{}\"\n",
            switch.name,
            switch.layout.name()
        );
        let _ = writeln!(text, "time_zone = \"{}\"", switch.zone.name());
        text.push_str(switch.layout.options());
    }
    let mut told: Vec<(Party, Option<i64>, Option<i64>)> = Vec::new();
    for link in &network.links {
        let key = (link.party, link.from, link.until);
        if !told.contains(&key) {
            told.push(key);
            print_peer(network, link, world, text);
        }
    }
}

/// A peer with all links of its that it has for the same time.
fn print_peer(network: &Network, first: &Link, world: &World, text: &mut String) {
    let _ = write!(text, "\n[[network.peer]]\nname = \"{}\"\n", first.party.name());
    match first.party {
        Party::Customer(_) => text.push_str("kind = \"customer\"\ncountry = \"US\"\n"),
        Party::Provider(place) => {
            let own = &PROVIDERS[place];
            if let Some(spc) = own.spc {
                let _ = writeln!(text, "spc = \"{spc}\"");
            }
            if own.trade != Trade::Foreign {
                let _ = writeln!(text, "rmd = \"RMD{:07}\"\nfrn = \"{:010}\"", 1000 + place, 10_000 + place * 17);
            }
            let _ = writeln!(text, "country = \"{}\"", own.country);
        }
    }
    let is_same = |link: &&Link| (link.party, link.from, link.until) == (first.party, first.from, first.until);
    let trunks: Vec<String> = network.links.iter().filter(is_same).map(trunk).collect();
    let addresses: Vec<String> =
        ranges(first.party, first.is_leased).iter().map(|range| format!("\"{range}\"")).collect();
    let _ = writeln!(text, "trunks = [{}]\naddresses = [{}]", trunks.join(", "), addresses.join(", "));
    debug_assert!(first.from.is_none_or(|from| from == world.changeover), "one day of change");
    if let Some(from) = first.from {
        let _ = writeln!(text, "from = {}", date(from));
    }
    if let Some(until) = first.until {
        let _ = writeln!(text, "until = {}", date(until - DAY));
    }
}

fn trunk(link: &Link) -> String {
    match link.tech_prefix {
        Some(prefix) => format!("{{ name = \"{}\", tech_prefix = \"{prefix}\" }}", link.trunk),
        None => format!("\"{}\"", link.trunk),
    }
}

fn date(milliseconds: i64) -> String {
    UnixTime::from_seconds(milliseconds / 1000).to_string().chars().take(10).collect()
}
