# demo: see modeltap work · test: everything that must hold · check: the rules without the tests
# bench: the figures · nightly: the long proofs · clean: back to a fresh clone
# coverage: the tests, and which branches they took
.PHONY: demo test check coverage bench nightly clean
.DEFAULT_GOAL := test

BIN := .venv/bin
STEP := scripts/step
export PYTHON
# dozens of children import the same libraries: compiled once, they start several times as fast
unexport PYTHONDONTWRITEBYTECODE

demo: .venv/.dev
	@$(BIN)/modeltap demo

test: check .venv/.spark
	@$(BIN)/python -m pytest -q --durations=10

check: .venv/.dev
	@$(STEP) "ruff" $(BIN)/ruff check .
	@$(STEP) "ruff format" $(BIN)/ruff format --check .
	@$(STEP) "mypy" $(BIN)/mypy
	@$(STEP) "import contracts" $(BIN)/lint-imports
	@$(STEP) "dependencies" $(BIN)/deptry .

coverage: .venv/.dev .venv/.spark
	@$(BIN)/coverage run -m pytest -q
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report

bench: .venv/.dev
	@$(BIN)/python -m bench

nightly: .venv/.dev .venv/.spark
	@$(BIN)/python -m pytest -q --durations=20 --nightly

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* modeltap-demo

.venv/.dev: requirements/dev.txt
	@$(STEP) "set-up" scripts/set-up dev

.venv/.spark: requirements/spark.txt .venv/.dev
	@$(STEP) "set-up of Spark" scripts/set-up spark
