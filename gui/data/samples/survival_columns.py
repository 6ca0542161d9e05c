"""Which columns of a clinical table hold survival times and events, and what their values say.

Follows GDC (days_to_death, days_to_last_follow_up, vital_status), cBioPortal (OS_MONTHS, OS_STATUS
with 1:DECEASED), the TCGA clinical data resource and Xena (OS, OS.time), CDISC's ADTTE (AVAL, CNSR,
where 0 is the event) and R's survival (time, status with 1 and 2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal

import pandas as pd

Unit = Literal["days", "weeks", "months", "years"]
_PREFIX = (
    r"(?:os|pfi|pfs|dss|dfi|dfs|rfs|efs|ttp|css|mfs|dmfs|lrfs|survival|overall[ ._]?survival|"
    r"(?:progression|disease|recurrence|relapse|event)[ ._]?free[ ._]?survival)"
)
_TIME = re.compile(
    rf"^{_PREFIX}?[ ._-]?(time|days|weeks|months|years|duration|m|mo|d|y)$|time|follow.?up|"
    rf"^{_PREFIX}[ ._,(\[-]*(in[ ._])?(days|weeks|months|years)|^aval$|"
    rf"(days|weeks|months|years)[ ._](of[ ._])?(survival|follow)|survival[ ._(]*(time|days|months)|"
    rf"^t[ ._-]?{_PREFIX}$|^t[ ._](death|event|fu)$|{_PREFIX}[ ._-]t$|^fu[ ._-]?(time|months|days)|"
    r"^duration|(über|ueber)leb|nachbeobacht|survie|(^|\W)suivi(\W|$)|生存|su[pb]ervivencia|sobrevida|sopravviv",
    re.I,
)
_UNTIL = re.compile(
    rf"^(?:{_PREFIX}|fu|sg|ssp|slp|gü|gue)(?![a-z])|surviv|leben|death|tod(?![a-z])|d[ée]c[èe]s|"
    r"(?:last|letzter?)[ ._](?:contact|kontakt|follow)|suivi|seguim|follow|nachsorge",
    re.I,
)
"""Beside a unit: OS [mo], SG (mois), Tage bis Tod."""
_NO_TIME = re.compile(r"sampl|collect|timepoint|time.?point|treat|zone|birth|consent|visit", re.I)
_EVENT = re.compile(
    rf"^{_PREFIX}([ ._-]?(status|stat|event|censor(ed|ing|ship)?|cens|binary|ind(icator)?))?$|"
    r"status|event|^(is[ ._]?)?(dead|death|died|alive|living|deceased)$|censor|^cnsr$|^cens$|"
    r"^(fu)?stat$|vital|survived|^(event[ ._]?)?observed$|outcome|"
    r"(^|[ ._])(dead|death|died|alive|deceased|living)[ ._?]*($|[(\[]|at[ ._])|"
    rf"^e[ ._-]{_PREFIX}$|{_PREFIX}[ ._-]e$|^delta$|death|deceas|mortality|fatal|gestorben|todes|"
    r"状态|^viv[oa]$|^vivante?$|^en vie$|verstorben|^tod$|^lebt$|"
    r"d[eé]c[eè]s|d[eé]c[eé]d|fallecid|decedut|exitus|[oó]bito|"
    r"(relapse|recurrence|progression|metastas[ei]s|disease|event|tumou?r)[ ._-]?free$|"
    r"^(relapsed?|recurrence|recurred|progression|progressed|metastas[ei]s)$",
    re.I,
)
_OTHER_STATUS = re.compile(
    r"smok|msi|mutat|her2|er[ ._]status|pr[ ._]status|hpv|menopau|marital|nodal|margin|sample|"
    r"tissue|amplif|methyl|expression|receptor|adverse|event[ ._-]?name|redcap|cause|reason|date|"
    r"place|days|months|years|time|(?<![a-z])age(?![a-z])|desc",
    re.I,
)
_CENSORED = re.compile(r"(?<!un)(?<!non.)(?<!not.)(censor|cens$)|^cnsr$|[ ._-]cnsr$", re.I)
_ALIVE = re.compile(
    r"alive|living|survived|^survivor|^lebt$|lebend|vivant|^viv[oa]$|en vie|am leben", re.I
)
_LEGENDS = tuple(re.compile(rf"([^\W_]+)\s*{mark}\s*([^\W_]+)") for mark in ("=", ":", ",", r"\("))
"""What a name says of its values: 0=alive, dead: 1, (0, alive), death (1)."""
_HAPPENED = frozenset(
    {
        *(
            "1",
            "dead",
            "deceased",
            "died",
            "death",
            "yes",
            "true",
            "event",
            "progressed",
            "expired",
        ),
        *("progression", "recurred", "relapse", "relapsed", "recurrence", "dod"),
        *("recurred/progressed", "progressive disease", "dead with tumor", "dead of disease"),
        *("uncensored", "died of disease", "dead of other causes", "distant metastasis"),
        *("dead of other cause", "died of other causes", "died of other cause", "doc", "ddc"),
        *("ja", "verstorben", "tot", "gestorben", "oui", "décédé", "décédée", "decede", "mort"),
        *("死亡", "non-survivor", "nonsurvivor", "non survivor", "not alive"),
        *("sí", "si", "fallecido", "fallecida", "muerto", "muerta", "deceduto", "morto", "óbito"),
    }
)
_NOT_HAPPENED = frozenset(
    {
        *(
            "0",
            "alive",
            "living",
            "censored",
            "no",
            "false",
            "diseasefree",
            "disease free",
            "n",
            "f",
        ),
        *("no event", "none", "progression free", "recurrence free", "relapse free", "ned"),
        *("event free", "alive with tumor", "not progressed", "survived", "lost to follow-up"),
        *("alive or dead tumor free", "alive or censored", "censoring", "awd"),
        *("存活", "生存", "survivor", "alive at last follow-up", "still alive"),
        *("alive with disease", "nein", "lebend", "lebt", "lebendig", "zensiert", "non"),
        *(
            "vivant",
            "vivante",
            "vivo",
            "viva",
            "censuré",
            "no evidence of disease",
            "alive without disease",
        ),
    }
)
_EITHER = re.compile(r"surviv|vital|free(?![a-z])", re.I)
"""Names under which 1 or yes is used for the event by some, for its absence by others: METABRIC's
overall_survival is 1 for who lives."""
_YES = {
    **{"1": "0", "yes": "no", "true": "false", "y": "n", "t": "f"},
    **{"ja": "nein", "j": "n", "oui": "non", "o": "n", "sí": "no", "si": "no"},
}
_YES_NO = frozenset({*_YES, *_YES.values()})
_LONGEST = 200
"""Characters of a column's name that are looked at."""
_DEATH = ("daystodeath", "deathdaysto", "daysuntildeath", "timetodeath", "donorsurvivaltime")
_FOLLOW_UP = (
    *("daystolastfollowup", "lastcontactdaysto", "daystolastknownalive", "daystolastcontact"),
    *("donorintervaloflastfollowup", "pathdiagtolastcontactdays", "pathdiagtolastcontactday"),
    *("daystolastknowndiseasestatus", "timetolastfollowup", "daystofollowup"),
)
COMBINED = "days to death or last follow-up"
DIED = "died (a time of death is given)"


