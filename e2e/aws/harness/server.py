"""The one port. Requests to AWS go through the rules and on to moto, in this process; those below
/_harness are orders of tests (orders.py)."""
import base64
import io
import json
import socket
import traceback
from xml.sax.saxutils import escape

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from .calls import Answer, Call
from .faults import answer_of
from .orders import Orders

# AWS answers these as faults of its own.
SERVER_ERRORS = (b"<Code>InsufficientInstanceCapacity</Code>",)
DECODED = ('<DecodeAuthorizationMessageResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
           "<DecodeAuthorizationMessageResult><DecodedMessage>{}</DecodedMessage>"
           "</DecodeAuthorizationMessageResult></DecodeAuthorizationMessageResponse>")


class Api:
    """A WSGI application."""

    def __init__(self, world):
        self.world = world
        self.calls = []  # {action, key, status, lost} of every call, in the order of their ends
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._orders = Orders(world, self.calls)

    def __call__(self, environ, start_response):
        request = Request(environ)
        body = request.get_data()
        if request.path.startswith("/_harness/"):
            answer = self._order(request.path.rpartition("/")[2], body)
        else:
            answer = self._answer(Call(request.headers, body), request, body)
        if answer is None:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            answer = Answer(200, b"", "text/plain")
        return Response(answer.body, answer.status, content_type=answer.content_type)(
            environ, start_response)

    def _answer(self, call, request, body):
        """None: the connection ends without one."""
        with self.world.lock:
            now = self.world.clock.now()
            rule = self.world.faults.rule_for(call, now) if call.name else None
            lost = rule is not None and rule.effect == "lost"
            if rule and not lost:
                answer = answer_of(rule, call)
            else:
                answer = self._refused(call, request, body, now) or self._ask(
                    call, request.environ, body, now)
            self.calls.append({"action": call.action, "key": call.key, "status": answer.status,
                               "lost": lost})
        return None if lost else answer

    def _refused(self, call, request, body, now):
        """Also the answer to an instance that asks who it is."""
        machines = self.world.machines
        return (machines.identity.check(call, request, body) if machines else None) or \
            self.world.visibility.refusal(call, now)

    def _ask(self, call, environ, body, now):
        if call.name == "DecodeAuthorizationMessage":
            text = base64.urlsafe_b64decode(call.form["EncodedMessage"]).decode()
            return Answer(200, DECODED.format(escape(text)).encode(), "text/xml")
        if call.service == "ecr" and self.world.registry:
            self.world.registry.note_images()
        parts, status, headers = run_wsgi_app(
            self._moto, {**environ, "wsgi.input": io.BytesIO(body)}, buffered=True)
        answer = Answer(int(status.split()[0]), b"".join(parts), headers.get("Content-Type", "text/xml"))
        if any(code in answer.body for code in SERVER_ERRORS):
            answer.status = 500
        self.world.visibility.made(call, answer, now)
        return self.world.visibility.filtered(call, answer, now)

    def _order(self, name, body):
        """POST /_harness/NAME with the words of a method of Orders as JSON."""
        try:
            done = self._orders.do(name.replace("-", "_"), json.loads(body or b"{}"))
            return Answer(200, json.dumps(done).encode(), "application/json")
        except Exception as error:  # told to the test that asked
            traceback.print_exc()
            return Answer(400, json.dumps({"error": repr(error)}).encode(), "application/json")
