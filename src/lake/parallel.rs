//! Work on all cores: what is found is handed to the caller's thread, a few pieces at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Does each piece of work on one of the cores and gives what it yields to `take` on this thread, in no order.
///
/// Work yields through the closure that it is given, which tells whether to go on. The first error ends it all.
pub(super) fn for_each<W: Sync, T: Send, E: Send>(
    works: &[W],
    work: impl Fn(&W, &mut dyn FnMut(T) -> bool) -> Result<(), E> + Sync,
    mut take: impl FnMut(T),
) -> Result<(), E> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(works.len());
    if threads < 2 {
        let mut give = |found| {
            take(found);
            true
        };
        return works.iter().try_for_each(|own| work(own, &mut give));
    }
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::sync_channel(2 * threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            let (next, stop, work) = (&next, &stop, &work);
            scope.spawn(move || {
                while let Some(own) = works.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut give = |found| !stop.load(Ordering::Relaxed) && sender.send(Ok(found)).is_ok();
                    if let Err(error) = work(own, &mut give) {
                        stop.store(true, Ordering::Relaxed);
                        let _ = sender.send(Err(error));
                    }
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        drop(sender);
        // Owned here, so that a panic in `take` lets the threads end.
        let receiver = receiver;
        let mut first = Ok(());
        for found in &receiver {
            match found {
                Ok(found) if first.is_ok() => take(found),
                Err(error) if first.is_ok() => first = Err(error),
                _ => {}
            }
        }
        first
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once_and_the_first_error_ends_it() {
        let works: Vec<u64> = (0..1000).collect();
        let mut sum = 0;
        let twice = |own: &u64, give: &mut dyn FnMut(u64) -> bool| {
            give(*own);
            give(*own);
            Ok::<(), String>(())
        };
        for_each(&works, twice, |found| sum += found).unwrap();
        assert_eq!(sum, 999 * 1000);
        let fails = |own: &u64, give: &mut dyn FnMut(u64) -> bool| {
            while *own == 3 && give(1) {}
            if *own == 2 { Err("two") } else { Ok(()) }
        };
        assert_eq!(for_each(&works[2..4], fails, |_| {}), Err("two"));
    }
}
