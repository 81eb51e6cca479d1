"""Where runs happen: in this process, on a local cluster of processes, or on an existing Dask scheduler."""

import itertools
import logging
import math
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from flnft_sim.errors import FlnftError, InputError
from flnft_sim.machine import cores
from flnft_sim.sweeps.job import Job, Record, execute, failure
from flnft_sim.sweeps.progress import Reporter

if TYPE_CHECKING:
    from distributed import Client, Future

Revive = Callable[[], None]  # brings dead workers back
Backend = Callable[[Iterable[Job]], Iterator[Record]]  # takes jobs as it needs them, yields records as they finish

CONNECT_TIMEOUT_S = 5.0
REVIVE_INTERVAL_S = 5.0  # how long nothing may happen before dead local workers are looked for
JOBS_PER_THREAD = 3  # in flight: enough to keep a worker busy between two messages, few enough to stay flat


class ClusterError(FlnftError):
    """The cluster cannot be reached, or was lost."""


class WorkerDiedError(FlnftError):
    """A run took its worker with it, every time it was tried."""


@contextmanager
def backend(
    runs: int, workers: int | None, scheduler: str | None, *, serial: bool, reporter: Reporter
) -> Iterator[Backend]:
    """The place to run `runs` jobs: a scheduler's workers, else `workers` processes (default: one a core)."""
    if workers is not None and workers < 1:
        raise InputError(f"--workers {workers}: give at least 1, or --serial to run without a cluster")
    if scheduler is not None and (serial or workers is not None):
        raise InputError("--scheduler brings its own workers; leave out --serial and --workers")
    wanted = min(workers or cores(), runs)
    if scheduler is None and (serial or wanted <= 1):
        yield in_this_process
        return
    _needs_dask()
    with existing_cluster(scheduler) if scheduler is not None else local_cluster(wanted) as (client, revive):
        reporter.note(_introduction(client))
        yield lambda jobs: on_cluster(jobs, client, revive)


@contextmanager
def shared_backend(
    workers: int | None, scheduler: str | None, *, serial: bool, reporter: Reporter
) -> Iterator[Backend]:
    """One place for the jobs of many sweeps, made when the first job comes: a cluster takes seconds to start."""
    with ExitStack() as stack:
        made: list[Backend] = []

        def records(jobs: Iterable[Job]) -> Iterator[Record]:
            if not made:
                size = workers or cores()
                made.append(stack.enter_context(backend(size, workers, scheduler, serial=serial, reporter=reporter)))
            return made[0](jobs)

        yield records


def in_this_process(jobs: Iterable[Job]) -> Iterator[Record]:
    """One after another, in plan order."""
    return map(execute, jobs)


@contextmanager
def local_cluster(workers: int) -> Iterator[tuple["Client", Revive]]:
    """Worker processes of one thread each on this machine; they die with this process, even by `kill -9`."""
    import dask
    from distributed import Client, LocalCluster

    settings = {
        "distributed.deploy.lost-worker-timeout": f"{REVIVE_INTERVAL_S} s",
        "distributed.scheduler.allowed-failures": 1,  # a suspect is tried again alone, see `on_cluster`
    }
    with dask.config.set(settings):
        try:
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,  # a limit would pause workers for good once PyTorch's caches pass it
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                preload=["flnft_sim.sweeps.worker"],
            )
        except (RuntimeError, OSError) as error:
            raise ClusterError(
                f"worker processes do not start ({error}); a script that sweeps must do so under "
                "`if __name__ == '__main__':`, or with serial=True"
            ) from error
        with cluster, Client(cluster) as client:
            # Dask restarts a worker that dies, but not one that dies while it is being restarted.
            yield client, lambda: cluster.scale(workers)


@contextmanager
def existing_cluster(address: str) -> Iterator[tuple["Client", Revive]]:
    """A client of the scheduler at `tcp://host:port`; raises `ClusterError` within seconds if there is none."""
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_TIMEOUT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address} ({type(error).__name__} within {CONNECT_TIMEOUT_S:g} s); "
            "start one with `dask scheduler`, or leave out --scheduler"
        ) from None
    with client:
        yield client, lambda: None


def on_cluster(jobs: Iterable[Job], client: "Client", revive: Revive) -> Iterator[Record]:
    """Keep a few jobs a thread in flight; a worker that dies has its jobs run elsewhere.

    Dask gives up on a job after several workers died under it, but counts the jobs that merely waited there as well. So
    whatever it gives up on is tried once more, alone, when the others are done.
    """
    suspects: list[Job] = []
    for job, record in _in_parallel(jobs, client, revive):
        if record is None:
            suspects.append(job)
        else:
            yield record
    for suspect in suspects:
        for job, record in _in_parallel([suspect], client, revive):
            yield record or failure(job, WorkerDiedError("its worker died each time it was tried (out of memory?)"))


class Threads:
    """How many threads a cluster has, asked again every few seconds: clusters grow and shrink."""

    def __init__(self, client: "Client") -> None:
        self._client, self._asked_s, self._count = client, -math.inf, 1

    def count(self) -> int:
        """The workers' threads, at least 1: a job that waits makes an adaptive cluster start a worker."""
        if time.monotonic() - self._asked_s > REVIVE_INTERVAL_S:
            self._asked_s, self._count = time.monotonic(), max(sum(self._client.nthreads().values()), 1)
        return self._count


def _in_parallel(jobs: Iterable[Job], client: "Client", revive: Revive) -> Iterator[tuple[Job, Record | None]]:
    """Jobs with their records as they finish; None where Dask gave up because workers kept dying."""
    waiting = iter(jobs)
    in_flight: dict[Any, Job] = {}
    finished: queue.SimpleQueue[Future] = queue.SimpleQueue()
    threads = Threads(client)

    def refill() -> None:
        room = threads.count() * JOBS_PER_THREAD - len(in_flight)
        for job in itertools.islice(waiting, max(room, 0)):
            future = client.submit(execute, job, pure=False)
            in_flight[future.key] = job
            future.add_done_callback(finished.put)

    refill()
    while in_flight:
        try:
            future = finished.get(timeout=REVIVE_INTERVAL_S)
        except queue.Empty:
            revive()
            continue
        try:
            record = _record(future)
        except TimeoutError:  # its worker died with the result: Dask runs it again
            finished.put(future)
            revive()
            continue
        yield in_flight.pop(future.key), record
        refill()


def _record(future: "Future") -> Record | None:
    """What a job returned; None if its workers kept dying. Anything else that Dask reports ends the sweep."""
    from distributed.scheduler import KilledWorker

    try:
        record: Record = future.result(timeout=REVIVE_INTERVAL_S)
        return record
    except KilledWorker:
        return None
    except (FlnftError, TimeoutError):
        raise
    except CancelledError:
        raise ClusterError("the scheduler went away; every finished run is kept, start again to resume") from None
    except Exception as error:
        raise ClusterError(
            f"a worker cannot run flnft_sim ({type(error).__name__}: {error}); install the same version there"
        ) from error


def _introduction(client: "Client") -> str:
    """What a user wants to know of a cluster before it works."""
    threads = sum(client.nthreads().values())
    size = f"{threads} worker threads" if threads else "no workers yet, waiting for the first"
    if find_spec("bokeh") is None:
        return f"scheduler {client.scheduler_info()['address']}, {size} (for its dashboard: pip install bokeh)"
    return f"dashboard {client.dashboard_link}, {size}"


def _needs_dask() -> None:
    if find_spec("distributed") is None:
        raise InputError("parallel sweeps need Dask: pip install 'flnft-sim[sweep]', or run with --serial")
