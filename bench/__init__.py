"""Figures that anyone can repeat: ``make bench``, or ``python -m bench NAME ...`` for some of them.

Each suite runs in processes of its own on fresh folders, compares with a floor in the same run and
prints a table with ratios first, because machines differ and this one may be busy.
"""
