//! How many files the service may have open: a connection is one (setrlimit, POSIX.1-2024; RLIMIT_NOFILE).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::fetch;
use crate::service::Settings;

/// Raises the limit for this process to what the settings may take, as far as the system lets it; where it does not, the
/// log says what to do. Not beyond: libraries of security modules may be older than files of such numbers.
pub(super) fn allow(settings: &Settings) {
    let needed = needed(settings);
    let limit = getrlimit(Resource::Nofile);
    let wanted = raised(limit, needed);
    let limit = match wanted {
        Some(wanted) if setrlimit(Resource::Nofile, wanted).is_ok() => wanted,
        _ => limit,
    };
    if let Some(limit) = limit.current.filter(|limit| *limit < needed) {
        tracing::warn!(
            limit,
            needed,
            "fewer files may be open than [service.limits] connections, [service.sip] and the service itself may take: \
             raise the limit (ulimit -Hn, LimitNOFILE= of a unit), or lower connections"
        );
    }
}

/// The limit to set, where it has to be raised and can be.
fn raised(limit: Rlimit, needed: u64) -> Option<Rlimit> {
    // None stands for no limit.
    let (current, maximum) = (limit.current?, limit.maximum.unwrap_or(u64::MAX));
    let reachable = needed.min(maximum);
    (current < reachable).then_some(Rlimit { current: Some(reachable), ..limit })
}

/// What all that the settings allow takes at once.
fn needed(settings: &Settings) -> u64 {
    let sip = settings.sip.endpoints.len().saturating_mul(settings.sip.limits.connections.saturating_add(1));
    let fetching = fetch::Limits::default().connections.saturating_mul(2);
    let files = settings.limits.connections.saturating_add(settings.listen.len());
    u64::try_from(files.saturating_add(sip).saturating_add(fetching).saturating_add(OTHERS)).unwrap_or(u64::MAX)
}

/// The log, files that are read anew or written, look-ups of names, the shared memory, the runtime's own.
const OTHERS: usize = 192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_raised_as_far_as_it_has_to_and_may_be() {
        let limit = |current, maximum| Rlimit { current, maximum };
        for (before, needed, after) in [
            (limit(Some(1024), Some(4096)), 2000, Some(2000)),
            (limit(Some(1024), Some(1500)), 2000, Some(1500)),
            (limit(Some(1024), None), 2000, Some(2000)),
            (limit(Some(1024), Some(1024)), 2000, None),
            (limit(Some(4096), Some(4096)), 2000, None),
            (limit(None, None), 2000, None),
        ] {
            let raised = raised(before, needed);
            assert_eq!(raised.and_then(|limit| limit.current), after, "{before:?}");
            assert!(raised.is_none_or(|limit| limit.maximum == before.maximum));
        }
    }
}
