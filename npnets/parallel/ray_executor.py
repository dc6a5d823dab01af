"""A Ray cluster, or Ray on this machine, as an executor of `concurrent.futures`."""

import os
import socket
import time
from collections.abc import Callable, Collection
from concurrent import futures as concurrent_futures
from concurrent.futures import Future
from types import ModuleType
from typing import Any

from npnets.caches import bounded_cache
from npnets.log import logger
from npnets.parallel.failures import WorkerLost
from npnets.parallel.sending import REMEDY, first_line, name_of
from npnets.parallel.stopping_executor import StoppingExecutor
from npnets.thread_count import threads

OLDEST = (2, 40)
"""The oldest release of Ray on which the tests were run."""

_LOST = ("WorkerCrashedError", "NodeDiedError", "ObjectLostError", "OutOfMemoryError", "RaySystemError")
_SECONDS_TO_CONNECT = 10.0
_TASKS_PER_SLOT = 4  # with fewer, workers wait for Ray's scheduler
_WINDOW_HOLDS = 1.0  # seconds for which the number of CPUs is cached


class RayExecutor(StoppingExecutor):
    """The machines of a Ray cluster.

    Parameters
    ----------
    address : str, optional
        As `ray.init` takes it: `"auto"` for the cluster of which this machine is a part, an address, or `"local"` to
        start Ray on this machine alone. By default the address in the environment variable `RAY_ADDRESS`, a cluster
        that runs on this machine, or else as `"local"`. If the program has called `ray.init` itself, leave it out:
        that connection is used, and stays open.
    cpus_per_task : float
        CPUs that Ray reserves for each task; with 0.5, two tasks share one.
    **options
        Further arguments of `ray.init`, such as `num_cpus` or `runtime_env`.

    Raises
    ------
    ImportError
        If Ray is not installed, or too old.
    ConnectionError
        If there is no cluster at the address, or it does not let this machine in.
    ValueError
        If `cpus_per_task` is not positive, or Ray is connected already and further arguments are given.

    Notes
    -----
    Every worker takes one thread for kernels and BLAS. `npnets` and the module of the function must be importable on
    every machine; functions of the running script are sent as code. Workers' output goes to Ray's logs unless
    `log_to_driver=True` is passed.

    Ray's own retries are off: `map_population` runs a task again whose worker or machine was lost, and logs it.

    Examples
    --------
    >>> from npnets import parallel
    >>> with parallel.RayExecutor("local", num_cpus=2) as executor:  # doctest: +SKIP
    ...     parallel.map_population(abs, [-1, -2], executor)
    [1, 2]
    """

    ends_process = True

    def __init__(self, address: str | None = None, *, cpus_per_task: float = 1.0, **options: Any) -> None:
        self._ray = loaded_ray()
        if not cpus_per_task > 0:
            raise ValueError(f"cpus_per_task must be a positive number of CPUs, but is {cpus_per_task!r}")
        self._owns_connection = not self._ray.is_initialized()
        if not self._owns_connection and (address or options):
            raise ValueError(
                "this program is connected to Ray already: leave out address and options, or call ray.shutdown() first"
            )
        if self._owns_connection:
            _check_reachable(address or os.environ.get("RAY_ADDRESS", ""))
            quiet = {"log_to_driver": False, "logging_level": "WARNING"}
            _connect(self._ray, address, {**quiet, **options})
        self._cpus_per_task = cpus_per_task
        # By default Ray keeps giving tasks to a worker that it has, while other machines idle.
        how: dict[str, Any] = {"num_cpus": cpus_per_task, "max_retries": 0, "scheduling_strategy": "SPREAD"}
        self._remote = self._ray.remote(**how)(_call)
        self._refs: dict[Future[Any], Any] = {}
        self._lost = tuple(getattr(self._ray.exceptions, name) for name in _LOST)
        self._window, self._window_until, self._warned = 0, 0.0, False
        self._closed = False

    @property
    def window(self) -> int:
        """How many tasks keep all CPUs of the cluster busy: for each, one that runs and some that wait."""
        if time.monotonic() > self._window_until:
            cpus = [node["Resources"].get("CPU", 0) for node in self._ray.nodes() if node["Alive"]]
            self._warn_of_waiting(max(cpus, default=0))
            self._window = max(_TASKS_PER_SLOT, int(_TASKS_PER_SLOT * sum(cpus) / self._cpus_per_task))
            self._window_until = time.monotonic() + _WINDOW_HOLDS
        return self._window

    def _warn_of_waiting(self, most: float) -> None:
        """Warn once if no machine can run a task: Ray waits for one without a word."""
        if most < self._cpus_per_task and not self._warned:
            self._warned = True
            logger().warning(
                "each task needs %g CPUs, and no machine of the cluster has more than %g: tasks wait until one joins",
                self._cpus_per_task,
                most,
            )

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function on the cluster.

        Returns
        -------
        concurrent.futures.Future
            Its exception is a `WorkerLost` if the worker or its machine died.

        Raises
        ------
        RuntimeError
            After `shutdown`.
        """
        self._check_open()
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            ref = self._remote.remote(fn, *args, **kwargs)
        except Exception as error:  # an argument that cannot be pickled
            future.set_exception(error)
            return future
        self._refs[future] = ref
        ref.future().add_done_callback(lambda done: self._finish(future, done))
        return future

    def share(self, common: Any) -> Any:
        """Put what all tasks need into Ray's object store, once."""
        self._check_open()
        try:
            return self._ray.put(common)
        except Exception as error:
            reason = f"{name_of(common[0])} or shared cannot be sent to another machine ({first_line(error)}): {REMEDY}"
            raise TypeError(reason) from None

    def stop(self, futures: Collection[Future[Any]]) -> None:
        """Stop the calls with these futures: waiting ones do not start, and the workers of running ones end."""
        for future in futures:
            if (ref := self._refs.get(future)) is not None:
                self._ray.cancel(ref, force=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the calls that run, and leave the cluster if this executor connected to it."""
        if cancel_futures:
            self.stop([*self._refs])
        elif wait:
            concurrent_futures.wait([*self._refs])
        self._closed = True
        if self._owns_connection:
            self._owns_connection = False
            self._ray.shutdown()

    def _check_open(self) -> None:
        """Check that there is a connection: without one, Ray would start a cluster."""
        if self._closed or not self._ray.is_initialized():
            raise RuntimeError("this RayExecutor was shut down, or Ray was: make a new one")

    def _finish(self, future: Future[Any], done: Future[Any]) -> None:
        self._refs.pop(future, None)
        error = done.exception()
        if error is None:
            future.set_result(done.result())
        elif self._is_loss(error):
            future.set_exception(WorkerLost(f"a worker on Ray was lost ({type(error).__name__})"))
        else:
            future.set_exception(error)

    def _is_loss(self, error: BaseException) -> bool:
        """Return whether a worker died: an error with a traceback is a task's, or that of a result as it is read."""
        is_of_python = isinstance(error, self._ray.exceptions.RayTaskError) or getattr(error, "traceback_str", None)
        return isinstance(error, self._lost) and not is_of_python


def loaded_ray() -> ModuleType:
    """Return Ray, once it is known to be new enough."""
    try:
        import ray
    except ImportError as error:
        raise ImportError(
            "RayExecutor needs Ray, which is not installed: pip install 'npnets[ray]'; ProcessExecutor uses this "
            "machine's processes without it"
        ) from error
    release = tuple(int(part) for part in ray.__version__.split(".")[:2])
    if release < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise ImportError(
            f"RayExecutor needs Ray {oldest} or newer, but {ray.__version__} is installed: pip install -U "
            f"'ray>={oldest}', on all machines of the cluster"
        )
    return ray


def _connect(ray: ModuleType, address: str | None, options: dict[str, Any]) -> None:
    try:
        ray.init(address=address, **options)
    except ConnectionError as error:
        raise ConnectionError(
            f"{first_line(error)}; start a cluster with `ray start --head`, and see that RAY_AUTH_MODE and the "
            "token in ~/.ray/auth_token are the same on all machines"
        ) from error


def _check_reachable(address: str) -> None:
    """Check that something listens at an address with a port: Ray itself tries for many minutes."""
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if not separator or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS_TO_CONNECT).close()
    except OSError as error:
        raise ConnectionError(
            f"there is no Ray cluster at {address} ({error}): start one with `ray start --head --port={port}` on that "
            'machine, or use address="local" for this machine alone'
        ) from None


def _call(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    _limit_threads()
    return fn(*args, **kwargs)


@bounded_cache(maxsize=1)
def _limit_threads() -> None:
    """Take one thread in this worker, once."""
    threads(1)
