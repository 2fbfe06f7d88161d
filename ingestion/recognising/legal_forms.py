"""Legal forms: what makes a run of words a company's name, and how to take it off.

Trap: "Incorporated by reference" is no form, and "Company" or "Bank" alone are weak ones.
"""

from __future__ import annotations

import re

from ingestion.recognising.mention import flat

STRONG = (
    r"Inc\b\.?|INC\b\.?|Corporation\b|CORPORATION\b|Incorporated\b(?!\s+(?:by|herein|in|into|BY)\b)|"
    r"INCORPORATED\b(?!\s+(?:BY|HEREIN|IN)\b)|Corp\b\.?|CORP\b\.?|Ltd\b\.?|LTD\b\.?|plc\b|Plc\b|"
    r"PLC\b|LLC\b|L\.L\.C\.|LLP\b|L\.P\.|N\.A\.|N\.V\.|B\.V\.|S\.A\.(?:\s+de\s+C\.V\.|S\.|U\.)?|S\.p\.A\.|"
    r"SpA\b|GmbH\b|KGaA\b|ASA\b|A/S\b|ApS\b|S\.\s?à\.?\s?r\.?\s?l\b\.?|S\.r\.l\.|S\.N\.C\.|K\.K\.|P\.C\.|"
    r"S\.\s?de\s+R\.L\.(?:\s+de\s+C\.V\.)?|S\.L\.(?:U\.)?|S\.R\.L\.|SRL\b|SARL\b|SAS\b|SASU\b|S\.A\.S\.|"
    r"Ltda\b\.?|LTDA\b\.?|LTEE\b|Lt[ée]e\b|Limited\s+Liability\s+Company\b|Sp\.\s?z\s?o\.\s?o\.|s\.r\.o\.|"
    r"d\.o\.o\.|a\.s\.|A\.S\.|A\.I\.E\.|FZE\b|FZCO\b|FZ-LLC\b|W\.L\.L\.|Sdn\.?\s?Bhd\b\.?|Kft\b\.?|OOO\b|EOOD\b|"
    r"BVBA\b|JSC\b|PJSC\b|Soci[ée]t[ée]\s+Anonyme\b|Aktiengesellschaft\b|"
    r"Limited\b(?!\s+(?:Partner|Warrant|Recourse|Liab))|LIMITED\b|Oyj\b|Oy\b|Pty\b\.?|"
    r"National\s+Association\b"
)
WEAK = (
    r"Company\b|COMPANY\b|Co\b\.?|CO\b\.?|LP\b|AG\b|"
    r"SE\b|AB\b|SA\b|NV\b|Bank\b"
)
FORMS = re.compile(rf"(?<![\w.&-])(?:(?P<strong>{STRONG})|(?P<weak>{WEAK}))(?![\w&-])")
# "& Co" follows a partner's name; "of America" belongs to a bank's or an old corporation's.
NEXT_FORM = re.compile(
    rf"(?:,?\s+|,?\s+(?:&\s+(?=Co\b|Company\b)|and\s+(?=Co\b)))(?:{STRONG}|{WEAK})(?![\w&-])"
)
OF_PLACE = re.compile(
    r"\s+of\s+(?:North\s+|South\s+|New\s+)?(?:America|Canada|Australia|Scotland|Ireland|India|China|"
    r"Japan|Montreal|Nova\s+Scotia|Delaware|California|Texas|Florida|York|Jersey|Boston|Chicago|"
    r"Virginia|Carolina|Pennsylvania|Michigan|Indiana|Ohio|Georgia|Maryland|Europe)\b"
)
NOT_AFTER = re.compile(r"\s+(?:Act|Law|Laws|Accounting|Code|Commission|Oversight|Regulation)\b")


def without_form(name: str) -> str:
    """ "Best Buy" of "Best Buy Co., Inc."."""
    core = re.sub(r"^The\s+", "", flat(name))
    while True:
        shorter = re.sub(rf",?\s+(?:&\s+|and\s+(?=Co\b))?(?:{STRONG}|{WEAK})$", "", core)
        if shorter == core:
            return core
        core = shorter
