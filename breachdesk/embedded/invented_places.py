"""Names and towns for invented customers: ordinary words of forty countries, put together by chance."""

from typing import NamedTuple


class Names(NamedTuple):
    given: list[str]
    family: list[str]
    latin: bool = True  # whether an address can be made of the name


def _names(given: str, family: str, *, latin: bool = True) -> Names:
    return Names(given.split(), family.split(), latin)


NAMES: dict[str, Names] = {
    "en": _names("Oliver Amelia Noah Isla George Freya Harriet Callum Aoife Seán Priya Kwame Imogen Rhys Chioma Theo",
                 "Smith Taylor Brown Wilson Davies O’Brien Hughes Okafor Patel Murphy Campbell Khan Ashworth Ng Doyle"),
    "fr": _names("Chloé Léa Hugo Jules Zoé Éloïse Mathis Anaïs Noé Benoît",
                 "Dubois Moreau Lefèvre Roux Fournier Gérard Petit Lemaître"),
    "de": _names("Jürgen Greta Lukas Mia Jonas Käthe Björn Leonie Anke Matthäus",
                 "Müller Schmidt Weiß Krüger Schäfer Vogel Köhler Groß Lang"),
    "es": _names("Lucía Mateo Sofía Iván Inés Álvaro Begoña Nuria Raúl Martín",
                 "García Núñez Peña Ibáñez Ortega Muñoz Vázquez Prieto"),
    "it": _names("Giulia Matteo Chiara Niccolò Sara Tommaso Noemi Davide",
                 "Rossi Bianchi D’Angelo Conti Esposito Greco De·Luca Ferrara"),
    "pl": _names("Łukasz Zofia Paweł Małgorzata Jan Agnieszka Święto Wojtek",
                 "Nowak Wiśniewska Kamiński Zając Wójcik Dąbrowska Król Gołąb"),
    "pt": _names("João Inês Tomás Conceição Rui Beatriz Luís Mafalda",
                 "Silva Gonçalves Araújo Brandão Simões Leitão Pinto Magalhães"),
    "nl": _names("Daan Sanne Joris Fleur Thijs Maaike Bram Loïs",
                 "de·Vries Jansen van·Dijk Bakker Visser Smit van·den·Berg Mulder"),
    "sv": _names("Åsa Björn Linnéa Göran Elsa Håkan Maja Sören",
                 "Andersson Öberg Lindqvist Sjöström Nyström Bergström Åkesson"),
    "da": _names("Søren Freja Mads Åse Jørgen Liv Bjarke Signe",
                 "Jensen Sørensen Østergaard Møller Nørgaard Krogh Bæk"),
    "fi": _names("Aino Väinö Helmi Eero Päivi Jussi Kaisa Onni",
                 "Korhonen Mäkinen Järvinen Hämäläinen Niemi Lehtonen Kärki"),
    "cs": _names("Jiří Tereza Lukáš Eliška Vojtěch Šárka Ondřej Zdeňka",
                 "Novák Dvořáková Černý Růžička Štěpánek Němcová Kříž"),
    "hu": _names("Bence Zsófia László Ágnes Máté Réka Gergő Boglárka",
                 "Nagy Szabó Kovács Tóth Horváth Kőszegi Fehér Szűcs"),
    "ro": _names("Andrei Ioana Ștefan Măriuca Răzvan Ilinca Țintea Călin",
                 "Popescu Ionescu Țepeneag Stănescu Dragomir Șerban Lupu"),
    "el": _names("Γιώργος Ελένη Νίκος Μαρία Ηλίας Χρύσα",
                 "Παπαδόπουλος Νικολάου Οικονόμου Βλάχος Γεωργίου", latin=False),
    "bg": _names("Иван Мария Георги Елена Стоян Рада", "Петров Димитрова Иванов Стоянова Колев", latin=False),
    "uk": _names("Олена Тарас Оксана Андрій Соломія Богдан", "Шевченко Коваленко Бондар Мельник Лисенко", latin=False),
    "tr": _names("Ayşe Mehmet Zeynep Çağlar İpek Uğur Gülşen Baran", "Yılmaz Öztürk Şahin Çelik Aydın Koç Güneş"),
    "ar": _names("فاطمة عمر ليلى يوسف مريم خالد نور", "الهاشمي المنصوري حداد سالم القاسمي ناصر", latin=False),
    "he": _names("נועה דוד תמר איתן שירה יונתן", "כהן לוי מזרחי פרץ ביטון אברהם", latin=False),
    "hi": _names("प्रिया अर्जुन अनन्या रोहन मीरा विक्रम", "शर्मा गुप्ता सिंह वर्मा नायर पटेल", latin=False),
    "zh": _names("伟 芳 娜 敏 静 丽 强 磊 洋", "王 李 张 刘 陈 杨 赵 黄", latin=False),
    "ja": _names("陽菜 蓮 結衣 湊 さくら 大翔 花子", "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本", latin=False),
    "ko": _names("서연 민준 지우 하은 도윤 수아", "김 이 박 최 정 강", latin=False),
    "th": _names("สมชาย มาลี อนันต์ ดวงใจ กิตติ", "ใจดี ศรีสุข วงศ์ทอง แสงจันทร์", latin=False),
    "vi": _names("Thảo Minh Hương Đức Lan Tuấn", "Nguyễn Trần Lê Phạm Hoàng Đặng"),
}  # fmt: skip


