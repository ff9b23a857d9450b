"""AWS by botocore's service models: reads requests off the wire, and makes answers."""
import base64
import json
import urllib.parse
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import botocore.validate

# (signing name, API version of the form) -> botocore's name. JSON services have no version there.
SERVICES = {("ec2", "2016-11-15"): "ec2", ("autoscaling", "2011-01-01"): "autoscaling",
            ("elasticloadbalancing", "2012-06-01"): "elb",
            ("elasticloadbalancing", "2015-12-01"): "elbv2", ("iam", "2010-05-08"): "iam",
            ("sts", "2011-06-15"): "sts", ("monitoring", "2010-08-01"): "cloudwatch",
            ("ecr", None): "ecr", ("ssm", None): "ssm"}
TOKENS = {"NextToken", "nextToken", "Marker", "NextMarker"}
# Values that hive reads further into.
SPECIAL = {"IpProtocol": "tcp", "Output": base64.b64encode(b"the console").decode(),
           "authorizationToken": base64.b64encode(b"AWS:the-password").decode(),
           "lifecyclePolicyText": json.dumps({"rules": []}),
           "PolicyDocument": urllib.parse.quote(json.dumps({"Version": "2012-10-17"})),
           "proxyEndpoint": "https://1.dkr.ecr.example.org", "InstanceLifecycle": "spot"}
_models = {}


def service_model(name):
    if name not in _models:
        loader = botocore.loaders.Loader()
        _models[name] = botocore.model.ServiceModel(
            loader.load_service_model(name, "service-2"), name)
    return _models[name]


def protocol_of(name):
    return {"ec2": "ec2", "ecr": "json", "ssm": "json"}.get(name, "query")


class Request:
    """A request as it came: .service, .operation (model), .params, .problems."""

    def __init__(self, headers, body):
        scope = headers["Authorization"].split("Credential=")[1].split(",")[0].split("/")
        target = headers.get("X-Amz-Target")
        self.form = None if target else dict(urllib.parse.parse_qsl(body, keep_blank_values=True,
                                                                    strict_parsing=True))
        version = None if target else self.form.pop("Version")
        self.service = SERVICES[scope[3], version]
        name = target.split(".")[1] if target else self.form.pop("Action")
        self.operation = service_model(self.service).operation_model(name)
        self.problems = []
        if target:
            self.params = json.loads(body)
        else:
            used = set()
            self.params = self.decode(self.operation.input_shape, "", used)
            if left := set(self.form) - used:
                self.problems.append(f"parameters that {name} does not have: {sorted(left)}")
        self.check(body)

    def decode(self, shape, prefix, used):
        """The inverse of botocore's query and EC2 serializers."""
        ec2 = self.service == "ec2"
        if shape.type_name == "structure":
            out = {}
            for name, member in shape.members.items():
                traits = member.serialization
                wire = traits.get("name", name)
                if ec2:
                    wire = traits.get("queryName", wire[0].upper() + wire[1:])
                at = f"{prefix}.{wire}" if prefix else wire
                if any(key == at or key.startswith(at + ".") for key in self.form):
                    out[name] = self.decode(member, at, used)
            return out
        if shape.type_name == "list":
            if not ec2 and not shape.serialization.get("flattened"):
                prefix += "." + shape.member.serialization.get("name", "member")
            out = []
            while any(key == f"{prefix}.{len(out) + 1}" or
                      key.startswith(f"{prefix}.{len(out) + 1}.") for key in self.form):
                out.append(self.decode(shape.member, f"{prefix}.{len(out) + 1}", used))
            return out
        used.add(prefix)
        text = self.form[prefix]
        kind = shape.type_name
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text]
        if kind == "blob":
            return base64.b64decode(text, validate=True)
        return text

    def check(self, body):
        report = botocore.validate.ParamValidator().validate(self.params,
                                                             self.operation.input_shape or
                                                             botocore.model.Shape("x", {
                                                                 "type": "structure",
                                                                 "members": {}}))
        if report.has_errors():
            self.problems.append(report.generate_report())
        self.enums(self.operation.input_shape, self.params)
        if self.problems:
            return
        serializer = botocore.serialize.create_serializer(protocol_of(self.service), False)
        theirs = serializer.serialize_to_request(self.params, self.operation)["body"]
        if self.form is None:
            ours, theirs = json.loads(body), json.loads(theirs)
        else:
            ours = self.form
            theirs = {key: {True: "true", False: "false"}.get(value, str(value))
                      if isinstance(value, bool) else str(value) for key, value in theirs.items()
                      if key not in ("Action", "Version")}
        if ours != theirs:
            self.problems.append(f"botocore would send {theirs}, hive sends {ours}")

    def enums(self, shape, value):
        """ParamValidator does not look at enumerations."""
        if shape is None:
            return
        if shape.type_name == "structure":
            for name, one in value.items():
                self.enums(shape.members[name], one)
        elif shape.type_name == "list":
            for one in value:
                self.enums(shape.member, one)
        elif shape.type_name == "string" and shape.enum and value not in shape.enum:
            self.problems.append(f"{value!r} is none of {shape.enum}")


