# Every target depends on an environment that is made once: .venv, stamped when complete.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LINKED := $(shell test -L "$(VENV)" && echo yes)
SPACE := $(subst ,, )
STAMP := $(subst $(SPACE),\ ,$(VENV)/.complete)
JOBS ?= 3
COURSE := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 "$(BIN)/python" -m course_grader
# Whatever starts below (kernels, tools) imports this folder, also if .venv is another clone's.
export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))
.DEFAULT_GOAL := help
.PHONY: help env demo build test lint test-browser test-processors screenshots lab progress check interview review playground roster groups due grade words regrade adjust exercises withdraw formgrader export feedback class-report prove robustness new-unit bundle site test-site clean bench-grading bench-growth bench-models gpu redteam soak

help:  ## Explain every target.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'
	@echo "  Variables: UNIT=01 (or a name), FROM=folder-or-zip, ANSWERS=file, JSON=1, UNSAFE=1,"
	@echo "  WORKERS=4, SCHEDULER=tcp://host:8786, PYTHON=python3.12, JOBS=3 (tests at a time),"
	@echo "  SEEDS=10, CLAIM=name-of-its-function, SEED=7 (of an interview), TO=whose-format,"
	@echo "  MISSING=0 (in exports), WHEN=day-and-hour, STUDENT=id-or-name, PORT=8899, ALL=1"
	@echo "  CARDS=20 and MINUTES=5 (of a review, at most; of a soak),"
	@echo "  EXERCISE=its-name, AS=void, full or none, APPLY=1 (of an adjustment: writes)"
	@echo "  REPOSITORY=https://github.com/owner/name, FRAMES=60 (of the site)"

ifdef LINKED
$(STAMP):  # whose environment it is keeps it up to date
	@echo "$(VENV) is a link to an environment that is not there, not complete, or not yours to read: run 'make env' where it lies, or remove the link." >&2; exit 1
else
$(STAMP): pyproject.toml constraints.txt
	@"$(PYTHON)" -c "import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit('Python %d.%d found; 3.11 to 3.13 needed: make PYTHON=python3.11 ...' % v)"
	"$(PYTHON)" -m venv "$(VENV)"
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[grader,scale,site]"
	@# JupyterLab would ask whether it may fetch news, and look for newer versions of itself.
	@"$(BIN)/jupyter" labextension disable --level=sys_prefix \
		"@jupyterlab/apputils-extension:announcements" 2>/dev/null
	@touch "$(VENV)/.complete"
endif

env: $(STAMP)  ## Make the environment in .venv (the other targets do it for you).

demo: $(STAMP)  ## Build, grade sample classes and compare every score (UNIT=01 for one).
	$(COURSE) build
	$(COURSE) demo --unit "$$UNIT"

build: $(STAMP)  ## Build notebooks, source, release and solutions from masters (UNIT=01 for one).
	$(COURSE) build --unit "$$UNIT"

TRIAL = $(if $(ANSWERS),--answers "$$ANSWERS") $(if $(JSON),--json) $(if $(UNSAFE),--unsafe)

prove: $(STAMP)  ## Run all answers and mutants through the judge, or those in ANSWERS=file (UNIT=01).
	$(if $(JSON),@)$(COURSE) prove --unit "$$UNIT" $(TRIAL)

robustness: $(STAMP)  ## Rerun a lesson's claims on ten seeds, also three times as long (UNIT=07).
	$(if $(JSON),@)$(COURSE) robustness --unit "$$UNIT" $(if $(SEEDS),--seeds "$$SEEDS") \
		$(if $(CLAIM),--claim "$$CLAIM") $(if $(JSON),--json)

new-unit: $(STAMP)  ## Make masters/NAME, a skeleton that builds (NAME=02_output_distributions).
	$(COURSE) new-unit --name "$$NAME"

lint: $(STAMP)  ## Check format, lint, imports between packages, types, and that all code is used.
	"$(BIN)/ruff" format --check .
	"$(BIN)/ruff" check .
	"$(BIN)/lint-imports" --no-cache
	"$(BIN)/vulture"
	"$(BIN)/mypy"

test-browser: $(STAMP)  ## Open lessons, an assignment and a graded class in Chromium (part of test).
	OMP_NUM_THREADS=1 "$(BIN)/python" -m pytest -n $(JOBS) --dist loadfile tests/browser

