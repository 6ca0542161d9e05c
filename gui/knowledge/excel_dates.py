"""Gene names that Excel turned into dates: SEPT2 as 2-Sep, Sep-02, 02.09.2021, 2021-09-02 or,
without a format, the number 44441.

Which of the spellings a name is in can depend on the others: whether 3/9 is the third of September
or March the ninth, whether a number is a day.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Mapping

Date = tuple[int, int]
"""Month and day."""
Family = tuple[str, str]
"""A gene's old symbol and its new one."""
_NAMES = {
    1: "jan january januar janvier ene enero gen",
    2: "feb february februar fev févr",
    3: "mar march mär märz mrz maerz mars mrt maart marzo março",
    4: "apr april avr abr",
    5: "may mai mei",
    6: "jun june juni juin",
    7: "jul july juli juil",
    8: "aug august août ago",
    9: "sep sept september septembre set settembre septiembre setembro",
    10: "oct october okt oktober octobre ott out",
    11: "nov november novembre",
    12: "dec december dez dezember déc décembre dic dicembre",
}
_MONTHS = {name: month for month, names in _NAMES.items() for name in names.split()}
"""Names of months as Excel abbreviates and writes them in its larger languages."""
_WITH_GENES = (3, 9, 10, 12)
_CLOCK = re.compile(r"[ T]0?0:00(:00(\.0+)?)?Z?$")
_DAY_FIRST = re.compile(r"(\d{1,2})[-./ ]{1,2}([^\W\d_]{3,9})\.?(?:[-./ ]{1,2}(?:\d{4}|\d{2}))?")
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,9})\.?[-/ ](\d{1,2})(?:,? ?[-/]?\d{4})?")
_YEAR_FIRST = re.compile(r"\d{4}([-/.])(\d{1,2})\1(\d{1,2})")
_FIGURES = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(?:\d{4}|(?<=/)\d{2})")
_SERIAL = re.compile(r"(\d{5})(?:\.0+)?")
_WHOLE = re.compile(r"\d+(?:\.0+)?")
_LONGEST = 40
_SERIALS = range(30_000, 55_000)
"""Days since 1900, of the years 1982 to 2050."""
_EPOCHS = (datetime.date(1899, 12, 30), datetime.date(1904, 1, 1))
"""Day 0 of Excel, and of Excel for the Mac before 2011."""
_MOSTLY = 0.8
"""Share of the numbers among the names that must be such days for them to be dates and no IDs."""


def genes_of(date: Date) -> tuple[Family, ...]:
    """The genes a date may stand for; empty if none is known."""
    month, day = date
    if month == 9:
        return (
            ((f"SEPT{day}", f"SEPTIN{day}"),)
            if day <= 14
            else (("SEP15", "SELENOF"),)
            if day == 15
            else ()
        )
    if month == 3:
        march = ((f"MARCH{day}", f"MARCHF{day}"),) if day <= 11 else ()
        return (*march, (f"MARC{day}", f"MTARC{day}")) if day <= 2 else march
    if month == 10:
        return (("OCT4", "POU5F1"),) if day == 4 else ()
    return (("DEC1", "DELEC1"),) if (month, day) == (12, 1) else ()


def date_of(name: str) -> Date | None:
    """Month and day of a name that is a date whatever the other names are: 2-Sep, Sep-02, 02.

    Sep 2021, 2006-09-02.
    """
    text = _CLOCK.sub("", name.strip()) if len(name) <= _LONGEST else ""
    if found := _YEAR_FIRST.fullmatch(text):
        return _date(int(found.group(2)), int(found.group(3)))
    if found := _DAY_FIRST.fullmatch(text):
        return _date(_MONTHS.get(found.group(2).lower(), 0), int(found.group(1)))
    if (found := _MONTH_FIRST.fullmatch(text)) and (
        month := _MONTHS.get(found.group(1).lower(), 0)
    ) in _WITH_GENES:
        return _date(month, int(found.group(2)))  # APR-1 or JUN-1 may well be called so
    return None


def dates_in(genes: Iterable[str]) -> dict[str, Date | None]:
    """The names that are dates, each with its month and day; None where the spelling leaves two
    that name different genes.
    """
    names = list(dict.fromkeys(genes))
    made: dict[str, Date | None] = {
        name: found for name in names if (found := date_of(name)) is not None
    }
    return made | _in_figures(names) | _serials(names)


def restore_dates(genes: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Date -> symbol for every date among ``genes``; "" where it cannot be told which gene is
    meant.

    others : the genes of the other parts; their spelling (SEPT2 or SEPTIN2) is the one used, the
    new one where they hold neither
    """
    names = list(genes)
    here, there, dates = set(names), set(others), dates_in(names)
    rows = Counter(dates[name] for name in names if name in dates)
    made = {}
    for name, date in dates.items():
        # a gene that is there under its name is not the date
        families = [f for f in genes_of(date) if not here & set(f)] if date is not None else []
        if there and len(families) > 1 and rows[date] == 1:
            known = [f for f in families if there & set(f)]
            families = known if len(known) == 1 else families
        if len(families) != 1 or rows[date] > 1:
            made[name] = ""
        else:
            made[name] = next((s for s in families[0] if s in there), families[0][1])
    return made


def _date(month: int, day: int) -> Date | None:
    return (month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _in_figures(names: Iterable[str]) -> dict[str, Date | None]:
    """02.09.2021 is of September; 9/2/2021 and 02-09-2021 are what makes genes of most of the names
    of the file.
    """
    found = {
        name: match
        for name in names
        if len(name) <= _LONGEST and (match := _FIGURES.fullmatch(_CLOCK.sub("", name.strip())))
    }
    read: list[Mapping[str, Date | None]] = [
        {name: _date(int(m.group(second)), int(m.group(first))) for name, m in found.items()}
        for first, second in ((1, 3), (3, 1))
    ]
    fits = [
        sum(date is not None and bool(genes_of(date)) for date in way.values())
        - sum(date is None for date in way.values())
        for way in read
    ]
    made: dict[str, Date | None] = {}
    for name, match in found.items():
        one, two = read[0][name], read[1][name]
        if match.group(2) == "." or (fits[0] > fits[1] and one):
            made[name] = one
        elif fits[1] > fits[0] and two:
            made[name] = two
        else:
            genes = [genes_of(date) if date else () for date in (one, two)]
            made[name] = (
                one
                if genes[0] and not genes[1]
                else two
                if genes[1] and not genes[0]
                else one
                if genes[0] == genes[1]
                else None
            )
    return made


def _serials(names: Iterable[str]) -> dict[str, Date | None]:
    """Numbers that are days of genes; none of them if too many numbers are not: then they are
    IDs.
    """
    numbers = [name for name in names if len(name) <= _LONGEST and _WHOLE.fullmatch(name.strip())]
    for epoch in _EPOCHS:
        days: dict[str, Date | None] = {}
        for name in numbers:
            match = _SERIAL.fullmatch(name.strip())
            if match and int(match.group(1)) in _SERIALS:
                day = epoch + datetime.timedelta(days=int(match.group(1)))
                if genes_of((day.month, day.day)):
                    days[name] = (day.month, day.day)
        if days and len(days) >= _MOSTLY * len(numbers):
            return days
    return {}