@dataclass(frozen=True)
class EventCoding:
    """value : the one that says that the event happened, "" if it is not known; certain : whether
    the column leaves no doubt; why : what the proposal rests on.
    """

    value: str
    certain: bool
    why: str = ""


def value_text(value: object) -> str:
    """A value as text, whole numbers without a point."""
    whole = isinstance(value, Real) and not isinstance(value, Integral) and value == value // 1
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]


def event_coding(column: pd.Series, name: str = "") -> EventCoding:
    """What the values of an event column say. name : of the column, which may turn them round."""
    values = [value_text(v) for v in column.dropna().unique()]
    folded = {v: v.casefold().strip() for v in values}
    if (told := _by_legend(name, values)) is not None:
        return told
    turned = bool(_ALIVE.search(name)) or bool(_CENSORED.search(name))
    if set(folded.values()) in ({"a", "d"}, {"l", "d"}):
        dead = next(v for v in values if folded[v] == "d")
        return EventCoding(dead, False, "D may stand for dead")
    if set(values) and set(values) <= {"1", "2"} and not turned and "2" in values:
        return EventCoding("2", False, "1 and 2, as in R's survival")
    if name.casefold() == "cnsr" and "0" in values and all(v.isdecimal() for v in values):
        return EventCoding("0", False, "in CDISC's ADTTE 0 is the event")  # 1, 2: why censored
    numbered = {v: _numbered(v) for v in values}
    if values and all(mark == ":" and n.strip() in ("0", "1") for n, mark, _ in numbered.values()):
        found = [v for v, (n, _, _) in numbered.items() if n.strip() == "1"]
        for v, (n, _, word) in numbered.items():
            contrary = _NOT_HAPPENED if n.strip() == "1" else _HAPPENED
            if word.strip().casefold() in contrary:
                return EventCoding(
                    "", False, f"the number and the word of {v} contradict each other"
                )
        return EventCoding(found[0] if found else "", len(found) == 1 or not found)
    if turned and set(folded.values()) <= _YES_NO:
        what = "alive" if _ALIVE.search(name) else "censored"
        if name.casefold() == "cens":  # used in both senses
            return EventCoding("", False, "cens may count the events or the censored")
        no = [v for v in values if folded[v] in _YES.values()]
        if not no and len(values) == 1:
            yes = _YES.get(folded[values[0]], "")
            return EventCoding(yes, False, f"it says who is {what}")
        return EventCoding(no[0] if no else "", False, f"the column says who is {what}")
    if values and _EITHER.search(name) and set(folded.values()) <= _YES_NO:
        return EventCoding("", False, "it may count the events or those without one")
    happened = [v for v in values if folded[v] in _HAPPENED]
    if happened:
        rest = [v for v in values if v not in happened]
        clear = len(happened) == 1 and all(folded[v] in _NOT_HAPPENED for v in rest)
        return EventCoding(happened[0], clear)
    against = [v for v in values if folded[v] in _NOT_HAPPENED]
    if len(values) == 2 and len(against) == 1:
        return EventCoding(next(v for v in values if v not in against), False)
    return EventCoding("", not values)


