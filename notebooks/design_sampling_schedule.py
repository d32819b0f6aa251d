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
# # On which days, from a mouse that cannot give that much blood?
#
# Advice for cemsidomide in animals reads: 50 to 100 uL from the tail vein before the first dose, and again on days 3, 5, 7, 10 and
# 14; a complete blood count each time. The question: what would a study in mice learn from these days, what do they cost the
# mice, and what would do better?
#
# What must be known before reading on:
#
# * **Everything below is reckoned from a model** whose values are taken as true. It says what a study can tell if the model is
#   right, and nothing of whether it is.
# * No concentrations and no animal potencies of cemsidomide are public. Doses are human-equivalent exposures, and most values
#   of the mouse are assumed; the next cell counts them.
# * Limits on blood are guidelines of a few institutions, written in the species file with their source. Your committee's hold.

# %%
# %matplotlib inline
import os
import tomllib
import warnings

import matplotlib.pyplot as plt
import pandas as pd

import myelosim as ms

warnings.simplefilter("ignore", ms.MyelosimWarning)  # each result says them again, and they are printed below
pd.set_option("display.max_colwidth", 300)
quick = "MYELOSIM_NOTEBOOK_SIZE" in os.environ  # fewer days, subjects and fits: as a test

mouse = ms.load_model("cemsidomide", species="mouse", variant="humanized_crbn")
print(f"{mouse.title}: {len(mouse.parameters)} parameters, of which assumed: {len(mouse.assumed)}")
print(*ms.load_model("cemsidomide", species="mouse").warnings, sep="\n")

# %% [markdown]
# Wild-type mice hardly respond, and no calendar can change that: we come back to it. The study is in mice with humanized
# cereblon: eight on vehicle, twelve at 75 ug and twelve at 150 ug (human-equivalent), 14 days of drug. Here it is as a file would
# say it; `myelosim design FILE` takes the same text. First with the days that are advised, and nothing said of what to estimate:

# %%
STUDY = tomllib.loads("""
model = { drug = "cemsidomide", species = "mouse", variant = "humanized_crbn" }
observe = ["neutrophil", "platelet", "hemoglobin"]
candidate_days = [0, 3, 5, 7, 10, 14]       # elapsed; day 0 is before the first dose
blood = { draw = "0.05 mL", loss = true }   # what is drawn is missing afterwards
windows = false

[[group]]
name = "vehicle"
dose = "none"
subjects = 8

[[group]]
name = "75 ug"
dose = "cemsidomide 75 ug QD d1-14"
subjects = 12

[[group]]
name = "150 ug"
dose = "cemsidomide 150 ug QD d1-14"
subjects = 12
""")

# %% [markdown]
# ## What the advised days cost the mouse
#
# One mouse of 25 g against the limits (mL), at both ends of what is advised:

# %%
least = ms.run_design(STUDY).design
most = ms.run_design({**STUDY, "blood": {"draw": "0.1 mL", "loss": True}}).design
cost = pd.concat({"0.05 mL": least.blood, "0.1 mL": most.blood}, names=["draw", ""]).droplevel(1)
cost[cost["group"] == "vehicle"].drop(columns="group").set_index("limit", append=True).round(2)

# %% [markdown]
# Six draws of 100 uL are a third of a mouse's blood, more than twice of what may be taken in four weeks. Even at 50 uL a week
# with three draws is too full, and so are the four weeks.
#
# And a study that bleeds changes what it measures. Typical mice with the draws and without:

# %%
counts = most.trajectories(step=1.0)["count"]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for ax, (lineage, unit) in zip(axes, {"hemoglobin": "g/dL", "platelet": "10⁹/L"}.items(), strict=True):
    for color, group in (("C0", "vehicle"), ("C3", "150 ug")):
        for drawn, style in (("no", "--"), ("yes", "-")):
            line = counts.sel(group=group, drawn=drawn, lineage=lineage)
            label = group + ("" if drawn == "no" else ", six draws of 100 uL")
            ax.plot(line["time"], line, style, color=color, label=label)
    ax.set(title=f"{lineage}, {unit}", xlabel="elapsed day")
    ax.set_ylim(0)
axes[0].legend(frameon=False, loc="lower left")
plt.close(figure)
figure

# %%
last = counts.isel(time=-1)
undrawn = last.sel(drawn="no")
percent = {"the draws": last.sel(drawn="yes") / undrawn, "the drug": undrawn / undrawn.sel(group="vehicle")}
pd.concat({f"by {name}, %": (100 * (ratio - 1)).to_pandas() for name, ratio in percent.items()}, axis=1).round(1)

# %% [markdown]
# After the last draw, on day 14, hemoglobin is 21 to 23 % lower than in mice that were not bled. That is more than twice of what
# the drug does (9 % at 150 ug), and it is there on vehicle, too. Neutrophils and platelets, which come back between draws, are
# 5 to 9 % lower. Whoever reads such hemoglobins without a vehicle group that is bled alike calls blood loss an effect of the drug.

# %% [markdown]
# ## What the advised days tell
#
# From here on the draws are of 50 uL, and all that follows reckons with the missing blood. Asked for everything that a fit would
# estimate by default:

