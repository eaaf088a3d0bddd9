//! Work on all cores in the order of its input: one thread reads, others work, the caller takes what came of it.
//!
//! Only so many pieces are on their way at a time, whatever the length of the input: who reads waits for who takes.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::cli::exit::Stop;

/// Gives each piece that `read` hands over to `work`, on `threads` threads, and what comes of it to `take`, on this
/// one, in the order in which the pieces were read. With one thread all happens here.
///
/// `state` is what one piece leaves to the next: `work` gets at it in its turn.
///
/// # Errors
/// The first of `take`, which ends the reading; else that of `read`.
pub(crate) fn run<S: Send, P: Send, O: Send>(
    threads: usize,
    state: S,
    read: impl FnOnce(&mut Give<'_, P>) -> Result<(), Stop> + Send,
    work: impl Fn(P, Turn<'_, S>) -> O + Sync,
    mut take: impl FnMut(O) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let turns = Turns::new(state);
    let mut numbers = 0..;
    if threads < 2 {
        return read(&mut |piece| take(work(piece, turns.turn(numbers.next().unwrap_or_default()))));
    }
    let (jobs, waiting) = mpsc::channel();
    let (done, results) = mpsc::channel();
    let (permit, permits) = mpsc::channel();
    // As many pieces as keep all busy while the slowest is waited for.
    for _ in 0..4 * threads {
        let _ = permit.send(());
    }
    let waiting = Mutex::new(waiting);
    thread::scope(|scope| {
        let reading = scope.spawn(move || {
            read(&mut |piece| {
                // Whoever takes has stopped, and so there is nobody to print for.
                permits.recv().map_err(|_| Stop::Closed)?;
                jobs.send((numbers.next().unwrap_or_default(), piece)).map_err(|_| Stop::Closed)
            })
        });
        for _ in 0..threads {
            let (done, waiting, turns, work) = (done.clone(), &waiting, &turns, &work);
            scope.spawn(move || work_off(waiting, &done, |number, piece| work(piece, turns.turn(number))));
        }
        drop(done);
        // Both are given up when this returns, so that the threads end.
        let taken = take_in_order(results, permit, &mut take);
        let read = reading.join().unwrap_or_else(|panic| resume_unwind(panic));
        taken.and(read)
    })
}

/// Where pieces are handed over.
pub(crate) type Give<'a, P> = dyn FnMut(P) -> Result<(), Stop> + 'a;

/// What came of a piece; or the panic that it ended in, to be gone on with where the results are taken.
type Done<O> = (u64, Result<O, Box<dyn Any + Send>>);

fn work_off<P, O>(waiting: &Mutex<Receiver<(u64, P)>>, done: &Sender<Done<O>>, work: impl Fn(u64, P) -> O) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, piece)) = next else { return };
        // What a panic leaves half-done is dropped with the piece.
        let result = catch_unwind(AssertUnwindSafe(|| work(number, piece)));
        if done.send((number, result)).is_err() {
            return;
        }
    }
}

fn take_in_order<O>(
    results: Receiver<Done<O>>,
    permit: Sender<()>,
    take: &mut impl FnMut(O) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut early = HashMap::new();
    let mut next = 0;
    for (number, result) in results {
        early.insert(number, result.unwrap_or_else(|panic| resume_unwind(panic)));
        while let Some(result) = early.remove(&next) {
            take(result)?;
            next += 1;
            let _ = permit.send(());
        }
    }
    Ok(())
}

/// A state that pieces get at one after another.
struct Turns<S> {
    state: Mutex<(u64, S)>,
    changed: Condvar,
}

impl<S> Turns<S> {
    fn new(state: S) -> Self {
        Self { state: Mutex::new((0, state)), changed: Condvar::new() }
    }

    const fn turn(&self, number: u64) -> Turn<'_, S> {
        Turn { turns: self, number, taken: false }
    }

    /// The state, once all before that number have had it.
    fn wait(&self, number: u64) -> MutexGuard<'_, (u64, S)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.wait_while(state, |(next, _)| *next != number).unwrap_or_else(PoisonError::into_inner)
    }
}

/// A piece's turn to get at the state; it comes once, and passes unused when dropped.
pub(crate) struct Turn<'a, S> {
    turns: &'a Turns<S>,
    number: u64,
    taken: bool,
}

impl<S> Turn<'_, S> {
    /// Waits for the pieces before this one, and gets at the state. Others wait meanwhile: do only what must be in order.
    pub(crate) fn take<R>(mut self, act: impl FnOnce(&mut S) -> R) -> R {
        let mut state = self.turns.wait(self.number);
        let result = act(&mut state.1);
        self.pass(state);
        result
    }

    fn pass(&mut self, mut state: MutexGuard<'_, (u64, S)>) {
        state.0 += 1;
        self.taken = true;
        drop(state);
        self.turns.changed.notify_all();
    }
}

impl<S> Drop for Turn<'_, S> {
    fn drop(&mut self) {
        if !self.taken {
            let state = self.turns.wait(self.number);
            self.pass(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::cli::exit::Complaint;

    fn numbers(count: u64) -> impl FnOnce(&mut Give<'_, u64>) -> Result<(), Stop> + Send {
        move |give| (0..count).try_for_each(give)
    }

    #[test]
    fn results_and_turns_come_in_the_order_of_the_input() {
        for threads in [1, 2, 7] {
            let mut taken = Vec::new();
            let work = |piece: u64, turn: Turn<'_, Vec<u64>>| {
                // The later ones would be done first.
                thread::sleep(std::time::Duration::from_micros(200 - 2 * piece));
                let before = turn.take(|seen| {
                    seen.push(piece);
                    seen.clone()
                });
                assert_eq!(before, (0..=piece).collect::<Vec<_>>());
                piece
            };
            let take = |piece| {
                taken.push(piece);
                Ok(())
            };
            run(threads, Vec::new(), numbers(100), work, take).unwrap();
            assert_eq!(taken, (0..100).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_input_without_end_is_held_back_and_left_when_nobody_takes() {
        for threads in [1, 3] {
            let (read, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let endless = |give: &mut Give<'_, usize>| {
                loop {
                    let ahead = read.fetch_add(1, Ordering::SeqCst) - taken.load(Ordering::SeqCst);
                    assert!(ahead <= 4 * threads + 1, "{ahead}");
                    give(ahead)?;
                }
            };
            let take = |_| {
                let before = taken.fetch_add(1, Ordering::SeqCst);
                if before < 1_000 { Ok(()) } else { Err(Complaint::new("enough").into()) }
            };
            let stopped = run(threads, (), endless, |piece, _turn| piece, take);
            assert_eq!(stopped, Err(Complaint::new("enough").into()));
        }
    }

    #[test]
    fn the_reader_s_complaint_comes_after_what_was_read() {
        let mut taken = 0;
        let read = |give: &mut Give<'_, u64>| {
            (0..5).try_for_each(give)?;
            Err(Complaint::new("broken").into())
        };
        let take = |_| {
            taken += 1;
            Ok(())
        };
        assert_eq!(run(2, (), read, |piece, _turn| piece, take), Err(Complaint::new("broken").into()));
        assert_eq!(taken, 5);
    }

    #[test]
    fn a_panic_ends_all_and_is_not_waited_for() {
        let work = |piece: u64, _turn: Turn<'_, ()>| assert_ne!(piece, 7, "seven");
        let outcome = catch_unwind(|| run(2, (), numbers(1_000_000), work, |()| Ok(())));
        assert!(outcome.is_err());
    }
}
