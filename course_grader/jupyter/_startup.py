"""Told by PYTHONSTARTUP to the kernels of `make lab`: start soon, and explain a missing name."""


def _start(shell):
    import gc

    def tell(shell, kind, error, trace, tb_offset=None):
        """Show the error as ever, and a sentence after it."""
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        print(
            "A name is missing. After a restart of the kernel all are: run the cells above first "
            "(menu Run, Run All Above Selected Cell)."
        )

    def look_for_garbage_again(result):
        """Do so after the first cell; what it imported stays, and is much."""
        shell.events.unregister("post_run_cell", look_for_garbage_again)
        gc.freeze()
        gc.enable()

    shell.set_custom_exc((NameError,), tell)
    shell.events.register("post_run_cell", look_for_garbage_again)
    gc.disable()  # looking for garbage takes a fifth of the time that imports take


_start(get_ipython())  # noqa: F821, a kernel has it
del _start
