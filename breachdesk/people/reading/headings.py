"""What columns are called in real files, by field and language.

Written as people write them; spelled() makes `E-Mail`, `e_mail` and `EMail` one heading, and takes accents off.
A heading stands under one field only, except those in AMBIGUOUS: there the other columns of the file decide.
"""

import re
import unicodedata

HEADINGS: dict[str, dict[str, str]] = {
    "reference": {
        "en": "reference|ref|reference number|customer id|customer no|customer number|customer ref|"
        "customer reference|customerid|id|cust id|cust no|member no|member id|membership number|client id|"
        "client number|account number|account no|account id|user id|loyalty number|patient id|patient number|"
        "policy number|person id|uuid",
        "de": "Kundennummer|Kunden-Nr|Kundennr|KdNr|Mitgliedsnummer|Aktenzeichen|Vertragsnummer|Patientennummer",
        "fr": "numéro client|n° client|no client|référence client|identifiant|numéro d'adhérent",
        "es": "número de cliente|n.º de cliente|id cliente|referencia|número de socio",
        "it": "numero cliente|codice cliente|id cliente|riferimento|numero tessera",
        "pt": "número de cliente|n.º cliente|código do cliente|referência|número de sócio",
        "nl": "klantnummer|klantnr|lidnummer|referentie|relatienummer",
        "pl": "numer klienta|nr klienta|id klienta|numer członkowski",
        "sv": "kundnummer|kundnr|medlemsnummer|referens", "da": "kundenummer|kundenr|medlemsnummer",
        "no": "kundenummer|kundenr|medlemsnummer", "fi": "asiakasnumero|asiakastunnus|jäsennumero|viite",
        "cs": "číslo zákazníka|zákaznické číslo|id zákazníka", "el": "αριθμός πελάτη|κωδικός πελάτη",
        "tr": "müşteri numarası|müşteri no|üye no", "ja": "顧客番号|会員番号|お客様番号|顧客ID",
        "zh": "客户编号|客户号|会员号|客戶編號|编号",
    },
    "given_name": {
        "en": "first name|firstname|given name|givenname|forename|fname|first nm|christian name",
        "de": "Vorname|Rufname", "fr": "prénom|prénoms", "es": "nombre de pila|primer nombre",
        "it": "nome di battesimo", "pt": "primeiro nome|nome próprio", "nl": "voornaam|roepnaam", "pl": "imię|imiona",
        "sv": "förnamn|tilltalsnamn", "da": "fornavn", "no": "fornavn", "fi": "etunimi", "cs": "křestní jméno",
        "el": "όνομα", "tr": "ad|adı", "ja": "名|名前（名）", "zh": "名|名字",
    },
    "family_name": {
        "en": "last name|lastname|surname|family name|familyname|lname|last nm", "de": "Nachname|Familienname|Zuname",
        "fr": "nom de famille", "es": "apellido|apellidos|primer apellido", "it": "cognome",
        "pt": "apelido|sobrenome|último nome", "nl": "achternaam|familienaam", "pl": "nazwisko", "sv": "efternamn",
        "da": "efternavn", "no": "etternavn", "fi": "sukunimi", "cs": "příjmení", "el": "επώνυμο|επίθετο",
        "tr": "soyad|soyadı", "ja": "姓|苗字|名字（姓）", "zh": "姓|姓氏",
    },
    "full_name": {
        "en": "full name|fullname|full nm|customer name|client name|client|contact name|member name|customer",
        "de": "vollständiger Name|Name, Vorname|Kundenname|Vor- und Nachname",
        "fr": "nom complet|nom et prénom|prénom nom", "es": "nombre completo|nombre y apellidos",
        "it": "nome completo|nome e cognome|nominativo", "pt": "nome completo", "nl": "volledige naam|klantnaam",
        "pl": "imię i nazwisko|pełna nazwa", "sv": "fullständigt namn|för- och efternamn",
        "da": "fulde navn|kundenavn", "no": "fullt navn|kundenavn", "fi": "koko nimi|asiakkaan nimi",
        "cs": "celé jméno|jméno a příjmení", "el": "ονοματεπώνυμο|πλήρες όνομα", "tr": "ad soyad|adı soyadı|tam ad",
        "ja": "氏名|お名前|名前|顧客名", "zh": "姓名|客户姓名|全名",
    },
    "salutation": {
        "en": "salutation|title|prefix|courtesy title|form of address|mr ms", "de": "Anrede|Titel|Briefanrede",
        "fr": "civilité|titre", "es": "tratamiento|título", "it": "titolo|appellativo", "pt": "tratamento|saudação",
        "nl": "aanhef|titel|aanspreking", "pl": "zwrot grzecznościowy|tytuł", "sv": "tilltal|titel",
        "da": "titel|tiltale", "no": "tittel|tiltale", "fi": "puhuttelu|titteli", "cs": "oslovení|titul",
        "el": "προσφώνηση|τίτλος", "tr": "hitap|unvan", "ja": "敬称", "zh": "称谓|稱謂",
    },
    "email": {
        "en": "email|e mail|email address|e mail address|emailaddress|email addr|mail|email 1|primary email|"
        "contact email|customer email", "de": "E-Mail-Adresse|Mailadresse|Emailadresse|elektronische Post",
        "fr": "courriel|adresse e-mail|adresse mail|mél", "es": "correo|correo electrónico|dirección de correo",
        "it": "posta elettronica|indirizzo e-mail|indirizzo email",
        "pt": "correio eletrónico|endereço de e-mail|endereço de email", "nl": "e-mailadres|mailadres",
        "pl": "adres e-mail|adres email|poczta elektroniczna", "sv": "e-post|e-postadress|epost|mejl",
        "da": "e-mailadresse", "no": "e-post|e-postadresse", "fi": "sähköposti|sähköpostiosoite",
        "cs": "e-mailová adresa|elektronická pošta", "el": "ηλεκτρονικό ταχυδρομείο|ηλεκτρονική διεύθυνση|ημειλ",
        "tr": "e-posta|eposta|e-posta adresi", "ja": "メール|メールアドレス|Eメール|電子メール",
        "zh": "邮箱|电子邮件|电子邮箱|邮件|電子郵件|電郵",
    },
    "email_2": {
        "en": "email 2|second email|secondary email|other email|alternative email|email address 2|backup email",
        "de": "zweite E-Mail|E-Mail 2|weitere E-Mail", "fr": "e-mail secondaire|courriel 2|e-mail 2",
        "es": "correo 2|correo alternativo", "it": "e-mail secondaria|email alternativa", "pt": "e-mail alternativo",
        "nl": "tweede e-mail", "pl": "drugi e-mail", "sv": "e-post 2", "da": "anden e-mail", "no": "e-post 2",
        "fi": "sähköposti 2", "cs": "druhý e-mail", "el": "δεύτερο email", "tr": "ikinci e-posta",
        "ja": "メールアドレス2", "zh": "备用邮箱",
    },
    "phone": {
        "en": "phone|phone number|telephone|telephone number|tel|tel no|mobile|mobile number|mobile phone|cell|"
        "cell phone|home phone|phone 1|contact number",
        "de": "Telefon|Telefonnummer|Tel-Nr|Handy|Handynummer|Mobil|Mobilnummer|Rufnummer",
        "fr": "téléphone|numéro de téléphone|portable|tél", "es": "teléfono|móvil|número de teléfono|celular",
        "it": "telefono|cellulare|numero di telefono", "pt": "telefone|telemóvel|número de telefone",
        "nl": "telefoon|telefoonnummer|mobiel|gsm", "pl": "telefon|numer telefonu|komórka|nr telefonu",
        "sv": "telefon|telefonnummer|mobilnummer", "da": "telefon|telefonnummer|mobil",
        "no": "telefon|telefonnummer|mobil", "fi": "puhelin|puhelinnumero|matkapuhelin",
        "cs": "telefon|telefonní číslo|mobil", "el": "τηλέφωνο|κινητό|αριθμός τηλεφώνου",
        "tr": "telefon|telefon numarası|cep telefonu|gsm", "ja": "電話番号|電話|携帯電話",
        "zh": "电话|电话号码|手机|手机号|電話",
    },
    "street": {
        "en": "street|address|address 1|address line 1|addr 1|street address|postal address|home address|street 1|"
        "mailing address|addr", "de": "Straße|Strasse|Str|Anschrift|Adresse|Straße und Hausnummer|Straße Hausnr",
        "fr": "rue|adresse|voie|adresse postale|adresse 1", "es": "calle|dirección|domicilio|dirección postal",
        "it": "via|indirizzo|indirizzo postale", "pt": "rua|morada|endereço|logradouro",
        "nl": "straat|adres|straatnaam|straat en huisnummer", "pl": "ulica|adres|ulica i numer",
        "sv": "gata|gatuadress|adress", "da": "gade|vej|vejnavn|adresse", "no": "gate|gateadresse|adresse",
        "fi": "katu|katuosoite|osoite|lähiosoite", "cs": "ulice|adresa|ulice a číslo", "el": "οδός|διεύθυνση",
        "tr": "sokak|adres|cadde", "ja": "住所|番地|住所1", "zh": "地址|街道|住址|通讯地址",
    },
    "street_2": {
        "en": "address 2|address line 2|addr 2|street 2|apartment|flat|unit|address line two",
        "de": "Adresszusatz|Adresszeile 2|Straße 2", "fr": "complément d'adresse|adresse 2",
        "es": "dirección 2|complemento de dirección", "it": "indirizzo 2", "pt": "complemento|morada 2",
        "nl": "adresregel 2|toevoeging|adres 2", "pl": "adres 2|numer lokalu", "sv": "adress 2|c/o",
        "da": "adresse linje 2|etage", "no": "adresselinje 2", "fi": "osoite 2|lisäosoite",
        "cs": "adresa 2|doplněk adresy", "el": "διεύθυνση 2", "tr": "adres 2|daire", "ja": "住所2|建物名",
        "zh": "地址2|门牌号",
    },
    "city": {
        "en": "city|town|place|locality|lives in|city town|municipality", "de": "Ort|Stadt|Wohnort|Ortschaft",
        "fr": "ville|commune|localité", "es": "ciudad|localidad|población|municipio", "it": "città|comune|località",
        "pt": "cidade|localidade|concelho", "nl": "plaats|woonplaats|gemeente", "pl": "miasto|miejscowość",
        "sv": "ort|stad|postort", "da": "by|bynavn", "no": "sted|poststed",
        "fi": "kaupunki|postitoimipaikka|kunta|paikkakunta", "cs": "město|obec", "el": "πόλη", "tr": "şehir|il|ilçe",
        "ja": "市区町村|市町村|都市", "zh": "城市|市",
    },
    "postcode": {
        "en": "postcode|post code|postal code|zip|zip code|zipcode|postcd|zip postcode", "de": "PLZ|Postleitzahl",
        "fr": "code postal|cp", "es": "código postal", "it": "CAP|codice postale|codice di avviamento postale",
        "pt": "código postal|CEP", "nl": "postcode", "pl": "kod pocztowy|kod", "sv": "postnummer|postnr",
        "da": "postnummer|postnr", "no": "postnummer|postnr", "fi": "postinumero", "cs": "PSČ|směrovací číslo",
        "el": "ταχυδρομικός κώδικας|ΤΚ|Τ.Κ.", "tr": "posta kodu", "ja": "郵便番号", "zh": "邮编|邮政编码|郵遞區號",
    },
    "post_country": {
        "en": "postal country|address country|mailing country|delivery country|shipping country|country of address",
        "de": "Land der Anschrift|Lieferland|Postland", "fr": "pays de l'adresse|pays de livraison",
        "es": "país de la dirección|país de envío", "it": "paese dell'indirizzo|paese di spedizione",
        "pt": "país da morada|país de entrega", "nl": "land van adres|bezorgland", "pl": "kraj adresu",
        "sv": "adressland|leveransland", "da": "leveringsland", "no": "leveringsland", "fi": "postimaa|toimitusmaa",
        "cs": "země doručení", "el": "χώρα διεύθυνσης", "tr": "adres ülkesi", "ja": "郵送先の国|配送先国",
        "zh": "邮寄国家|收货国家",
    },
    "state": {
        "en": "state|us state|state province|province|region|county", "de": "Bundesland|Bundesstaat|Kanton",
        "fr": "département|région|État", "es": "provincia|comunidad autónoma|estado", "it": "provincia|regione",
        "pt": "distrito|estado|UF", "nl": "provincie", "pl": "województwo", "sv": "län", "da": "landsdel",
        "no": "fylke", "fi": "maakunta", "cs": "kraj bydliště", "el": "νομός|περιφέρεια", "tr": "bölge|eyalet",
        "ja": "都道府県", "zh": "省|省份|州",
    },
    "country": {
        "en": "country|country code|cntry|country of residence|residence|residence country|ctry|nation|country name",
        "de": "Land|Wohnsitzland|Länderkennzeichen|Ländercode|Staat", "fr": "pays|pays de résidence|code pays",
        "es": "país|país de residencia|código de país", "it": "paese|nazione|paese di residenza|stato",
        "pt": "país|país de residência", "nl": "land van verblijf|landcode|woonland",
        "pl": "kraj|kraj zamieszkania|państwo", "sv": "hemland|landskod|bosättningsland", "da": "bopælsland|landekode",
        "no": "bostedsland|landkode", "fi": "maa|asuinmaa|maakoodi", "cs": "země|stát|země bydliště",
        "el": "χώρα|χώρα κατοικίας", "tr": "ülke|ikamet ülkesi", "ja": "国|国名|居住国", "zh": "国家|居住国|國家",
    },
    "language": {
        "en": "language|lang|locale|preferred language|language code|correspondence language|mother tongue",
        "de": "Sprache|Sprachcode|Korrespondenzsprache", "fr": "langue|langue préférée", "es": "idioma|lengua",
        "it": "lingua|lingua preferita", "pt": "língua|idioma preferido", "nl": "taal|voorkeurstaal|taalcode",
        "pl": "język", "sv": "språk", "da": "sprog", "no": "språk|målform", "fi": "kieli|asiointikieli", "cs": "jazyk",
        "el": "γλώσσα", "tr": "dil", "ja": "言語|使用言語", "zh": "语言|語言",
    },
    "born_on": {
        "en": "date of birth|dob|birth date|birthdate|birthday|born|born on|d o b|birth dt",
        "de": "Geburtsdatum|Geburtstag|geboren am|Geb-Datum", "fr": "date de naissance|né le|née le|naissance",
        "es": "fecha de nacimiento|nacimiento", "it": "data di nascita|nato il", "pt": "data de nascimento|nascimento",
        "nl": "geboortedatum|geboren op", "pl": "data urodzenia", "sv": "födelsedatum|född",
        "da": "fødselsdato|fødselsdag|født", "no": "fødselsdato|født", "fi": "syntymäaika|syntymäpäivä",
        "cs": "datum narození", "el": "ημερομηνία γέννησης", "tr": "doğum tarihi", "ja": "生年月日|誕生日",
        "zh": "出生日期|生日",
    },
    "minor": {
        "en": "minor|is minor|under 18|child|is child|underage|under age", "de": "minderjährig|unter 18|Kind",
        "fr": "mineur|moins de 18 ans|enfant", "es": "menor|menor de edad|menor de 18", "it": "minore|minorenne",
        "pt": "menor de idade|menor de 18 anos", "nl": "minderjarig|onder 18", "pl": "niepełnoletni|małoletni",
        "sv": "minderårig|under 18 år", "da": "mindreårig", "no": "mindreårig|under 18 år", "fi": "alaikäinen|alle 18",
        "cs": "nezletilý|mladší 18 let", "el": "ανήλικος", "tr": "reşit değil|18 yaş altı", "ja": "未成年",
        "zh": "未成年|未成年人",
    },
    "guardian_name": {
        "en": "guardian|guardian name|parent|parent name|legal guardian|name of guardian|parent guardian",
        "de": "Erziehungsberechtigter|gesetzlicher Vertreter|Vormund|Sorgeberechtigter",
        "fr": "tuteur|représentant légal|nom du tuteur", "es": "tutor|tutor legal|nombre del tutor",
        "it": "tutore|genitore", "pt": "encarregado de educação|responsável legal",
        "nl": "voogd|ouder|wettelijk vertegenwoordiger", "pl": "opiekun|opiekun prawny",
        "sv": "vårdnadshavare|målsman", "da": "værge|forælder", "no": "verge|foresatt", "fi": "huoltaja",
        "cs": "zákonný zástupce|opatrovník", "el": "κηδεμόνας", "tr": "veli|vasi", "ja": "保護者|保護者氏名",
        "zh": "监护人|监护人姓名|家长",
    },
    "guardian_email": {
        "en": "guardian email|parent email|guardian e mail|email of guardian|parent email address|"
        "guardian email address", "de": "E-Mail Erziehungsberechtigter|E-Mail Eltern",
        "fr": "e-mail du tuteur|courriel du tuteur", "es": "correo del tutor",
        "it": "e-mail del tutore|e-mail genitore", "pt": "e-mail do responsável", "nl": "e-mail voogd|e-mail ouder",
        "pl": "e-mail opiekuna", "sv": "e-post vårdnadshavare", "da": "værges e-mail", "no": "foresattes e-post",
        "fi": "huoltajan sähköposti", "cs": "e-mail zákonného zástupce", "el": "email κηδεμόνα", "tr": "veli e-posta",
        "ja": "保護者メールアドレス", "zh": "监护人邮箱",
    },
    "guardian_phone": {
        "en": "guardian phone|parent phone|guardian telephone|guardian phone number|parent phone number|"
        "guardian mobile", "de": "Telefon Erziehungsberechtigter|Telefon Eltern", "fr": "téléphone du tuteur",
        "es": "teléfono del tutor", "it": "telefono del tutore|telefono genitore", "pt": "telefone do responsável",
        "nl": "telefoon voogd|telefoon ouder", "pl": "telefon opiekuna", "sv": "telefon vårdnadshavare",
        "da": "værges telefon", "no": "foresattes telefon", "fi": "huoltajan puhelin",
        "cs": "telefon zákonného zástupce", "el": "τηλέφωνο κηδεμόνα", "tr": "veli telefonu", "ja": "保護者電話番号",
        "zh": "监护人电话",
    },
    "vulnerable": {
        "en": "vulnerable|is vulnerable|vulnerable customer|vulnerability|special needs|needs support",
        "de": "schutzbedürftig|besonders schutzbedürftig", "fr": "vulnérable|personne vulnérable",
        "es": "persona vulnerable", "it": "vulnerabile", "pt": "vulnerável", "nl": "kwetsbaar",
        "pl": "osoba wymagająca wsparcia", "sv": "utsatt|skyddsbehov", "da": "sårbar", "no": "sårbar",
        "fi": "haavoittuva", "cs": "zranitelný", "el": "ευάλωτος", "tr": "hassas müşteri", "ja": "要配慮",
        "zh": "弱势群体",
    },
    "deceased": {
        "en": "deceased|is deceased|dead|has died|died", "de": "verstorben|gestorben", "fr": "décédé|décédée",
        "es": "fallecido|difunto", "it": "deceduto|defunto", "pt": "falecido|falecida", "nl": "overleden",
        "pl": "zmarły|zmarła", "sv": "avliden", "da": "afdød|død", "no": "avdød|død", "fi": "kuollut|vainaja",
        "cs": "zemřelý|zemřelá", "el": "αποβιώσας|θανών", "tr": "vefat|ölü", "ja": "死亡|故人", "zh": "已故|死亡",
    },
    "kinds": {
        "en": "kinds|kinds of data|data kinds|data categories|exposed data|exposed|data exposed|data|"
        "categories of data|data types|compromised data|affected data",
        "de": "betroffene Daten|Datenarten|Datenkategorien",
        "fr": "données concernées|catégories de données|données exposées",
        "es": "datos afectados|categorías de datos|datos expuestos",
        "it": "dati coinvolti|categorie di dati|dati esposti",
        "pt": "dados afetados|categorias de dados|dados expostos",
        "nl": "gelekte gegevens|soorten gegevens|gegevenscategorieën", "pl": "ujawnione dane|kategorie danych",
        "sv": "berörda uppgifter|läckta uppgifter", "da": "berørte oplysninger|lækkede data",
        "no": "berørte opplysninger|lekkede data", "fi": "vuotaneet tiedot|tietoryhmät",
        "cs": "uniklé údaje|kategorie údajů", "el": "εκτεθειμένα δεδομένα|κατηγορίες δεδομένων",
        "tr": "sızan veriler|veri kategorileri", "ja": "漏えい項目|漏洩データ", "zh": "泄露数据|数据类别",
    },
}  # fmt: skip

# Which part of a name these are, only the columns beside them tell: `name` beside `first name` is the family name, and
# beside `surname` the given name. Alone they hold the whole name.
AMBIGUOUS = "name|nom|nombre|nome|naam|navn|namn|nimi|jméno|nazwa|isim|όνομα|ad|名前|名"

_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})
_WORD_ENDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_WORD = re.compile(r"[\W_]+")


def spelled(heading: str) -> str:
    """The same for headings that differ in case, accents, signs and spaces only: `Customer_ID`, `customerId`."""
    spaced = _WORD_ENDS.sub(" ", heading).casefold().translate(_LETTERS)
    bare = "".join(c for c in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(c))
    return _NO_WORD.sub(" ", bare).strip()


def _table() -> dict[str, tuple[str, str]]:
    table: dict[str, tuple[str, str]] = {}
    for field, languages in HEADINGS.items():
        for language, words in languages.items():
            for word in words.split("|"):
                table.setdefault(spelled(word), (field, language))
    return table


AMBIGUOUS_NAMES = frozenset(map(spelled, AMBIGUOUS.split("|")))
FIELD_OF_HEADING = {heading: found for heading, found in _table().items() if heading not in AMBIGUOUS_NAMES}
