"""Told by PYTHONSTARTUP to the kernels of `make lab`: say what a missing name may mean."""


def _tell(shell, kind, error, trace, tb_offset=None):
    """Show the error as ever, and a sentence after it."""
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    print(
        "A name is missing. After a restart of the kernel all are: run the cells above first "
        "(menu Run, Run All Above Selected Cell)."
    )


get_ipython().set_custom_exc((NameError,), _tell)  # noqa: F821, a kernel has it
del _tell
