"""Texts that go wrong: encodings, separators, line ends, quotation marks, cells that nobody should export."""

import codecs

from tests.people.reading.nasty import HEADINGS, PEOPLE, Nasty, file_of, lines, numbered, written

A, B, C = (",".join(person) for person in PEOPLE)


def people(*names: str) -> list[list[str]]:
    return [[f"C-{n}", name, f"p{n}@example.com", town] for n, (name, town) in enumerate(map(_split, names), 1)]


def _split(text: str) -> list[str]:
    return text.split("/")


POLISH = people("Łukasz Wójcik/Łódź", "Małgorzata Dąbrowska/Gdańsk", "Święcicki Żaneta/Poznań")
CZECH = people("Jiří Dvořák/Plzeň", "Růžena Černá/Ústí", "Tomáš Žižka/Děčín")
HUNGARIAN = people("Szőke Erzsébet/Győr", "Szűcs László/Pécs", "Őri Ágnes/Nyíregyháza")
RUSSIAN = people("Пётр Иванов/Екатеринбург", "Мария Ёлкина/Нижний Новгород", "Сергей Щукин/Псков")
GREEK = people("Γιώργος Παπαδόπουλος/Αθήνα", "Ελένη Χρήστου/Θεσσαλονίκη", "Νίκος Αγγελόπουλος/Πάτρα")
TURKISH = people("Ayşe Yılmaz/İstanbul", "Güneş Şahin/Diyarbakır", "Işık Öztürk/Ağrı")
HEBREW = people("משה כהן/ירושלים", "שרה לוי/חיפה", "רחל מזרחי/אילת")
ARABIC = people("أحمد محمد/القاهرة", "فاطمة علي/الرياض", "عبد الله حسن/دمشق")
LITHUANIAN = people("Jonas Šimkus/Šiauliai", "Rūta Čepaitė/Panevėžys", "Kęstutis Žemaitis/Mažeikiai")
JAPANESE = people("山田太郎/東京都新宿区", "佐藤花子/大阪市", "鈴木一郎/横浜市")
CHINESE = people("王小明/北京市朝阳区", "李娜/上海市浦东新区", "张伟/广州市")
TAIWANESE = people("王小明/臺北市信義區", "陳美麗/高雄市", "張偉/臺中市")
KOREAN = people("김철수/서울특별시", "이영희/부산광역시", "박지민/대구광역시")
THAI = people("สมชาย ใจดี/กรุงเทพ", "สมหญิง รักไทย/เชียงใหม่", "ประเสริฐ ศรีสุข/ภูเก็ต")
NORDIC = people("Åsa Sjöberg/Malmö", "Bjørn Sæther/Tromsø", "Pål Ødegård/Bodø")

ENCODED = [
    ("UTF-8 without a mark", "utf-8", PEOPLE, True),
    ("UTF-8 with a mark", "utf-8-sig", PEOPLE, True),
    ("plain ASCII", "ascii", people("Ana Ng/Leeds", "Bo Doyle/Cork"), True),
    ("Windows-1252", "cp1252", PEOPLE, False),
    ("Windows-1252, Nordic", "cp1252", NORDIC, False),
    ("Windows-1250, Polish", "cp1250", POLISH, False),
    ("Windows-1250, Czech", "cp1250", CZECH, False),
    ("Windows-1250, Hungarian", "cp1250", HUNGARIAN, False),
    ("Windows-1251", "cp1251", RUSSIAN, False),
    ("Windows-1253", "cp1253", GREEK, False),
    ("Windows-1254", "cp1254", TURKISH, False),
    ("Windows-1255", "cp1255", HEBREW, False),
    ("Windows-1256", "cp1256", ARABIC, False),
    ("Windows-1257", "cp1257", LITHUANIAN, False),
    ("Windows-874", "cp874", THAI, False),
    ("ISO 8859-1", "iso8859_1", PEOPLE, False),
    ("ISO 8859-2", "iso8859_2", POLISH, False),
    ("ISO 8859-5", "iso8859_5", RUSSIAN, False),
    ("ISO 8859-9", "iso8859_9", TURKISH, False),
    ("KOI8", "koi8_u", RUSSIAN, False),
    ("Mac Roman", "mac_roman", PEOPLE, False),
    ("DOS 850", "cp850", PEOPLE, False),
    ("DOS 852", "cp852", POLISH, False),
    ("DOS 866", "cp866", RUSSIAN, False),
    ("Shift JIS", "cp932", JAPANESE, False),
    ("EUC-JP", "euc_jp", JAPANESE, False),
    ("ISO-2022-JP", "iso2022_jp", JAPANESE, False),
    ("GB 18030", "gb18030", CHINESE, False),
    ("Big5", "cp950", TAIWANESE, False),
    ("EUC-KR", "cp949", KOREAN, False),
    ("UTF-16 with a mark", "utf-16", PEOPLE, True),
    ("UTF-16 little endian without a mark", "utf-16-le", PEOPLE, False),
    ("UTF-16 big endian without a mark", "utf-16-be", PEOPLE, False),
    ("UTF-16 of few Latin letters", "utf-16-le", JAPANESE, False),
    ("UTF-32 with a mark", "utf-32", PEOPLE, True),
    ("UTF-32 big endian without a mark", "utf-32-be", PEOPLE, False),
]


