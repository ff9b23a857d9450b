"""Stands before moto: does with each call what a test says (throttles, answers 500 or garbage, loses
the answer after the effect), and adds what moto lacks: launches by the same token are one launch, a group
is made once, and with the lifecycle hooks that it is asked for with, a listener keeps its instances'
protocol, and an application or network balancer and its listeners are made once."""
import http.server
import re
import threading
import urllib.parse
import urllib.request

THROTTLED = (b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
             b"</ErrorResponse>")
THROTTLED_JSON = b'{"__type":"ThrottlingException","message":"Rate exceeded"}'
EXISTS = (b"<ErrorResponse><Error><Code>AlreadyExists</Code><Message>AutoScalingGroup by this name "
          b"already exists</Message></Error></ErrorResponse>")
NO_ROLE = (b"<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>The role is not in the instance "
           b"profile</Message></Error></ErrorResponse>")
DUPLICATE = (b"<ErrorResponse><Error><Code>DuplicateListener</Code><Message>A listener already exists on "
             b"this port</Message></Error></ErrorResponse>")
V2 = "2015-12-01"  # of Elastic Load Balancing's API
# Calls that only look.
LOOKS = ("Describe", "Get", "List")


def error(code):
    """Of EC2."""
    return (f"<Response><Errors><Error><Code>{code}</Code><Message>as the test says</Message></Error>"
            "</Errors></Response>").encode()


class Proxy:
    def __init__(self, target):
        self.target = target
        self.begin()
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

    def begin(self):
        """Nothing was said and nothing was asked."""
        # (name of the call, how many of that name came before) -> None, "throttled", "broken",
        # "garbage", or "lost".
        self.fault = lambda name, before: None
        self.full_subnets = set()  # launches there find no capacity
        self.calls = []
        self.launches = {}
        self.instance_protocols = {}  # by the listener's port

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
        if name == "RunInstances" and form.get("SubnetId") in self.full_subnets:
            return 500, error("InsufficientInstanceCapacity"), "text/xml"
        if fault == "throttled":
            return 400, THROTTLED_JSON if target else THROTTLED, "text/xml"
        if fault == "broken":
            return 500, b"<html>Internal Server Error</html>", "text/html"
        if fault == "garbage":
            return 200, b"<html>Welcome to the airport's network", "text/html"
        answer = self.effect(name, form, headers, body)
        return None if fault == "lost" else answer

    def effect(self, name, form, headers, body):
        if name == "RunInstances":
            return self.launch(form["ClientToken"], headers, body)
        if name == "CreateAutoScalingGroup" and self.has_group(form["AutoScalingGroupName"], headers):
            return 400, EXISTS, "text/xml"
        if form.get("Version") == V2 and (there := self.made_before(name, form, headers)):
            return there
        answer = self.forward(headers, body)
        if name == "RemoveRoleFromInstanceProfile" and answer[0] == 500:
            return 404, NO_ROLE, "text/xml"  # moto has no answer for a role that is not in there
        if name == "CreateAutoScalingGroup" and answer[0] == 200:
            self.put_hooks(form, headers)
        for key, value in form.items():
            if found := re.fullmatch(r"(Listeners\.member\.\d+)\.InstanceProtocol", key):
                port = form[found.group(1) + ".LoadBalancerPort"].encode()
                self.instance_protocols[port] = value.encode()
        if name == "DescribeLoadBalancers":
            return answer[0], re.sub(rb"<Listener>.*?</Listener>", self.listener, answer[1],
                                     flags=re.S), answer[2]
        return answer

    def listener(self, element):
        port = re.search(rb"<LoadBalancerPort>(\d+)<", element.group()).group(1)
        if port not in self.instance_protocols:
            return element.group()
        return re.sub(rb"(<InstanceProtocol>).*?<", rb"\1" + self.instance_protocols[port] + b"<",
                      element.group())

    def launch(self, token, headers, body):
        """The same token gives the same machine, or says that it has ended."""
        with self.lock:
            before = self.launches.get(token)
        if before:
            machine = re.search(rb"<instanceId>(.*?)</instanceId>", before[1]).group(1).decode()
            now = self.forward(headers, urllib.parse.urlencode({
                "Action": "DescribeInstances", "Version": "2016-11-15",
                "InstanceId.1": machine}).encode())
            if b"<name>terminated</name>" not in now[1]:
                return before
            return 400, error("IdempotentInstanceTerminated"), "text/xml"
        answer = self.forward(headers, body)
        if answer[0] == 200:
            with self.lock:
                self.launches[token] = answer
        return answer

    def has_group(self, name, headers):
        there = self.forward(headers, urllib.parse.urlencode({
            "Action": "DescribeAutoScalingGroups", "Version": "2011-01-01",
            "AutoScalingGroupNames.member.1": name}).encode())
        return b"<AutoScalingGroupName>" in there[1]

    def made_before(self, name, form, headers):
        """moto makes a second balancer of the same name, and a second listener at the same port."""
        if name == "CreateLoadBalancer":
            asked = {"Action": "DescribeLoadBalancers", "Names.member.1": form["Name"]}
            mark = b"<LoadBalancerArn>"
        elif name == "CreateListener":
            asked = {"Action": "DescribeListeners", "LoadBalancerArn": form["LoadBalancerArn"]}
            mark = f"<Port>{form['Port']}</Port>".encode()
        else:
            return None
        status, data, kind = self.forward(headers, urllib.parse.urlencode(
            {**asked, "Version": V2}).encode())
        if status != 200 or mark not in data:
            return None
        if name == "CreateListener":  # as the settings may be others
            return 400, DUPLICATE, "text/xml"
        return status, data.replace(b"DescribeLoadBalancers", b"CreateLoadBalancer"), kind

    def put_hooks(self, form, headers):
        prefix = "LifecycleHookSpecificationList.member."
        for number in {key[len(prefix):].split(".")[0] for key in form if key.startswith(prefix)}:
            at = f"{prefix}{number}."
            hook = {key[len(at):]: value for key, value in form.items() if key.startswith(at)}
            self.forward(headers, urllib.parse.urlencode({
                "Action": "PutLifecycleHook", "Version": "2011-01-01",
                "AutoScalingGroupName": form["AutoScalingGroupName"], **hook}).encode())

    def forward(self, headers, body):
        request = urllib.request.Request(self.target, data=body, method="POST", headers={
            key: value for key, value in headers.items()
            if key.lower() not in ("host", "connection", "content-length")})
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, response.read(), response.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers["Content-Type"]
