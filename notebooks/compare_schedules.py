# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How long on, how long off?
#
# A drug that stops neutrophils from maturing is given for some days of every 28 and withheld for the rest. Say that the dose
# of a cycle is settled: 1400 ug. Should it be given in one week, in two, in three, or a little every day?
#
# The subjects are virtual: people with relapsed myeloma under cemsidomide. What must be known before reading on:
#
# * No concentrations of cemsidomide are public. Exposure is normalized, and the effects are calibrated to the reported
#   percentages of grade 3, at schedules of 14 days of 28. **Read differences between schedules, not levels**, and trust those
#   near 14 of 28 days most: 200 ug a day for a week is an extrapolation.
# * Doses are given as planned. In a trial they would be held, reduced or rescued.
# * What is compared is blood counts. Whether the schedules work equally well is another question, which no model here answers.

# %%
# %matplotlib inline
import os

import myelosim as ms
from myelosim.comparison import summary
from myelosim.plots import plot_grade_occupancy, plot_monitoring, plot_summary

size = int(os.environ.get("MYELOSIM_NOTEBOOK_SIZE", "1000"))

# %% [markdown]
# ## The scenario
#
# Every arm gives the same dose per cycle, to the same virtual subjects, with a blood draw a week. `d1-14` are study days: d1 is
# elapsed day 0. The arm without drug shows what disease and measurement do alone.

# %%
SCHEDULES = {
    "7 of 28 days": "cemsidomide 200 ug QD d1-7 q28d x4",
    "14 of 28 days": "cemsidomide 100 ug QD d1-14 q28d x4",
    "21 of 28 days": "cemsidomide 66.667 ug QD d1-21 q28d x4",
    "every day": "cemsidomide 50 ug QD d1-28 q28d x4",
}
result = ms.compare(
    {
        "format": 1,
        "title": "Cemsidomide, 1400 ug a cycle: how long on, how long off?",
        "model": {"drug": "cemsidomide", "species": "human", "variant": "rrmm"},
        "days": 112,
        "grading": "ctcae_v5",
        "visits": "d1 weekly",
        "population": {"size": size, "seed": 1},
        "arm": [
            {"name": "no drug", "dose": "none"},
            *({"name": name, "dose": dose} for name, dose in SCHEDULES.items()),
        ],
    }
)

# %% [markdown]
# How much of this rests on assumption is written in the result, and at the foot of every figure:

# %%
print(result.attrs["assumed_parameters"], "parameters are assumed:", result.attrs["assumed"])

# %% [markdown]
# ## The picture

# %%
plot_summary(result)

# %% [markdown]
# The same dose, given faster, makes deeper and shorter neutrophil nadirs; spread out, shallower and longer ones. Grade 3 counts
# who falls below a line once, so it rewards the shallow; days at grade 3 count for how long, and may say something else.
# Hemoglobin goes the other way: its effect saturates, so that a short course wastes part of the dose, and it is too slow to
# recover between cycles.
#
# ## The table to decide by
#
# One line a schedule. Percentages are of subjects, with 95 % intervals for the number simulated: not for what is assumed.

# %%
table = summary(result)
chosen = table[(table["lineage"] == "neutrophil") & (table["arm"] != "no drug")].set_index("arm")
others = table.pivot(index="arm", columns="lineage", values="p_grade3")


def percent(row, name):
    return f"{100 * row[name]:.0f} ({100 * row[name + '_low']:.0f} to {100 * row[name + '_high']:.0f})"


decision = chosen[[]].assign(
    **{
        "neutrophils grade >= 3, %": [percent(row, "p_grade3") for _, row in chosen.iterrows()],
        "as seen weekly, %": [percent(row, "p_grade3_seen") for _, row in chosen.iterrows()],
        "grade 4, %": [percent(row, "p_grade4") for _, row in chosen.iterrows()],
        "mean days at grade >= 3": chosen["days_grade3"].round(1),
        "median nadir, 10^9/L": chosen["nadir"].round(2),
        "platelets grade >= 3, %": (100 * others["platelet"]).round(),
        "hemoglobin grade >= 3, %": (100 * others["hemoglobin"]).round(),
    }
)
decision

# %% [markdown]
# What is seen at visits is not what is true: without any drug nobody's true neutrophils reach grade 3 here, and yet weekly
# measurements show it in some:

# %%
nothing = table[table["arm"] == "no drug"].set_index("lineage")
nothing[["p_grade3", "p_grade3_seen", "p_grade3_seen_low", "p_grade3_seen_high"]].round(3)

# %% [markdown]
# The subjects are the same in every arm, so that differences are paired, and surer than the two percentages are. Against 14 of
# 28 days:

# %%
usual = result.sel(arm=["14 of 28 days", "7 of 28 days", "21 of 28 days", "every day"])
paired = summary(usual)
paired[paired["lineage"] == "neutrophil"].set_index("arm")[
    ["difference", "difference_low", "difference_high"]
].dropna().round(3)

# %% [markdown]
# ## When is it at its worst, and when would one see it?

# %%
plot_grade_occupancy(usual, "neutrophil")[0].figure

# %%
plot_monitoring(usual, "neutrophil")[0].figure

# %% [markdown]
# Days are chosen to show grade 3 within a week of its onset, in all lineages together. Where nadirs are short and deep, a few
# well-placed draws show far more in time than one a week does (i), which can pass between two nadirs; elsewhere about as many.
# Where onsets are spread over months, as with a dose every day, no few days do, and drawing more often once a grade 3 is seen
# (iii) helps most.
#
# ## Does it hang on what is assumed?
#
# The steepness and the potency on neutrophils are not known for this drug. The same schedules with a flat response (Hill
# coefficient 1 instead of 2), and with half the potency:

# %%
VARIANTS = {
    "as in the file": {},
    "flat response": {"cemsidomide.neutrophil.hill": 1.0},
    "half the potency": {"cemsidomide.neutrophil.ec50": 0.9},
}
again = ms.compare(
    {
        "format": 1,
        "title": "What is assumed",
        "model": {"drug": "cemsidomide", "species": "human", "variant": "rrmm"},
        "days": 112,
        "population": {"size": size, "seed": 1},
        "recommend": {"draws": [1]},
        "arm": [
            {"name": f"{variant}: {name}", "dose": dose, "set": values}
            for variant, values in VARIANTS.items()
            for name, dose in SCHEDULES.items()
        ],
    }
)
held = summary(again).query("lineage == 'neutrophil'")
held[["variant", "schedule"]] = held["arm"].str.split(": ", expand=True)
held["percent at grade >= 3"] = 100 * held["p_grade3"]
held.pivot(index="variant", columns="schedule", values=["percent at grade >= 3", "days_grade3"]).round(1).T

# %% [markdown]
# ## What one may conclude
#
# * In all three, at one dose per cycle, a longer and gentler course lets fewer subjects fall to neutrophil grade 3. How many do
#   varies twofold and more with what is assumed: the order is a result, the levels are not.
# * By mean days at grade 3 the schedules differ little, and their order changes with what is assumed: by duration nothing is
#   decided.
# * More days on cost hemoglobin. What is gained in one lineage is partly lost in another.
# * Nothing here says which schedule is safe or works, or that any of them should be given.
