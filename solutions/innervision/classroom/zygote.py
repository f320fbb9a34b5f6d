"""Forks workers inside a sandbox: it has torch imported before the first submission arrives.

Runs inside bubblewrap and never runs student code itself. For each worker it forks a *warden*, and that one a child
which goes one step further in: process, mount, network, IPC and host name spaces of its own, an empty ``/proc``, a
small ``/tmp`` of its own, no capabilities, no way to regain any, and only harmless system calls. Workers cannot see
each other, nor what another one left behind. The warden stays outside, adds up the memory of all that its worker has
started, and ends it.

The parent (``innervision.classroom.sandbox``) sends over a socket, with three descriptors: requests, answers, status.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 1 << 30
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
CAPABILITY_VERSION_3 = 0x20080522
CAPABILITIES = 64
LIMITS = ("CPU", "NPROC", "NOFILE", "CORE", "MEMLOCK", "MSGQUEUE")
PAGE = resource.getpagesize()
WATCH = 0.2  # seconds between two looks at a worker's memory

libc = ctypes.CDLL(None, use_errno=True)


def main(control_fd: int) -> None:
    """Import what workers need, say so, then fork one for each request until the parent hangs up."""
    import torch

    import innervision.activations
    import innervision.classroom.worker
    import innervision.optvis

    torch.set_num_threads(1)
    with torch.no_grad():
        # torch looks into /proc for what the processor can do when it first computes, and a worker has no /proc. The
        # judge's numbers come from the best kernels there are; a worker's must come from the same. No backward pass
        # here: autograd does not work in a process forked after one.
        torch.nn.functional.conv2d(torch.rand(1, 3, 32, 32), torch.rand(8, 3, 3, 3)).flatten(1).softmax(1)
        torch.rand(64, 64) @ torch.rand(64, 64)
    innervision.classroom.worker.import_optimisers()
    gc.collect()
    gc.freeze()  # a worker's collector must not touch, and so copy, what all workers share
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # a warden is told to end before it listens
    control = socket.socket(fileno=control_fd)
    control.sendall(b"ready\n")
    wardens: dict[str, int] = {}
    while True:
        waiting, _, _ = select.select([control], [], [], 1.0 if wardens else None)
        _reap(wardens)
        if not waiting:
            continue
        data, descriptors, _, _ = socket.recv_fds(control, 65536, 3)
        if not data:
            return
        request = json.loads(data)
        if request["do"] == "import":
            _import(request["statements"])
        elif request["do"] == "kill":
            if request["name"] in wardens:
                os.kill(wardens[request["name"]], signal.SIGTERM)
        else:
            wardens[request["name"]] = _fork(request, descriptors, control)
            for descriptor in descriptors:
                os.close(descriptor)


def _import(statements: list[str]) -> None:
    """Import what the lesson's set-up will import. What fails here fails there, too, and is told there."""
    for statement in statements:
        with suppress(Exception):
            exec(statement, {"__name__": "__main__"})
    gc.collect()
    gc.freeze()


def _reap(wardens: dict[str, int]) -> None:
    """Forget the wardens that have ended."""
    for name, pid in list(wardens.items()):
        if os.waitpid(pid, os.WNOHANG) != (0, 0):
            del wardens[name]


def _fork(request: dict[str, Any], descriptors: list[int], control: socket.socket) -> int:
    """Fork the warden of one worker; returns its process id."""
    pid = os.fork()
    if pid:
        return pid
    requests, answers, status = descriptors
    try:
        control.close()
        _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a signal that is ignored is not waited for either
        _call("unshare", CLONE_NEWPID)
        worker = os.fork()
        if worker == 0:
            _become_worker(request, requests, answers, status)
        os.close(requests)
        os.close(answers)
        ending = _watch(worker, request["memory"])
    except BaseException as error:
        ending = f"sandbox: {error}"[:300]
    with suppress(OSError):
        os.write(status, ending.encode())
    os._exit(0)


