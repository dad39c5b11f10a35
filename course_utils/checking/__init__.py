"""What check cells use: what an answer gives is recorded, compared and shown in a panel.

The judge uses the same comparison, so that a panel and a grade cannot disagree.
"""

__all__ = []
