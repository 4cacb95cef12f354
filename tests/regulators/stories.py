"""Breaches told in short, and who must be told: written by hand from the laws, over the whole catalogue as it ships.

A duty is written `law place duty`. What a story does not name as owed or undecided does not apply, in any law.
"""

from typing import Any

from regulators.facts import Count, Facts
from tests.regulators.made_laws import duty, law
from tests.regulators.telling import EEA, US_NUMBERS, Story, abroad, aware, each, in_us, not_stated, shop

UK = "uk_gdpr GB authority"
ISLANDS = "gg_dpl GG authority, im_gdpr IM authority, je_dpjl JE authority"
FORTY = [*EEA, "GB", "CH", "JE", "GG", "IM", "US-CA", "US-NY", "US-TX", "CA", "AU", "NZ", "JP", "KR", "SG", "HK", "CN"]
FORTY += ["IN", "BR", "ZA", "AE", "SA", "TR", "TH", "MX"]
TEXAS, COLORADO = "us_tx US-TX people", "us_co US-CO people"
ALL_OF_TEXAS = f"{TEXAS}, us_tx US-TX authority"

OUR_INSURER = law("insurer", ["GB"], "by_contract", [duty("contract_partner")], kind="own")
NOT_ABROAD = dict.fromkeys(["eu_eprivacy_611", "kw_dppr", "us_fcc_cpni"], False)
HOLE = {"breach__exploited_vulnerability": True, "breach__personal_data": False}
DUBLIN = {"established_in": frozenset({"IE"}), "main_establishment": "IE"}
GERMAN = {"established_in": frozenset({"GB", "DE"}), "main_establishment": "DE"}
BERLIN = {"established_in": frozenset({"GB", "DE-BE"}), "main_establishment": "DE"}
HEALTH = {"sectors": frozenset({"health"}), "us__hipaa": True}


def essential(country: str, **more: Any) -> Facts:
    """An essential or important entity of that country with a significant incident that holds nobody's data."""
    home = {"established_in": frozenset({country}), "main_establishment": country}
    sector = {"sectors": frozenset({"essential_entity"})}
    return shop({}, **sector, **home, breach__is_major=True, breach__personal_data=False, **more)


def each_of(law_there: str, duties: str) -> str:
    return ", ".join(f"{law_there} {one}" for one in duties.split())


AT_HOME = [
    Story("a shop at home, some risk", shop({"GB": 412}), UK),
    Story("a shop at home, risk unlikely", shop({"GB": 412}, risk__level="unlikely")),
    Story(
        "a shop at home, high risk",
        shop({"GB": 412}, risk__level="high"),
        "uk_gdpr GB authority, uk_gdpr GB people",
    ),
    Story(
        "high risk, but nobody can read it",
        shop({"GB": 412}, risk__level="high", data__unreadable=True),
        UK,
    ),
    Story(
        "nobody has decided about the risk",
        not_stated(shop({"GB": 412}), "risk.level"),
        undecided="uk_gdpr GB authority, uk_gdpr GB people",
        missing={UK: ("risk.level",), "uk_gdpr GB people": ("risk.level",)},
    ),
    Story(
        "the first report left something out",
        shop({"GB": 412}, report__incomplete=True),
        "uk_gdpr GB authority, uk_gdpr GB follow_up",
    ),
    Story(
        "nobody has counted yet, but the shop is here",
        shop({}, without_country=Count(0, None), people_all=None, targets=frozenset(), kinds=frozenset({"orders"})),
        UK,
    ),
    Story("a shop as processor tells its controller", shop({"GB": 412}, role="processor"), "uk_gdpr GB processor"),
    Story("a shop as joint controller owes it all the same", shop({"GB": 412}, role="joint"), UK),
    Story(
        "nobody has said whether we are the controller",
        shop({"GB": 412}, role=None),
        undecided="uk_gdpr GB authority, uk_gdpr GB processor",
        missing={UK: ("role.is",)},
    ),
    Story("no personal data at all", shop({"GB": 412}, breach__personal_data=False)),
    Story("the islands are places of their own", shop({"JE": 9, "GG": 8, "IM": 7}), f"{UK}, {ISLANDS}"),
]

