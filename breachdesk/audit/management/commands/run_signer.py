"""Signs the log for as long as it runs, and is the only process that can. Stops cleanly on SIGTERM."""

from breachdesk.audit.locks import process_lock
from breachdesk.audit.signer import LOCK, Signer
from breachdesk.pulse import note_run
from breachdesk.serving import TRY_AGAIN_AFTER, Service

LOOK_EVERY = 0.5


class Command(Service):
    help = "Signs the audit log with checkpoints. One process does it; a second one waits to take over."
    part = "signer"
    said = ""

    def serve(self) -> None:
        with process_lock(LOCK) as hold:
            if not hold:
                self.stopping.wait(TRY_AGAIN_AFTER)
                return
            self.stdout.write("Signing the log.")
            signer = Signer()
            while not self.stopping.is_set():
                note_run("signer")
                hold.demand()
                signer.look()
                self._say(signer)
                self.stopping.wait(LOOK_EVERY)

    def _say(self, signer: Signer) -> None:
        """Each change once: why the log is not signed, and that it is again."""
        sentence = str(signer.refusal or "")
        if sentence == self.said:
            return
        self.said = sentence
        self.stderr.write(f"NOT SIGNED. {sentence}" if sentence else "The log is signed again.")
