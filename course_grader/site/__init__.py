"""The website that only wants to be looked at: lessons with sliders and predictions, no kernel.

May import all that stands below reporting; `recorder` runs in a lesson's kernel.
"""
