"""The form: which card it shows, which buttons follow, and what it says if it cannot go on."""

from course_utils.review import schedule
from course_utils.review.form import NOTHING, OFF, ReviewForm, review
from tests.course_utils.review.conftest import CARDS, NAME


def texts(form):
    return " ".join(str(child.value) for child in form.children if hasattr(child, "value"))


def commit(form, answer):
    """Answer a graded card; return the buttons that follow."""
    asked = form.children[1]
    asked.children[1].value = answer
    asked.children[2].click()
    return form.children[-1].children


def test_a_wrong_answer_is_told_and_comes_again_a_right_one_is_rated(work, read_to_the_end):
    folder = read_to_the_end / NAME
    told = {"01-number": {"ask": "?", "number": "3", "right": False}}
    work(cards=CARDS[1:3], predictions=told)
    form = review(read_to_the_end)
    [onward] = commit(form, "one")
    assert "One is none." in form.children[1].children[3].value
    assert "Another" in str(form.children[2].outputs) and onward.description == "Next"
    onward.click()
    assert schedule.read(folder)["01-which"]["stability"] < 1
    assert commit(form, "many") == form.children[-1].children  # no answer: asked again
    assert "Not yet: the answer is a number" in form.children[1].children[3].value
    buttons = commit(form, "50")
    assert [b.description.split()[-1] for b in buttons] == ["effort", "well", "once"]
    buttons[2].click()
    assert schedule.read(folder)["01-number"]["stability"] > 5
    assert texts(form).startswith("2 cards answered, 1 to be seen again soon.")


def test_the_form_says_if_there_is_nothing_to_ask(work, monkeypatch, read_to_the_end):
    assert isinstance(review(read_to_the_end), ReviewForm)
    assert "1 of 5" in texts(review(read_to_the_end))
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    assert texts(review(read_to_the_end)) == OFF
    monkeypatch.delenv("COURSE_PROGRESS")
    assert texts(review(work())) == NOTHING


def test_a_form_that_cannot_keep_an_answer_says_so(read_to_the_end, monkeypatch):
    form = review(read_to_the_end)
    form.children[2].click()
    buttons = form.children[-1].children
    assert [button.description for button in buttons][0] == "Forgotten" and len(buttons) == 4

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(schedule, "rate", fails)
    buttons[2].click()
    assert texts(form) == "Not kept: No space left on device. Run the cell once more."
