"""Where a dose of a model's drug goes, and how much of it in the drug's own unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from myelosim import units
from myelosim.errors import SpecError
from myelosim.spec import declared
from myelosim.spec.document import suggestion
from myelosim.spec.model import Drug, Model
from myelosim.spec.regimen import DoseEvent, Regimen


def dosed_drug(event: DoseEvent, model: Model) -> Drug:
    """Return the drug an event doses; :class:`SpecError` if the model has none of that name."""
    if event.drug not in model.drugs:
        raise SpecError(f"model {model.name} has no drug '{event.drug}'{suggestion(event.drug, model.drugs)}")
    return model.drugs[event.drug]


def dose_factor(event: DoseEvent, model: Model) -> tuple[float, str]:
    """Return what turns an event's amount into the drug's amount unit.

    Returns
    -------
    (factor, covariate)
        Amount times factor, and times the subject's ``"weight"`` (kg) or ``"surface"`` (m2) where that is named.
    """
    drug = dosed_drug(event, model)
    unit = event.unit or drug.amount_unit
    if event.amount > (most := units.most_dose(unit)):
        raise SpecError(
            f"model {model.name}: {drug.name}: a dose of {event.amount:g} {unit} cannot be meant; it is at most {most:g} {unit}"
        )
    if not event.unit:
        return 1.0, ""
    try:
        unit, measure = units.split_dose(event.unit)
        if unit != "rel" and drug.amount_unit == "rel":
            raise ValueError(f"{drug.name} is dosed in 'rel', not '{event.unit}'")
        factor = units.convert(1.0, unit, drug.amount_unit, drug.molar_mass)
    except ValueError as error:
        raise SpecError(f"model {model.name}: dose of {drug.name} in {event.unit}: {error}") from None
    if measure and measure not in model.subjects.covariates:
        example = "70 kg" if measure == "weight" else "1.8 m2"
        raise SpecError(
            f"model {model.name}: dose of {drug.name} in {event.unit} needs the subjects' {measure}; "
            f'add {measure} = "{example}" to [covariates]'
        )
    return factor, measure


def prescribed(text: str | Sequence[str], model: Model) -> Regimen:
    """Read doses in their shorthand and match them with a model; one that begins with its amount is of the model's one drug.

    Raises
    ------
    SpecError
        A dose is not understood, or not the model's.
    """
    if isinstance(text, str):
        text = [text]
    if isinstance(text, list | tuple):
        text = [_whose(one, model) if isinstance(one, str) else one for one in text]
    return resolve(Regimen.parse(text, dose_units(model)), model)


def _whose(dose: str, model: Model) -> str:
    """Put the drug before a dose that begins with its amount."""
    if re.match(r"\s*[-+.\d]", dose) is None:
        return dose
    names = [name for name, drug in model.drugs.items() if not drug.supportive] or list(model.drugs)
    if len(names) != 1:
        raise SpecError(f"dose '{dose}': say of which drug: {', '.join(model.drugs) or 'the model has none'}")
    return f"{names[0]} {dose}"


def left_out(regimen: Regimen, horizon: float) -> list[str]:
    """Return a sentence for each drug of whose counted doses some fall on or after the horizon (h).

    Raises
    ------
    SpecError
        All doses of a drug do.
    """
    said = []
    for drug in regimen.drugs if horizon > 0 else ():
        events = [event for event in regimen.events if event.drug == drug and event.is_dose]
        given = [sum(one.time < horizon - 1e-6 for one in Regimen((event,)).expand(horizon)) for event in events]
        if events and not any(given):
            raise SpecError(
                f"{drug} starts on d{min(event.time for event in events) / 24 + 1:g}, after the horizon of {horizon / 24:g} days; "
                "give more days, or leave it out"
            )
        planned = sum(event.count or inside for event, inside in zip(events, given, strict=True))
        if (beyond := planned - sum(given)) > 0:
            said.append(
                f"{drug}: {beyond} of its {planned} doses fall on or after the horizon of {horizon / 24:g} days and change nothing"
                f"{f' ({regimen.text})' if regimen.text else ''}."
            )
    return said


def dose_units(model: Model) -> dict[str, tuple[str, ...]]:
    """Return drug -> the units a dose of it is commonly written in, its own first."""
    out: dict[str, tuple[str, ...]] = {}
    for name, drug in model.drugs.items():
        own = drug.amount_unit
        other = "mg" if units.dimension(own) == "amount of substance" else "umol"
        plain = [own, *([other] if drug.molar_mass and own != "rel" else [])]
        body = [per for per, measure in (("kg", "weight"), ("m2", "surface")) if measure in model.subjects.covariates]
        out[name] = (*plain, *(f"{unit}/{per}" for unit in plain for per in body if unit != "rel"))
    return out


def dose_channel(event: DoseEvent, model: Model) -> str:
    """Return the channel of the drug's kinetics that an event's dose enters.

    A channel named or numbered by the event is taken as it is. Else ``iv`` is the central one, and ``oral`` and ``sc``
    are the first that is not central, where there is one.
    """
    drug = dosed_drug(event, model)
    channels = _channels(drug, model)
    if event.channel.isdigit():
        if not 1 <= int(event.channel) <= len(channels):
            raise SpecError(f"{drug.name}: there is no compartment {event.channel}; {_numbered(channels)}")
        return channels[int(event.channel) - 1]
    if event.channel:
        if event.channel not in channels:
            raise SpecError(f"{drug.name}: there is no compartment '{event.channel}'; {_numbered(channels)}")
        return event.channel
    route = event.route or drug.default_route
    if drug.routes and route not in drug.routes:
        raise SpecError(
            f"{drug.name}: its kinetics are those of {' and '.join(drug.routes)} doses; leave '{route}' out"
        )
    outside = [name for name in channels if name != "central"]
    if route == "iv":
        if "central" not in channels:
            raise SpecError(f"{drug.name}: the kinetics '{drug.kind}' take no dose iv; {_numbered(channels)}")
        return "central"
    if outside:
        return outside[0]
    if drug.structure.get("absorption") == "none":
        raise SpecError(f"{drug.name}: has no absorption, so no dose {route}; give it iv")
    return channels[0]


def dose_compartment(event: DoseEvent, model: Model) -> int:
    """Return the number, from 1, of the compartment that an event's dose enters."""
    return _channels(dosed_drug(event, model), model).index(dose_channel(event, model)) + 1


