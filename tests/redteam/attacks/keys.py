"""Reads the instructor's keys, and leaves one for the next student.

class: exfiltration
stopped by: the sandbox
deserved: 26
"""

# %% last
import ctypes
import platform

libc = ctypes.CDLL(None, use_errno=True)
add, request, keyctl = (217, 218, 219) if platform.machine() == "aarch64" else (248, 249, 250)
for number, arguments in (
    (add, (b"user", b"left", b"planted", 7, -3)),  # in the session's keyring
    (add, (b"user", b"left", b"planted", 7, -4)),  # in the user's
    (request, (b"user", b"left", None, -3)),
    (keyctl, (0, -3, 1)),
    (keyctl, (1, None)),
):
    if libc.syscall(number, *arguments) != -1:
        print("E5CAP" + "ED", number, arguments)
