"""Who handed in: one student is one id, whatever an LMS calls the file, and nothing vanishes."""

import json

import pytest

from course_grader.intake.arrival_notes import read_sender
from course_grader.intake.collect import intake
from course_grader.intake.lms import sender_in
from course_grader.intake.people import People, Person
from course_grader.intake.roster import read_roster
from course_grader.intake.roster_ids import merged
from course_grader.project import notebooks
from course_grader.project.course import Course, CourseError, find_unit
from tests.course_grader.intake.lms_zips import blackboard_name, canvas_name, moodle_name, zipped

WEI = canvas_name("Wang, Wei", 4101, 778, "hw.ipynb")
OTHER_WEI = canvas_name("Wang, Wei", 4104, 779, "hw.ipynb")
ROSTER = [
    Person("wangwei-4101", "Wei", "Wang", "wei@uni.edu", "4101", "wwang1", "S1", "A"),
    Person("wangwei-4104", "Wei", "Wang", "wei4@uni.edu", "4104", "wwang4", "S2", "B"),
    Person("jane@uni.edu", "Jane", "Doe", "jane@uni.edu"),
    Person("ann", "Ann Maria", "Example", "ann@uni.edu", login="aexample"),
]


@pytest.fixture
def take(tmp_path, course, unit, release):
    """Return a function that takes in {name: content, None for the release}: {id: reason}."""

    def taken(names, people=(), told=None):
        members = {name: release if text is None else text for name, text in names.items()}
        origin = zipped(tmp_path / "lms.zip", members)
        say = told.append if told is not None else print
        arrivals = intake(course, unit, origin, People(people), say=say)
        return {one.student: one.reason for one in arrivals}

    return taken


def test_two_of_one_name_have_ids_that_no_resubmission_changes(take):
    assert take({WEI: None, OTHER_WEI: None}) == {"wangwei-4101": "", "wangwei-4104": ""}
    again = canvas_name("Wang, Wei", 4104, 9001, "hw-1.ipynb")
    assert take({again: None}) == {"wangwei-4104": ""}


def test_two_files_of_one_user_are_one_student_and_named(take):
    second = canvas_name("Wang, Wei", 4101, 780, "other.ipynb")
    [(student, reason)] = take({WEI: None, second: json.dumps({"nbformat": 4})}).items()
    assert student == "wangwei-4101" and reason.startswith("2 notebooks")
    assert WEI in reason and second in reason


@pytest.mark.parametrize("copy", ["hw (1).ipynb", "hw-1.ipynb", "Copy of hw.ipynb"])
def test_identical_copies_are_one(copy, take):
    assert take({WEI: None, canvas_name("Wang, Wei", 4101, 780, copy): None}) == {
        "wangwei-4101": ""
    }


@pytest.mark.parametrize("file", ["hw.py", "hw.pdf", "hw.html", "notes.txt"])
def test_a_file_that_is_no_notebook_is_told_with_its_name(file, take):
    name = canvas_name("Doe, Jane", 7, 8, file)
    assert take({name: "x", WEI: None}) == {
        "doejane-7": f"no notebook: {name}",
        "wangwei-4101": "",
    }
    folder = moodle_name("Bo Example", 311, file)
    assert take({folder: "x", WEI: None})["Bo-Example"] == f"no notebook: {file}"


def test_a_typed_text_is_told(take):
    assert take({"doejane_7_text.html": "<p>my answer"}) == {
        "doejane-7": "no notebook: doejane_7_text.html"
    }


def test_what_tells_of_nobody_is_named(take):
    told = []
    assert take({WEI: None, "README.txt": "x"}, told=told) == {"wangwei-4101": ""}
    assert told == ["Left out, no notebook and no student's: README.txt"]


