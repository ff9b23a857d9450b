"""Stands before moto: does with each call what a test says (throttles, answers 500 or garbage, loses
the answer after the effect), and adds what moto lacks: launches by the same token are one launch."""
import http.server
import threading
import urllib.parse
import urllib.request

THROTTLED = (b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
             b"</ErrorResponse>")
THROTTLED_JSON = b'{"__type":"ThrottlingException","message":"Rate exceeded"}'
# Calls that only look.
LOOKS = ("Describe", "Get", "List")


class Proxy:
    def __init__(self, target):
        self.target = target
        # (name of the call, how many of that name came before) -> None, "throttled", "broken",
        # "garbage", or "lost".
        self.fault = lambda name, before: None
        self.calls = []
        self.launches = {}
        self.lock = threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = proxy.answer(self.headers, body)
                if answer is None:
                    self.close_connection = True
                    return
                status, data, kind = answer
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, headers, body):
        target = headers.get("X-Amz-Target")
        form = {} if target else dict(urllib.parse.parse_qsl(body.decode()))
        name = target.split(".")[1] if target else form["Action"]
        with self.lock:
            before = self.calls.count(name)
            self.calls.append(name)
        fault = self.fault(name, before)
        if fault == "throttled":
            return 400, THROTTLED_JSON if target else THROTTLED, "text/xml"
        if fault == "broken":
            return 500, b"<html>Internal Server Error</html>", "text/html"
        if fault == "garbage":
            return 200, b"<html>Welcome to the airport's network", "text/html"
        answer = self.forward(headers, body, form.get("ClientToken") if name == "RunInstances"
                              else None)
        return None if fault == "lost" else answer

    def forward(self, headers, body, token):
        with self.lock:
            if token and token in self.launches:
                return self.launches[token]
        request = urllib.request.Request(self.target, data=body, method="POST", headers={
            key: value for key, value in headers.items()
            if key.lower() not in ("host", "connection", "content-length")})
        try:
            with urllib.request.urlopen(request) as response:
                answer = response.status, response.read(), response.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            answer = error.code, error.read(), error.headers["Content-Type"]
        if token and answer[0] == 200:
            with self.lock:
                self.launches[token] = answer
        return answer