EUROPE = [
    Story(
        "no establishment in the Union: every member state where people live",
        shop({"FR": 100, "IE": 20, "PL": 3}),
        f"{UK}, " + each("eu_gdpr", ["FR", "IE", "PL"]),
        heard_by={"eu_gdpr FR authority": "fr_cnil", "eu_gdpr IE authority": "ie_dpc"},
    ),
    Story(
        "a representative under Article 27 changes nothing",
        shop({"FR": 100, "IE": 20}, representative_in=frozenset({"IE"})),
        f"{UK}, " + each("eu_gdpr", ["FR", "IE"]),
    ),
    Story(
        "main establishment in Ireland: one authority for all",
        shop({"FR": 100, "IE": 20, "PL": 3}, established_in=frozenset({"GB", "IE", "FR"}), main_establishment="IE"),
        f"{UK}, eu_gdpr IE authority",
        heard_by={"eu_gdpr IE authority": "ie_dpc"},
    ),
    Story(
        "main establishment in Ireland, and nobody affected lives there",
        shop({"FR": 100}, **DUBLIN),
        "eu_gdpr IE authority",
    ),
    Story(
        "high risk: one authority, and people everywhere",
        shop({"FR": 100, "IE": 20}, **DUBLIN, risk__level="high"),
        "eu_gdpr IE authority, eu_gdpr FR people, eu_gdpr IE people",
    ),
    Story(
        "main establishment in Ireland, high risk, and nobody affected lives there: no people to tell in Ireland",
        shop({"FR": 100}, **DUBLIN, risk__level="high"),
        "eu_gdpr IE authority, eu_gdpr FR people",
    ),
    Story(
        "main establishment in Ireland, and some live outside the Union: they are told under its law",
        shop({"FR": 100, "MO": 5}, **DUBLIN, risk__level="high"),
        "eu_gdpr IE authority, eu_gdpr FR people, eu_gdpr IE people",
        outside=("MO",),
    ),
    Story("nobody is affected yet", shop({}, **DUBLIN, risk__level="high"), "eu_gdpr IE authority, eu_gdpr IE people"),
    Story(
        "two establishments and none of them named as the main one",
        shop({"FR": 100, "IE": 20}, established_in=frozenset({"FR", "IE"}), main_establishment=None),
        undecided=each("eu_gdpr", ["FR", "IE"]),
        missing={"eu_gdpr FR authority": ("us.main_establishment",)},
    ),
    Story(
        "two establishments, and decisions taken in London",
        shop({"FR": 100, "IE": 20, "PL": 3}, established_in=frozenset({"GB", "FR", "IE"})),
        f"{UK}, " + each("eu_gdpr", ["FR", "IE", "PL"]),
    ),
    Story(
        "we sell to nobody there",
        shop({"FR": 100}, targets=frozenset({"GB"})),
        UK,
    ),
    Story(
        "whether we sell there is not stated",
        shop({"FR": 100}, targets=None),
        UK,
        undecided="eu_gdpr FR authority",
        missing={"eu_gdpr FR authority": ("us.targets",)},
    ),
    Story("counsel decided that the law does not reach us", shop({"FR": 100}, reach={"eu_gdpr": False}), UK),
    Story(
        "a shop in Berlin",
        shop({"DE": 70}, **BERLIN),
        f"{UK}, eu_gdpr DE authority",
        heard_by={"eu_gdpr DE authority": "de_be"},
    ),
    Story(
        "somewhere in Germany: which Land has to be said",
        shop({"DE": 70}, **GERMAN),
        f"{UK}, eu_gdpr DE authority",
        heard_by={"eu_gdpr DE authority": ""},
        missing={"eu_gdpr DE authority": ("supervisor.DE",)},
    ),
    Story(
        "people overseas live in France",
        shop({"RE": 5, "GP": 4}, targets=frozenset({"FR"})),
        f"{UK}, eu_gdpr FR authority",
    ),
    Story("Switzerland asks for a high risk", abroad({"CH": 80})),
    Story("Switzerland, high risk", abroad({"CH": 80}, risk__level="high"), "ch_fadp CH authority, ch_fadp CH people"),
]

