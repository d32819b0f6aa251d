"""A scenario that runs at once."""

SMALL = """\
format = 1
title = "Small"
model = "generic_oral_2cmt_friberg"
days = 42
visits = "d1 weekly"
[population]
size = 16
seed = 2
[[arm]]
name = "[bold] 40 mg"
dose = "drug 40 mg BID d1-14"
[[arm]]
name = "no drug"
dose = "none"
"""