def test_of_several_attempts_the_latest_counts_and_the_others_are_kept(
    take, course, unit, release
):
    release.cells[0].source = "older"
    older = json.loads(json.dumps(release))
    release.cells[0].source = "newer"
    early, late = "2026-11-01-12-00-00", "2026-11-02-09-30-00"
    names = {
        blackboard_name("Week 1", "jdoe", late, "hw.ipynb"): release,
        blackboard_name("Week 1", "jdoe", early, "hw.ipynb"): older,
        blackboard_name("Week 1", "jdoe", late, ""): "Name: Jane Doe",
        blackboard_name("Week 1", "jdoe", early, ""): "Name: Jane Doe",
    }
    assert take(names) == {"jdoe": ""}
    assert notebooks.load(course.notebook("submitted", unit, "jdoe")).cells[0].source == "newer"
    kept = [p for p in course.aside(unit, "jdoe").iterdir() if early in p.name]
    assert notebooks.load(kept[0]).cells[0].source == "older"
    when = course.path("submitted", unit, "jdoe") / "timestamp.txt"
    assert when.read_text().startswith("2026-11-0") and when.read_text().endswith(" UTC")


def test_a_roster_s_person_is_found_by_all_that_an_lms_writes(take):
    names = {
        OTHER_WEI: "wangwei-4104",
        moodle_name("Ann Maria Example", 311, "hw.ipynb"): "ann",
        blackboard_name("Week 1", "wwang1", "2026-11-01-12-00-00", "a.ipynb"): "wangwei-4101",
        "jane@uni.edu/hw.ipynb": "jane@uni.edu",
    }
    told = []
    assert take(dict.fromkeys(names), ROSTER, told) == dict.fromkeys(names.values(), "")
    assert told == []


def test_canvas_finds_by_name_who_has_no_number_yet(take):
    assert take({canvas_name("Example, Ann Maria", 55, 1, "a.ipynb"): None}, ROSTER) == {"ann": ""}


def test_an_id_of_before_canvas_numbers_were_kept_stays(take):
    assert take({canvas_name("Doe, Jane", 7, 8, "a.ipynb"): None}, [Person("doejane")]) == {
        "doejane": ""
    }
    names = [canvas_name("Doe, Jane", number, 8, "a.ipynb") for number in (7, 9)]
    assert set(take(dict.fromkeys(names), [Person("doejane")])) == {"doejane-7", "doejane-9"}


def test_two_participants_of_one_name_are_never_merged(take):
    names = [moodle_name("Ann Maria Example", number, "a.ipynb") for number in (311, 312)]
    assert take(dict.fromkeys(names), ROSTER) == {
        "Ann-Maria-Example-311": "",
        "Ann-Maria-Example-312": "",
    }


def test_participants_without_names_keep_their_numbers(take):
    names = [moodle_name("Participant", number, "a.ipynb") for number in (55001, 55002)]
    assert set(take(dict.fromkeys(names))) == {"Participant-55001", "Participant-55002"}


def test_who_is_in_no_roster_is_graded_and_told_with_the_likeliest(take):
    told = []
    assert take({canvas_name("Doe, Jan", 99, 1, "a.ipynb"): None}, ROSTER, told) == {
        "doejan-99": ""
    }
    assert told == [
        "Not in the roster, graded under an id of its own: doejan-99; "
        "most like Jane Doe (jane@uni.edu)"
    ]


@pytest.mark.parametrize("folder", ["jane@uni.edu", "a+b@uni.edu", "j.doe_1"])
def test_a_folder_in_submitted_keeps_its_name(folder, course, unit, release):
    notebooks.save(release, course.root / "submitted" / folder / unit.name / "x.ipynb")
    assert [a.student for a in intake(course, unit)] == [folder]
    assert [a.student for a in intake(course, unit)] == [folder]


def test_what_the_lms_said_stays_beside_the_submission(take, course, unit):
    late = canvas_name("Doe, Jane", 7, 8, "hw.ipynb", late=True)
    take({late: None})
    sender, entry = read_sender(course.aside(unit, "doejane-7"))
    assert (sender.lms, sender.number, sender.late, entry) == ("canvas", "7", True, late)
    intake(course, unit)
    assert read_sender(course.aside(unit, "doejane-7"))[0] == sender
    take({canvas_name("Doe, Jane", 7, 9, "hw.ipynb"): None})
    assert not read_sender(course.aside(unit, "doejane-7"))[0].late
    take({"doejane-7.ipynb": None})
    assert read_sender(course.aside(unit, "doejane-7")) == (None, "")


