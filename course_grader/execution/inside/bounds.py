"""What one submission may hold, whichever way its shell is started: the one place for it."""

__all__ = ["FILES", "FILE_BYTES", "GIB", "MAPPED_ALONE", "MAPPED_BESIDES", "PROCESSES"]

GIB = 1 << 30
PROCESSES = 256  # and threads
FILES = 512  # open ones, of each process
FILE_BYTES = GIB // 4  # of one file
MAPPED_BESIDES = 2 * GIB  # threads' stacks and files; pages' tables are a 512th of what is mapped
MAPPED_ALONE = 4 * GIB  # the same, and the libraries of a shell that no process has preloaded
