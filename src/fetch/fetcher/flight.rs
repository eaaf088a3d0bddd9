//! One fetch for a URL, however many ask: the first starts it, the others wait for how it lands.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::fetch::fetcher::error::NotFetched;
use crate::fetch::fetcher::shelf::Held;

/// The fetches under way, by URL.
pub(super) struct Flights {
    airborne: Arc<Mutex<HashMap<Arc<str>, Flight>>>,
    most: usize,
    most_of_one_host: usize,
}

struct Flight {
    host: String,
    landing: watch::Receiver<Option<Landing>>,
}

/// How a fetch ended: what is held of the URL now, and what went wrong, or both.
#[derive(Clone, Debug)]
pub(super) struct Landing {
    pub(super) held: Option<Arc<Held>>,
    pub(super) failure: Option<NotFetched>,
}

impl Flights {
    pub(super) fn new(most: usize, most_of_one_host: usize) -> Self {
        Self { airborne: Arc::default(), most, most_of_one_host }
    }

    /// How many are under way.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Waits for the fetch of a URL, which `start` makes where there is none; says whether somebody else had.
    ///
    /// Whoever stops waiting stops nobody else: the fetch is a task of its own.
    pub(super) async fn join<F>(&self, url: &Arc<str>, host: &str, start: impl FnOnce() -> F) -> (Landing, bool)
    where
        F: Future<Output = Landing> + Send + 'static,
    {
        let (mut receiver, is_joined) = match self.board(url, host, start) {
            Ok(boarded) => boarded,
            Err(why) => return (Landing { held: None, failure: Some(why) }, false),
        };
        // The sender is dropped unsent only where the task was ended with its runtime, or panicked.
        let lost = || NotFetched::Incomplete { why: "the fetch was given up".to_owned() };
        let landing = match receiver.wait_for(Option::is_some).await {
            Ok(landing) => landing.clone(),
            Err(_) => None,
        };
        (landing.unwrap_or_else(|| Landing { held: None, failure: Some(lost()) }), is_joined)
    }

    fn board<F>(
        &self,
        url: &Arc<str>,
        host: &str,
        start: impl FnOnce() -> F,
    ) -> Result<(watch::Receiver<Option<Landing>>, bool), NotFetched>
    where
        F: Future<Output = Landing> + Send + 'static,
    {
        let mut airborne = self.lock();
        if let Some(flight) = airborne.get(url) {
            return Ok((flight.landing.clone(), true));
        }
        if airborne.len() >= self.most {
            return Err(NotFetched::TooManyAtOnce { limit: self.most, host: None });
        }
        if airborne.values().filter(|flight| flight.host == host).count() >= self.most_of_one_host {
            return Err(NotFetched::TooManyAtOnce { limit: self.most_of_one_host, host: Some(host.to_owned()) });
        }
        let (sender, landing) = watch::channel(None);
        airborne.insert(Arc::clone(url), Flight { host: host.to_owned(), landing: landing.clone() });
        drop(airborne);
        let gone = Gone { airborne: Arc::clone(&self.airborne), url: Arc::clone(url) };
        let fetch = start();
        tokio::spawn(async move {
            let landing = fetch.await;
            // What landed is on its shelf by now: whoever comes from here on finds it there.
            drop(gone);
            let _ = sender.send(Some(landing));
        });
        Ok((landing, false))
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
