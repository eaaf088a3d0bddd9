//! The pictures and cards that the rich call data of a call names, fetched where the configuration says so
//! (RFC 9795 §6; E16, E17).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use crate::fetch::{Fetcher, Kind, NotFetched};
use crate::rich_call_data::Resource;
use crate::service::standing::Standing;
use crate::service::telemetry::{self, Attributes};
use crate::time::UnixTime;
use crate::verify::{Materials, Verdict};

/// So many URLs of one call are fetched, however many PASSporTs it has.
const MAX_URLS: usize = 16;
/// A card, and then its pictures.
const ROUNDS: usize = 2;

/// What came of a URL.
type Obtained = (String, Result<Arc<[u8]>, String>);

/// Fetches what the verdict says is missing, and judges again. `spent` is how long the call has waited already.
///
/// A call waits no longer than one fetch may take, and for no more than half of its request's time: what has not come then
/// is for the next call, and this one is told so.
pub(super) async fn complete(
    standing: &Standing,
    mut verdict: Verdict,
    materials: &mut Materials,
    (now, spent): (UnixTime, Duration),
    judge: impl Fn(&Materials) -> Verdict,
) -> Verdict {
    let Some(fetcher) = standing.fetcher().filter(|_| standing.settings().fetch_rich_call_data) else {
        return verdict;
    };
    let left = (standing.settings().limits.request_time / 2).saturating_sub(spent);
    let deadline = Instant::now() + fetcher.time_limit(Kind::RichCallData).min(left);
    for _ in 0..ROUNDS {
        let missing: BTreeMap<&str, &Resource> =
            verdict.missing_resources().take(MAX_URLS).map(|resource| (resource.url(), resource)).collect();
        if missing.is_empty() {
            break;
        }
        let asked = missing
            .into_iter()
            .map(|(url, resource)| async move { (url.to_owned(), obtain(fetcher, resource, deadline, now).await) });
        let tell = |obtained: &Vec<Obtained>, attributes: &mut Attributes| tell(obtained, attributes);
        for (url, outcome) in telemetry::waited("fetch rich call data", join_all(asked), tell).await {
            match outcome {
                Ok(body) => materials.add_resource(&url, body),
                Err(why) => materials.mark_resource_unavailable(&url, why),
            }
        }
        verdict = judge(materials);
    }
    verdict
}

async fn obtain(fetcher: &Fetcher, resource: &Resource, deadline: Instant, now: UnixTime) -> Result<Arc<[u8]>, String> {
    match timeout_at(deadline, fetcher.rich_call_data(resource, now)).await {
        Ok(Ok(found)) => Ok(Arc::clone(&found.body)),
        // What lies there is not what was signed: the verifier says so itself.
        Ok(Err(why @ NotFetched::Unacceptable { .. })) => match fetcher.held(Kind::RichCallData, resource.url()) {
            Some(other) => Ok(Arc::clone(&other.body)),
            None => Err(why.to_string()),
        },
        Ok(Err(why)) => Err(why.to_string()),
        Err(_) => Err("it did not come in the time that a call waits".to_owned()),
    }
}

fn tell(obtained: &[Obtained], attributes: &mut Attributes) {
    attributes.integer("stirtrace.resources", obtained.len());
    attributes.integer("stirtrace.resources.failed", obtained.iter().filter(|(_, outcome)| outcome.is_err()).count());
}
