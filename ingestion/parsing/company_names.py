"""Company names as documents write them: full legal names, spelling, capitals."""

from __future__ import annotations

import re
from collections import Counter

_READ = 60_000
LONGEST_TICKER = 5
_FORMS = (
    r"(?:Inc(?:orporated)?|Corp(?:oration)?|Company|Co|Ltd|Limited|plc|PLC|LLC|L\.?P|N\.?V|S\.?A"
    r"|AG|SE|INC|CORPORATION|CORP|COMPANY|CO|LTD|LIMITED)\b"
)
_MORE = (
    r"(?:(?:[ ](?:&|and|of)(?=[ ]))?[ ][A-Z][\w’'&-]*){0,4}"
    rf",?[ ]{_FORMS}\.?(?:,?[ ]{_FORMS}\.?)?"
)
_LEGAL = re.compile(rf"(?<![\w’'-])[A-Z][\w.’'&-]*{_MORE}")
# First cells of a row; no word that itself begins company names.
_LABEL = re.compile(
    r"(?:Coverage|Covering|Company(?:[ ]Name)?|Issuer(?:[ ]Name)?|Registrant|Subject|Client|Name"
    rf"|Borrower|Stock|Re)[ ](?!{_FORMS})"
)
_SHOUTED_FORMS = {"inc": "Inc.", "corp": "Corp.", "co": "Co.", "ltd": "Ltd.", "plc": "plc"}
_SMALL = frozenset(
    ["of", "and", "the", "for", "de", "in", "on", "to", "as", "its", "a", "by", "at"]
)
_ACRONYMS = re.compile(
    r"i{1,3}|iv|vi{0,3}|ceo|cfo|coo|cto|us|uk|eu|eps|ai|ipo|fda|sec|gaap|q[1-4]|[1-4]q|fy\d*|10-[kq]|8-k"
)


def first_legal_name(head: str, text: str) -> str:
    """The first full name with a legal form in the head, such as "Best Buy Co., Inc.", or empty.

    The whole text tells a label in front of it, as in the row "Coverage Best Buy Co., Inc.".
    """
    match = _LEGAL.search(head)
    if not match:
        return ""
    name = match[0].strip(" ,")
    starts_row = not head[: match.start()].rpartition("\n")[2].strip(" \t|*#-•")
    return _without_label(name, text[:_READ]) if starts_row else name


def _without_label(name: str, text: str) -> str:
    """The name without the words in front that the text never joins to it again."""
    bare = re.split(rf",?[ ]{_FORMS}", name)[0].split()
    if len(bare) < 2 or _times(" ".join(bare), text) > 1:
        return name
    if label := _LABEL.match(name):
        return name[label.end() :]
    for count in range(1, len(bare)):
        # A first word that is used elsewhere is a short name of the company.
        if _times(" ".join(bare[:count]), text) > 1:
            return name
        if _times(" ".join(bare[count:]), text) > 1:
            return " ".join(name.split()[count:])
    return name


def _times(words: str, text: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(words)}(?!\w)", text))


def as_written(name: str, text: str) -> tuple[str, bool]:
    """The name as the text spells it, and whether it is the full legal name.

    BESTBUY is "Best Buy Co., Inc." where that is written, "Best Buy" where only that is; words
    after the company in a file name are dropped when the rest has a legal name.
    """
    words = name.split()
    for count in range(len(words), 0, -1):
        part = " ".join(words[:count])
        pattern = _letters(part)
        if not pattern:
            continue
        spelled = _most_common(pattern, text, 0)
        full = _most_common(rf"(?P<short>{pattern}(?:\.com)?){_MORE}", text, re.ASCII)
        if full:
            # Only the words after the short name count; it keeps its usual spelling.
            match = re.match(pattern, full)
            end = match.end() if match else 0
            tail = full[end:]
            comma = "," if tail.startswith(",") else ""
            rest = f"{comma} {proper(tail.lstrip(', '))}" if tail.isupper() else tail
            short = full[:end] if not spelled or spelled.isupper() else spelled
            return tidy(short + rest if not short.isupper() else full), True
        if (
            count == len(words)
            and spelled
            and all(w[:1].isupper() or w[:1].isdigit() for w in spelled.split())
        ):
            return tidy(spelled), False
    return "", False


def of_ticker(name: str, head: str) -> str:
    """The company that the head names with this ticker, "Best Buy Co., Inc. (NYSE: BBY)", or empty.

    Of the row "| Coverage | Best Buy Co., Inc. (BBY) |" it is the cell beside the ticker. `name`
    is a word of a file name, in capitals as tickers are.
    """
    if not (name.isalpha() and name.isupper() and len(name) <= LONGEST_TICKER):
        return ""
    found = re.search(
        rf"^(?:[^\n|(]*\|)*[ \t#*]*([^\W\d_][^\n|(]{{1,80}}?)[ ]*\((?:[A-Z]+:[ ]*)?{name}\)",
        head,
        re.MULTILINE,
    )
    if not found:
        return ""
    label = _LABEL.match(found[1])
    return found[1][label.end() if label else 0 :].strip(" *")


def _letters(name: str) -> str:
    letters = [re.escape(character) for character in name if character.isalnum()]
    if not 1 < len(letters) <= 80:
        return ""
    return r"(?<!\w)(?i:" + r"[ .'’&-]{0,3}".join(letters) + r")(?!\w)"


def _most_common(pattern: str, text: str, flags: int) -> str:
    """The most frequent match, one with small letters if there is any."""
    seen = Counter(match[0] for match in re.finditer(pattern, text[:_READ], flags))
    mixed = Counter(
        {found: n for found, n in seen.items() if not (found.isupper() or found.islower())}
    )
    best = (mixed or seen).most_common(1)
    return best[0][0] if best else ""


def tidy(name: str) -> str:
    """The name without state suffix and in mixed case when it is all capitals."""
    name = re.sub(r"/[A-Z]{2,3}/?$|\s+\.$", "", name.strip()).strip(" ,")
    letters = sum(map(str.isalpha, name))
    return proper(name) if (name.isupper() or name.islower()) and letters > 3 else name


def proper(words: str) -> str:
    """Capitals at the start of words only, as in a title; tickers in brackets stay."""
    result = []
    for position, word in enumerate(words.split()):
        bare = word.strip(".,:;()").lower()
        if bare in _SHOUTED_FORMS:
            comma = "," if word.endswith(",") else ""
            result.append(_SHOUTED_FORMS[bare] + comma)
        elif word.startswith("(") or _ACRONYMS.fullmatch(bare):
            result.append(word.upper())
        elif position and bare in _SMALL:
            result.append(word.lower())
        else:
            lower = word.lower()
            result.append("-".join(part[:1].upper() + part[1:] for part in lower.split("-")))
    return " ".join(result)
