//! The README that lies in every practice world.

use std::fmt::Write as _;

use super::Summary;
use super::cast::PROVIDERS;
use super::settings::Settings;
use super::world::World;

pub(super) fn print(world: &World, settings: &Settings, summary: &Summary) -> String {
    let mut text = HEAD
        .replace("{seed}", &settings.seed.escape_debug().to_string())
        .replace("{days}", &summary.days.to_string())
        .replace("{records}", &summary.records.to_string())
        .replace("{damaged}", &summary.damaged.to_string())
        .replace("{requests}", &summary.requests.to_string());
    for network in &world.networks {
        for switch in &network.switches {
            let offset = match switch.offset / 60_000 {
                0 => String::new(),
                minutes => format!("{minutes:+} minutes"),
            };
            let _ = writeln!(
                text,
                "| {} | `{}` | {} | {} | {offset} |",
                PROVIDERS[network.provider].name,
                switch.name,
                switch.layout.name(),
                switch.zone.name()
            );
        }
    }
    text.push_str(TRUTH);
    text
}

const HEAD: &str = "# A practice world

Written by `stirtrace lab calls`, never by hand. Nobody in it exists, no number is anybody's, its keys are worthless.
Seed `{seed}`: the same settings give the same bytes. {days} days, {records} call records, {damaged} damaged lines,
{requests} requests. Answer them with

```
stirtrace trace --config stirtrace.toml requests.csv
```

| network | switch | format | zone | its clock is off by |
|---|---|---|---|---|
";

const TRUTH: &str = "
`truth.jsonl` says what may be answered, an object a request, in the order of `requests.csv`:

| member | what it says |
|---|---|
| `id` | the request's |
| `kind` | `campaign`, `background`, `redial` (the pair was dialed again), `never-made` |
| `time` | how it is asked: `exact` (2 s), `seconds` (90 s), `minute`, `near` (7 to 12 minutes off); `never`, `hole`, `outside` |
| `status` | the statuses that are right, the best first |
| `network` | who should answer: the network nearest the called party that has the call |
| `upstream` | who handed it the call |
| `tier` | how well its best line fits: `exact`, `near`, `clock`, `called-only` |
| `records` | its lines about the call, file and line: every attempt |
| `networks` | the same of every network that has the call: the records do not always tell which is the nearest |
| `alone` | whether no other call fits as well; else the line is not to be judged |
| `customer`, `chain` | who made the call, and the providers that it went through |
| `attest`, `signer` | what the PASSporT of the answering line claims; null where it brings none |
| `findings` | what may be found; every other finding is wrong |
";
