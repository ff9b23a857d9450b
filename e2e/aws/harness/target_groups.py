"""Application and network balancers: target groups whose targets are checked, and drain for as long as the
deregistration delay says, also when nothing is open any more. A target group of no listener is not checked.
With listeners (HAProxy), health is what it sees; without, a target passes its checks as long as it runs."""
import dataclasses

from moto.autoscaling.models import AutoScalingBackend
from moto.elbv2.exceptions import (
    DuplicateListenerError, DuplicateLoadBalancerName, InvalidTargetError, TargetGroupNotFoundError,
    TargetNotRunning)
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus

from .balancers import Target

DELAY = "deregistration_delay.timeout_seconds"


@dataclasses.dataclass
class Check:
    """As a Classic balancer has it."""
    target: str
    interval: int
    timeout: int
    healthy_threshold: int
    unhealthy_threshold: int


@dataclasses.dataclass
class Listener:
    load_balancer_port: int
    instance_port: int
    protocol: str
    instance_protocol: str
    ssl_certificate_id: str | None


class Front:
    """A balancer as listeners.py serves it."""

    def __init__(self, balancer, listeners, groups):
        self.name = balancer.name
        self.listeners = [Listener(
            int(one.port), int(group.port), {"TLS": "SSL"}.get(one.protocol, one.protocol),
            "HTTP" if balancer.type == "application" else "TCP", one.certificate)
            for one, group in listeners]
        self.health_check = check_of(groups[0]) if groups else None
        idle = balancer.attrs.get("idle_timeout.timeout_seconds", 60)
        self.attributes = {"connection_settings": {
            "IdleTimeout": idle if balancer.type == "application" else 350}}


def check_of(group):
    port = group.port if group.health_check_port == "traffic-port" else group.health_check_port
    path = group.health_check_path or "/" if group.health_check_protocol.startswith("HTTP") else ""
    return Check(f"{group.health_check_protocol}:{port}{path}", int(group.health_check_interval_seconds),
                 int(group.health_check_timeout_seconds), int(group.healthy_threshold_count),
                 int(group.unhealthy_threshold_count))