def coding_by_deaths(frame: pd.DataFrame, event: str) -> EventCoding | None:
    """The value of the event column that those have who have a time of death, and nobody else.

    None where the table has no such times, or they fit no single value.
    """
    death = next((c for c in map(str, frame.columns) if plain(c) in _DEATH), None)
    if death is None or death == event or frame[death].dtype.kind != "f":
        return None
    there = frame[event].notna()
    said = frame.loc[there, event].map(value_text)
    died = frame.loc[there, death].notna()
    dead = set(said[died])
    alone = len(dead) == 1 and died.sum() > 1 and not set(said[~died]) & dead
    if not alone or died.all():
        return None
    return EventCoding(dead.pop(), True, f"only these have {death}")


def _numbered(value: str) -> tuple[str, str, str]:
    """1:DECEASED, 1 = dead, 1 - dead, (1) dead -> 1, ":", dead."""
    found = re.fullmatch(r"\(?(\d)\)?\s*[:=\-.)]*\s*([^\W\d].*)", value[:_LONGEST])
    return (found[1], ":", found[2]) if found else value.partition(":")


def _by_legend(name: str, values: Sequence[str]) -> EventCoding | None:
    """What the name itself says of the values: Censor (alive=0; dead=1); None where it does not."""
    for legend in _LEGENDS:
        found: dict[str, bool] = {}
        for pair in legend.findall(name[:_LONGEST]):
            for value, word in (pair, pair[::-1]):
                if value in values and word.casefold() in _HAPPENED | _NOT_HAPPENED - _YES_NO:
                    found[value] = word.casefold() in _HAPPENED
        happened = [value for value, yes in found.items() if yes]
        # 1=dead says enough of a column of 0 and 1
        if len(happened) == 1 and (len(found) >= min(2, len(values)) or len(values) == 2):
            return EventCoding(happened[0], set(values) <= set(found) or len(values) == 2)
    return None