def _watch(worker: int, memory: int) -> str:
    """Wait for a worker to end, or end it: on request, or when all it has started holds too much memory.

    Returns:
        The exit code (negative: the signal) as text, or a sentence.
    """
    shared = _resident(os.getpid())
    while True:
        found = signal.sigtimedwait({signal.SIGTERM, signal.SIGCHLD}, WATCH)
        pid, code = os.waitpid(worker, os.WNOHANG)
        if pid:
            return str(os.waitstatus_to_exitcode(code))
        too_much = found is None and sum(max(0, _resident(pid) - shared) for pid in _family(worker)) > memory
        if too_much or (found is not None and found.si_signo == signal.SIGTERM):
            os.kill(worker, signal.SIGKILL)  # the first process of its name space: all others end with it
            os.waitpid(worker, 0)
            return f"the code took more than {memory / 2**30:.3g} GiB of memory" if too_much else "-9"


def _family(worker: int) -> list[int]:
    """Process ids of a worker and of all that it has started."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                parents[int(name)] = int(file.read().rpartition(b") ")[2].split()[1])
    family = [worker]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return family


def _resident(pid: int) -> int:
    """Bytes of a process in memory, without those of files."""
    lines: list[bytes] = []
    with suppress(OSError), open(f"/proc/{pid}/status", "rb") as file:
        lines = [line for line in file if line.startswith((b"RssAnon:", b"RssShmem:"))]
    return sum(int(line.split()[1]) * 1024 for line in lines)


def _become_worker(request: dict[str, Any], requests: int, answers: int, status: int) -> None:
    """Close the last doors and answer requests; does not return."""
    try:
        _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _call("unshare", CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET)
        os.setsid()  # a signal to its process group must not reach anybody outside, whose user may be the same
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        _limit(request)
        _own_files(request)
        _drop_rights(request.get("uid"))
        os.dup2(requests, 0)
        os.dup2(answers, 1)
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
        os.chdir("/tmp")
        from innervision.classroom import seccomp, worker

        seccomp.install()
    except BaseException as error:
        os.write(status, f"sandbox: {error}"[:300].encode())
        os._exit(97)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    try:
        worker.main()
    except BaseException:
        os._exit(1)
    os._exit(0)


def _own_files(request: dict[str, Any]) -> None:
    """A small /tmp, an empty /proc, the rest as the outer sandbox shows it: read-only."""
    size = f"size={request['disk']},nr_inodes={request['inodes']},mode=1777"
    _mount("none", "/", "none", MS_REC | MS_PRIVATE, "")
    kept = {folder: os.open(folder, os.O_PATH | os.O_DIRECTORY) for folder in request["kept"]}
    _mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, size)
    for folder, descriptor in kept.items():  # a Python below /tmp
        os.makedirs(folder, mode=0o755)
        _mount(f"/proc/self/fd/{descriptor}", folder, "none", MS_BIND | MS_REC, "")
        os.close(descriptor)
    for hidden in ("/dev/shm", "/dev/pts", "/proc"):
        _mount("tmpfs", hidden, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=4k")


def _limit(request: dict[str, Any]) -> None:
    """Limits of each process of the worker; together they are watched by the warden."""
    with open("/proc/self/statm", "rb") as file:
        fields = file.read().split()
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # whom the kernel ends first when the whole machine is short of memory
    for name in LIMITS:
        value = request["limits"][name]
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    for kind, pages in ((resource.RLIMIT_AS, fields[0]), (resource.RLIMIT_DATA, fields[5])):
        value = int(pages) * PAGE + request["memory"]  # on top of what every worker is born with
        resource.setrlimit(kind, (value, value))


def _drop_rights(uid: int | None) -> None:
    """Give up every capability, in every set, and the right to gain new ones; become ``uid`` where root started us."""
    for capability in range(CAPABILITIES):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def _mount(source: str, target: str, kind: str, flags: int, data: str) -> None:
    _call("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode(), name=f"mount {target}")


def _call(function: str, *arguments: Any, name: str = "") -> None:
    if getattr(libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name or function}: {os.strerror(number)}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