class TargetGroups:
    def __init__(self, world):
        self.world = world
        self.reset()

    def reset(self):
        self.targets = {}  # ARN of a target group -> {instance id: Target}

    @property
    def backend(self):
        return self.world.backend("elbv2")

    def install(self):
        me = self

        def ids(targets):
            return [one["Id"] for one in targets]
        ELBv2Backend.register_targets = lambda backend, arn, targets: me.register(arn, ids(targets))
        ELBv2Backend.deregister_targets = lambda backend, arn, targets: me.deregister(arn, ids(targets))
        ELBv2Backend.describe_target_health = lambda backend, arn, targets: me.health(arn, ids(targets))
        self._make_once()
        self._attach()

    def _make_once(self):
        """moto makes a second balancer of the same name, and a second listener at the same port."""
        me = self
        create, listen, delete, drop = (
            ELBv2Backend.create_load_balancer, ELBv2Backend.create_listener,
            ELBv2Backend.delete_load_balancer, ELBv2Backend.delete_target_group)

        def create_load_balancer(backend, name, *args, **words):
            for one in backend.load_balancers.values():
                if one.name == name:
                    if one.type == words.get("loadbalancer_type"):
                        return one
                    raise DuplicateLoadBalancerName()
            balancer = create(backend, name, *args, **words)
            if me.world.listeners:
                balancer.dns_name = me.world.listeners.address(name)
            return balancer

        def create_listener(backend, load_balancer_arn, protocol, port, *args, **words):
            for one in backend.describe_listeners(load_balancer_arn, []):
                if int(one.port) == int(port):
                    raise DuplicateListenerError()
            return listen(backend, load_balancer_arn, protocol, port, *args, **words)

        def delete_load_balancer(backend, arn):
            if arn in backend.load_balancers and me.world.listeners:
                me.world.listeners.gone(backend.load_balancers[arn].name)
            delete(backend, arn)

        def delete_target_group(backend, arn):
            drop(backend, arn)
            me.targets.pop(arn, None)

        ELBv2Backend.create_load_balancer = create_load_balancer
        ELBv2Backend.create_listener = create_listener
        ELBv2Backend.delete_load_balancer = delete_load_balancer
        ELBv2Backend.delete_target_group = delete_target_group

    def _attach(self):
        """Members are registered when they are InService, by scaling.py."""
        me = self

        def serving(group):
            return [one.instance_id for one in group.instance_states
                    if one.lifecycle_state == "InService"]

        def attach(backend, name, arns):
            group = backend.autoscaling_groups[name]
            group.append_target_groups(arns)
            for arn in arns:
                me.register(arn, serving(group))

        def detach(backend, name, arns):
            group = backend.autoscaling_groups[name]
            group.target_group_arns = [one for one in group.target_group_arns if one not in arns]
            for arn in filter(me.has, arns):
                me.deregister(arn, serving(group))
        AutoScalingBackend.update_attached_target_groups = lambda backend, name: None
        AutoScalingBackend.attach_load_balancer_target_groups = attach
        AutoScalingBackend.detach_load_balancer_target_groups = detach

    # --- registration
    def has(self, arn):
        return arn in self.backend.target_groups

    def find(self, arn):
        if not self.has(arn):
            raise TargetGroupNotFoundError()
        return self.backend.target_groups[arn]

    def register(self, arn, ids):
        self.find(arn)
        for one in ids:
            instance = self.world.instances.get(one)
            if instance is None:
                raise InvalidTargetError()
            if instance.state != "running":
                raise TargetNotRunning(one)
        targets = self.targets.setdefault(arn, {})
        for one in ids:
            if one not in targets or targets[one].drain_until is not None:
                targets[one] = Target(self.world.clock.now())

    def deregister(self, arn, ids):
        """One that is not registered is no fault."""
        delay = float(self.find(arn).attributes[DELAY])
        targets = self.targets.get(arn, {})
        for one in ids:
            if one in targets and targets[one].drain_until is None:
                targets[one].drain_until = self.world.clock.now() + delay

    def drains(self, instance_id):
        """Whether any target group still lets its requests end."""
        return any(instance_id in targets for targets in self.targets.values())

    def says_out_of_service(self, instance_id):
        return any(instance_id in targets and targets[instance_id].was_in_service
                   and not targets[instance_id].in_service for targets in self.targets.values())

    # --- as time goes on
    def tick(self):
        now = self.world.clock.now()
        for arn, targets in list(self.targets.items()):
            for one, target in list(targets.items()):
                instance = self.world.instances.get(one)
                over = target.drain_until is not None and now >= target.drain_until
                if over or instance is None or instance.state == "terminated":
                    del targets[one]
        for balancer in list(self.backend.load_balancers.values()):
            self._look(balancer)

    def _used(self, balancer):
        """[(listener, its target group)]"""
        found = []
        for one in balancer.listeners.values():
            for action in one.default_actions:
                if group := self.backend.target_groups.get(action.data.get("TargetGroupArn")):
                    found.append((one, group))
        return found

    def _look(self, balancer):
        used = self._used(balancer)
        groups = list({group.arn: group for _, group in used}.values())
        front, merged = Front(balancer, used, groups), self._merged(groups)
        if self.world.listeners and used:
            seen = self.world.listeners.look(front, merged)
            self.world.listeners.serve(front, merged)
        else:
            seen = None
        for group in groups:
            for one, target in self.targets.get(group.arn, {}).items():
                self._check(group, one, target, seen)

    def _merged(self, groups):
        """{instance id: Target} over all of a balancer's: one that drains anywhere takes no more."""
        found = {}
        for group in groups:
            for one, target in self.targets.get(group.arn, {}).items():
                if one not in found or found[one].drain_until is None:
                    found[one] = target
        return found

    def _check(self, group, instance_id, target, seen):
        if seen is not None:
            target.in_service, target.connections = seen.get(instance_id, (False, 0))
        else:
            instance, check = self.world.instances.get(instance_id), check_of(group)
            target.in_service = (instance is not None and instance.state == "running" and
                                 self.world.clock.now() >=
                                 target.since + check.interval * check.healthy_threshold)
        target.was_in_service = target.was_in_service or target.in_service

    # --- what is told of it
    def health(self, arn, asked):
        group, targets = self.find(arn), self.targets.get(arn, {})
        used = any(arn == one.arn for balancer in self.backend.load_balancers.values()
                   for _, one in self._used(balancer))
        return [FakeHealthStatus(one, group.port, group.health_check_port,
                                 *self._state_of(one, targets.get(one), used))
                for one in asked or list(targets)]

    def _state_of(self, instance_id, target, used):
        instance = self.world.instances.get(instance_id)
        if target is None:
            return "unused", "Target.NotRegistered", "Target is not registered to the target group"
        if target.drain_until is not None:
            return "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
        if not used:
            return "unused", "Target.NotInUse", \
                "Target group is not configured to receive traffic from the load balancer"
        if instance is None or instance.state != "running":
            return "unused", "Target.InvalidState", "Target is in the stopped state"
        if target.in_service:
            return "healthy", None, None
        if not target.was_in_service:
            return "initial", "Elb.RegistrationInProgress", "Target registration is in progress"
        return "unhealthy", "Target.FailedHealthChecks", "Health checks failed"
