"""What reaches the terminal."""

from __future__ import annotations

import json
import os
import pty

import hypothesis.strategies as st
import pytest
from hypothesis import given

from modeltap.cli.terminal import print_json, print_table, printable, size_text
from support.pythons import ROOT, python


@given(st.text())
def test_nothing_that_acts_on_a_terminal_passes(text):
    assert printable(text).isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("größe 数", "größe 数"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\u202eevil", "\\u202eevil"),
        ("\u2028\u0085\x9b", "\\u2028\\x85\\x9b"),
        ("\ud800", "\\ud800"),
    ],
)
def test_controls_are_spelled_out_and_letters_stay(text, shown):
    assert printable(text) == shown


def test_a_table_is_aligned_and_numbers_stand_to_the_right(capsys):
    print_table(("name", "rows"), [("a", 5), ("数据", 1234), (None, "")], right=("rows",))
    assert capsys.readouterr().out.splitlines() == ["name  rows", "----  ----", "a        5", "数据  1234", ""]


def test_a_hostile_header_and_cell_are_shown_not_obeyed(capsys):
    print_table(("\x1b[2J",), [("\x1b]0;owned\x07",)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\\x1b]0;owned\\x07" in out


def test_a_long_cell_is_cut(capsys):
    print_table(("text",), [("x" * 1000,)])
    assert capsys.readouterr().out.splitlines()[-1] == "x" * 37 + "..."


def test_columns_that_do_not_fit_a_terminal_are_counted():
    script = "import sys; sys.path.insert(0, sys.argv[1])\nfrom modeltap.cli.terminal import print_table\n"
    script += "print_table([f'column {n}' for n in range(30)], [range(30)])"
    parent, child = pty.openpty()
    process = os.fork()
    if process == 0:  # pragma: no cover  runs in the child
        os.environ.update(COLUMNS="80", LINES="24")
        os.dup2(child, 1)
        os.execv(os.sys.executable, [os.sys.executable, "-c", script, str(ROOT / "src")])
    os.close(child)
    shown = b""
    while chunk := _read(parent):
        shown += chunk
    os.waitpid(process, 0)
    lines = shown.decode().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "... 22 more columns: --json shows all"


def _read(handle):
    try:
        return os.read(handle, 65536)
    except OSError:  # the other end has closed
        return b""


def test_json_is_ascii_and_reads_back(capsys):
    print_json({"\x1b": "\u202e ü"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"\x1b": "\u202e ü"}


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_000_000, "2.0 MB"), (3.2e9, "3.2 GB"), (5e13, "50.0 TB")],
)
def test_sizes_are_told_in_words(size, text):
    assert size_text(size) == text


def test_an_output_that_cannot_hold_a_letter_gets_its_escape():
    done = python(
        "from modeltap.cli import main; main(['ls', '--store', '/nowhere/数'])", PYTHONIOENCODING="ascii", LC_ALL="C"
    )
    assert done.code == 0
    assert "\\u6570" in done.out
