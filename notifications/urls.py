from django.urls import path

from notifications import views
from notifications.views import (
    asking,
    audience,
    commenting,
    genuine,
    glass,
    hotline,
    overruling,
    previewing,
    reviewing,
    sending,
    testing,
    writing,
)

NOTICES = "incidents/<str:reference>/notices/"
HOTLINE = "incidents/<str:reference>/hotline/"
EDITION = "incidents/<str:reference>/editions/<uuid:pk>/"

urlpatterns = [
    path("genuine/", genuine.genuine, name="genuine"),
    path("genuine/<str:language>/", genuine.genuine, name="genuine-in"),
    path("incidents/<str:reference>/retention/address/", asking.index_ask, name="index-ask"),
    path(HOTLINE, hotline.hotline, name="hotline"),
    path(f"{HOTLINE}message/", hotline.hotline_message, name="hotline-message"),
    path(f"{HOTLINE}<uuid:pk>/", hotline.hotline_caller, name="hotline-caller"),
    path(f"{HOTLINE}<uuid:pk>/said/", hotline.hotline_said, name="hotline-said"),
    path(f"{HOTLINE}<uuid:pk>/settle/", hotline.hotline_settle, name="hotline-settle"),
    path(NOTICES, views.notice_list, name="notice-list"),
    path(f"{NOTICES}new/", writing.notice_new, name="notice-new"),
    path(f"{NOTICES}<uuid:pk>/audience/", audience.notice_audience, name="notice-audience"),
    path(f"{NOTICES}<uuid:pk>/audience/count/", audience.notice_audience_count, name="notice-audience-count"),
    path(f"{NOTICES}<uuid:pk>/languages/", writing.edition_add, name="edition-add"),
    path(EDITION, views.edition_detail, name="edition-detail"),
    path(f"{EDITION}edit/", writing.edition_edit, name="edition-edit"),
    path(f"{EDITION}check/", writing.edition_check, name="edition-check"),
    path(f"{EDITION}preview/", previewing.edition_preview, name="edition-preview"),
    path(f"{EDITION}source/", previewing.edition_source, name="edition-source"),
    path(f"{EDITION}person/", previewing.edition_person, name="edition-person"),
    path(f"{EDITION}test/", testing.edition_test, name="edition-test"),
    path(f"{EDITION}coverage/", overruling.edition_coverage, name="edition-coverage"),
    path(f"{EDITION}overrule/", overruling.edition_overrule, name="edition-overrule"),
    path(f"{EDITION}submit/", writing.edition_submit, name="edition-submit"),
    path(f"{EDITION}withdraw/", writing.edition_withdraw, name="edition-withdraw"),
    path(f"{EDITION}review/", reviewing.edition_review, name="edition-review"),
    path(f"{EDITION}open/", reviewing.edition_open, name="edition-open"),
    path(f"{EDITION}rendering/", reviewing.edition_rendering, name="edition-rendering"),
    path(f"{EDITION}approve/", reviewing.edition_approve, name="edition-approve"),
    path(f"{EDITION}glass/", glass.edition_glass, name="edition-glass"),
    path(f"{EDITION}comment/", commenting.edition_comment, name="edition-comment"),
    path(f"{EDITION}comment/<uuid:comment>/settle/", commenting.comment_settle, name="comment-settle"),
    path(f"{EDITION}reject/", reviewing.edition_reject, name="edition-reject"),
    path(f"{EDITION}send/", sending.send, name="send"),
    path(f"{EDITION}send/numbers/", sending.send_numbers, name="send-numbers"),
    path(f"{EDITION}send/reasons/", sending.send_reasons, name="send-reasons"),
    path(f"{EDITION}start/", sending.edition_start, name="edition-start"),
    path(f"{EDITION}pause/", sending.edition_pause, name="edition-pause"),
    path(f"{EDITION}resume/", sending.edition_resume, name="edition-resume"),
    path(f"{EDITION}cancel/", sending.edition_cancel, name="edition-cancel"),
]
