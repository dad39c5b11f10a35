"""Asks for memory, sockets and namespaces that no limit counts, in the kernel's newer ways.

class: resources
stopped by: the sandbox
deserved: 26
"""

# %% last
import ctypes
import mmap
import platform
import socket

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
got = []
if platform.machine() == "x86_64":
    for name, number, arguments in (
        ("memfd_secret", 447, (0,)),
        ("io_uring_setup", 425, (8, ctypes.create_string_buffer(256))),
        ("userfaultfd", 323, (1,)),
        ("perf_event_open", 298, (ctypes.create_string_buffer(256), 0, -1, -1, 0)),
        ("bpf", 321, (5, ctypes.create_string_buffer(256), 128)),
        ("fanotify_init", 300, (0, 0)),
        ("inotify_init", 253, ()),
        ("mq_open", 240, (b"left", 0o102, 0o600, None)),
        ("semget", 64, (0, 1, 0o1600)),
        ("process_vm_readv", 310, (1, None, 0, None, 0, 0)),
        ("name_to_handle_at", 303, (-100, b"/", None, None, 0)),
    ):
        if libc.syscall(number, *arguments) != -1:
            got.append(name)
for family in (38, 40, 17, 31, 44):  # AF_ALG, AF_VSOCK, AF_PACKET, AF_BLUETOOTH, AF_XDP
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind).close()
            got.append(f"family {family}")
        except OSError:
            pass
try:
    mmap.mmap(-1, 1 << 30).close()
    got.append("shared memory of no file")
except OSError:
    pass
if got:
    print("E5CAP" + "ED", got)