TRADES = [
    Story(
        "a product with a hole, the day before its law begins",
        shop({}, sectors=frozenset({"digital_products"}), **HOLE, **DUBLIN, starts=aware(2026, 9, 10)),
        later=("eu_cra",),
    ),
    Story(
        "a product with a hole, the day after",
        shop({}, sectors=frozenset({"digital_products"}), **HOLE, **DUBLIN, starts=aware(2026, 9, 12)),
        "eu_cra IE vulnerability_warning, eu_cra IE vulnerability, eu_cra IE vulnerability_final, eu_cra IE people",
    ),
    Story(
        "a bank's major incident",
        shop({}, sectors=frozenset({"dora_entity"}), breach__is_major=True, breach__personal_data=False, **DUBLIN),
        "eu_dora IE initial, eu_dora IE intermediate, eu_dora IE final, eu_dora IE people",
    ),
    Story(
        "a bank's incident that is not major",
        shop({}, sectors=frozenset({"dora_entity"}), breach__personal_data=False, **DUBLIN),
    ),
    Story(
        "an essential entity that has not classified yet",
        not_stated(
            shop({}, sectors=frozenset({"essential_entity"}), breach__personal_data=False, **DUBLIN),
            "breach.is_major",
        ),
        undecided="eu_nis2 IE early_warning, eu_nis2 IE notification, eu_nis2 IE intermediate, eu_nis2 IE final, "
        "eu_nis2 IE people",
        missing={"eu_nis2 IE final": ("breach.is_major",)},
    ),
    Story(
        "an essential entity in Portugal says when the impact ended",
        essential("PT"),
        each_of("eu_nis2 PT", "early_warning notification intermediate end_of_impact final people"),
    ),
    Story(
        "an essential entity in the Netherlands, before its act began",
        essential("NL", starts=aware(2026, 8, 14)),
    ),
    Story(
        "an essential entity in the Netherlands, on the first day of its act",
        essential("NL", starts=aware(2026, 8, 15)),
        each_of("eu_nis2 NL", "early_warning notification intermediate final people"),
    ),
    Story(
        "a British telephone company",
        shop({"GB": 9}, sectors=frozenset({"telecoms"}), reach=NOT_ABROAD),
        "uk_gdpr GB authority, uk_pecr GB authority, uk_pecr GB people",
    ),
    Story(
        "a listed company's material incident",
        in_us({"DE": 3}, sectors=frozenset({"listed_company"}), breach__is_material=True),
        "us_sec_8k_105 US authority, us_de US-DE people",
    ),
]

UNITED_STATES = [
    Story("names and emails of Americans", abroad({"US-TX": 90_000, "US-CA": 90_000, "US-NY": 90_000})),
    Story("249 in Texas", in_us({"TX": 249}), TEXAS),
    Story("250 in Texas", in_us({"TX": 250}), ALL_OF_TEXAS, heard_by={"us_tx US-TX authority": "us_ag_tx"}),
    Story(
        "between 200 and 300 in Texas",
        in_us({"TX": Count(200, 300)}),
        TEXAS,
        "us_tx US-TX authority",
        missing={"us_tx US-TX authority": ("people.residents",)},
    ),
    Story(
        "249 in Texas and one whose country nobody knows",
        in_us({"TX": 249}, without_country=1, people_all=250, targets=frozenset({"US"})),
        TEXAS,
        undecided="us_tx US-TX authority",
    ),
    Story(
        "one state below its threshold and one above",
        in_us({"TX": 249, "CO": 500}),
        f"{TEXAS}, {COLORADO}, us_co US-CO authority",
    ),
    Story("encrypted, and the key is safe", in_us({"TX": 5_000, "CO": 5_000, "MA": 5}, data__unreadable=True)),
    Story(
        "encrypted, and the key was taken",
        in_us({"TX": 250}, data__unreadable=False),
        ALL_OF_TEXAS,
    ),
    Story(
        "nobody knows whether it was encrypted",
        not_stated(in_us({"TX": 250}), "data.unreadable"),
        undecided=ALL_OF_TEXAS,
        missing={TEXAS: ("data.unreadable",)},
    ),
    Story(
        "no misuse to be expected: Texas asks all the same, Colorado does not",
        in_us({"TX": 250, "CO": 500}, harm__misuse_likely=False),
        ALL_OF_TEXAS,
    ),
    Story(
        "letters lost in the street",
        in_us({"TX": 250, "MA": 2}, data__on_paper=True),
        "us_ma US-MA authority, us_ma US-MA other_authority, us_ma US-MA people, us_ma US-MA credit_agencies",
    ),
    Story(
        "kinds of data not known for certain",
        abroad({"US-TX": 250}, kinds_uncertain=True),
        undecided=f"{ALL_OF_TEXAS}, us_pci_card_brands US contract_partner",
        missing={TEXAS: ("data.kinds",)},
    ),
    Story(
        "Puerto Rico as a country",
        abroad({"PR": 3}, kinds=US_NUMBERS),
        "us_pr US-PR authority, us_pr US-PR people",
        heard_by={"us_pr US-PR authority": "us_pr_daco"},
    ),
    Story("a processor of Texans' data", in_us({"TX": 250}, role="processor"), "us_tx US-TX controller"),
    Story(
        "a broker's processor in Georgia",
        in_us({"GA": 3}, role="processor", us__information_broker=True),
        "us_ga US-GA controller",
    ),
    Story("a shop with customers in Georgia", in_us({"GA": 3})),
    Story(
        "499 patients",
        in_us({"TX": 100}, people_all=499, **HEALTH),
        f"us_hipaa US authority_small, us_hipaa US people, {TEXAS}",
    ),
    Story(
        "500 patients",
        in_us({"TX": 100}, people_all=500, **HEALTH),
        f"us_hipaa US authority, us_hipaa US people, {TEXAS}",
    ),
    Story(
        "500 patients in one state",
        in_us({"TX": 500}, **HEALTH),
        f"us_hipaa US authority, us_hipaa US people, {ALL_OF_TEXAS}",
    ),
    Story(
        "501 patients in one state",
        in_us({"TX": 501}, **HEALTH),
        f"us_hipaa US authority, us_hipaa US people, us_hipaa US media, {ALL_OF_TEXAS}",
    ),
    Story(
        "Californians before 2026",
        in_us({"CA": 501}, starts=aware(2025, 12, 20)),
        "us_ca US-CA people, us_ca US-CA authority",
        later=("us_ca",),
    ),
    Story(
        "cards taken, under a contract with the acquiring bank",
        shop({"GB": 9}, kinds=frozenset({"name", "payment_card"}), reach={"us_pci_card_brands": True}),
        "uk_gdpr GB authority, us_pci_card_brands US contract_partner",
    ),
]

