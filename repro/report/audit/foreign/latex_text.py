"""The words of a piece of LaTeX, and what of it is bold."""

import re
from dataclasses import dataclass, field

SIGNS = {
    "pm": "±", "uparrow": "↑", "downarrow": "↓", "times": "×", "Delta": "Δ", "delta": "δ", "alpha": "α", "beta": "β",
    "gamma": "γ", "lambda": "λ", "sim": "~", "approx": "≈", "dagger": "†", "ddagger": "‡", "ast": "*", "star": "*",
    "checkmark": "✓", "xmark": "✗", "cmark": "✓", "ding": "✓", "to": "→", "rightarrow": "→", "leq": "≤", "geq": "≥",
    "ge": "≥", "le": "≤", "cdot": "·", "infty": "∞", "textemdash": "—", "textendash": "–", "quad": " ", "qquad": " ",
    "newline": " ", "linebreak": " ", "textpm": "±", "textasciitilde": "~", "ldots": "…", "mu": "µ", "times ": "×",
}  # fmt: skip
"""Commands that print a sign."""

SILENT = {
    "centering", "small", "footnotesize", "scriptsize", "tiny", "large", "normalsize", "itshape", "rm", "it", "em",
    "sf", "tt", "displaystyle", "phantom", "noindent", "relax", "strut", "left", "right", "raggedright", "mdseries",
    "upshape", "sc", "scshape", "protect", "normalfont", "sffamily", "rmfamily", "ttfamily", "tabularnewline",
}  # fmt: skip
"""Commands that print nothing."""

KEPT = {
    "textit", "emph", "underline", "uline", "text", "mathrm", "mathit", "textrm", "texttt", "textsc", "textsf", "mbox",
    "hbox", "makecell", "shortstack", "thead", "textsuperscript", "textsubscript", "ensuremath", "mathcal", "num",
    "mathsf", "operatorname", "textnormal", "uppercase", "lowercase", "vspace*", "overline", "boldmath",
}  # fmt: skip
"""Commands whose argument is printed."""

DROPPED = {"cite": 1, "citep": 1, "citet": 1, "citealp": 1, "ref": 1, "label": 1, "footnote": 1, "footnotemark": 0,
           "tnote": 1, "color": 1, "cellcolor": 1, "rowcolor": 1, "hspace": 1, "vspace": 1, "phantom": 1,
           "tablefootnote": 1, "rule": 2, "hphantom": 1, "vphantom": 1}  # fmt: skip
"""Commands that print nothing of how many arguments."""

AFTER = {"textcolor": 1, "multirow": 2, "colorbox": 1, "rotatebox": 1, "scalebox": 1, "resizebox": 2, "raisebox": 1,
         "parbox": 1, "fcolorbox": 2}  # fmt: skip
"""Commands whose last argument is printed, with how many before it."""

BOLD = {"textbf", "mathbf", "bm", "boldsymbol", "pmb"}
BOLD_FROM_HERE = {"bf", "bfseries"}

RULES = {"hline": 0, "toprule": 0, "midrule": 0, "bottomrule": 0, "cline": 1, "cmidrule": 1, "addlinespace": 0,
         "specialrule": 3, "hhline": 1, "Xhline": 1, "rowcolor": 1, "noalign": 1, "morecmidrules": 0}  # fmt: skip
"""Commands between the rows, with their arguments."""

WITH_OPTIONS = {"toprule", "midrule", "bottomrule", "addlinespace", "cmidrule"}

_COMMAND = re.compile(r"\\([A-Za-z]+)\*?\s*")
_OPTION = re.compile(r"\s*\[[^\]]*\]")
_TRIM = re.compile(r"\s*\([^)]*\)")


@dataclass
class Text:
    """Words without markup, whether any of them is bold, and the commands that are not understood."""

    words: str = ""
    is_bold: bool = False
    unknown: list[str] = field(default_factory=list)


def plain(source: str) -> Text:
    """The words of a piece of LaTeX."""
    result = Text()
    _read(source, result)
    result.words = " ".join(result.words.split())
    return result


def group_at(text: str, place: int) -> tuple[str, int]:
    """What stands in the braces at a place, or its next sign, and where it ends."""
    while place < len(text) and text[place].isspace():
        place += 1
    if text[place : place + 1] != "{":
        return text[place : place + 1], min(place + 1, len(text))
    depth = 0
    for end in range(place, len(text)):
        if text[end] in "{}" and text[end - 1 : end] != "\\":
            depth += 1 if text[end] == "{" else -1
            if depth == 0:
                return text[place + 1 : end], end + 1
    return text[place + 1 :], len(text)


def rule_at(text: str, place: int) -> int | None:
    """Where a rule that begins at a place ends; None if there is none."""
    match = _COMMAND.match(text, place)
    if not match or match[1] not in RULES:
        return None
    place = match.end()
    if match[1] in WITH_OPTIONS:
        place = _after_options(text, place)
    if match[1] == "cmidrule" and (trim := _TRIM.match(text, place)):
        place = trim.end()
    for _ in range(RULES[match[1]]):
        place = group_at(text, place)[1]
    return place


def _after_options(text: str, place: int) -> int:
    while match := _OPTION.match(text, place):
        place = match.end()
    return place


def _read(source: str, result: Text) -> None:
    place = 0
    while place < len(source):
        sign = source[place]
        if sign == "\\":
            place = _command(source, place, result)
        elif sign == "{":
            inside, place = group_at(source, place)
            _read(inside, result)
        else:
            result.words += " " if sign in "~\n" else "" if sign in "$}^_" else sign
            place += 1


def _command(source: str, place: int, result: Text) -> int:
    match = _COMMAND.match(source, place)
    if not match:
        sign = source[place + 1 : place + 2]
        result.words += sign if sign in "%&_#${}" else " "
        return place + 2
    name, end = match[1], match.end()
    if name in SIGNS:
        result.words += SIGNS[name]
        return group_at(source, end)[1] if name == "ding" else end
    if name in BOLD_FROM_HERE:
        result.is_bold = True
        return end
    if name in SILENT:
        return end
    if name in DROPPED:
        end = _after_options(source, end)
        for _ in range(DROPPED[name]):
            end = group_at(source, end)[1]
        return end
    for _ in range(AFTER.get(name, 0)):
        end = group_at(source, _after_options(source, end))[1]
    if name not in AFTER and name not in KEPT and name not in BOLD:
        result.unknown.append(f"\\{name}")
        if source[end : end + 1] != "{":
            return end
    inside, end = group_at(source, _after_options(source, end))
    result.is_bold |= name in BOLD
    _read(inside, result)
    return end
