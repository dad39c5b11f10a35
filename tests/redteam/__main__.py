"""`make redteam`: what each attack tried, deserved, got and leaked; ends with 1 on any of it."""

import sys
import tempfile
from pathlib import Path

from course_grader.project.course import find_unit
from tests.redteam.attack import ATTACKS
from tests.redteam.harness import HONEST_POINTS, QuickUnit, attack_class

LINE = "{:<26} {:<16} {:>8} {:>5} {:>7} {:>7}  {}"


def main(names):
    """Grade a class of these attacks, or of all; return how many gained, leaked or harmed."""
    attacks = {name: ATTACKS[name] for name in names or ATTACKS}
    with tempfile.TemporaryDirectory(prefix="redteam-") as folder:
        unit = QuickUnit(find_unit("01").folder)
        reports, neighbours = attack_class(attacks, unit, Path(folder))
    print(LINE.format("attack", "class", "deserved", "got", "leaked", "active", "tries"))
    bad = [name for name in attacks if not _told(attacks[name], reports[name])]
    harmed = [n for n, r in neighbours.items() if r.got != HONEST_POINTS or r.leaks]
    print(f"\n{len(attacks)} attacks, {len(bad)} succeeded: {bad}")
    print(f"{len(neighbours)} honest students between them, {len(harmed)} harmed: {harmed}")
    return 1 if bad or harmed else 0


def _told(attack, report):
    """Print an attack's line; return whether it came to nothing."""
    kind = f"{attack.kind}{' (sandbox)' if attack.only_sandbox else ''}"
    yes = ["yes" if found else "no" for found in (report.leaks, report.active)]
    got = "none" if report.got is None else f"{report.got:g}"
    print(LINE.format(attack.name, kind, f"{attack.deserved:g}", got, *yes, attack.tries))
    for trace in [*report.leaks, *report.active][:5]:
        print(f"{'':26} {trace[:150]}")
    return report.got == attack.deserved and not report.leaks and not report.active


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