def _channels(drug: Drug, model: Model) -> tuple[str, ...]:
    if drug.kind == "table":
        raise SpecError(f"model {model.name}: {drug.name} is a table of concentrations and takes no dose")
    return tuple(declared.KINDS["pk"][drug.kind].channels(dict(drug.structure)))


def resolve(regimen: Regimen, model: Model) -> Regimen:
    """Return a regimen with every compartment named, once all its doses fit the model.

    Raises
    ------
    SpecError
        A drug, a unit, a route or a compartment is not the model's.
    """
    events = []
    for event in regimen.events:
        dose_factor(event, model)
        channel = dose_channel(event, model)
        if event.duration and (event.route or model.drugs[event.drug].default_route) == "oral" and not event.channel:
            raise SpecError(f"{event.drug}: an oral dose is not given over a duration; leave 'over' out, or give it iv")
        if event.modelled and f"{event.drug}.duration" not in model.parameters:
            raise SpecError(f"{event.drug}: RATE -2 needs kinetics with a duration of absorption (zero_order)")
        events.append(replace(event, channel=channel if event.channel else ""))
    return replace(regimen, events=tuple(events))


def _numbered(channels: Iterable[str]) -> str:
    return "it has " + ", ".join(f"{i} = {name}" for i, name in enumerate(channels, 1))