# In the order given: the notebooks, many and short, come last, so that no worker waits.
test: lint  ## Run all tests: units, answers and mutants, drift, leaks, notebooks, grading.
	OMP_NUM_THREADS=1 COURSE_PROGRESS=off "$(BIN)/python" -m pytest -n $(JOBS) --dist loadfile \
		--no-loadscope-reorder --durations=25 --nbval-lax tests notebooks solutions

test-processors: $(STAMP)  ## Compare all trees and mutants under four processor settings (long).
	OMP_NUM_THREADS=1 "$(BIN)/python" -m tests.processors --all --settings

screenshots: $(STAMP)  ## Take the README's pictures anew: docs/images/.
	COURSE_REQUIRE_BROWSER=1 OMP_NUM_THREADS=1 "$(BIN)/python" -m pytest tests/browser \
		-k "01_loss or a_wrong_answer_is_named or map_shows"
	mkdir -p docs/images
	cp build/screenshots/01_loss_as_likelihood.png docs/images/lesson.png
	cp build/screenshots/panel.png docs/images/panel.png
	cp build/screenshots/map-light.png docs/images/map.png

redteam: $(STAMP)  ## Grade a class of attackers: points deserved and got, leaked yes or no.
	OMP_NUM_THREADS=1 "$(BIN)/python" -m tests.redteam

soak: $(STAMP)  ## Grade in a loop, with attacks, graders killed at random (MINUTES=20).
	OMP_NUM_THREADS=1 "$(BIN)/python" -m tests.redteam.soak $(if $(MINUTES),--minutes "$$MINUTES") \
		$(if $(SEED),--seed "$$SEED")

# A learner's JupyterLab: without the instructor's panels, and in a container as root, too.
LAB = OMP_NUM_THREADS=1 JUPYTER_CONFIG_PATH="$(CURDIR)/course_grader/jupyter" \
	PYTHONSTARTUP="$(CURDIR)/course_grader/jupyter/_startup.py" "$(BIN)/jupyter" lab \
	--notebook-dir work $(if $(filter 0,$(shell id -u)),--allow-root)

lab: $(STAMP)  ## Open JupyterLab at the map, on work/, your own copy, which is never overwritten.
	$(COURSE) work
	$(LAB) --LabApp.default_url=/lab/tree/course.ipynb

check: $(STAMP)  ## Grade your own copy in work/ with all checks, hidden ones too (UNIT=01).
	$(COURSE) check --unit "$$UNIT"

progress: $(STAMP)  ## Show where you stand in work/: exercises, predictions, what is next.
	$(COURSE) progress

interview: $(STAMP)  ## Open a mock interview: ten questions, told and scored at the end (SEED=7).
	NOTEBOOK=$$($(COURSE) interview $(if $(SEED),--seed "$$SEED")) && \
		$(LAB) --LabApp.default_url="/lab/tree/$$NOTEBOOK"

playground: $(STAMP)  ## Open a page to play with distributions and losses: no code, no network.
	$(COURSE) playground

REVIEW = $(if $(TO),--to "$$TO") $(if $(CARDS),--cards "$$CARDS") \
	$(if $(MINUTES),--minutes "$$MINUTES")

review: $(STAMP)  ## Ask what you have met, when you are about to forget it (TO=anki exports it).
	@$(COURSE) review $(REVIEW)

GRADING = $(if $(UNSAFE),--unsafe) $(if $(WORKERS),--workers "$$WORKERS") \
	$(if $(SCHEDULER),--scheduler "$$SCHEDULER")

grade: $(STAMP)  ## Grade submitted/ or FROM=folder-or-zip (UNIT=01).
	$(COURSE) grade --unit "$$UNIT" $(if $(FROM),--origin "$$FROM") $(GRADING)

words: $(STAMP)  ## Grade answers in words in a browser, with the rubric's points to click (UNIT=05).
	@$(COURSE) words --unit "$$UNIT" $(if $(PORT),--port "$$PORT") $(if $(ALL),--all)

roster: $(STAMP)  ## Enter who takes the course (FROM=canvas.csv, Moodle's participants, or yours).
	$(COURSE) roster --origin "$$FROM"

