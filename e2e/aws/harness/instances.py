"""EC2 instances: states that take time, launches by token, capacity and limits. With machines, each is
a real one, and its state follows it."""
import base64
import functools

from moto.autoscaling.models import AutoScalingBackend
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError, InvalidInstanceIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance, MetadataOptions
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.responses.general import General
from moto.ec2.utils import parse_user_data

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64,
         "stopped": 80}
NO_CAPACITY = ("We currently do not have sufficient {} capacity in the Availability Zone you "
               "requested ({}). Our system will be working on provisioning additional capacity.")
OVER_LIMIT = ("You have requested more instances ({}) than your current instance limit of {} allows "
              "for the specified instance type. Please visit http://aws.amazon.com/contact-us/"
              "ec2-request to request an adjustment to this limit.")
NOT_STOPPED = "The instance '{}' is not in a state from which it can be started."


def set_state(instance, name):
    instance._state.name, instance._state.code = name, CODES[name]


class Capacity:
    """Where AWS has no machines: entries {type, zone, left}, type or zone None for any, `left` launches
    that still succeed there; and zones that are lost."""

    def __init__(self):
        self.entries = []
        self.lost = set()

    def check(self, kind, zone):
        if zone in self.lost:
            raise EC2ClientError("InsufficientInstanceCapacity", NO_CAPACITY.format(kind, zone))
        for entry in self.entries:
            if entry.get("type") not in (None, kind) or entry.get("zone") not in (None, zone):
                continue
            if entry.get("left", 0) <= 0:
                raise EC2ClientError("InsufficientInstanceCapacity", NO_CAPACITY.format(kind, zone))
            entry["left"] -= 1


