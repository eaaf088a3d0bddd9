//! A thread that talks to a token over a session of its own, one signature after the other.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::error::TokenError;
use super::session::{Place, Session};

/// A digest to be signed, and whom to tell.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) digest: [u8; 32],
    pub(super) answer: oneshot::Sender<Result<Vec<u8>, TokenError>>,
}

/// What a thread works with.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) place: Arc<Place>,
    pub(super) jobs: Arc<Mutex<Receiver<Job>>>,
    pub(super) session: Option<Session>,
    /// Why no session could be opened, and when.
    pub(super) failed: Option<(Instant, TokenError)>,
    /// Let go of when its session is closed.
    pub(super) alive: Arc<()>,
}

/// How long a token is left alone that gave no session; calls meanwhile are told so at once.
const PAUSE: Duration = Duration::from_secs(1);

impl Worker {
    /// Works until nobody can ask any more.
    pub(super) fn run(mut self) {
        while let Some(job) = self.next() {
            // Whoever asked may have given up.
            if !job.answer.is_closed() {
                let signed = self.sign(&job.digest);
                let _ = job.answer.send(signed);
            }
        }
        self.close();
        drop(self.alive);
    }

    fn next(&self) -> Option<Job> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
    }

    fn sign(&mut self, digest: &[u8; 32]) -> Result<Vec<u8>, TokenError> {
        // That a session was lost is seen when it is used.
        if let Some(session) = &self.session {
            if let Some(Ok(signature)) = session.sign(&self.place, digest) {
                return Ok(signature);
            }
            self.close();
        }
        let session = self.open()?;
        let signed = session.sign(&self.place, digest);
        match signed {
            Some(Ok(signature)) => {
                self.session = Some(session);
                Ok(signature)
            }
            Some(Err(reason)) => {
                session.close(&self.place);
                Err(reason)
            }
            None => Err(TokenError::Failed { function: "C_Sign".to_owned(), code: "SessionClosed".to_owned() }),
        }
    }

    fn open(&mut self) -> Result<Session, TokenError> {
        if let Some((at, reason)) = &self.failed
            && at.elapsed() < PAUSE
        {
            return Err(reason.clone());
        }
        let opened = self.place.open();
        self.failed = opened.as_ref().err().map(|reason| (Instant::now(), reason.clone()));
        opened
    }

    fn close(&mut self) {
        if let Some(session) = self.session.take() {
            session.close(&self.place);
        }
    }
}