def _encoded(name: str, encoding: str, rows: list[list[str]], certain: bool) -> Nasty:
    return Nasty(name, lambda: file_of(rows, encoding=encoding), rows=numbered(rows), certain=certain)


def _big_endian_with_mark() -> bytes:
    return codecs.BOM_UTF16_BE + file_of(encoding="utf-16-be")


def _late_accents() -> bytes:
    plain = [[f"P-{n}", "Ana Ng", f"ana{n}@example.com", "Leeds"] for n in range(22_000)]
    return file_of([*plain, *PEOPLE], encoding="cp1252")


ENCODINGS = [
    *(_encoded(*each) for each in ENCODED),
    Nasty("UTF-16 big endian with a mark", _big_endian_with_mark, certain=True),
    Nasty(
        "Windows-1252 told only by its last rows",
        _late_accents,
        rows=numbered([*([f"P-{n}", "Ana Ng", f"ana{n}@example.com", "Leeds"] for n in range(22_000)), *PEOPLE]),
        certain=False,
    ),
    Nasty(
        "one row in another encoding",
        lambda: lines(A, B).replace(b"\xc3\xa7", b"\xe7") + f"{C}\n".encode(),
        rows=numbered([PEOPLE[0], ["C-2", "Fran�ois Noël", "francois@example.org", "Besan�on"], PEOPLE[2]]),
        problems={3: "encoding"},
        wanted={"encoding": "utf-8"},
    ),
    Nasty(
        "cut within a letter",
        lambda: lines(A, "C-2,Bo,bo@example.com,Zoë").removesuffix(b"\xab\n"),
        rows=numbered([PEOPLE[0], ["C-2", "Bo", "bo@example.com", "Zo�"]]),
        problems={3: "encoding"},
    ),
    Nasty(
        "a lone surrogate",
        lambda: lines(A, "C-2,Bo\ud800,bo@example.com,Ulm", C),
        rows=numbered([PEOPLE[0], ["C-2", "Bo���", "bo@example.com", "Ulm"], PEOPLE[2]]),
        problems={3: "encoding"},
        wanted={"encoding": "utf-8"},
    ),
    Nasty(
        "a lone surrogate in UTF-16",
        lambda: (
            codecs.BOM_UTF16_LE
            + lines(A, "C-2,Bo\ud800,bo@example.com,Ulm", C)
            .decode("utf-8", "surrogatepass")
            .encode("utf-16-le", "surrogatepass")
        ),
        rows=numbered([PEOPLE[0], ["C-2", "Bo�", "bo@example.com", "Ulm"], PEOPLE[2]]),
        problems={3: "encoding"},
    ),
    Nasty(
        "a mark in the middle, as joined files have it",
        lambda: file_of(PEOPLE[:1]) + codecs.BOM_UTF8 + file_of(PEOPLE[1:])[len(",".join(HEADINGS)) + 2 :],
        rows=numbered([PEOPLE[0], ["\ufeffC-2", *PEOPLE[1][1:]], PEOPLE[2]]),
        reasons={3: "characters"},
    ),
    Nasty(
        "right-to-left marks",
        lambda: lines(A, "C-2,Bo \u202egnaW,bo@example.com,Ulm", C),
        rows=numbered([PEOPLE[0], ["C-2", "Bo \u202egnaW", "bo@example.com", "Ulm"], PEOPLE[2]]),
        reasons={3: "characters"},
    ),
    Nasty(
        "emoji",
        lambda: lines(A, "C-2,Bo 🎉 Wang,bo@example.com,👨‍👩‍👧 Ulm", C),
        rows=numbered([PEOPLE[0], ["C-2", "Bo 🎉 Wang", "bo@example.com", "👨‍👩‍👧 Ulm"], PEOPLE[2]]),
    ),
    Nasty("a mark and nothing else", lambda: codecs.BOM_UTF8, refusal="holds no rows"),
    Nasty("nothing", lambda: b"", refusal="is empty"),
    Nasty("blank lines only", lambda: b"\r\n\r\n\n", refusal="holds no rows"),
]