def event_value(column: pd.Series, name: str = "") -> str:
    """The value that says that the event happened, as text: 1 of 0 and 1, 2 of 1 and 2, Dead of
    Alive and Dead; "" if it cannot be told.
    """
    return event_coding(column, name).value


def propose_time(numeric: Sequence[str], varied: Sequence[str] = ()) -> str:
    """The column of times among the numeric ones, overall survival first; "" if there is none.

    varied : those of more than a few values, which may be called OS as events are
    """
    numeric = [c for c in numeric if not re.search(r"date(?![a-z])", str(c), re.I)]
    fits = [str(c) for c in numeric if _is_time(str(c))]
    fits = [c for c in fits if plain(c) not in _DEATH] or fits

    def rank(name: str) -> int:
        lower = name.lower()
        if re.match(r"(?:t[ ._-]|_)?os(?![a-z])|os|overall", lower):
            return 0
        if lower == COMBINED:
            return 1
        if lower.startswith("days from "):  # computed from dates: for the user to choose
            return 9
        exact = bool(re.fullmatch(rf"{_PREFIX}?[ ._-]?(time|days|months|years|weeks)", lower))
        return 2 if exact else 3

    found = min(fits, key=rank, default="")
    if not found:
        found = next((c for c in varied if re.fullmatch(_PREFIX, c, re.I)), "")
    return found if not found or rank(found) < 9 else ""


def propose_event(frame: pd.DataFrame, key: str, time: str) -> str:
    """The column of few values that belongs to the time: OS to OS.time."""
    fits = [
        str(c)
        for c in frame.columns
        if c not in (key, time)
        and _EVENT.search(str(c))
        and not _OTHER_STATUS.search(str(c))
        and 1 <= frame[c].nunique() <= 4
    ]
    stem = before_unit(time.lower())
    own = [c for c in fits if stem and c.lower().startswith(stem)]
    own = own or [c for c in fits if _same_endpoint(time.lower(), c.lower())]
    if own:
        return own[0]
    fits = fits or _by_words(frame, (key, time))
    if len(fits) > 1 and _DEATH_MEANT.search(time) and not _OTHER_END.search(time):
        fits = [c for c in fits if not _of_other_end(frame[c], c)] or fits
    elif len(fits) > 1 and _OTHER_END.search(time):
        fits = [c for c in fits if _of_other_end(frame[c], c)] or fits
    told = [c for c in fits if event_coding(frame[c], c).value]
    if time == COMBINED or not stem:
        vital = [c for c in told if "vital" in c.lower()]
        if vital:
            return vital[0]
    binary = [c for c in fits if {value_text(v) for v in frame[c].dropna()} <= {"0", "1"}]
    return (binary or told or fits or [""])[0]


def _of_other_end(column: pd.Series, name: str) -> bool:
    """Whether a column is about relapse or progression, by its name or its values, and not about
    death.
    """
    text = " ".join([name, *(value_text(v) for v in column.dropna().unique()[:9])])[:_LONGEST]
    return bool(_OTHER_END.search(text)) and not _OF_DEATH.search(text)


_OF_DEATH = re.compile(r"vital|dead|death|deceas|died", re.I)
_DEATH_MEANT = re.compile(r"^os(?![a-z])|overall|death|surviv|gesamt", re.I)
_OTHER_END = re.compile(
    r"relaps|recur|progress|metasta|event.?free|first.?event|disease.?free|"
    r"(?<![a-z])(?:efs|pfs|pfi|dfs|dfi|rfs|ttp|mfs|dmfs|lrfs)(?![a-z])",
    re.I,
)
"""What another end than death is called, in names of times and events."""


def _same_endpoint(time: str, event: str) -> bool:
    """Whether t.os and e.os, os_t and os_e, t_death and event_death are of one endpoint."""
    ends = [re.split(r"[ ._-]", name.strip("_")) for name in (time, event)]
    if any(len(parts) != 2 for parts in ends):
        return False
    (a, b), (c, d) = ends
    first = a == "t" and c in ("e", "event") and b == d
    return first or (b == "t" and d in ("e", "event") and a == c)


