"""A system call that a thread of another process is made to make, by ptrace (x86-64 alone): what an
attacker could do who runs code there.

The thread stops, makes the call with an instruction that its program has anyway, and goes on where
it was.
"""

import contextlib
import ctypes
import os
import platform
import signal
from pathlib import Path

AVAILABLE = platform.machine() == "x86_64"

PTRACE_SINGLESTEP, PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_ATTACH, PTRACE_DETACH = 9, 12, 13, 16, 17
WALL = 0x40000000
INSTRUCTION = b"\x0f\x05"  # syscall
REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp "
             "ss fs_base gs_base ds es fs gs").split()
ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in REGISTERS]


def result_in(thread: int, number: int, *arguments: int) -> int:
    """What the call returns in that thread: negative is an error's number."""
    place = _instruction_of(thread)
    with _stopped(thread):
        before = Registers()
        _ptrace(PTRACE_GETREGS, thread, ctypes.byref(before))
        call = Registers.from_buffer_copy(before)
        call.rax, call.rip = number, place
        call.orig_rax = 2 ** 64 - 1  # It is not in a call that would be begun again.
        for name, value in zip(ARGUMENTS, arguments):
            setattr(call, name, value % 2 ** 64)
        _ptrace(PTRACE_SETREGS, thread, ctypes.byref(call))
        try:
            _step(thread)
            _ptrace(PTRACE_GETREGS, thread, ctypes.byref(call))
        finally:
            _ptrace(PTRACE_SETREGS, thread, ctypes.byref(before))
    return ctypes.c_longlong(call.rax).value


def threads_of(pid: int) -> dict:
    """Thread → its name."""
    return {int(task.name): (task / "comm").read_text(encoding="ascii").strip()
            for task in Path(f"/proc/{pid}/task").iterdir()}


def _instruction_of(thread: int) -> int:
    """Where in the C library's code the instruction stands."""
    for line in Path(f"/proc/{thread}/maps").read_text(encoding="ascii").splitlines():
        words = line.split()
        if "x" in words[1] and "libc.so" in words[-1]:
            first, last = (int(word, 16) for word in words[0].split("-"))
            with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
                memory.seek(first)
                return first + memory.read(last - first).index(INSTRUCTION)
    raise RuntimeError(f"thread {thread} has no C library")


@contextlib.contextmanager
def _stopped(thread: int):
    _ptrace(PTRACE_ATTACH, thread)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        _ptrace(PTRACE_DETACH, thread)


def _step(thread: int) -> None:
    _ptrace(PTRACE_SINGLESTEP, thread)
    _, status = os.waitpid(thread, WALL)
    if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) != signal.SIGTRAP:
        raise RuntimeError(f"thread {thread} did not make the call: status {status:#x}")


def _ptrace(request: int, thread: int, data=None) -> None:
    if libc.ptrace(request, thread, None, data) == -1:
        raise OSError(ctypes.get_errno(), f"ptrace {request} of {thread}")