LONG_CELL = "x" * 10_000_000
BLOCKS = [[f"C-{n}", f"Person {n}", f"p{n}@example.com", "Leeds"] for n in range(3_000)]

DIALECTS = [
    Nasty("semicolons", lambda: file_of(delimiter=";"), certain=True),
    Nasty("tabs", lambda: file_of(delimiter="\t"), certain=True),
    Nasty("vertical bars", lambda: file_of(delimiter="|"), certain=True),
    Nasty(
        "semicolons, with commas in every cell",
        lambda: b"customer_id;full_name;email\nC-1;Ng, Ana;ana@example.com\nC-2;Doyle, Bo;bo@example.com\n",
        headings=HEADINGS[:3],
        rows=numbered([["C-1", "Ng, Ana", "ana@example.com"], ["C-2", "Doyle, Bo", "bo@example.com"]]),
        wanted={"delimiter": ";"},
    ),
    Nasty("everything quoted", lambda: file_of(quoting=1)),
    Nasty("CR line ends", lambda: file_of(end="\r")),
    Nasty("no end of the last line", lambda: file_of().removesuffix(b"\r\n")),
    Nasty("mixed line ends", lambda: f"{','.join(HEADINGS)}\r{A}\r\n{B}\n{C}".encode()),
    Nasty("the DOS end of a text", lambda: file_of() + b"\x1a"),
    Nasty(
        "Excel's own first line", lambda: b"sep=;\r\n" + file_of(delimiter=";"), rows=numbered(PEOPLE, 3), certain=True
    ),
    Nasty(
        "separators at every line's end",
        lambda: file_of().replace(b"\r\n", b",\r\n"),
        headings=[*HEADINGS, "Column 5"],
        rows=numbered([[*person, ""] for person in PEOPLE]),
    ),
    Nasty("separators at the rows' ends only", lambda: lines(f"{A},,", B, f"{C},")),
    Nasty("empty lines", lambda: lines("", A, "", "", B, C, ""), rows=[(3, PEOPLE[0]), (6, PEOPLE[1]), (7, PEOPLE[2])]),
    Nasty(
        "lines above the heading",
        lambda: b"Export of 9 March 2026\nfor Larkfield\n\n" + file_of(),
        rows=numbered(PEOPLE, 5),
        certain=False,
        notes="Row 4 names the columns",
    ),
    Nasty(
        "no heading",
        lambda: written(PEOPLE).encode(),
        headings=["Column 1", "Column 2", "Column 3", "Column 4"],
        rows=numbered(PEOPLE, 1),
        certain=False,
        notes="No row seems to name the columns",
    ),
    Nasty(
        "headings twice, and blank",
        lambda: b"full_name,email,Email,,full_name,email\nAna Ng,ana@example.com,,,,\n",
        headings=["full_name", "email", "Email", "Column 4", "full_name (2)", "email (2)"],
        rows=numbered([["Ana Ng", "ana@example.com", "", "", "", ""]]),
    ),
    Nasty(
        "a heading of two lines",
        lambda: file_of().replace(b"full_name", b'"full\nname"'),
        headings=["customer_id", "full name", *HEADINGS[2:]],
    ),
    Nasty(
        "10,000 columns",
        lambda: ",".join(f"c{n}" for n in range(10_000)).encode() + b"\n",
        refusal="10,000 columns; at most 500",
    ),
    Nasty(
        "a row of 10,000 columns",
        lambda: lines(A, "x," * 9_999 + "x", C),
        rows=numbered([PEOPLE[0], ["x"] * 10_000, PEOPLE[2]]),
        reasons={3: "columns"},
    ),
    Nasty(
        "too few columns",
        lambda: lines(A, "C-2,Bo", C),
        rows=numbered([PEOPLE[0], ["C-2", "Bo"], PEOPLE[2]]),
        reasons={3: "columns"},
    ),
    Nasty(
        "one column",
        lambda: b"email\nana@example.com\nbo@example.com\n",
        headings=["email"],
        rows=numbered([["ana@example.com"], ["bo@example.com"]]),
        unmatched="No column holds a name",
    ),
]

