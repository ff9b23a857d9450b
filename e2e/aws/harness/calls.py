"""A request to AWS as it came off the wire, and how each protocol says no."""
import dataclasses
import json
import urllib.parse
from xml.sax.saxutils import escape

ELB_VERSIONS = {"2012-06-01": "elb", "2015-12-01": "elbv2"}
JSON = "application/x-amz-json-1.1"


@dataclasses.dataclass
class Answer:
    status: int
    body: bytes
    content_type: str


class Call:
    """.service ("ec2", "autoscaling", "elb", ...), .name ("RunInstances"), .form (of query calls),
    .json (of JSON calls), .key (the access key it was signed with)."""

    def __init__(self, headers, body):
        authorization = headers.get("Authorization", "")
        scope = authorization.partition("Credential=")[2].split(",")[0].split("/")
        self.key, self.service = scope[0], scope[3] if len(scope) > 3 else ""
        target = headers.get("X-Amz-Target")
        self.form, self.json, self.name = {}, {}, ""
        if target:
            self.name = target.split(".")[-1]
            self.json = json.loads(body or b"{}")
        elif "form-urlencoded" in headers.get("Content-Type", ""):
            self.form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
            self.name = self.form.get("Action", "")
        if self.service == "elasticloadbalancing":
            self.service = ELB_VERSIONS.get(self.form.get("Version"), "elbv2")

    @property
    def action(self):
        return f"{self.service}:{self.name}"

    @property
    def looks(self):
        """Whether it changes nothing."""
        return self.name.startswith(("Describe", "Get", "List"))

    def values(self):
        """All texts in it."""
        if self.form:
            return set(self.form.values())
        found, left = set(), [self.json]
        while left:
            one = left.pop()
            if isinstance(one, dict):
                left.extend(one.values())
            elif isinstance(one, list):
                left.extend(one)
            else:
                found.add(one)
        return found

    def refusal(self, code, message, status=400):
        """An error of AWS, in the form of this call's protocol."""
        if not self.form:
            return Answer(status, json.dumps({"__type": code, "message": message}).encode(), JSON)
        error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        if self.service == "ec2":
            text = (f"<Response><Errors><Error>{error}</Error></Errors>"
                    "<RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>")
        else:
            kind = "Receiver" if status >= 500 else "Sender"
            text = (f"<ErrorResponse><Error><Type>{kind}</Type>{error}</Error>"
                    "<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>")
        return Answer(status, text.encode(), "text/xml")
