"""stated_in(): the events a period can run from, as people stated them for one case. What nobody stated is missing."""

from breachdesk.incidents.models import Incident, Moment
from regulators.catalogue.rules import Start
from regulators.facts import Precision, Stated

STARTS: dict[Moment.Kind, tuple[Start, ...]] = {
    Moment.Kind.AWARE: (Start.AWARENESS,),
    Moment.Kind.TOLD_BY_PROCESSOR: (Start.TOLD_BY_OTHERS,),
    Moment.Kind.BEGAN: (Start.OCCURRENCE,),
    Moment.Kind.SUSPECTED: (Start.SUSPICION,),
    Moment.Kind.DETECTED: (Start.DETECTION,),
    Moment.Kind.DISCOVERED: (Start.DISCOVERY,),
    Moment.Kind.SHOULD_HAVE_KNOWN: (Start.SHOULD_HAVE_KNOWN,),
    Moment.Kind.CONFIRMED: (Start.CONFIRMATION,),
    Moment.Kind.DETERMINED: (Start.DETERMINATION,),
    Moment.Kind.ASSESSED: (Start.ASSESSMENT_COMPLETED,),
    Moment.Kind.CLASSIFIED: (Start.CLASSIFICATION,),
    Moment.Kind.MATERIAL: (Start.MATERIALITY,),
    Moment.Kind.IDENTIFIED: (Start.PEOPLE_IDENTIFIED,),
    Moment.Kind.RANSOM_PAID: (Start.RANSOM_PAYMENT,),
    Moment.Kind.HANDLED: (Start.INCIDENT_HANDLED,),
    Moment.Kind.FIX_AVAILABLE: (Start.FIX_AVAILABLE,),
    Moment.Kind.REQUESTED: (Start.REQUEST,),
    Moment.Kind.STATEMENT_READY: (Start.STATEMENT_READY,),
}
PRECISIONS: dict[str, Precision] = {Moment.Precision.EXACT: "minute", Moment.Precision.ABOUT: "hour"}


def stated_in(incident: Incident) -> dict[Start, Stated]:
    return {
        start: Stated(moment.at, PRECISIONS[moment.precision], str(moment.stated_by_id), moment.stated_at)
        for moment in incident.moments.all()
        if moment.at and moment.superseded_at is None
        for start in STARTS.get(Moment.Kind(moment.kind), ())
    }