QUOTES = [
    Nasty(
        "line breaks in a text",
        lambda: lines('C-1,Zoë,zoe@example.com,"Köln\r\nam Rhein"', B),
        rows=numbered([["C-1", "Zoë", "zoe@example.com", "Köln\r\nam Rhein"], PEOPLE[1]]),
        reasons={2: "characters"},
    ),
    Nasty(
        "quotation marks doubled",
        lambda: lines('C-1,"Ana ""Ann"" Ng",ana@example.com,Ulm'),
        rows=numbered([["C-1", 'Ana "Ann" Ng', "ana@example.com", "Ulm"]]),
    ),
    Nasty(
        "a quotation mark inside a word",
        lambda: lines('C-1,Ana,ana@example.com,6" Street'),
        rows=numbered([["C-1", "Ana", "ana@example.com", '6" Street']]),
    ),
    Nasty(
        "a quotation mark never closed",
        lambda: lines(A, 'C-2,"Bo,bo@example.com,Ulm', C),
        rows=numbered([PEOPLE[0], ['C-2,"Bo,bo@example.com,Ulm'], PEOPLE[2]]),
        problems={3: "unreadable"},
    ),
    Nasty(
        "the last row's quotation mark never closed",
        lambda: lines(A, 'C-2,"Bo,bo@example.com,Ulm'),
        rows=numbered([PEOPLE[0], ['C-2,"Bo,bo@example.com,Ulm']]),
        problems={3: "unreadable"},
    ),
    Nasty(
        "a quotation mark never closed before 3,000 rows",
        lambda: lines('C-0,"Bo,bo@example.com,Ulm', *(",".join(row) for row in BLOCKS)),
        rows=numbered([['C-0,"Bo,bo@example.com,Ulm'], *BLOCKS]),
        problems={2: "unreadable"},
    ),
    Nasty(
        "two rows grown together",
        lambda: lines('C-1,Ana,ana@example.com,"Ulm', 'C-2,Bo,bo@example.com,Bonn"', C),
        rows=numbered([['C-1,Ana,ana@example.com,"Ulm'], ["C-2", "Bo", "bo@example.com", 'Bonn"'], PEOPLE[2]]),
        problems={2: "unreadable"},
    ),
    Nasty(
        "text after a closing mark",
        lambda: lines('C-1,"Ana" Ng,ana@example.com,Ulm', B),
        rows=numbered([['C-1,"Ana" Ng,ana@example.com,Ulm'], PEOPLE[1]]),
        problems={2: "unreadable"},
    ),
    Nasty(
        "a mark that backslashes were to protect",
        lambda: lines(r'C-1,"Ana \"Ann\" Ng",ana@example.com,Ulm', B),
        rows=numbered([[r'C-1,"Ana \"Ann\" Ng",ana@example.com,Ulm'], PEOPLE[1]]),
        problems={2: "unreadable"},
    ),
    Nasty(
        "quotation marks that open and close forever",
        lambda: lines(*['x","'] * 200_000),
        refusal="cannot be told apart",
    ),
    Nasty(
        "NUL in a name",
        lambda: lines(A, "C-2,B\0o,bo@example.com,Ulm", C),
        rows=numbered([PEOPLE[0], ["C-2", "B\0o", "bo@example.com", "Ulm"], PEOPLE[2]]),
        reasons={3: "characters"},
    ),
    Nasty(
        "a cell of 10 MB",
        lambda: lines(A, f"C-2,{LONG_CELL},bo@example.com,Ulm", C),
        rows=numbered([PEOPLE[0], [f"C-2,{LONG_CELL}"[:1000]], PEOPLE[2]]),
        problems={3: "row_too_long"},
    ),
    Nasty(
        "a quoted cell of 10 MB",
        lambda: lines(A, f'C-2,"{LONG_CELL}",bo@example.com,Ulm', C),
        rows=numbered([PEOPLE[0], [f'C-2,"{LONG_CELL}'[:1000]], PEOPLE[2]]),
        problems={3: "row_too_long"},
    ),
    Nasty(
        "a cell longer than Excel's",
        lambda: lines(A, f"C-2,{'y' * 32_768},bo@example.com,Ulm", C),
        rows=numbered([PEOPLE[0], ["C-2", "y" * 32_767, "bo@example.com", "Ulm"], PEOPLE[2]]),
        problems={3: "row_too_long"},
    ),
    Nasty("a line of 10 MB and no other", lambda: b"x" * 10_000_000, refusal="cannot be read"),
    Nasty(
        "formulas as text",
        lambda: lines(A, '=HYPERLINK("http://x.test"),Bo,bo@example.com,Ulm', "C-3,@SUM(1),c@example.com,Ulm"),
        rows=numbered(
            [
                PEOPLE[0],
                ['=HYPERLINK("http://x.test")', "Bo", "bo@example.com", "Ulm"],
                ["C-3", "@SUM(1)", "c@example.com", "Ulm"],
            ]
        ),
        reasons={},
    ),
]

TEXTS = [*ENCODINGS, *DIALECTS, *QUOTES]