class Answer:
    """An answer to an operation that has every member, each string naming its own place."""

    def __init__(self, service, operation):
        self.service, self.operation = service, operation
        self.count = 10
        shape = operation.output_shape
        self.value = self.fill(shape, "", {}) if shape else {}
        for token in TOKENS:
            self.value.pop(token, None)

    def fill(self, shape, path, seen):
        kind = shape.type_name
        if kind == "structure":
            if seen.get(shape.name, 0) >= 1:
                return {}
            inner = {**seen, shape.name: seen.get(shape.name, 0) + 1}
            return {name: self.fill(member, f"{path}/{name}", inner)
                    for name, member in shape.members.items()}
        if kind == "list":
            return [self.fill(shape.member, f"{path}/{i}", seen) for i in range(2)]
        if kind == "map":
            return {}
        name = path.rsplit("/", 1)[-1]
        if kind == "string":
            return SPECIAL.get(name) or (shape.enum[0] if shape.enum else path)
        if kind == "boolean":
            return True
        if kind == "timestamp":
            return "2026-01-31T12:00:00Z"
        self.count += 1
        return self.count % 90 + 1

    def body(self):
        protocol = protocol_of(self.service)
        if protocol == "json":
            return json.dumps(self.json_value(self.operation.output_shape, self.value))
        inner = self.xml(self.operation.output_shape, self.value) if self.value else ""
        if protocol == "query":
            wrapper = (self.operation.output_shape.serialization.get("resultWrapper")
                       if self.operation.output_shape else None)
            if wrapper:
                inner = f"<{wrapper}>{inner}</{wrapper}>"
            inner += "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
        else:
            inner += "<requestId>r</requestId>"
        root = self.operation.name + "Response"
        return f'<?xml version="1.0"?>\n<{root} xmlns="urn:x">{inner}</{root}>'

    def json_value(self, shape, value):
        if shape is None:
            return {}
        if shape.type_name == "structure":
            return {name: self.json_value(shape.members[name], one) for name, one in value.items()}
        if shape.type_name == "list":
            return [self.json_value(shape.member, one) for one in value]
        return 1769860800.0 if shape.type_name == "timestamp" else value

    def xml(self, shape, value):
        if shape.type_name == "structure":
            return "".join(self.element(shape.members[name], name, one)
                           for name, one in value.items())
        if shape.type_name == "map":
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return escape(str(value))

    def element(self, shape, name, value):
        name = shape.serialization.get("name", name)
        if shape.type_name != "list":
            return f"<{name}>{self.xml(shape, value)}</{name}>"
        if shape.serialization.get("flattened"):
            return "".join(f"<{name}>{self.xml(shape.member, one)}</{name}>" for one in value)
        item = shape.member.serialization.get("name", "member")
        inner = "".join(f"<{item}>{self.xml(shape.member, one)}</{item}>" for one in value)
        return f"<{name}>{inner}</{name}>"

    def parsed_by_botocore(self):
        """What botocore itself reads out of body()."""
        parser = botocore.parsers.create_parser(protocol_of(self.service))
        parser._timestamp_parser = lambda text: "2026-01-31T12:00:00Z"
        out = parser.parse({"status_code": 200, "headers": {}, "body": self.body().encode()},
                           self.operation.output_shape)
        out.pop("ResponseMetadata", None)
        return out

    def strings(self):
        def walk(value):
            if isinstance(value, dict):
                for one in value.values():
                    yield from walk(one)
            elif isinstance(value, list):
                for one in value:
                    yield from walk(one)
            else:
                yield value
        return {one for one in walk(self.value) if isinstance(one, str)}