# %%
wishes = pd.Series(dict(least.rse))
print(
    f"{len(wishes)} quantities, {(wishes > 50).sum()} with an expected relative standard error above 50 %; the worst:"
)
wishes.nlargest(6).round(0).to_frame("relative standard error, %")

# %% [markdown]
# Thirty-two mice and six days cannot tell a whole model. Why, and what would help? `report()` says it in paragraphs; the first
# three as a table:

# %%
least.identifiability()[["what", "why", "help"]].head(3)

# %% [markdown]
# ## Ask less
#
# Seven typical values stay: three baselines, the platelets' transit time, three potencies. Mice differ in their baselines and in
# the potency on platelets, by an amount that is estimated; in other things they are assumed to differ as the library says.
# All else is held where the library has it, and what is held wrongly biases what is estimated: that is the price.

# %%
ASKED = tomllib.loads("""
free = "listed"

[estimate]
"neutrophil.baseline" = { omega = 0.184 }
"platelet.baseline" = { omega = 0.0222 }
"erythroid.baseline" = { omega = 0.0025 }
"platelet.mtt" = { omega = { variance = 0.01, fixed = true } }
"cemsidomide.neutrophil.ec50" = { omega = { variance = 0.223, fixed = true } }
"cemsidomide.platelet.ec50" = { omega = 0.593 }
"cemsidomide.erythroid.ec50" = { omega = { variance = 0.223, fixed = true } }
"cemsidomide.cl" = { fixed = true, omega = { variance = 0.0605, fixed = true } }
""")
WILD = {"model": {"drug": "cemsidomide", "species": "mouse"}}
POTENCIES = [f"cemsidomide.{lineage}.ec50" for lineage in ("neutrophil", "platelet", "erythroid")]

advised = ms.run_design(STUDY | ASKED).design
wild = ms.run_design(STUDY | ASKED | WILD).design
pd.DataFrame({"value": advised.table["value"], "rse, %": advised.rse, "rse in wild-type mice, %": wild.rse}).round(3)

# %% [markdown]
# In these mice the advised days would do, if only the mice could. In wild-type mice the potency on neutrophils stays unknown: it
# would take some 800 times as many to know it to 50 %. That there is an effect at all, on each lineage in turn, is shown with a
# power of (0.05 is that of false alarms)

# %%
pd.DataFrame(
    {
        "humanized": {name: advised.power(name) for name in POTENCIES},
        "wild-type": {name: wild.power(name) for name in POTENCIES},
    }
).round(2)

# %% [markdown]
# ## How many draws?
#
# Now the days are chosen: Mondays, Wednesdays and Fridays of three weeks (day 0 is a Monday), 50 uL a draw, within the species'
# limits, and half of each group bled on other days than the other half. The best design for each number of draws of a mouse,
# its information against that of the advised days:

# %%
weeks = [0, 4, 7, 14, 18, 21] if quick else [0, 2, 4, 7, 9, 11, 14, 16, 18, 21]
OPEN = STUDY | ASKED | {"candidate_days": weeks, "structure": "alternating", "visits": {"from": 2, "to": 5}}
front = ms.design_front(ms.load_design(OPEN), starts=4)
front["of advised"] = front["criterion"] / advised.criterion
front[["visits", "draws", "blood", "of advised", "worst", "rse", "days"]].round(2)

# %% [markdown]
# Two draws of a mouse tell half of what the advised six would, four tell 92 %, and five more than those. The potency on red
# cells is known least throughout: they live long, and three weeks show little of what stops their making.
#
# ## The design
#
# Four draws, then, with three other ways to place draws beside them. This is what `myelosim design` prints of it, and draws:

# %%
best = ms.run_design(OPEN | {
    "title": "Cemsidomide in humanized-cereblon mice, four draws each", "visits": 4, "windows": 0.9,
    "alternative": [
        {"name": "advised days", "days": [0, 3, 5, 7, 10, 14]}, {"name": "days 3, 7, 10, 14", "days": [3, 7, 10, 14]},
        {"name": "days 0, 7, 14, 21", "days": [0, 7, 14, 21]},
    ],
})  # fmt: skip
print(best.report())

# %%
best.draw()

# %% [markdown]
# Read aloud:
#
# * **No limit is broken**, and 128 draws tell nearly as much as the advised 192: 9 % more mice would make up for the rest.
# * **The last days are worth most.** Dosing ends before day 14; how counts come back tells the platelets' transit time to 6.6 %
#   instead of 10.5 %, and the potency on red cells to 27 instead of 31 %. The advised days stop where that begins.
# * **Few dates need to be kept.** Most visits may slip by three days, and where all slip at random 95 % is left. It is enough to
#   bleed before, during and after the drug.
# * So a plain week's rhythm, days 0, 7, 14 and 21, with all mice bled together, reaches 93 % with the same draws. Whether a
#   calendar in halves is worth 7 % is for the study director. Days 3, 7, 10 and 14, without a baseline and without the return,
#   reach 76 %.
# * That no other design within these limits is better by more than 0.06 % is proven, but for the blood lost, and under this model.
# * The warnings stay: of what a single dosed mouse's potency is on neutrophils a half to two thirds remain unknown, on red cells
#   nearly all, on platelets a third; mostly the typical values are told. And mice differ so much in one potency that the
#   linearization must be checked.
#
# ## What is it for?
#
# Good estimates of everything are seldom what a study is for. Say what is wanted is the dose at which a third of these mice reach
# grade 3 neutropenia (in animals: less than half of their own baseline). Days can be chosen for that number instead:

