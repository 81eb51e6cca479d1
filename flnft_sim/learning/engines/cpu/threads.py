"""Work shared out among threads. Compiled code runs outside Python's lock."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from flnft_sim.machine import cores


def usable(asked: int | None, items: int) -> int:
    """Count the threads for so many items: those asked for, else one a core; at least 1."""
    import numba

    # Numba's own setting (NUMBA_NUM_THREADS, set_num_threads) is how a sweep's worker says what its share is.
    return max(1, min(asked or min(cores(), numba.get_num_threads()), items))


def in_threads[T](threads: int, work: Callable[[int, T], None], items: Iterable[T]) -> None:
    """Do `work(thread, item)` for all items; whichever thread is free takes the next, and `thread` is its number."""
    items = list(items)
    waiting = iter(items)

    def run(thread: int) -> None:
        for item in waiting:
            work(thread, item)

    if threads <= 1:
        run(0)
        return
    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(run, thread) for thread in range(threads)]
        try:
            for each in running:
                each.result()  # raises what the thread raised
        finally:
            items.clear()  # after an error or an interrupt nobody starts another item
