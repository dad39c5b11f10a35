"""jsonschema: what it imports, where that is installed, to check one kind of address."""

__all__ = ["leave_out_grammar"]

import sys

GRAMMAR = "rfc3987_syntax"  # read in 4.26.0; no notebook holds such an address


def leave_out_grammar() -> None:
    """Let jsonschema do without a grammar whose compiling takes longer than all other imports.

    It has to come before jsonschema is imported; afterwards it changes nothing.
    """
    sys.modules.setdefault(GRAMMAR, None)  # type: ignore[arg-type]  # so an import of it fails