def _is_time(name: str) -> bool:
    named = bool(_TIME.search(name)) or (unit_in(name) is not None and bool(_UNTIL.search(name)))
    return named and not _NO_TIME.search(name)


def _by_words(frame: pd.DataFrame, others: Sequence[str]) -> list[str]:
    """The columns whose values say who died or not, whatever they are called: DOD and NED."""
    found = []
    plain_words = _YES_NO | {"ja", "nein", "oui", "non", "sí", "si", "none", "f", "event"}
    for column in frame.columns:
        if column in others or frame[column].dtype.kind == "f":
            continue
        words = {value_text(v).casefold().strip() for v in frame[column].dropna().unique()[:9]}
        told = (words & _HAPPENED) - plain_words and (words & _NOT_HAPPENED) - plain_words
        if told and words <= _HAPPENED | _NOT_HAPPENED:
            found.append(str(column))
    return found


def before_unit(time: str) -> str:
    """os of os.time; all of it where no unit or time is named."""
    first = min(
        (
            at
            for word in ("time", "days", "weeks", "months", "years")
            if (at := time.find(word)) >= 0
        ),
        default=len(time),
    )
    return (
        time[: first - 1] if 0 < first < len(time) and time[first - 1] in " ._-" else time[:first]
    )


def combine_times(
    frame: pd.DataFrame, chosen: tuple[str | None, str | None] = (None, None)
) -> tuple[pd.Series, str, str] | None:
    """Times until death of the dead, until the last follow-up of the living; and the two columns.

    None if the table does not have both. Who has died is told by vital_status, or else by a time
    of death. chosen : the user's event column, and its value of the event.
    """
    found = times_of_death_and_follow_up(frame)
    if found is None:
        return None
    death, last = found
    dead = frame[death].notna()
    vital = next((str(c) for c in frame.columns if "vital" in str(c).lower()), None)
    if vital is not None:
        column, own = chosen
        value = own if own and column in (None, vital) else event_value(frame[vital], vital)
        said = frame[vital].map(value_text, na_action="ignore")
        dead = (said == value) | (said.isna() & dead) if value else dead
    times = frame[last].where(~dead, frame[death])
    return times, death, last


def times_of_death_and_follow_up(frame: pd.DataFrame) -> tuple[str, str] | None:
    """The columns days_to_death and days_to_last_follow_up; None if the table lacks one."""
    numeric = [str(c) for c in frame.columns if frame[c].dtype.kind == "f"]
    death = next((c for c in numeric if plain(c) in _DEATH), None)
    last = next((c for c in numeric if plain(c) in _FOLLOW_UP), None)
    return None if death is None or last is None else (death, last)


def is_follow_up(name: str) -> bool:
    """Whether a column of this name holds the time until the patient was seen last."""
    return plain(name) in _FOLLOW_UP


def is_survival_column(name: str) -> bool:
    """Whether a column of this name may hold times or events."""
    if plain(name) in (*_DEATH, *_FOLLOW_UP):
        return True
    return _is_time(name) or (bool(_EVENT.search(name)) and not _OTHER_STATUS.search(name))


def unit_in(name: str) -> Unit | None:
    """The unit that a column's name tells."""
    text = re.sub(r"[_.]", " ", name[:_LONGEST])
    words = {u: re.compile(rf"(?<!\w)(?:{form})(?!\w)", re.I) for u, form in _UNITS.items()}
    return next((unit for unit, form in words.items() if form.search(text)), None)


_UNITS: dict[Unit, str] = {
    "days": r"days?|tagen?|jours?|d[ií]as?|giorni|d(?=[\s)\]]*$)",
    "weeks": r"weeks?|wks?|wochen?|semaines?|semanas?|settimane",
    "months": r"months?|mos?|mths?|monaten?|mois|mes(?:es)?|mesi",
    "years": r"years?|yrs?|jahren?|ans|ann[ée]es?|años?|anni|y(?=[\s)\]]*$)",
}
"""Words of a column's name that tell its unit."""


def plain(name: str) -> str:
    """Without case, marks, and what GDC puts before a dot (demographic.days_to_death)."""
    return "".join(c for c in name.lower().rpartition(".")[2] if c.isalnum())
