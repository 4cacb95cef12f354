"""CONTENTS: what laws want to read in a notice, by the catalogue's keys (Regime.notice_contents.parts).

`word` is how an author marks it in a text: ((covers what happened)). `asks` is how the panel names it. `cues` are words
that such a sentence often has, by language: with them the product suggests a line, which the author confirms or not.
"""

from dataclasses import dataclass, field

NATURE, CONTACT, CONSEQUENCES, MEASURES = (
    "general_description",
    "gdpr_34_2_contact",
    "likely_consequences",
    "actions_taken_by_entity",
)


@dataclass(frozen=True)
class Content:
    word: str
    asks: str
    cues: dict[str, str] = field(default_factory=dict)


CONTENTS: dict[str, Content] = {
    NATURE: Content(
        "what happened",
        "What happened, in plain words",
        {
            "en": r"copied|stole|stolen|taken|lost|broke into|got into|signed in|breach|sent to the wrong|saw",
            "fr": r"copié|volé|perdu|introduit|dérobé|violation|envoyé par erreur|consulté",
            "de": r"kopiert|gestohlen|verloren|Zugang verschafft|entwendet|Datenpanne|eingesehen|falsche\w? Adresse",
        },
    ),
    CONTACT: Content("data protection officer", "Name and contact details of the data protection officer"),
    CONSEQUENCES: Content(
        "what could happen",
        "What could come of it",
        {
            "en": r"\b(?:may|might|could)\b.{0,120}\b(?:call|write|pretend|use|try|guess|send)|pretend to be",
            "fr": r"\b(?:peut|peuvent|pourrai\w*)\b.{0,120}\b(?:écrire|appeler|passer pour|utiliser|essayer)|"
            r"passant pour",
            "de": r"\b(?:kann|können|könnte\w*)\b.{0,120}\b(?:schreiben|anrufen|ausgeben|verwenden|versuchen)",
        },
    ),
    MEASURES: Content(
        "what we do",
        "What was done and will be done",
        {
            "en": r"\b(?:has|have|had) (?:\w+ )?(?:closed|stopped|changed|reset|told|asked|blocked|removed|begun)|"
            r"we are (?:working|looking|checking)|we stopped|we closed",
            "fr": r"\b(?:a|ont|avons) (?:\w+ )?(?:fermé|arrêté|changé|bloqué|informé|demandé|réinitialisé|commencé)",
            "de": r"\b(?:hat|haben)\b.{0,120}\b(?:geschlossen|gestoppt|geändert|gesperrt|informiert|gebeten|"
            r"zurückgesetzt)",
        },
    ),
    "categories_of_data": Content("which data", "Which kinds of data were involved"),
    "entity_contact": Content("whom to ask", "Where people can ask you"),
    "steps_individual_can_take": Content(
        "what you can do",
        "What people can do themselves",
        {
            "en": r"^be careful|^do not|^choose|^change|^check|^watch|^call your|you can",
            "fr": r"^méfiez|^ne |^choisissez|^changez|^vérifiez|^surveillez|vous pouvez",
            "de": r"^seien Sie|^prüfen|^ändern|^wählen|^achten|Sie können",
        },
    ),
    "date_of_breach": Content("day of the breach", "The day of the breach, or the days it may have been"),
    "date_of_discovery": Content("day of discovery", "The day it was discovered"),
    "date_of_notice": Content("day of this notice", "The day of this notice"),
    "how_breach_occurred": Content("how it happened", "How the breach came about"),
    "cause": Content("cause", "The cause of the breach"),
    "plain_language": Content("plain words", "Plain language"),
    "prescribed_title": Content("title", "The title “Notice of Data Breach”"),
    "prescribed_headings": Content("headings", "The five headings that California prescribes, in their order"),
    "min_font_10pt": Content("letters", "Letters of at least 10 points"),
    "law_enforcement_delay_statement": Content("police delay", "Whether the police asked to wait with this notice"),
    "toll_free_number_of_entity": Content("free number", "A telephone number that costs nothing"),
    "toll_free_numbers_of_credit_agencies": Content("credit agencies", "The credit agencies and their free numbers"),
    "credit_monitoring_offer": Content("monitoring offer", "The offer of identity or credit monitoring"),
    "credit_monitoring_enrolment": Content("monitoring enrolment", "How people take up the monitoring"),
    "security_freeze_info": Content("security freeze", "How to freeze one's credit file"),
    "freeze_is_free_statement": Content("freeze is free", "That a freeze costs nothing"),
    "fraud_alert_info": Content("fraud alert", "How to place a fraud alert"),
    "free_credit_report_info": Content("free credit report", "How to get a free credit report"),
    "fcra_rights": Content("credit reporting rights", "Rights under the Fair Credit Reporting Act"),
    "ftc_contact": Content("trade commission", "The Federal Trade Commission, with its address"),
    "state_ag_contact": Content("attorney general", "The state's Attorney General, with the address"),
    "state_agencies_contact": Content("state agencies", "The state's agencies, with their addresses"),
    "remain_vigilant_advice": Content("stay watchful", "Advice to stay watchful and look at accounts"),
    "password_change_advice": Content("change passwords", "Advice to change passwords and security questions"),
    "report_to_law_enforcement_advice": Content("report to police", "Advice to report identity theft to the police"),
    "police_report_right": Content("police report", "The right to a police report"),
    "remedies_and_damages_info": Content("remedies", "How people can claim remedies and damages"),
    "third_party_acquirer_identity": Content("who has the data", "Who got the data, if known"),
    "identity_of_unauthorised_person": Content("who did it", "Who it was, if known"),
    "parent_company_name": Content("parent company", "The name of the parent company"),
    "number_affected": Content("how many people", "How many people are affected"),
    "unauthorised_acquisition_statement": Content("taken without right", "That data was taken without right"),
    "regulator_informed_statement": Content("authority told", "Whether the authority was told"),
    "right_to_complain": Content("right to complain", "The right to complain to the authority"),
    "must_not_include_number_affected": Content("no number", "No number of the people affected"),
    "must_not_include_nature": Content("no nature", "Nothing on the nature of the breach"),
}
CONTENT_OF = {content.word: key for key, content in CONTENTS.items()}