class Place(NamedTuple):
    country: str
    weight: int
    language: str
    towns: list[str]
    street: str
    postcode: str  # # is a digit, @ a letter
    dial: str


def _place(line: str) -> Place:
    country, weight, language, towns, street, postcode, dial = line.split("|")
    return Place(country, int(weight), language, towns.split(","), street, postcode, dial)


PLACES: list[Place] = [_place(line) for line in """\
GB|700|en-GB|London,Leeds,Bristol,Cardiff,Glasgow,York|Orchard Road|@@# #@@|+44 7700 9
IE|36|en-IE|Dublin,Cork,Galway|Quay Street|@## @#@#|+353 20 91
US|24|en-US|Springfield,Salem,Madison|Maple Avenue|#####|+1 555 01
FR|15|fr|Paris,Lyon,Nîmes|rue des Lilas|#####|+33 1 99 0
AE|12|ar|Dubai,Abu Dhabi,Sharjah|Palm Street||+971 50 0
DE|10|de|Berlin,Köln,München|Gartenstraße|#####|+49 30 231
ES|6|es|Madrid,Córdoba,Málaga|calle Mayor|#####|+34 600 0
IT|5|it|Roma,Torino,Forlì|via Garibaldi|#####|+39 06 99
PL|5|pl|Warszawa,Kraków,Łódź|ulica Ogrodowa|##-###|+48 500 0
NL|5|nl|Utrecht,Delft,Den Haag|Dorpsstraat|#### @@|+31 6 00
BE|4|fr|Bruxelles,Liège|rue Haute|####|+32 460 0
CH|4|de|Zürich,Bern|Bahnhofstrasse|####|+41 78 00
AT|3|de|Wien,Graz|Kirchengasse|####|+43 660 0
PT|3|pt|Lisboa,Évora|rua das Flores|####-###|+351 910 0
BR|3|pt-BR|São Paulo,Recife|rua do Sol|#####-###|+55 11 90
SE|3|sv|Stockholm,Malmö|Skolgatan|### ##|+46 70 0
DK|3|da|København,Ærøskøbing|Strandvej|####|+45 20 0
NO|2|nb|Oslo,Tromsø|Kirkeveien|####|+47 40 0
FI|2|fi|Helsinki,Jyväskylä|Koulukatu|#####|+358 40 0
CZ|2|cs|Praha,Brno,Plzeň|Zahradní|### ##|+420 60 00
HU|2|hu|Budapest,Győr|Kossuth utca|####|+36 20 0
RO|2|ro|București,Iași|Strada Florilor|######|+40 70 00
GR|2|el|Αθήνα,Πάτρα|Οδός Ερμού|### ##|+30 690 00
BG|1|bg|София,Варна|ул. Роза|####|+359 87 0
UA|1|uk|Київ,Львів|вул. Садова|#####|+380 50 00
TR|2|tr|İstanbul,İzmir|Çınar Sokak|#####|+90 50 000
IL|1|he|תל אביב,חיפה|רחוב הגפן|#######|+972 50 0
SA|2|ar|Riyadh,Jeddah|King Road|#####|+966 50 00
QA|2|ar|Doha|Corniche Street||+974 30 0
KW|2|ar|Kuwait City|Gulf Road|#####|+965 50 0
IN|3|hi|Pune,Jaipur|MG Road|######|+91 90 0
CN|8|zh-Hans|上海,成都|和平路|######|+86 130 0
HK|3|zh-Hant|香港,九龍|彌敦道||+852 50 0
JP|3|ja|東京,京都|桜通り|###-####|+81 90 0
KR|2|ko|서울,부산|벚꽃로|#####|+82 10 0
TH|1|th|กรุงเทพ,เชียงใหม่|ถนนดอกไม้|#####|+66 80 0
VN|1|vi|Hà Nội,Huế|đường Hoa Sen|######|+84 90 0
AU|4|en-AU|Sydney,Hobart|Wattle Street|####|+61 491 57
CA|4|en-CA|Toronto,Halifax|Birch Lane|@#@ #@#|+1 555 01
SG|3|en-SG|Singapore|Orchid Road|######|+65 80 0""".splitlines()]  # fmt: skip

NAMES_OF_LANGUAGE = {"nb": "da"}


def names_in(language: str) -> Names:
    tag = language.split("-")[0]
    return NAMES[NAMES_OF_LANGUAGE.get(tag, tag)]
