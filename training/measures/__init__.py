"""The measures of what a generator draws.

A module here that has MEASURES is part of every evaluation, table and page (`registry.py` finds it). Each measure says
something that the others do not.
"""
