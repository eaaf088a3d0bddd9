//! One fetch for a URL, however many ask: the first starts it, the others wait for how it lands.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, watch};

use crate::fetch::fetcher::error::NotFetched;
use crate::fetch::fetcher::shelf::Held;

/// The fetches under way, by URL.
pub(super) struct Flights {
    airborne: Arc<Mutex<HashMap<Arc<str>, Flight>>>,
    most: usize,
    slots_of_one_zone: usize,
}

struct Flight {
    zone: String,
    /// Who may connect to hosts of the zone; the same for all its flights.
    slots: Arc<Semaphore>,
    landing: watch::Receiver<Option<Landing>>,
}

/// How a fetch ended: what is held of the URL now, and what went wrong, or both.
#[derive(Clone, Debug)]
pub(super) struct Landing {
    pub(super) held: Option<Arc<Held>>,
    pub(super) failure: Option<NotFetched>,
}

/// How an asker came to a fetch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Boarding {
    /// It began it.
    Began,
    /// Somebody else had.
    Joined,
    /// There was no room for another.
    Refused,
}

impl Flights {
    pub(super) fn new(most: usize, slots_of_one_zone: usize) -> Self {
        Self { airborne: Arc::default(), most, slots_of_one_zone }
    }

    /// How many are under way.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Waits for the fetch of a URL, which `start` makes where there is none, and says how it came to it.
    /// `start` is told who may connect. Hosts are told apart by their zone ([`Host::zone`](crate::fetch::location::Host)):
    /// a name below it costs nothing.
    ///
    /// Whoever stops waiting stops nobody else: the fetch is a task of its own.
    pub(super) async fn join<F>(
        &self,
        url: &Arc<str>,
        zone: &str,
        start: impl FnOnce(Arc<Semaphore>) -> F,
    ) -> (Landing, Boarding)
    where
        F: Future<Output = Landing> + Send + 'static,
    {
        let (mut receiver, boarding) = match self.board(url, zone, start) {
            Ok(boarded) => boarded,
            Err(why) => return (Landing { held: None, failure: Some(why) }, Boarding::Refused),
        };
        // The sender is dropped unsent only where the task was ended with its runtime, or panicked.
        let lost = || NotFetched::Incomplete { why: "the fetch was given up".to_owned() };
        let landing = match receiver.wait_for(Option::is_some).await {
            Ok(landing) => landing.clone(),
            Err(_) => None,
        };
        (landing.unwrap_or_else(|| Landing { held: None, failure: Some(lost()) }), boarding)
    }

    fn board<F>(
        &self,
        url: &Arc<str>,
        zone: &str,
        start: impl FnOnce(Arc<Semaphore>) -> F,
    ) -> Result<(watch::Receiver<Option<Landing>>, Boarding), NotFetched>
    where
        F: Future<Output = Landing> + Send + 'static,
    {
        let mut airborne = self.lock();
        if let Some(flight) = airborne.get(url) {
            return Ok((flight.landing.clone(), Boarding::Joined));
        }
        if airborne.len() >= self.most {
            return Err(NotFetched::TooManyAtOnce { limit: self.most, host: None });
        }
        let mut of_zone = airborne.values().filter(|flight| flight.zone == zone).peekable();
        let slots = of_zone.peek().map(|flight| Arc::clone(&flight.slots));
        // One that does not answer leaves room to wait for the others.
        let most_of_zone = (self.most / 4).max(self.slots_of_one_zone);
        if of_zone.count() >= most_of_zone {
            return Err(NotFetched::TooManyAtOnce { limit: most_of_zone, host: Some(zone.to_owned()) });
        }
        let slots =
            slots.unwrap_or_else(|| Arc::new(Semaphore::new(self.slots_of_one_zone.min(Semaphore::MAX_PERMITS))));
        let (sender, landing) = watch::channel(None);
        airborne.insert(
            Arc::clone(url),
            Flight { slots: Arc::clone(&slots), zone: zone.to_owned(), landing: landing.clone() },
        );
        drop(airborne);
        let gone = Gone { airborne: Arc::clone(&self.airborne), url: Arc::clone(url) };
        let fetch = start(slots);
        tokio::spawn(async move {
            let landing = fetch.await;
            // What landed is on its shelf by now: whoever comes from here on finds it there.
            drop(gone);
            let _ = sender.send(Some(landing));
        });
        Ok((landing, Boarding::Began))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Flight>> {
        // The map is whole between any two of its operations.
        self.airborne.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a fetch off the list when it ends, however it ends.
struct Gone {
    airborne: Arc<Mutex<HashMap<Arc<str>, Flight>>>,
    url: Arc<str>,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.airborne.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.url);
    }
}
