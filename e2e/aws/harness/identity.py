"""Who an instance is: the signed identity document, and the credentials of its role. Calls that are
signed with a role's credentials are checked, and are that role's session."""
import base64
import dataclasses
import datetime
import hashlib
import hmac
import json
import secrets
import subprocess
import urllib.parse
from xml.sax.saxutils import escape

from moto.core import DEFAULT_ACCOUNT_ID

from .calls import Answer

ROLE_SECONDS = 6 * 3600
SESSION = ('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
           "<GetCallerIdentityResult><Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>"
           "</GetCallerIdentityResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>"
           "</GetCallerIdentityResponse>")


@dataclasses.dataclass
class Session:
    instance: str
    role: str
    key: str
    secret: str
    token: str
    made: float
    expires: float


class Identity:
    def __init__(self, world, folder):
        self._world, self._key, self._certificate = world, folder / "identity.key", folder / "identity.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self._key,
                        "-out", self._certificate, "-subj", "/CN=ec2.amazonaws.example", "-days", "2"],
                       check=True, capture_output=True)
        self._sessions = {}

    # --- the document
    def certificate(self):
        return self._certificate.read_text()

    def document(self, instance):
        launched = instance.launch_time.strftime("%Y-%m-%dT%H:%M:%SZ")
        return json.dumps({
            "accountId": DEFAULT_ACCOUNT_ID, "architecture": "x86_64", "availabilityZone":
            instance.placement.zone, "billingProducts": None, "devpayProductCodes": None,
            "marketplaceProductCodes": None, "imageId": instance.image_id, "instanceId": instance.id,
            "instanceType": instance.instance_type, "kernelId": None, "pendingTime": launched,
            "privateIp": instance.private_ip, "ramdiskId": None, "region": self._world.region,
            "version": "2017-09-30"}, indent=2)

    def signature(self, document):
        """RSA with SHA-256, base64: /latest/dynamic/instance-identity/signature."""
        made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self._key],
                              input=document.encode(), check=True, capture_output=True)
        return base64.encodebytes(made.stdout).decode()

    def pkcs7(self, document):
        made = subprocess.run(["openssl", "smime", "-sign", "-nodetach", "-binary", "-outform", "PEM",
                               "-md", "sha256", "-signer", self._certificate, "-inkey", self._key],
                              input=document.encode(), check=True, capture_output=True)
        return "".join(line + "\n" for line in made.stdout.decode().splitlines() if "PKCS7" not in line)

    # --- the role
    def role_of(self, instance):
        """(role name, profile ARN, profile id), or None."""
        associations = self._world.backend("ec2").iam_instance_profile_associations
        profile = associations.get(instance.id) and associations[instance.id].iam_instance_profile
        if not profile or not profile.roles:
            return None
        return profile.roles[0].name, profile.arn, profile.id

    def credentials(self, instance, role):
        """Of the role, renewed an hour ahead of their end."""
        now = self._world.clock.unix()
        session = next((one for one in self._sessions.values() if one.instance == instance.id
                        and one.role == role and one.expires - now > 3600), None)
        if session is None:
            key = "ASIA" + secrets.token_hex(8).upper()
            session = Session(instance.id, role, key, secrets.token_urlsafe(30),
                              secrets.token_urlsafe(120), now, now + ROLE_SECONDS)
            self._sessions[key] = session
        return json.dumps({
            "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": instant(session.made),
            "AccessKeyId": session.key, "SecretAccessKey": session.secret, "Token": session.token,
            "Expiration": instant(session.expires)}, indent=2)

    def secrets(self):
        return [word for one in self._sessions.values() for word in (one.secret, one.token)]

    # --- calls with it
    def check(self, call, request, body):
        """An answer for a call signed as an instance that must not be done, or that asks who it is."""
        session = self._sessions.get(call.key)
        if session is None:
            return None
        if self._world.clock.unix() >= session.expires:
            return call.refusal("ExpiredToken", "The security token included in the request is expired",
                                403)
        if request.headers.get("X-Amz-Security-Token") != session.token:
            return call.refusal("InvalidClientTokenId",
                                "The security token included in the request is invalid.", 403)
        if not signed_with(session.secret, request, body):
            return call.refusal("SignatureDoesNotMatch", "The request signature we calculated does not "
                                "match the signature you provided.", 403)
        if call.action == "sts:GetCallerIdentity":
            arn = f"arn:aws:sts::{DEFAULT_ACCOUNT_ID}:assumed-role/{session.role}/{session.instance}"
            text = SESSION.format(escape(arn), f"AROAEXAMPLE:{session.instance}", DEFAULT_ACCOUNT_ID)
            return Answer(200, text.encode(), "text/xml")
        return None


def instant(unix):
    return datetime.datetime.fromtimestamp(unix, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def signed_with(secret, request, body):
    """Signature version 4 in the Authorization header."""
    words = dict(part.strip().partition("=")[::2] for part in
                 request.headers.get("Authorization", "").partition(" ")[2].split(","))
    scope = words.get("Credential", "").partition("/")[2]
    names = words.get("SignedHeaders", "").split(";")
    if scope.count("/") != 3 or "host" not in names:
        return False
    query = urllib.parse.parse_qsl(request.query_string.decode(), keep_blank_values=True)
    canonical = "\n".join([
        request.method, urllib.parse.quote(request.path),
        "&".join(f"{quoted(key)}={quoted(value)}" for key, value in sorted(query)),
        *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names), "",
        ";".join(names), hashlib.sha256(body).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", request.headers.get("X-Amz-Date", ""), scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in [*scope.split("/"), to_sign]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(key.hex(), words.get("Signature", ""))


def quoted(text):
    return urllib.parse.quote(text, safe="-_.~")
