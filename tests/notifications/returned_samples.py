"""Mail as mail systems send it back, made up after the forms that they use. `{to}` is our return path, `{id}` the
Message-ID of our message."""

HEAD = "From: {sender}\nTo: {{to}}\nDate: Sun, 22 Nov 2026 10:00:00 +0000\nMessage-ID: <{name}@mx.test>\n"


def report(
    name: str, status: str, words: str = "See below.", sender: str = "MAILER-DAEMON@mx.test", more: str = ""
) -> str:
    """multipart/report of RFC 6522 with the headers of our message."""
    return (
        HEAD.format(sender=sender, name=name)
        + f"""{more}Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=-{name}"

--=-{name}
Content-Type: text/plain; charset=utf-8

{words}

--=-{name}
Content-Type: message/delivery-status

{status}
--=-{name}
Content-Type: text/rfc822-headers

From: Halden & Rowe <care@halden.example>
To: ana@mx.test
Message-ID: {{id}}
Subject: About your data

--=-{name}--
"""
    )


POSTFIX = report(
    "postfix",
    """Reporting-MTA: dns; mx.test
X-Postfix-Queue-ID: 4XyZ
Arrival-Date: Sun, 22 Nov 2026 09:59:58 +0000 (UTC)

Final-Recipient: rfc822; ana@mx.test
Original-Recipient: rfc822;ana@mx.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx2.test
Diagnostic-Code: smtp; 550 5.1.1 <ana@mx.test>: Recipient address rejected: User unknown in local table
""",
    more="Auto-Submitted: auto-replied\n",
)
EXCHANGE = report(
    "exchange",
    """Reporting-MTA: dns;AM0PR01.prod.exchange.test
Received-From-MTA: dns;mail.halden.example
Arrival-Date: Sun, 22 Nov 2026 09:59:58 +0000

Final-Recipient: rfc822;ana@mx.test
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp;550 5.4.1 Recipient address rejected: Access denied. [AM0PR01.prod.exchange.test]
X-Display-Name: Ana
""",
    sender="postmaster@mx.test",
)
GMAIL = report(
    "gmail",
    """Reporting-MTA: dns; googlemail.test
Arrival-Date: Sun, 22 Nov 2026 02:00:00 -0800 (PST)
X-Original-Message-ID: {id}

Final-Recipient: rfc822; ana@mx.test
Action: failed
Status: 5.2.1
Remote-MTA: dns; gmail-smtp-in.test. (10.9.8.7, the server for the domain mx.test.)
Diagnostic-Code: smtp; 550-5.2.1 The email account that you tried to reach is disabled. 550 5.2.1 https://support.test
Last-Attempt-Date: Sun, 22 Nov 2026 02:00:01 -0800 (PST)
""",
    sender='"Mail Delivery Subsystem" <mailer-daemon@googlemail.test>',
    more="Auto-Submitted: auto-replied\nReferences: {id}\nIn-Reply-To: {id}\n",
)
EXIM = report(
    "exim",
    """Reporting-MTA: dns; exim.test

Action: failed
Final-Recipient: rfc822;ana@mx.test
Status: 5.0.0
Remote-MTA: dns; mx.test
Diagnostic-Code: smtp; 550 no such mailbox
""",
    sender="Mail Delivery System <Mailer-Daemon@exim.test>",
    more="X-Failed-Recipients: ana@mx.test\nAuto-Submitted: auto-replied\n",
)
OLD_EXIM = (
    HEAD.format(sender="Mail Delivery System <Mailer-Daemon@exim.test>", name="oldexim")
    + """X-Failed-Recipients: ana@mx.test
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ana@mx.test
    SMTP error from remote mail server after RCPT TO:<ana@mx.test>:
    550 5.1.1 unknown user

------ This is a copy of the message, including all the headers. ------

Message-ID: {id}
Subject: About your data
"""
)
QMAIL = (
    HEAD.format(sender="MAILER-DAEMON@qmail.test", name="qmail")
    + """Return-Path: <>
Subject: failure notice

Hi. This is the qmail-send program at qmail.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ana@mx.test>:
10.1.2.3 does not like recipient.
Remote host said: 550 5.1.1 no mailbox here by that name
Giving up on 10.1.2.3.

--- Below this line is a copy of the message.

Return-Path: <{to}>
From: care@halden.example
Message-ID: {id}
Subject: About your data

Dear Ana
"""
)
DELAYED = report(
    "delayed",
    """Reporting-MTA: dns; mail.halden.example

Final-Recipient: rfc822; ana@mx.test
Action: delayed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mx.test[10.1.1.1]:25: Connection timed out
Will-Retry-Until: Fri, 27 Nov 2026 09:59:58 +0000 (UTC)
""",
    words="THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.",
)
FULL = report(
    "full",
    """Reporting-MTA: dns; mx.test

Final-Recipient: rfc822; ana@mx.test
Action: failed
Status: 4.2.2
Diagnostic-Code: smtp; 452 4.2.2 The email account that you tried to reach is over quota
""",
)
SEVERAL = report(
    "several",
    """Reporting-MTA: dns; forwarder.test

Final-Recipient: rfc822; one@mx.test
Action: failed
Status: 5.1.1

Final-Recipient: rfc822; two@mx.test
Action: relayed
Status: 2.1.9
""",
)
ALL_OF_SEVERAL = SEVERAL.replace("relayed", "failed").replace("2.1.9", "5.7.1")
DELIVERED = report(
    "delivered",
    "Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; ana@mx.test\nAction: delivered\nStatus: 2.0.0\n",
)
# Its boundary is announced and never comes.
BROKEN = POSTFIX.replace('boundary="=-postfix"', 'boundary="=-another"').replace("<postfix@", "<broken@")
NO_ACTION = EXIM.replace("Action: failed\n", "").replace("5.0.0", "5.1.10").replace("<exim@", "<noaction@")
COMPLAINT = (
    HEAD.format(sender="<feedback@isp.test>", name="arf")
    + """Subject: FW: About your data
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part"

--part
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report for an email message received from IP 10.0.0.1.

--part
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{path}>
Received-Date: Sun, 22 Nov 2026 09:00:00 EST

--part
Content-Type: message/rfc822
Content-Disposition: inline

From: <care@halden.example>
Message-ID: {id}
Subject: About your data

Dear Ana

--part--
"""
)
OUT_OF_OFFICE = (
    HEAD.format(sender="Ana <ana@mx.test>", name="ooo")
    + """Auto-Submitted: auto-replied (vacation)
Subject: Out of Office: About your data
In-Reply-To: {id}

I am away until Monday. Bug report: the mailbox does not exist.
"""
)
OLD_VACATION = OUT_OF_OFFICE.replace("Auto-Submitted: auto-replied (vacation)", "Precedence: auto_reply").replace(
    "Out of Office: ", "Re: "
)
GERMAN = (
    HEAD.format(sender="Ana <ana@mx.test>", name="german")
    + "Subject: =?utf-8?q?Automatische_R=C3=BCckmeldung=3A_Ihre_Daten?=\n\nIch bin nicht da.\n"
)
HUMAN = (
    HEAD.format(sender="Ana <ana@mx.test>", name="human")
    + """Subject: Re: About your data
In-Reply-To: {id}
Auto-Submitted: no

Is this real? My colleague got this:

Hi. This is the qmail-send program at qmail.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ana@mx.test>:
Action: failed
Status: 5.1.1
"""
)
KINDS = {
    "POSTFIX": ("bounced", "5.1.1"),
    "EXCHANGE": ("bounced", "5.4.1"),
    "GMAIL": ("bounced", "5.2.1"),
    "EXIM": ("bounced", "5.0.0"),
    "OLD_EXIM": ("bounced", "5.1.1"),
    "QMAIL": ("bounced", "5.1.1"),
    "DELAYED": ("delayed", "4.4.1"),
    "FULL": ("bounced", "4.2.2"),
    "SEVERAL": ("accepted", "5.1.1"),
    "ALL_OF_SEVERAL": ("bounced", "5.1.1"),
    "DELIVERED": ("delivered", "2.0.0"),
    "BROKEN": ("bounced", "5.1.1"),
    "NO_ACTION": ("bounced", "5.1.10"),
    "COMPLAINT": ("complained", ""),
    "OUT_OF_OFFICE": ("auto_replied", ""),
    "OLD_VACATION": ("auto_replied", ""),
    "GERMAN": ("auto_replied", ""),
    "HUMAN": None,
}


def sample(name: str, *, to: str, message_id: str = "<none@elsewhere.test>", path: str = "") -> bytes:
    text: str = globals()[name]
    return text.replace("{to}", to).replace("{id}", message_id).replace("{path}", path).encode()