def test_another_unit_s_notebook_is_told(take, unit):
    other = find_unit("00")
    wrong = notebooks.load(Course().notebook("release", other))
    reasons = take({WEI: None, OTHER_WEI: wrong})
    assert reasons == {
        "wangwei-4101": "",
        "wangwei-4104": f"this is {other.name}, not {unit.name}",
    }


def test_a_zip_of_another_unit_stops_before_anything_is_written(take, course, unit):
    other = find_unit("00")
    wrong = notebooks.load(Course().notebook("release", other))
    with pytest.raises(CourseError, match=f"holds {other.name}, not {unit.name}: all 2"):
        take({WEI: wrong, OTHER_WEI: wrong})
    assert not (course.root / "submitted").exists()


def test_files_of_ones_own_are_never_taken_for_our_notes(course, unit, release, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    folder = course.path("submitted", unit, "eve")
    notebooks.save(release, folder / "a.ipynb")
    (folder / "reason.txt").symlink_to(secret)
    (folder / "sender.json").write_text('{"lms": "canvas"}')
    (folder / ".incoming.tmp").symlink_to(secret)
    assert [a.reason for a in intake(course, unit)] == [""]
    assert course.reason(unit, "eve") == "" and secret.read_text() == "secret"
    assert read_sender(course.aside(unit, "eve")) == (None, "")
    assert notebooks.load(course.notebook("submitted", unit, "eve")).cells


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lms": "canvas"}'])
def test_a_note_that_is_cut_off_tells_nothing(text, take, course, unit):
    take({WEI: None})
    (course.aside(unit, "wangwei-4101") / "sender.json").write_text(text)
    assert read_sender(course.aside(unit, "wangwei-4101")) == (None, "")


def test_a_name_like_another_s_id_takes_nobody_s_place(take):
    name = moodle_name("jane@uni.edu -", 311, "a.ipynb")
    [student] = take({name: None}, ROSTER)
    assert student not in {person.id for person in ROSTER}


def test_a_participant_who_came_before_is_known_by_the_number(take):
    names = [moodle_name("Bo Example", number, "a.ipynb") for number in (311, 312)]
    assert set(take(dict.fromkeys(names))) == {"Bo-Example-311", "Bo-Example-312"}
    assert set(take({names[1]: None})) == {"Bo-Example-312"}
    other = moodle_name("Bo Example", 400, "a.ipynb")
    assert set(take({other: None})) == {"Bo-Example"}


def test_what_macos_packs_along_is_no_student(take):
    names = [f"submissions/{name}" for name in (WEI, OTHER_WEI)]
    more = {f"__MACOSX/submissions/._{WEI}": "x", "submissions/.DS_Store": "x"}
    assert take(dict.fromkeys(names) | more) == {"wangwei-4101": "", "wangwei-4104": ""}


def test_blackboard_s_titles_and_user_names_may_hold_underscores(take):
    when = "2026-11-01-12-00-00"
    users = ["a_doe", "b_doe", "c"]
    names = [blackboard_name("PML_2026_01_loss", user, when, "x.ipynb") for user in users]
    assert set(take(dict.fromkeys(names))) == set(users)


def test_an_attempt_without_a_file_is_told(take):
    when = "2026-11-01-12-00-00"
    page = blackboard_name("Week 1", "bo", when, "")
    names = {blackboard_name("Week 1", "ann", when, "x.ipynb"): None, page: "I forgot"}
    assert take(names) == {"ann": "", "bo": f"no notebook: {page}"}


def test_a_group_s_name_before_a_participant_s_is_passed_over(take):
    name = moodle_name("Group 1-Ann Maria Example", 311, "a.ipynb")
    assert take({name: None}, ROSTER) == {"ann": ""}


def test_names_that_differ_in_vowel_signs_are_different(take):
    people = [Person("a", "कम", "Rao"), Person("b", "काम", "Rao")]
    assert take({moodle_name("काम Rao", 3, "a.ipynb"): None}, people) == {"b": ""}


def test_strangers_by_the_hundred_are_counted(take):
    told = []
    take({canvas_name(f"X{n}, Y", 900 + n, n, "a.ipynb"): None for n in range(25)}, ROSTER, told)
    assert len(told) == 21 and told[-1].startswith("And 5 more")


def test_long_names_keep_their_numbers(take):
    name = canvas_name("Doe, Jane", 7, 8, f"{'long ' * 40}.ipynb", late=True)
    assert take({name: None}) == {"doejane-7": ""}


UNDERSCORES = Person("odd", "Jane", "doe_4101_7_", lms_id="9")  # a name that she gave herself


@pytest.mark.parametrize(
    ("name", "people", "student"),
    [
        # doe_4101_jane is no number between underscores, twice: one reading
        (canvas_name("doe_4101_jane", 9, 778, "hw.ipynb"), [UNDERSCORES, *ROSTER], "odd"),
        (canvas_name("doe_12_13_", 9, 778, "hw.ipynb", late=True), [UNDERSCORES], "odd"),
        # a file that is called as a date is: the first number is the user's
        (canvas_name("Wang, Wei", 4101, 778, "2026_11_29.ipynb"), ROSTER, "wangwei-4101"),
        # nobody of these numbers is known: as Canvas itself reads it
        (canvas_name("Roe, Bo", 55, 778, "2026_11_29.ipynb"), ROSTER, "roebo-55"),
        # by the name, who has no number yet
        (canvas_name("Example, Ann Maria", 55, 1, "3_4_a.ipynb"), ROSTER, "ann"),
    ],
)
def test_a_name_with_underscores_and_numbers_is_read_by_the_roster(name, people, student, take):
    other = canvas_name("Other, Olga", 999, 1, "a.ipynb")
    assert take({name: None, other: None}, people) == {student: "", "otherolga-999": ""}


def test_alone_a_name_with_underscores_is_canvas_s_if_it_is_the_student_s(take):
    own = canvas_name("doe_4101_7_, Jane", 9, 778, "hw.ipynb")
    assert take({own: None}, [UNDERSCORES]) == {"odd": ""}
    assert take({"my_work_9_11_a.ipynb": None}, [UNDERSCORES]) == {"my_work_9_11_a": ""}


def test_a_name_with_underscores_is_canvas_s_where_others_are(take):
    name = canvas_name("van_der_berg", 9, 778, "hw.ipynb")
    assert take({name: None, WEI: None}) == {"van_der_berg-9": "", "wangwei-4101": ""}


def test_a_name_that_two_students_may_have_is_left_out_and_both_are_told(take):
    """Jane is also called as another's file begins: nobody's place is taken by that."""
    name = canvas_name("wangwei_4101_5", 9, 778, "hw.ipynb")
    people, told = [UNDERSCORES, *ROSTER], []
    assert take({name: None, OTHER_WEI: None}, people, told) == {"wangwei-4104": ""}
    [sentence] = told
    assert f"may be of two students: {name}: of Wei Wang (wangwei-4101) with the file " in sentence
    assert "9_778_hw.ipynb or of Jane doe_4101_7_ (odd) with the file hw.ipynb" in sentence
    assert "rename it to ID.ipynb" in sentence
    with pytest.raises(CourseError, match="holds no submission"):
        take({name: None}, people)
    assert take({"odd.ipynb": None}, people) == {"odd": ""}


NAMES = {
    "LATE_anon_x7Yz2_88_hw.ipynb": ("canvas", "anon-x7Yz2", True),
    "anon_x7Yz2_88_hw.ipynb": ("canvas", "anon-x7Yz2", False),
    "o'neilçois_LATE_12_88_my_hw_2.ipynb": ("canvas", "o-neilçois-12", True),
    "王伟_12_88_hw.ipynb": ("canvas", "王伟-12", False),
    "José Núñez_3_assignsubmission_file_": ("moodle", "José-Núñez", False),
    "José Núñez_3_assignsubmission_file": ("moodle", "José-Núñez", False),
    "A_b_2026_jdoe_attempt_2026-11-01-12-00-00_x.ipynb": ("blackboard", "jdoe", False),
    "my work_2.ipynb": ("", "my-work_2", False),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_every_kind_are_read(name):
    sender = sender_in(name)
    assert (sender.lms, sender.plain_id, sender.late) == NAMES[name]


CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,01 Loss (881)
    Points Possible,,,,,34
"Wang, Wei",4101,S1,wwang1,A,
"Wang, Wei",4104,S2,wwang4,B,12
"Student, Test",999,,,A,
"""
MOODLE = """\ufeff"First name","Last name","ID number","Email address",Groups
Ann Maria,Example,M7,ann@uni.edu,G1
Bo,Example,,bo@uni.edu,
"""
GERMAN = "Vorname;Nachname;E-Mail-Adresse\nAnn Maria;Example;ann@uni.edu\n"
PLAIN = "id,first_name,last_name,email,login\nann,Ann Maria,Example,ann@uni.edu,aexample\n"


def roster(tmp_path, text, known=()):
    path = tmp_path / "roster.csv"
    path.write_text(text, "utf-8")
    return {one.id: one for one in merged(read_roster(path), People(known))}


def test_canvas_gradebook_gives_ids_as_a_zip_does(tmp_path):
    people = roster(tmp_path, CANVAS)
    assert list(people) == ["wangwei-4101", "wangwei-4104"]  # Canvas' test student is nobody
    assert people["wangwei-4104"] == Person(
        "wangwei-4104", "Wei", "Wang", "", "4104", "wwang4", "S2", "B"
    )


def test_canvas_gradebook_with_names_in_two_columns_is_read(tmp_path):
    text = CANVAS.replace("Student,ID", "LastName,FirstName,ID").replace('"Wang, Wei"', "Wang,Wei")
    people = roster(tmp_path, text.replace('"Student, Test"', "Student,Test"))
    assert set(people) == {"wangwei-4101", "wangwei-4104"}
    assert people["wangwei-4101"].login == "wwang1" and people["wangwei-4104"].lms_id == "4104"


def test_moodle_participants_are_read(tmp_path):
    people = roster(tmp_path, MOODLE)
    assert people["ann@uni.edu"].sis_id == "M7" and people["bo@uni.edu"].first_name == "Bo"
    assert roster(tmp_path, GERMAN)["ann@uni.edu"].last_name == "Example"


def test_who_is_known_keeps_the_id(tmp_path):
    known = [Person("doe", lms_id="4101"), Person("Ann-Maria-Example")]
    assert set(roster(tmp_path, CANVAS, known)) == {"doe", "wangwei-4104"}
    people = roster(tmp_path, PLAIN)
    assert set(roster(tmp_path, GERMAN, people.values())) == {"ann"}


@pytest.mark.parametrize("text", [CANVAS, MOODLE, GERMAN, PLAIN, "name\nWei Wang\nWei Wang\n"])
def test_the_same_roster_twice_makes_nobody_new(text, tmp_path):
    people = roster(tmp_path, text)
    assert roster(tmp_path, text, people.values()) == people


def test_rows_that_share_an_address_are_two_people(tmp_path):
    known = [Person("ann", "Ann", "Roe", "office@uni.edu"), Person("bo", "Bo", "Day", "b@uni.edu")]
    text = "name,email\nAnn Roe,office@uni.edu\nBo Day,office@uni.edu\n"
    assert roster(tmp_path, text, known)["ann"].last_name == "Roe"
    canvas = 'Student,ID,SIS User ID,SIS Login ID,Section\n"Poe, Cy",5,4101,cy,A\n'
    assert "wei" not in roster(tmp_path, canvas, [Person("wei", "Wei", "Wang", lms_id="4101")])


def test_who_was_graded_before_there_was_a_roster_keeps_the_id(tmp_path):
    assert set(roster(tmp_path, MOODLE, [Person("Ann-Maria-Example")])) == {
        "Ann-Maria-Example",
        "bo@uni.edu",
    }


def test_a_roster_in_utf16_is_read(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_bytes(PLAIN.encode("utf-16"))
    assert [one.id for one in read_roster(path)] == ["ann"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id\nx[1]\n", "'x-1' can"),
        ("", "is empty"),
        ("a,b\n1,2\n", "none of the titles a, b"),
        ("name,email\n", "names nobody"),
        ("login\nann\nann\n", "Two rows of the roster are one student"),
        ("id\n../ann\n", "cannot be the name of a folder"),
        ("PK\x03\x04", "save it as CSV"),
    ],
)
def test_a_roster_that_tells_nothing_is_told(text, words, tmp_path):
    with pytest.raises(CourseError, match=words):
        roster(tmp_path, text, [Person("ann")])