groups: $(STAMP)  ## Set or show who hands in a unit together (UNIT=15 FROM=groups.csv).
	$(COURSE) groups --unit "$$UNIT" $(if $(FROM),--origin "$$FROM")

due: $(STAMP)  ## Set or show when a unit is due (UNIT=01 WHEN="2027-01-31 23:59" STUDENT=one).
	$(COURSE) due --unit "$$UNIT" --when "$$WHEN" --student "$$STUDENT"

regrade: $(STAMP)  ## Show whose grades 'make grade' would change now, and write nothing (UNIT=01).
	$(COURSE) grade --preview --unit "$$UNIT" $(GRADING)

# AS is make's own name for an assembler, and a compiler's environment may set it: then no word of it.
ADJUSTING = $(if $(EXERCISE),--exercise "$$EXERCISE") \
	$(if $(EXERCISE)$(findstring command,$(origin AS)),--as "$$AS")

withdraw: $(STAMP)  ## Take back a student's submission, as if nothing came (UNIT=01 STUDENT=one).
	$(COURSE) withdraw --unit "$$UNIT" --student "$$STUDENT" $(if $(APPLY),--apply)

adjust: $(STAMP)  ## Void an exercise, or give its points to all (UNIT=01 EXERCISE=one AS=void).
	$(COURSE) adjust --unit "$$UNIT" $(ADJUSTING) $(if $(APPLY),--apply)

exercises: $(STAMP)  ## Take over exercises added or removed after submissions (UNIT=01, APPLY=1).
	$(COURSE) exercises --unit "$$UNIT" $(if $(APPLY),--apply)

formgrader: $(STAMP)  ## Open nbgrader's Formgrader: read submissions, give points and comments.
	@echo "In JupyterLab: menu Nbgrader, Formgrader."
	"$(BIN)/jupyter" lab

class-report: $(STAMP)  ## Show a graded class (UNIT=01), or its whole term, on one page, with CSV.
	$(COURSE) class-report --unit "$$UNIT"

export: $(STAMP)  ## Write points as an LMS imports them (TO=canvas, moodle, moodle-worksheet, ...).
	$(COURSE) export --to "$$TO" --unit "$$UNIT" --missing "$$MISSING"

feedback: $(STAMP)  ## Write a zip of feedback pages that an LMS takes back (UNIT=01 TO=canvas).
	$(COURSE) feedback --unit "$$UNIT" --to "$$TO"

bundle: $(STAMP)  ## Write what a class gets, scanned for leaks; all, or a week (UNIT=03 or 01,02).
	$(COURSE) bundle --unit "$$UNIT"

site: $(STAMP)  ## Make build/site/, lessons to look at: sliders, predictions, no kernel (UNIT=01,02).
	$(COURSE) site --unit "$$UNIT" $(if $(REPOSITORY),--repository "$$REPOSITORY") \
		$(if $(FRAMES),--frames "$$FRAMES")

test-site: $(STAMP)  ## Try each page of build/site/ in Chromium: sliders, sizes, seconds, 390 px.
	OMP_NUM_THREADS=1 "$(BIN)/python" -m tests.site_table

bench-grading: $(STAMP)  ## Time stock nbgrader and ours on the same class (ARGS="--rounds 1").
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 "$(BIN)/python" benchmarks/grading.py $(ARGS)

bench-growth: $(STAMP)  ## Grade 2000 submissions; is the last as quick as the first (ARGS="--dask").
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 "$(BIN)/python" benchmarks/growth.py $(ARGS)

bench-models: $(STAMP)  ## Run our flow, VAE and forecaster beside other libraries' (ARGS="--seeds 2").
	$(if $(LINKED),,"$(BIN)/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[bench]")
	OMP_NUM_THREADS=1 "$(BIN)/python" benchmarks/models.py $(ARGS)
	OMP_NUM_THREADS=1 "$(BIN)/python" benchmarks/forecasting.py $(ARGS)

gpu: $(STAMP)  ## Run every notebook on a GPU, with its seconds beside the CPU's.
	OMP_NUM_THREADS=1 "$(BIN)/python" benchmarks/gpu.py

clean:  ## Remove build/ (keeps .venv, work/, submitted/ and the gradebook).
	rm -rf build
