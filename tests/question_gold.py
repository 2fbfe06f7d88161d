"""Questions written by hand, with what should be read from them; no evaluation question is here.

Each row: question, tickers, names left open, period keys, kinds' names, metrics.
"""

from __future__ import annotations

CATALOGUE = {
    "AAPL": "Apple Inc.", "APLE": "Apple Hospitality REIT, Inc.", "JNJ": "Johnson & Johnson",
    "JCI": "Johnson Controls", "KO": "The Coca-Cola Company", "CCH.L": "Coca-Cola HBC",
    "MSFT": "Microsoft", "DAL": "Delta Air Lines", "DLA": "Delta Apparel, Inc.",
    "GE": "General Electric Company", "GIS": "General Mills", "GM": "General Motors",
    "BBY": "Best Buy Co., Inc.", "TGT": "Target Corporation", "V": "Visa Inc.",
    "GOOGL": "Alphabet Inc.", "PEP": "PepsiCo", "JPM": "JPMorgan Chase & Co.", "MMM": "3M Company",
    "MCD": "McDonald's Corporation", "CAT": "Caterpillar Inc.", "GPS": "Gap Inc.", "BA": "Boeing",
    "NESN.SW": "Nestlé SA", "LOW": "Lowe's", "NKE": "Nike", "AMCR": "Amcor", "T": "AT&T Inc.",
    "PG": "Procter & Gamble", "INTC": "Intel", "F": "Ford Motor Company", "HD": "Home Depot",
    "ON": "ON Semiconductor", "ALL": "Allstate",
}  # fmt: skip
Row = tuple[str, list[str], list[str], list[str], list[str], list[str]]
CAPEX, RD, REV = "capital expenditure", "research and development expenses", "revenue"
GOLD: list[Row] = [
    ("What was JNJ's capex in FY2022?", ["JNJ"], [], ["FY2022"], [], [CAPEX]),
    ("Johnson and Johnson's R&D in 2023", ["JNJ"], [], ["2023"], [], [RD]),
    ("johnson & johnson r&d 2023", ["JNJ"], [], ["2023"], [], [RD]),
    ("J&J spending on R and D since 2020", ["JNJ"], [], ["since-2020"], [], [RD]),
    ("Coca Cola gross margin, last 4 quarters", ["KO"], [], ["last-4-quarters"], [], ["gross margin"]),  # noqa: E501
    ("Coca-Cola's dividend", ["KO"], [], [], [], ["dividends paid"]),
    ("Coke against Pepsi on pricing", ["KO", "PEP"], [], [], [], []),
    ("Mircosoft cloud growth in fiscal 2023", ["MSFT"], [], ["FY2023"], [], []),
    ("microsft headcount", ["MSFT"], [], [], [], ["headcount"]),
    ("Procter and Gamble organic growth", ["PG"], [], [], [], ["organic revenue growth"]),
    ("P&G inventory turnover FY21", ["PG"], [], ["FY2021"], [], ["inventory turnover"]),
    ("$AAPL revenue", ["AAPL"], [], [], [], [REV]),
    ("aapl capex 2022", ["AAPL"], [], ["2022"], [], [CAPEX]),
    ("Is CAT raising prices?", ["CAT"], [], [], [], []),
    ("the cat is out of the bag", [], [], [], [], []),
    ("What did the shares (NYSE: T) pay in dividends?", ["T"], [], [], [], ["dividends paid"]),
    ("AT&T debt maturities", ["T"], [], [], [], ["total debt"]),
    ("ALL the risks ON the list", [], [], [], [], []),
    ("$ON quick ratio Q3 2023", ["ON"], [], ["Q3-2023"], [], ["quick ratio"]),
    ("EPS at IT firms in the US", [], [], [], [], ["earnings per share"]),
    ("What did Delta say about fuel?", [], ["Delta"], [], [], []),
    ("Delta Air Lines fuel hedges", ["DAL"], [], [], [], []),
    ("What did General report in 2022?", [], ["General"], ["2022"], [], []),
    ("General Motors EV losses", ["GM"], [], [], [], []),
    ("general mills organic growth Q2 of FY23", ["GIS"], [], ["Q2-FY2023"], [], ["organic revenue growth"]),  # noqa: E501
    ("the general ledger, says the General Counsel", [], [], [], [], []),
    ("Johnson's view on talc", [], ["Johnson"], [], [], []),
    ("Johnson & Johnson settled; what did Johnson pay?", ["JNJ"], [], [], [], []),
    ("Target's capex in 2022", ["TGT"], [], ["2022"], [], [CAPEX]),
    ("How does Target manage shrink?", ["TGT"], [], [], [], []),
    ("target price of Apple", ["AAPL"], [], [], [], []),
    ("Apple's target for 2021", ["AAPL"], [], ["2021"], [], []),
    ("What is the gap between sales and costs?", [], [], [], [], [REV]),
    ("Did Gap close stores in 2020?", ["GPS"], [], ["2020"], [], []),
    ("visa restrictions for students", [], [], [], [], []),
    ("Visa's operating margin H1 2022", ["V"], [], ["H1-2022"], [], ["operating margin"]),
    ("Google's capital spending", ["GOOGL"], [], [], [], [CAPEX]),
    ("JP Morgan net interest income", ["JPM"], [], [], [], ["net interest income"]),
    ("JPMorgan's efficiency ratio in 2Q23", ["JPM"], [], ["Q2-2023"], [], ["efficiency ratio"]),
    ("3M PFAS lawsuits in the 2022 10-K", ["MMM"], [], ["2022"], ["annual_report"], []),
    ("McDonald's same-store sales", ["MCD"], [], [], [], ["comparable sales"]),
    ("mcdonalds comparable sales 2019", ["MCD"], [], ["2019"], [], ["comparable sales"]),
    ("Lowes and Home Depot inventories", ["LOW", "HD"], [], [], [], ["inventory"]),
    ("Ford warranty costs", ["F"], [], [], [], []),
    ("Nestle organic growth H1 2023", ["NESN.SW"], [], ["H1-2023"], [], ["organic revenue growth"]),
    ("Best Buy comparable sales year over year", ["BBY"], [], ["2024to2025"], [], ["comparable sales"]),  # noqa: E501
    ("best buy's return on assets fy19", ["BBY"], [], ["FY2019"], [], ["return on assets"]),
    ("Boieng backlog", ["BA"], [], [], [], ["backlog"]),
    ("What did Boeing say on the call?", ["BA"], [], [], ["earnings_call"], []),
    ("Boeing's most recent 8-K", ["BA"], [], ["newest"], ["current_report"], []),
    ("Intel guidance in the press release for Q4 2024", ["INTC"], [], ["Q4-2024"], ["announcement"], ["guidance"]),  # noqa: E501
    ("research notes on Nike since March", ["NKE"], [], ["since-March-2026"], ["research_note"], []),  # noqa: E501
    ("news on Nike last week", ["NKE"], [], ["last-week"], ["news"], []),
    ("Nike's annual report for fiscal 2023", ["NKE"], [], ["FY2023"], ["annual_report"], []),
    ("nike 10-q", ["NKE"], [], [], ["quarterly_report"], []),
    ("Amcor transcript, second quarter", ["AMCR"], [], ["Q2-2026"], ["earnings_call"], []),
    ("Amcor's earnings call about volumes", ["AMCR"], [], [], ["earnings_call"], []),
    ("which quarterly reports mention ransomware", [], [], [], ["quarterly_report"], []),
    ("DPO of Walgreen in 2018", [], [], ["2018"], [], ["days payable outstanding"]),
    ("Nike dpo", ["NKE"], [], [], [], ["days payable outstanding"]),
    ("Intel fixed asset turnover, FY2019", ["INTC"], [], ["FY2019"], [], ["fixed asset turnover"]),
    ("Caterpillar interest coverage", ["CAT"], [], [], [], ["interest coverage"]),
    ("Caterpillar cash conversion cycle in 2021", ["CAT"], [], ["2021"], [], ["cash conversion cycle"]),  # noqa: E501
    ("Boeing net debt/EBITDA", ["BA"], [], [], [], ["leverage"]),
    ("Boeing free cash flow between 2019 and 2021", ["BA"], [], ["2019to2021"], [], ["free cash flow"]),  # noqa: E501
    ("GE's pension deficit as of December 31, 2022", ["GE"], [], ["2022-12-31"], [], ["pension expense"]),  # noqa: E501
    ("Apple buybacks in the year ended September 30, 2023", ["AAPL"], [], ["ended-2023-09-30-12m"], [], ["share repurchases"]),  # noqa: E501
    ("Home Depot's 2027 notes", ["HD"], [], [], [], []),
    ("Is Boeing ISO 9001 certified?", ["BA"], [], [], [], []),
    ("Is Intel in the S&P 500?", ["INTC"], [], [], [], []),
    ("What will Nike earn in 2031?", ["NKE"], [], ["2031"], [], []),
    ("how has Target's gross margin changed over the past three years", ["TGT"], [], ["last-3-years"], [], ["gross margin"]),  # noqa: E501
    ("Compare Home Depot with Lowe's", ["HD", "LOW"], [], [], [], []),
    ("MSFT vs GOOGL cloud", ["MSFT", "GOOGL"], [], [], [], []),
    ("WHAT WAS APPLE REVENUE IN 2022?", ["AAPL"], [], ["2022"], [], [REV]),
    ("¿Cuáles fueron los ingresos de Apple en 2022?", ["AAPL"], [], ["2022"], [], []),
    ("Zyntrix Corp revenue in 2022", [], [], ["2022"], [], [REV]),
    ("Which companies mention tariffs?", [], [], [], [], []),
    ("SG&A of PepsiCo", ["PEP"], [], [], [], ["selling, general and administrative expenses"]),
    ("pepsico ebitda margin last year", ["PEP"], [], ["2025"], [], ["EBITDA margin"]),
    ("PepsiCo stock comp from the cash flow statement", ["PEP"], [], [], [], ["stock-based compensation"]),  # noqa: E501
    ("Allstate combined ratio latest quarter", ["ALL"], [], ["Q3-2026"], [], ["combined ratio"]),
    ("Q1 vs Q2 2023 revenue at General Electric", ["GE"], [], ["Q1-2023", "Q2-2023"], [], [REV]),
    ("Visa revenue '22 vs '21", ["V"], [], ["2022", "2021"], [], [REV]),
    ("Home Depot ROIC FY20-FY22", ["HD"], [], ["FY2020toFY2022"], [], ["return on invested capital"]),  # noqa: E501
    ("Nike inventory, quarter ended May 31, 2022", ["NKE"], [], ["ended-2022-05-31-3m"], [], ["inventory"]),  # noqa: E501
]  # fmt: skip
