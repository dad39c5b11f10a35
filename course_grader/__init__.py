"""The instructor's side of the course: build, answers, intake, execution, judging, reports."""