class Instances:
    def __init__(self, world):
        self.world = world
        self.reset()

    def reset(self):
        self.capacity = Capacity()
        self._due = {}     # id -> when its pending, stopping or shutting-down may end
        self._to_boot = set()
        self.notices = {}  # id -> {"spot": (action, unix time), "rebalance": unix time}

    # --- moto's own methods, replaced
    def install(self):
        """Once a process: moto's classes are changed."""
        me, launch, begin, end = self, EC2Backend.run_instances, Instance.__init__, Instance.terminate

        @functools.wraps(launch)
        def run_instances(backend, image_id, count, *args, **words):
            token = words.get("client_token")
            if token and token != "ABCDE":  # moto's word for none
                if made := me._made_by(backend, token):
                    return made
            me._place(backend, words)
            me._check(backend, image_id, count, words)
            made = launch(backend, image_id, count, *args, **words)
            if words.get("launch_template"):
                data = backend._get_template_from_args(words["launch_template"]).data
                for instance in made.instances:
                    me._as_template(backend, instance, words, data)
            return made

        def init(instance, *args, **words):
            begin(instance, *args, **words)
            me._launched(instance)

        def terminate(instance):
            return me._end(instance, "shutting-down")

        EC2Backend.run_instances = run_instances
        Instance.__init__, Instance.terminate = init, terminate
        Instance.stop = lambda instance: me._end(instance, "stopping")
        Instance.start = lambda instance: me._start(instance)
        Instance.reboot = lambda instance: me._reboot(instance)
        General.get_console_output = lambda calls: me._console(calls)
        add_version = LaunchTemplate.create_version

        @functools.wraps(add_version)
        def create_version(template, data, description):
            """moto takes the user data of later versions unread, and launches nothing with it."""
            if isinstance(data.get("UserData"), str):
                data = {**data, "UserData": parse_user_data(data["UserData"])}
            return add_version(template, data, description)
        LaunchTemplate.create_version = create_version
        # Instance groups find out by themselves.
        AutoScalingBackend.notify_terminate_instances = lambda backend, ids: None
        self._terminated = end

    def _made_by(self, backend, token):
        for reservation in backend.reservations.values():
            for instance in reservation.instances:
                if instance.client_token != token:
                    continue
                if instance.state in ("terminated", "shutting-down"):
                    raise EC2ClientError("IdempotentInstanceTerminated",
                                         "The instance that this token made has been terminated")
                return reservation
        return None

    @staticmethod
    def _place(backend, words):
        """Without a subnet, the default one of the zone; moto would still know EC2 Classic."""
        if not words.get("subnet_id") and not words.get("nics"):
            subnets = backend.get_default_subnets()
            words["subnet_id"] = subnets[words.get("placement") or min(subnets)].id

    def _check(self, backend, image_id, count, words):
        kind, zone = words.get("instance_type"), None
        if template := words.get("launch_template"):
            kind = kind if not words.get("is_instance_type_default") else (
                backend._get_template_from_args(template).instance_type or kind)
        subnet = words.get("subnet_id")
        if subnet:
            zone = backend.get_subnet(subnet).availability_zone
        zone = zone or words.get("placement") or backend.region_name + "a"
        limit = self.world.settings.instance_limit
        there = len([one for one in backend.all_instances() if one.state != "terminated"])
        if limit is not None and there + int(count) > limit:
            raise EC2ClientError("InstanceLimitExceeded", OVER_LIMIT.format(there + int(count), limit))
        for _ in range(int(count)):
            self.capacity.check(kind, zone)

    @staticmethod
    def _as_template(backend, instance, words, data):
        """What moto does not take over from a launch template."""
        if data.get("MetadataOptions") and not words.get("metadata_options"):
            instance.metadata_options = MetadataOptions(data["MetadataOptions"])
        profile = data.get("IamInstanceProfile") or {}
        if profile and not (words.get("iam_instance_profile_name") or
                            words.get("iam_instance_profile_arn")):
            backend.associate_iam_instance_profile(instance.id, profile.get("Name"), profile.get("Arn"))

    # --- states
    def all(self):
        return self.world.backend("ec2").all_instances()

    def get(self, instance_id):
        try:
            return self.world.backend("ec2").get_instance(instance_id)
        except InvalidInstanceIdError:
            return None

    def _launched(self, instance):
        set_state(instance, "pending")
        self._to_boot.add(instance.id)
        self._due[instance.id] = self.world.clock.now() + self.world.settings.boot_seconds

    def _end(self, instance, state):
        before = type(instance._state)(instance.state, instance.state_code)
        if instance.state in ("terminated", "shutting-down") or instance.state == state:
            return before
        if state == "stopping" and instance.state == "stopped":
            return before
        set_state(instance, state)
        self._due[instance.id] = self.world.clock.now() + self.world.settings.shutdown_seconds
        if self.world.machines:
            self.world.machines.power_off(instance.id, self.world.settings.power_off_seconds)
        return before

    def _start(self, instance):
        before = type(instance._state)(instance.state, instance.state_code)
        if instance.state == "stopped":
            self._launched(instance)
        elif instance.state not in ("pending", "running"):
            raise EC2ClientError("IncorrectInstanceState", NOT_STOPPED.format(instance.id))
        return before

    def _console(self, calls):
        """What the machine printed; nothing where it is not real."""
        instance = calls.ec2_backend.get_instance(calls._get_param("InstanceId"))
        machines = self.world.machines.describe() if self.world.machines else {}
        one = machines.get(instance.id, {"console": "", "boot_log": ""})
        said = (one["console"] + one["boot_log"])[-65536:].encode()
        return ActionResult({"InstanceId": instance.id, "Timestamp": utcnow(),
                             "Output": base64.b64encode(said).decode()})

    def _reboot(self, instance):
        if self.world.machines and instance.state == "running":
            self.world.machines.reboot(instance.id, self.world.settings.power_off_seconds)

    def tick(self):
        now = self.world.clock.now()
        for instance in self.all():
            due = now >= self._due.get(instance.id, 0)
            if instance.state == "pending":
                self._boot(instance, due)
            elif instance.state in ("shutting-down", "stopping") and due and self._is_off(instance):
                self._ended(instance)
            elif instance.state == "running" and self._is_off(instance):
                self._ended_by_itself(instance)
        self._reclaim_spot()

    def _is_off(self, instance):
        machines = self.world.machines
        return not machines.runs(instance.id) if machines else instance.state != "running"

    def _boot(self, instance, due):
        # At a tick, since profile and tags come a moment after the launch, within the same call.
        if self.world.machines and instance.id in self._to_boot:
            self.world.machines.start(instance)
        self._to_boot.discard(instance.id)
        if due:
            set_state(instance, "running")

    def _ended(self, instance):
        if instance.state == "stopping":
            set_state(instance, "stopped")
            instance._reason = "User initiated"
            return
        self._terminated(instance)
        if self.world.machines:
            self.world.machines.forget(instance.id)
        self.notices.pop(instance.id, None)

    def _ended_by_itself(self, instance):
        """A machine that halted from within: as its shutdown behaviour says."""
        ends = instance.instance_initiated_shutdown_behavior == "terminate" or instance.lifecycle == "spot"
        set_state(instance, "shutting-down" if ends else "stopping")
        self._due[instance.id] = self.world.clock.now()

    # --- what happens to instances, ordered by tests
    def interrupt_spot(self, instance_id, seconds=120.0, action="terminate"):
        """A Spot interruption: the notice now, the end in `seconds`, held by no hook."""
        when = self.world.clock.unix() + seconds
        self.notices.setdefault(instance_id, {})["spot"] = (action, when)

    def recommend_rebalance(self, instance_id):
        self.notices.setdefault(instance_id, {})["rebalance"] = self.world.clock.unix()

    def crash(self, instance_id):
        """The host is gone: no shutdown, EC2 stops it."""
        instance = self.get(instance_id)
        if self.world.machines:
            self.world.machines.power_off(instance_id, 0)
        set_state(instance, "stopping")
        self._due[instance_id] = self.world.clock.now()

    def lose_zone(self, zone):
        """All of it is gone at once, and EC2 ends it; nothing comes there any more."""
        self.capacity.lost.add(zone)
        for instance in self.all():
            if instance.placement.zone != zone or instance.state in ("terminated", "shutting-down"):
                continue
            if self.world.machines:
                self.world.machines.power_off(instance.id, 0)
            set_state(instance, "shutting-down")
            self._due[instance.id] = self.world.clock.now()

    def _reclaim_spot(self):
        for instance_id, notice in list(self.notices.items()):
            if "spot" not in notice or self.world.clock.unix() < notice["spot"][1]:
                continue
            instance = self.get(instance_id)
            del notice["spot"]
            if instance is not None:
                instance.terminate()