# %%
decision = tomllib.loads("""
lineage = "neutrophil"
dose = "cemsidomide 100 ug QD d1-14"    # times a factor that is sought
days = 28
grade = 3
limit = 0.33
""")
deciding = ms.run_design(
    OPEN | {"visits": 4, "criterion": "dose", "decision": decision | {"subjects": 100 if quick else 400}}
)
three = {"advised, 6 draws": advised, "D, 4 draws": best.design, "for the dose, 4 draws": deciding.design}
promised = {name: one.predicted(deciding.asked.decision).loc["dose"] for name, one in three.items()}
pd.DataFrame({
    name: {
        **promised[name][["value", "se", "low", "high"]].astype(float),
        **{f"rse of {potency}, %": one.rse[potency] for potency in POTENCIES}, "draws in all": one.draws,
    }
    for name, one in three.items()
}).round(1)  # fmt: skip

# %%
deciding.design.calendar.pivot_table(index="group", columns="day", values="subjects", aggfunc="sum").astype("Int64")

# %% [markdown]
# Days chosen for the dose bring its standard error from 13.6 to 12.6 ug with the same 128 draws, as 16 % more mice would, and
# below that of the advised 192. Platelets pay for it: their potency is known to 25 instead of 20 %. No dosed mouse is bled before
# its first dose: the vehicle mice tell the baseline, which holds only if groups are drawn by lot.
#
# It is no great gain, and that is an answer, too: whatever the days, thirty-two mice know this dose only within a third either way.
# More mice would help. And how much mice differ in this potency is assumed here and not estimated, though the dose rests on it.
#
# ## Does it keep what it promises?
#
# All of this is by linearization around a typical mouse, and one warning says that mice differ too much in the potency on
# platelets for that to be exact. So the study is simulated and fitted, again and again; here its platelets alone, a second each
# time (`myelosim design FILE --verify 200` does it with all three lineages, and takes an hour):

# %%
PART = {
    "observe": ["platelet"], "structure": "together", "visits": 4,
    "estimate": {name: entry for name, entry in ASKED["estimate"].items() if "platelet" in name or name.endswith(".cl")},
    "group": [
        {"name": one.name, "dose": one.regimen.text or "none", "subjects": one.subjects, "candidate_days": list(one.days)}
        for one in best.design.groups
    ],
}  # fmt: skip
refitted = ms.run_design(OPEN | PART, verify=2 if quick else 25).verified
refitted[["expected_rse", "empirical_rse", "bias", "coverage", "fitted", "failed"]].round(2)

# %% [markdown]
# Twenty-five studies tell a standard error to 14 %. Within that the typical values and the variance between baselines are known as
# well as promised, and 88 to 96 % of the intervals hold the truth. The variance of the potency on platelets is not: 73 % instead of
# 45 %, where the warning said that linearization is rough. Whoever needs that number needs more mice than the calendar says.
#
# ## And then?
#
# When the study is done, its fit is what the next one begins with (`prior = "results/..."` in a file, `prior=fit` in Python). It
# is not done yet; what it is expected to tell can stand in for it. Sixteen mice more, two draws each, one dose of five: which,
# and when?

# %%
estimate = deciding.asked.estimate
then = ms.optimize_design(
    mouse, doses=[f"cemsidomide {amount} ug QD d1-14" for amount in (50, 75, 100, 150, 200)], subjects=16, visits=2,
    candidate_days=weeks, structure="alternating", draw=0.05, blood_loss=True, parameters=estimate["free"],
    omega=estimate["omega"], criterion="dose", decision=deciding.asked.decision, prior=deciding.design,
)  # fmt: skip
print(then.groups[0].regimen.text, "| days", *(f"{day:g}" for day in then.days), "|", then.found["how"])
both = {"first study": deciding.design, "both": then}
pd.concat({name: one.predicted(deciding.asked.decision) for name, one in both.items()}).round(1)

# %% [markdown]
# Sixteen mice at 100 ug, bled on days 4 and 18, bring the standard error from 12.6 to 9.5 ug: the dose nearest to the one that is
# sought, once where the counts fall and once where they have come back.
#
# ## What to take home
#
# * The advised days take more blood than a mouse may give, and stop before counts come back. In wild-type mice no days help.
# * Four draws of 50 uL, the last of them in the week after the drug, tell nearly as much; days 0, 7, 14 and 21 are close to that.
# * Say what is wanted before choosing days, and bleed the vehicle mice like the others.
# * It all holds under a model of which two thirds of the values are assumed. A pilot's fit replaces them, and then all of this is
#   worth running again.
#
# `myelosim design cemsidomide_mouse` is this study with draws of 60 uL, three of each mouse, and at most eight days of work.
