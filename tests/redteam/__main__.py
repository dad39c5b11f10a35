"""`make redteam`: what each attack tried, deserved, got and leaked in each room; 1 on any gain.

All attacks sit in one class with HONEST honest students, whose records and feedback must be those
of a class without attackers.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from course_grader.project.course import find_unit
from tests.redteam.attack import ATTACKS
from tests.redteam.harness import HONEST_POINTS, ROOMS, QuickUnit, attack_class, honest_names
from tests.redteam.neighbours import class_of, differences

LINE = "{:<26} {:<16} {:>8} {:>5} {:>7} {:>7}  {}"
HONEST = 60


def main(arguments):
    """Grade a class of attackers among honest students in each room; return 0 if none succeeds."""
    parser = argparse.ArgumentParser(prog="python -m tests.redteam", description=__doc__)
    parser.add_argument("names", nargs="*", help="attacks; default: all")
    parser.add_argument("--room", choices=ROOMS, help="default: both, one after the other")
    parser.add_argument("--honest", type=int, default=HONEST, help=f"students; default: {HONEST}")
    chosen = parser.parse_args(arguments)
    attacks = {name: ATTACKS[name] for name in chosen.names or ATTACKS}
    rooms = [chosen.room] if chosen.room else list(ROOMS)
    succeeded = [_one_room(room, attacks, chosen.honest) for room in rooms]
    return int(any(succeeded))


def _one_room(room, attacks, honest):
    """Grade both classes in one kind of sandbox; return whether an attack came to anything."""
    unit = QuickUnit(find_unit("01").folder) if room == "preloaded bubblewrap" else find_unit("01")
    with tempfile.TemporaryDirectory(prefix="redteam-") as folder, ROOMS[room]():
        names = honest_names(attacks, honest)
        alone = class_of(names, unit, Path(folder, "alone"))
        reports, neighbours = attack_class(attacks, unit, Path(folder, "class"), honest=names)
        unlike = differences(alone, Path(folder, "class", "course"), unit, neighbours)
    print(f"\nIn the {room} sandbox:\n")
    print(LINE.format("attack", "class", "deserved", "got", "leaked", "active", "tries"))
    bad = [name for name in attacks if not _told(attacks[name], reports[name], room)]
    harmed = [n for n, r in neighbours.items() if r.got != HONEST_POINTS or r.leaks]
    print(f"\n{len(attacks)} attacks, {len(bad)} succeeded: {bad}")
    print(f"{len(neighbours)} honest students between them, {len(harmed)} harmed: {harmed}")
    print(f"{len(unlike)} of them unlike those of a class without attackers: {unlike}", flush=True)
    return bool(bad or harmed or unlike)


def _told(attack, report, room):
    """Print an attack's line; return whether it came to nothing."""
    kind = f"{attack.kind}{' (sandbox)' if attack.only_sandbox else ''}"
    yes = ["yes" if found else "no" for found in (report.leaks, report.active)]
    got = "none" if report.got is None else f"{report.got:g}"
    print(LINE.format(attack.name, kind, f"{attack.deserved:g}", got, *yes, attack.tries))
    for trace in [*report.leaks, *report.active][:5]:
        print(f"{'':26} {trace[:150]}")
    held = report.record["reason"] or report.record["execution"]["sandbox"] == room
    return report.got == attack.deserved and held and not report.leaks and not report.active


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
