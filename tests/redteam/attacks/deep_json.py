"""Hands in JSON nested so deep that a parser runs out of stack.

class: metadata
stopped by: the intake
deserved: 0
"""


# %% hand_in
def hand_in(path, course, unit):
    path.write_text('{"nbformat": 4, "cells": ' + "[" * 200_000 + "]" * 200_000 + "}", "utf-8")
