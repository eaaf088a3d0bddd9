//! The checks that hold a PASSporT against the call it came with: freshness and who calls
//! (RFC 8224 §6.2 steps 2 and 4). Who is called is judged with the diversions, in `div_chain`.

use crate::number::Identity;
use crate::sip::call::{Call, CallForm};
use crate::time::UnixTime;
use crate::verify::detail::Detail;
use crate::verify::div_chain::Age;
use crate::verify::error::Error;
use crate::verify::policy::Policy;
use crate::verify::rules;
use crate::verify::subject::Subject;

impl Subject {
    /// How old it is (E5 (e)); one without a time is stale.
    pub(super) fn age(&self, policy: &Policy, now: UnixTime) -> Age {
        match self.passport.as_ref().and_then(|passport| passport.claims().iat) {
            Some(iat) if is_fresh(iat, policy, now) => Age::Fresh,
            Some(iat) if (0..=policy.max_diverted_age).contains(&now.seconds_since(iat)) => Age::Late,
            _ => Age::Stale,
        }
    }

    /// RFC 8224 §6.2 step 4. `carried`: sound and fresh diversions lead on from here, so that it may be older.
    pub(super) fn check_freshness(&mut self, call: &Call, policy: &Policy, now: UnixTime, carried: bool) {
        let age = self.age(policy, now);
        let Some(passport) = &self.passport else { return };
        let iat = passport.claims().iat;
        let date = call.date.as_ref().and_then(|field| field.time);
        let iat_fresh = age == Age::Fresh;
        let late = carried && age == Age::Late;
        match date {
            None if call.date.is_some() => {
                self.examination.warn(rules::DATE, "the Date field cannot be read; iat decides")
            }
            None => self.examination.skip(rules::DATE, "the call has no Date; iat decides"),
            Some(date) if is_fresh(date, policy, now) => self.examination.pass(rules::DATE, Detail::at(date)),
            // B-V4: if they differ but iat is fresh, iat is used.
            Some(date) if iat_fresh => {
                let detail = format!("Date {date} is stale, iat is fresh: iat decides");
                self.examination.warn(rules::DATE, detail);
            }
            Some(date) if late => {
                let detail = format!("Date {date} is stale; the last diversion's iat decides");
                self.examination.warn(rules::DATE, detail);
            }
            Some(date) => {
                let error = Error::StaleDate { date, at: now, max_age: policy.max_age };
                self.examination.fail(rules::DATE, error);
            }
        }
        match iat {
            None => self.examination.skip(rules::IAT, "there is no iat that can be read"),
            Some(iat) if iat_fresh => self.examination.pass(rules::IAT, Detail::at(iat)),
            // E5 (e): only the outermost PASSporT must be fresh.
            Some(iat) if late => {
                let detail = format!("signed at {iat}, before the call was diverted; the last diversion is fresh");
                self.examination.warn(rules::IAT, detail);
            }
            Some(iat) => {
                let error = Error::StaleIat { iat, at: now, max_age: policy.max_age };
                self.examination.fail(rules::IAT, error);
            }
        }
    }

    /// RFC 8224 §12.1: the same token must not serve another call.
    pub(super) fn check_replay(&mut self, call: &Call) {
        let Some(token) = self.header.as_ref().map(|header| header.token.as_str()) else { return };
        match call.replays.iter().find(|(earlier, _)| signed_part(earlier) == signed_part(token)) {
            Some((_, call)) => {
                self.examination.fail(rules::REPLAY, Error::ReplayedToken { earlier: call.clone() });
            }
            None => self.examination.pass(rules::REPLAY, ""),
        }
    }

    /// RFC 8224 §6.2 step 2: `orig` is no word on who calls; it is compared with the signalling (B-V6, F1, F2).
    pub(super) fn check_orig(&mut self, call: &Call) {
        let (field, candidates) = match call.asserted.as_slice() {
            [] => ("From", call.from.as_slice()),
            asserted => ("P-Asserted-Identity", asserted),
        };
        if candidates.is_empty() {
            self.note_missing_caller(call);
            return;
        }
        let Some(orig) = &self.orig else {
            if self.passport.is_some() {
                self.examination.skip(rules::ORIG, "there is no orig that can be read");
            }
            return;
        };
        match candidates.iter().find(|signalled| *signalled == orig) {
            Some(signalled) => self.examination.pass(rules::ORIG, Detail::as_in(signalled, field)),
            None => {
                let list: Vec<_> = candidates.iter().map(|identity| format!("{identity} in {field}")).collect();
                let error = Error::OrigMismatch { signed: orig.to_string(), signalled: list.join(", ") };
                self.examination.fail(rules::ORIG, error);
            }
        }
    }

    fn note_missing_caller(&mut self, call: &Call) {
        if call.form == CallForm::Bare {
            self.examination.skip(rules::ORIG, "nothing says who calls; give it with --from");
            return;
        }
        let reason = match call.conflicting.iter().find(|name| **name == "from") {
            Some(_) => "From stands there twice with different meanings",
            None => "From and P-Asserted-Identity are absent, anonymous or unreadable",
        };
        self.examination.fail(rules::ORIG, Error::NoCallingIdentity { reason: reason.to_owned() });
    }
}

fn is_fresh(moment: UnixTime, policy: &Policy, now: UnixTime) -> bool {
    moment.seconds_since(now).unsigned_abs() <= policy.max_age.unsigned_abs()
}

/// What of a token is signed. Its signature may be spelled in several ways, and a second good one be made from the
/// first (`n - s` for `s`), so it does not tell tokens apart. A compact token is all signature.
fn signed_part(token: &str) -> &str {
    match token.rsplit_once('.') {
        Some((signed, _)) if signed != "." => signed,
        _ => token,
    }
}

/// Who is called, as the signalling names them: To first, then the Request-URI (F2).
pub(super) fn called(call: &Call) -> impl Iterator<Item = (&'static str, &Identity)> {
    let to = call.to.iter().map(|to| ("To", to));
    to.chain(call.request_uri.iter().map(|uri| ("the Request-URI", uri)))
}

/// Where the call is going now: the Request-URI, or To where there is none (E5 (b): To is not what a diversion aims at).
pub(super) fn target(call: &Call) -> Option<&Identity> {
    call.request_uri.as_ref().or(call.to.as_ref())
}
