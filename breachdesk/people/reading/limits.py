"""What a file may ask of us, in one table. Each is checked while the file is read, and where the file states a size
beforehand also before; so what is too much is refused after little work, whatever the file says about itself.
"""

from dataclasses import dataclass
from typing import NoReturn

from django.core.exceptions import ValidationError

MB = 1024 * 1024


@dataclass(frozen=True)
class Limit:
    most: int
    sentence: str  # what the user reads when it is passed

    def refuse(self, **details: object) -> NoReturn:
        raise ValidationError(self.sentence.format(most=self.most, megabytes=self.most // MB, **details))

    def check(self, amount: int, **details: object) -> None:
        if amount > self.most:
            self.refuse(**details)


LIMITS: dict[str, Limit] = {
    "unpacked": Limit(
        4096 * MB,
        "Unpacked, {what} is larger than 4 GB. Cut the list into several files; repeated people are merged.",
    ),
    "ratio": Limit(
        200,
        "{what} unpacks to more than {most} times its size. A list of people does not: this looks like a file made to "
        "fill a disk. If it is a list, unpack it and upload it as CSV.",
    ),
    "members": Limit(
        1_000, "The zip holds more than {most:,} files. Upload a zip with the list alone, or the list itself."
    ),
    "directory": Limit(
        MB // 2, "The table of contents of this zip is too large to be read. Upload the list itself, as CSV."
    ),
    "workbook in an archive": Limit(
        32 * MB,
        "The workbook “{what}” is larger than {megabytes} MB and lies inside an archive. Unpack it and upload the "
        "workbook itself.",
    ),
    "workbook part": Limit(
        16 * MB,
        "“{what}” in this workbook is larger than {megabytes} MB. Save the sheet as “CSV UTF-8” and upload that.",
    ),
    "shared texts": Limit(
        96 * MB,
        "The texts of this workbook are together larger than {megabytes} MB. Save the sheet as “CSV UTF-8” and upload "
        "that: a CSV may have any size.",
    ),
    "shared text count": Limit(
        8_000_000,
        "This workbook holds more than {most:,} texts. Save the sheet as “CSV UTF-8” and upload that.",
    ),
    "tag": Limit(
        MB, "“{what}” in this workbook cannot be read: a part of it has no end. Save the sheet as “CSV UTF-8” instead."
    ),
    "columns": Limit(
        500,
        "Row {row:,} has {columns:,} columns; at most {most} can be read. Delete the columns that are not needed, or "
        "choose another separator if the columns are split wrongly.",
    ),
    "rows": Limit(20_000_000, "The file has more than {most:,} rows. Cut it into several files."),
    "quotes": Limit(
        16 * MB,
        "Quotation marks are opened and not closed in so many rows, the first time in row {row:,}, that the rows of "
        "this file cannot be told apart. Export the list again, with each quotation mark inside a text doubled.",
    ),
}

# Not for the file as a whole: a row or a cell above these is one rejected row, and the next row is read.
LONGEST_ROW = 100_000  # characters, all its cells and line breaks together
LONGEST_CELL = 32_767  # characters; Excel's own limit
LONGEST_QUOTE = 200  # lines; a text with more line breaks is taken for a quotation mark that nobody closed
# The ratio means nothing for small files: a list of 1,000 similar rows packs to almost nothing.
RATIO_COUNTS_FROM = 4 * MB
SAMPLE = MB  # bytes that inspect() reads at most of a text