WORLD = [
    Story("a loss in Japan, 1,000 people", abroad({"JP": 1_000}, breach__is_attack=False)),
    Story(
        "a loss in Japan, 1,001 people",
        abroad({"JP": 1_001}, breach__is_attack=False),
        "jp_appi JP authority, jp_appi JP final, jp_appi JP people",
    ),
    Story(
        "an attack in Japan, one person",
        abroad({"JP": 1}),
        "jp_appi JP authority, jp_appi JP final, jp_appi JP people",
    ),
    Story("a loss in Korea, 999 people", abroad({"KR": 999}, breach__is_attack=False), "kr_pipa KR people"),
    Story(
        "a loss in Korea, 1,000 people",
        abroad({"KR": 1_000}, breach__is_attack=False),
        "kr_pipa KR authority, kr_pipa KR people",
    ),
    Story("499 people in Singapore", abroad({"SG": 499}, reach={"sg_pdpa": True}), "sg_pdpa SG assessment"),
    Story(
        "500 people in Singapore",
        abroad({"SG": 500}, reach={"sg_pdpa": True}),
        "sg_pdpa SG assessment, sg_pdpa SG authority",
    ),
    Story("1,000 people in Malaysia", abroad({"MY": 1_000}, reach={"my_pdpa": True})),
    Story("1,001 people in Malaysia", abroad({"MY": 1_001}, reach={"my_pdpa": True}), "my_pdpa MY authority"),
    Story(
        "one person in Malaysia, with serious harm to come",
        abroad({"MY": 1}, reach={"my_pdpa": True}, harm__serious=True),
        "my_pdpa MY authority, my_pdpa MY people",
    ),
    Story("contact details in Brazil", abroad({"BR": 50_000})),
    Story(
        "cards in Brazil",
        abroad({"BR": 3}, kinds=frozenset({"name", "payment_card"}), reach={"us_pci_card_brands": False}),
        "br_lgpd BR authority, br_lgpd BR people",
    ),
    Story(
        "a child among them in Brazil",
        abroad({"BR": 3}, minors=1),
        "br_lgpd BR authority, br_lgpd BR people",
    ),
    Story(
        "our insurer's window besides the law",
        shop({"GB": 5}, own_rules=(OUR_INSURER,)),
        f"{UK}, insurer GB tell_contract_partner",
    ),
    Story("Argentina advises and does not ask", abroad({"AR": 50}, reach={"ar_pdpl": True})),
    Story("people where the catalogue has no law", shop({"GB": 5, "PK": 40, "EC": 2}), UK, outside=("EC", "PK")),
]

AROUND_THE_WORLD = Story(
    "a department store with customers in forty countries",
    shop(dict.fromkeys(FORTY, 200)),
    ", ".join(
        [
            UK,
            each("eu_gdpr", EEA),
            ISLANDS,
            "jp_appi JP authority, jp_appi JP final, jp_appi JP people",
            "kr_pipa KR authority, kr_pipa KR people",
            "cn_pipl CN authority, cn_pipl CN people",
            "tr_kvkk TR authority, tr_kvkk TR people",
            "th_pdpa TH authority",
            "sa_pdpl SA authority, sa_pdpl SA people",
            "ae_pdpl AE authority, ae_pdpl AE people",
        ]
    ),
    # Whether these laws reach a British shop is a question for a person.
    undecided="ae_adgm AE authority, ae_difc AE authority, au_ndb AU assessment, sg_pdpa SG assessment, "
    "sg_pdpa SG authority, za_popia ZA authority, za_popia ZA people",
    missing={"za_popia ZA authority": ("reach.za_popia",), "eu_gdpr DE authority": ("supervisor.DE",)},
)

STORIES = [*AT_HOME, *EUROPE, *TRADES, *UNITED_STATES, *WORLD, AROUND_THE_WORLD]
