"""Text to mentions: companies, people, amounts, dates, periods and metrics; knows no Django."""
