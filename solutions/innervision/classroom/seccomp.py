"""System calls that a worker cannot make: what leads out of a sandbox, and what hides memory from its limits.

A filter of the kernel's own kind (seccomp, classic BPF), set without any library. It refuses new name spaces, mounts,
tracing other processes, kernel interfaces with a long history of holes (io_uring, bpf, userfaultfd, key rings), sockets
of every family but Unix's, memory that no process limit counts (memfd, System V), and leaving the processor core that
the sandbox keeps to. All else is left to the kernel.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
LOAD_WORD, JUMP_EQUAL, JUMP_GREATER_OR_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, on little-endian machines
NEW_NAMESPACES = 0x7E020080  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWTIME
AF_UNIX = 1
X32 = 0x40000000  # x86-64's second set of numbers, which a list of the first would miss

# AUDIT_ARCH of <linux/audit.h>
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Numbers of <asm/unistd_64.h> on x86-64 and of <asm-generic/unistd.h>, which aarch64 uses.
NUMBERS = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "vmsplice": (278, 75),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "sched_setaffinity": (203, 122),
}
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)


def program(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter for a kind of machine, as (code, jump if true, jump if false, constant).

    Returns:
        An empty list for a machine whose numbers are not known.
    """
    if machine not in ARCHITECTURES:
        return []
    column = list(ARCHITECTURES).index(machine)
    denied = [(JUMP_EQUAL, 0, 1, number[column]) for number in NUMBERS.values()]
    refuse = (RETURN, 0, 0, ERRNO | errno.EPERM)
    lines = [
        (LOAD_WORD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD_WORD, 0, 0, NUMBER),
        (JUMP_GREATER_OR_EQUAL, 0, 1, X32),
        refuse,
    ]
    for jump in denied:
        lines += [jump, refuse]
    # clone3 keeps its flags where a filter cannot look; without it the C library uses clone.
    lines += [(JUMP_EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, ERRNO | errno.ENOSYS)]
    lines += [(JUMP_EQUAL, 0, 4, CLONE[column]), (LOAD_WORD, 0, 0, FIRST_ARGUMENT)]
    lines += [(JUMP_ANY_BIT, 0, 1, NEW_NAMESPACES), refuse, (RETURN, 0, 0, ALLOW)]
    lines += [(JUMP_EQUAL, 0, 3, SOCKET[column]), (LOAD_WORD, 0, 0, FIRST_ARGUMENT)]
    lines += [(JUMP_EQUAL, 1, 0, AF_UNIX), refuse, (RETURN, 0, 0, ALLOW)]
    return lines


def install() -> bool:
    """Filter the calls of this process and of all that it starts, for good. It must have no_new_privs set.

    Returns:
        False where the machine's numbers are not known; then nothing is filtered.

    Raises:
        OSError: The kernel refuses.
    """
    lines = program(platform.machine())
    if not lines:
        return False
    code = ctypes.create_string_buffer(_packed(lines))
    header = struct.pack("HxxxxxxP", len(lines), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    pointer = ctypes.create_string_buffer(header)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, pointer, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return True


def _packed(lines: Iterable[tuple[int, int, int, int]]) -> bytes:
    return b"".join(struct.pack("HBBI", *line) for line in lines)
